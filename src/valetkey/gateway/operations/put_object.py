"""PutObject."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import Intake
from valetkey.gateway.operations.answers import empty, etag_header
from valetkey.gateway.operations.object_facts import checksum_headers, expiration_header, new_version_header
from valetkey.gateway.operations.rewriting import stored_etag
from valetkey.gateway.operations.upload_options import UploadOptions, upload_options
from valetkey.s3.names import require_key
from valetkey.s3.preconditions import WriteCondition, parse_write
from valetkey.store.model import StoredObject, WriteRule

_WORTH_REFUSING_BYTES: Final = 1024 * 1024
"""A body that is refused unread costs its connection; one that is smaller than this is read rather."""


async def put_object(call: Call) -> Answer:
    """PutObject: the object exists once its bytes and its row are durable, and not before."""
    require_key(call.key)
    options = upload_options(call)
    intake = Intake(call)
    stored = await keep_upload(call, intake, options, size_hint=intake.expected_bytes)
    return empty(headers=upload_headers(call, stored, options))


async def keep_upload(
    call: Call, intake: Intake, options: UploadOptions, *, size_hint: int | None
) -> StoredObject:
    """Store what `intake` reads as the object that the call is about, unless a condition forbids it."""
    rule = write_rule(call)
    if rule is not None and size_hint is not None and size_hint > _WORTH_REFUSING_BYTES:
        call.store.require_now(call.bucket_name, call.key, rule)
    async with await call.store.receive(
        intake.pieces(),
        size_hint=size_hint,
        observe=intake.observe,
        encryption=options.encryption,
    ) as draft:
        checksum = intake.require_as_claimed()
        return await call.store.put_object(
            call.bucket,
            call.key,
            draft,
            options.new_object(etag=stored_etag(intake.etag, options.customer_key), checksum=checksum),
            version_id=new_version_id(call),
            now_ms=call.now_ms,
            rule=rule,
        )


def upload_headers(call: Call, stored: StoredObject, options: UploadOptions) -> list[tuple[bytes, bytes]]:
    """Return what an upload tells of the object that it made."""
    return [
        etag_header(stored.etag),
        *checksum_headers(stored.checksum),
        *new_version_header(call.bucket, stored.version_id),
        *options.encryption_headers(),
        *expiration_header(call, stored),
    ]


def new_version_id(call: Call) -> str:
    """Return an id for a new version or delete marker. The store uses it if the bucket has versions by then."""
    return call.new_id()


def write_rule(call: Call) -> WriteRule | None:
    """Return the condition that the request puts on the write."""
    return as_rule(parse_write(call.headers, is_strict=call.rules.is_strict))


def as_rule(condition: WriteCondition | None) -> WriteRule | None:
    """Return S3's condition in the store's words."""
    if condition is None:
        return None
    return WriteRule(
        create_only=condition.create_only,
        etag=condition.etag,
        other_than=condition.other_than,
        modified_second=None if condition.modified_ms is None else condition.modified_ms // 1000,
        size=condition.size,
    )
