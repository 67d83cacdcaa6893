"""PutObject."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import Intake
from valetkey.gateway.operations.answers import empty, etag_header
from valetkey.gateway.operations.refusals import refuse_object_options
from valetkey.s3.checksums import Algorithm
from valetkey.s3.headers import object_headers
from valetkey.s3.names import require_key
from valetkey.s3.preconditions import WriteCondition, parse_write
from valetkey.store.model import Checksum, NewObject, WriteRule


async def put_object(call: Call) -> Answer:
    """PutObject: the object exists once its bytes and its row are durable, and not before."""
    key = require_key(call.key)
    refuse_object_options(call.headers)
    headers = object_headers(call.headers)
    rule = write_rule(call)
    call.store.find_bucket(call.bucket)
    intake = Intake(call)
    async with await call.store.receive(
        intake.pieces(), size_hint=intake.expected_bytes, observe=intake.observe
    ) as draft:
        new = NewObject(checksum=intake.require_as_claimed(), etag=intake.etag, headers=headers)
        stored = await call.store.put_object(
            call.bucket, key, draft, new, now_ms=call.request.now_ms, rule=rule
        )
    return empty(headers=[etag_header(stored.etag), *checksum_headers(stored.checksum)])


def write_rule(call: Call) -> WriteRule | None:
    """Return the condition that the request puts on the write."""
    return as_rule(parse_write(call.headers))


def as_rule(condition: WriteCondition | None) -> WriteRule | None:
    """Return S3's condition in the store's words."""
    if condition is None:
        return None
    return WriteRule(create_only=condition.create_only, etag=condition.etag)


def checksum_headers(checksum: Checksum | None) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell a client the checksum that is kept."""
    if checksum is None:
        return []
    name = Algorithm[checksum.algorithm].header.encode()
    return [(name, checksum.value.encode()), (b"x-amz-checksum-type", checksum.type.encode())]
