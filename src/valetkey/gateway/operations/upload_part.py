"""UploadPart and UploadPartCopy."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import Intake, require_size
from valetkey.gateway.operations.answers import document, empty, etag_header
from valetkey.gateway.operations.copy_source import Source, source_version_header
from valetkey.gateway.operations.object_facts import checksum_headers
from valetkey.gateway.operations.part_checksums import require_same_algorithm
from valetkey.gateway.operations.refusals import refuse_object_options
from valetkey.gateway.operations.rewriting import Digests, stored_etag
from valetkey.gateway.operations.upload_options import wire_headers
from valetkey.s3.checksums import Algorithm
from valetkey.s3.encryption import (
    SSE_C,
    CustomerKey,
    customer_key,
    encryption_headers,
    refuse_method,
    require_key_for_part,
    wrong_key_for_part,
)
from valetkey.s3.limits import MAX_OBJECT_BYTES, MAX_SINGLE_UPLOAD_BYTES
from valetkey.s3.listing import parse_part_number
from valetkey.s3.object_answers import CopyPartResult
from valetkey.s3.ranges import Span, parse_copy_range
from valetkey.store.contents import cut_segments
from valetkey.store.errors import WrongKeyError
from valetkey.store.model import Encryption, Part, StoredObject, Upload

_MOST_PIECES: Final = 8
"""Of blobs that one part may share. Copies of copies in ever smaller pieces would make objects of millions."""


async def upload_part(call: Call) -> Answer:
    """UploadPart: a part that comes again replaces the one before."""
    number = parse_part_number(call.query["partNumber"])
    upload, key = _upload(call)
    # The object of an upload that named no algorithm gets this, whatever its parts come with.
    besides = None if upload.checksum_algorithm else Algorithm.CRC64NVME
    intake = Intake(call, algorithm=_algorithm(upload), besides=besides)
    require_same_algorithm(upload, intake.algorithm)
    async with await call.store.receive(
        intake.pieces(),
        size_hint=intake.expected_bytes,
        observe=intake.observe,
        encryption=_encryption(upload, key),
    ) as draft:
        checksum = intake.require_as_claimed()
        etag = stored_etag(intake.etag, key)
        part = await call.store.uploads.put_part(
            upload.id,
            number,
            draft,
            etag=etag,
            checksum=checksum,
            now_ms=call.now_ms,
            crc64nvme=intake.besides,
            most_bytes=_most_bytes(call),
        )
    return empty(
        headers=[
            etag_header(part.etag),
            *checksum_headers(part.checksum)[:1],
            *wire_headers(encryption_headers(upload.encryption, key)),
        ]
    )


def _most_bytes(call: Call) -> int | None:
    """Return how much the parts of a link's upload may have in all; whoever has a key may store more than they name."""
    if call.link is None:
        return None
    most = call.link.grant.most_size
    return MAX_OBJECT_BYTES if most is None else most


def _upload(call: Call) -> tuple[Upload, CustomerKey | None]:
    """Return the upload that a part is for, and the key that the part comes with."""
    refuse_object_options(call.headers)
    refuse_method(call.headers)
    upload = call.store.uploads.find(call.bucket_name, call.key, call.query["uploadId"])
    key = customer_key(call.headers)
    require_upload_key(call, upload, key)
    return upload, key


def require_upload_key(call: Call, upload: Upload, key: CustomerKey | None) -> None:
    """Return if the request brings the key that the upload began with, or none where it began with none.

    Raises:
        S3Error: InvalidRequest.
    """
    require_key_for_part(upload.encryption, key)
    try:
        call.store.uploads.require_key(upload, key.key if key else None)
    except WrongKeyError as error:
        raise wrong_key_for_part() from error


def _algorithm(upload: Upload) -> Algorithm:
    return Algorithm[upload.checksum_algorithm] if upload.checksum_algorithm else Algorithm.CRC64NVME


def _encryption(upload: Upload, key: CustomerKey | None) -> Encryption | None:
    if upload.encryption is None:
        return None
    return Encryption(kind=upload.encryption, customer_key=key.key if key else None)


async def upload_part_copy(call: Call) -> Answer:
    """UploadPartCopy: a part out of an object that is there, sharing its bytes where both are encrypted alike."""
    number = parse_part_number(call.query["partNumber"])
    upload, key = _upload(call)
    source = Source(call)

    async def copy(found: StoredObject) -> tuple[StoredObject, Part]:
        span = _span(call, found)
        require_size(span.size, MAX_SINGLE_UPLOAD_BYTES)
        return found, await _copy_part(call, upload, number, source, found, span, key)

    found, part = await source.use(copy)
    headers = wire_headers(encryption_headers(upload.encryption, key))
    headers += source_version_header(found)
    checksum = part.checksum if upload.checksum_algorithm else None
    result = CopyPartResult(etag=part.etag, modified_ms=part.modified_ms, checksum=checksum)
    return document(result, headers=headers)


def _span(call: Call, found: StoredObject) -> Span:
    wanted = call.headers.get("x-amz-copy-source-range")
    return Span(0, found.size) if wanted is None else parse_copy_range(wanted, found.size)


async def _copy_part(
    call: Call,
    upload: Upload,
    number: int,
    source: Source,
    found: StoredObject,
    span: Span,
    key: CustomerKey | None,
) -> Part:
    digests = Digests(_algorithm(upload))
    is_shareable = (
        not isinstance(found.content, bytes)
        and len(cut_segments(found.content, start=span.start, end=span.end)) <= _MOST_PIECES
        and upload.encryption == found.encryption
        and upload.encryption != SSE_C
    )
    if is_shareable:
        # The ETag of a part is that of its bytes, so they are read; but they are not written again.
        await digests.observe_all(source.blocks(found, span.start, span.end))
        return await call.store.uploads.copy_part(
            upload.id,
            number,
            found,
            start=span.start,
            end=span.end,
            etag=digests.etag,
            checksum=digests.checksum,
            now_ms=call.now_ms,
        )
    async with await call.store.receive(
        source.blocks(found, span.start, span.end),
        size_hint=span.size,
        observe=digests.observe,
        encryption=_encryption(upload, key),
    ) as draft:
        etag = stored_etag(digests.etag, key)
        return await call.store.uploads.put_part(
            upload.id, number, draft, etag=etag, checksum=digests.checksum, now_ms=call.now_ms
        )
