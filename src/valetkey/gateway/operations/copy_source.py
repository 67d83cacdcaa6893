"""The source of a copy: found, allowed, and as its conditions want it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from valetkey.gateway.call import Call
from valetkey.gateway.operations.get_object import require_readable
from valetkey.gateway.operations.refusals import require_expected_owner
from valetkey.gateway.required_actions import action_for
from valetkey.s3.codes import Code
from valetkey.s3.copy_source import parse_copy_source
from valetkey.s3.encryption import CustomerKey, copy_source_key
from valetkey.s3.errors import S3Error
from valetkey.s3.preconditions import decide_copy_source
from valetkey.store.errors import (
    ContentGoneError,
    DeleteMarkerError,
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchVersionError,
)
from valetkey.store.model import Bucket, StoredObject

T = TypeVar("T")

_ATTEMPTS: Final = 10


class Source:
    """What a copy is made of. Read with the rights of whoever signed, like any other read."""

    def __init__(self, call: Call) -> None:
        """Find out what is meant.

        Raises:
            S3Error: the header is malformed, or the bucket has another owner than expected.
            NoSuchBucketError, AccessDeniedError
        """
        self._call = call
        self._asked = parse_copy_source(call.headers["x-amz-copy-source"])
        self._key = copy_source_key(call.headers)
        self.bucket: Final[Bucket] = call.store.buckets.find(self._asked.bucket)
        self._authority = call.authority.at(self.bucket, self._asked.key, self._asked.version_id)
        self.require("s3:GetObject")
        require_expected_owner(
            call.headers, self.bucket, call.rules, header="x-amz-source-expected-bucket-owner"
        )

    @property
    def names_version(self) -> bool:
        return self._asked.version_id is not None

    @property
    def customer_key(self) -> CustomerKey | None:
        """The key that opens the source, if the request brings one."""
        return self._key

    def require(self, action: str) -> None:
        """Return if the caller may do `action` with the source, or with the version of it that is named.

        Raises:
            AccessDeniedError
        """
        self._authority.require(action_for(action, self._asked.version_id))

    async def use(self, work: Callable[[StoredObject], Awaitable[T]]) -> T:
        """Return what `work` makes of the source, found anew if it is replaced meanwhile.

        Raises:
            S3Error: its conditions do not hold, or it takes another key.
            NoSuchKeyError, NoSuchVersionError
        """
        for _ in range(_ATTEMPTS):
            found = self._find()
            try:
                return await work(found)
            except ContentGoneError:
                continue
        raise S3Error(Code.SLOW_DOWN)

    def _find(self) -> StoredObject:
        if self._call.store.buckets.find(self._asked.bucket).id != self.bucket.id:
            # Another has taken its name, in which nobody has said yet what this caller may do.
            raise NoSuchBucketError(self._asked.bucket)
        self.require("s3:GetObject")
        try:
            found = self._call.store.find_object(self._asked.bucket, self._asked.key, self._asked.version_id)
        except DeleteMarkerError as error:
            raise S3Error(
                Code.INVALID_REQUEST,
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            ) from error
        except (NoSuchKeyError, NoSuchVersionError) as error:
            self._authority.require_listing(error)
            raise
        require_readable(self._call, found, self._key)
        decide_copy_source(
            self._call.headers, etag=found.etag, modified_ms=found.modified_ms, now_ms=self._call.now_ms
        )
        return found

    async def blocks(self, found: StoredObject, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of the source from `start` to before `end`."""
        key = self._key.key if self._key else None
        with self._call.store.open_content(found, start, end, customer_key=key) as reader:
            async for block in reader:
                yield block


def source_version_header(found: StoredObject) -> list[tuple[bytes, bytes]]:
    """Return the header that tells which version was copied. The null version is not named."""
    if found.version_id is None:
        return []
    return [(b"x-amz-copy-source-version-id", found.version_id.encode())]
