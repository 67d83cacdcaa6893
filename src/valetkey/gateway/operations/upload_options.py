"""What an upload says of the object that it makes, beside the bytes: headers, tags, lock, owner, encryption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.gateway.call import Call
from valetkey.gateway.operations.kept_settings import (
    default_encryption_of,
    lock_configuration_of,
    ownership_of,
)
from valetkey.gateway.operations.refusals import refuse_object_options
from valetkey.gateway.operations.requested_lists import NewAccess, new_access
from valetkey.s3.codes import Code
from valetkey.s3.encryption import CustomerKey, encryption_headers, requested_encryption
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import Ownership
from valetkey.s3.headers import object_headers
from valetkey.s3.object_lock import LockRequest, default_retention, lock_request, require_lockable_upload
from valetkey.s3.tags import parse_tagging_header
from valetkey.store.model import NO_LOCK, Checksum, Encryption, Lock, NewObject

_OWNERS_ALONE: Final = NewAccess(owner_id=None, acl=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOptions:
    """What a new object is to have."""

    headers: dict[str, str]
    tags: dict[str, str]
    lock: Lock
    encryption: Encryption | None
    customer_key: CustomerKey | None
    """For "SSE-C" only."""
    access: NewAccess

    def new_object(self, *, etag: str, checksum: Checksum | None) -> NewObject:
        """Return the object in the store's words."""
        return NewObject(
            etag=etag,
            headers=self.headers,
            checksum=checksum,
            tags=self.tags,
            lock=self.lock,
            owner_id=self.access.owner_id,
            acl=self.access.acl,
        )

    def encryption_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell the client how its object is encrypted."""
        return wire_headers(
            encryption_headers(self.encryption.kind if self.encryption else None, self.customer_key)
        )


def upload_options(call: Call) -> UploadOptions:
    """Return what the request's headers, and for what they leave open the bucket's settings, say.

    Raises:
        S3Error: a header is malformed, or asks for what the bucket does not allow.
    """
    headers = call.headers
    if _is_plain(call):
        return _plain_options(call)
    refuse_object_options(headers)
    access = new_access(call)
    encryption, key = _encryption(call)
    tagging = headers.get("x-amz-tagging")
    return UploadOptions(
        headers=object_headers(headers),
        tags=parse_tagging_header(tagging) if tagging else {},
        lock=new_lock(call),
        encryption=encryption,
        customer_key=key,
        access=access,
    )


def _is_plain(call: Call) -> bool:
    """Return whether no header asks for anything, and the bucket gives a new object nothing but its encryption.

    Nearly every small upload is such a one. Measured: to ask for each thing takes a tenth of the gateway's time.
    """
    is_owners = ownership_of(call.bucket) is Ownership.BUCKET_OWNER_ENFORCED
    return is_owners and not call.bucket.is_lockable and "x-amz-" not in " ".join(call.headers)


def _plain_options(call: Call) -> UploadOptions:
    default = default_encryption_of(call.bucket)
    kind = default.kind if default else None
    return UploadOptions(
        headers=object_headers(call.headers),
        tags={},
        lock=NO_LOCK,
        encryption=Encryption(kind=kind) if kind else None,
        customer_key=None,
        access=_OWNERS_ALONE,
    )


def _encryption(call: Call) -> tuple[Encryption | None, CustomerKey | None]:
    wanted = requested_encryption(call.headers)
    default = default_encryption_of(call.bucket)
    if wanted is None:
        kind = default.kind if default else None
        return (Encryption(kind=kind) if kind else None), None
    if wanted.customer_key is None:
        return Encryption(kind=wanted.kind), None
    if default is not None:
        default.require_customer_keys_allowed()
    return Encryption(kind=wanted.kind, customer_key=wanted.customer_key.key), wanted.customer_key


def new_lock(call: Call) -> Lock:
    """Return the lock that a new version gets: by the request's headers, or by the bucket's default.

    Raises:
        S3Error: the headers are malformed, or the bucket has no Object Lock.
    """
    wanted = lock_request(call.headers, now_ms=call.now_ms)
    require_lockable_upload(wanted, is_lockable=call.bucket.is_lockable)
    if not call.bucket.is_lockable:
        return NO_LOCK
    _require_digest(call, wanted)
    mode, until_ms = wanted.mode, wanted.until_ms
    configuration = lock_configuration_of(call.bucket)
    if mode is None and configuration is not None:
        mode, until_ms = default_retention(configuration, now_ms=call.now_ms) or (None, None)
    return Lock(mode=mode, until_ms=until_ms, legal_hold=wanted.legal_hold)


def _require_digest(call: Call, wanted: LockRequest) -> None:
    # What may not be deleted for years must at least have come over whole.
    if not wanted or call.operation.name != "PutObject":
        return
    if "content-md5" in call.headers or any(name.startswith("x-amz-checksum-") for name in call.headers):
        return
    if "x-amz-trailer" in call.headers:
        return
    raise S3Error(
        Code.INVALID_REQUEST,
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    )


def wire_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers of ASCII text as they go out."""
    return [(name.encode(), value.encode()) for name, value in headers.items()]
