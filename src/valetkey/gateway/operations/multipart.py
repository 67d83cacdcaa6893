"""Multipart uploads: CreateMultipartUpload, UploadPart, ListParts, Complete…, Abort…, ListMultipartUploads."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import Intake, read_document, require_size
from valetkey.gateway.operations.answers import document, empty, etag_header, no_content
from valetkey.gateway.operations.buckets import owner_of
from valetkey.gateway.operations.part_checksums import (
    chosen_checksum,
    object_checksum,
    require_part_checksums,
    require_same_algorithm,
)
from valetkey.gateway.operations.put_object import checksum_headers, write_rule
from valetkey.gateway.operations.refusals import refuse_object_options
from valetkey.s3.answers import (
    CompletedUpload,
    InitiatedUpload,
    ListParts,
    ListUploads,
    PartEntry,
    UploadEntry,
)
from valetkey.s3.checksums import Algorithm
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.etag import multipart_etag
from valetkey.s3.headers import object_headers
from valetkey.s3.limits import MAX_OBJECT_BYTES, MAX_PART_NUMBER
from valetkey.s3.listing import parse_list_parts, parse_list_uploads, parse_part_number
from valetkey.s3.names import require_key
from valetkey.s3.xml.reader import CompletedPart, parse_complete_upload
from valetkey.store.errors import InvalidPartError
from valetkey.store.model import NewObject, Part, Upload

_MAX_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
"""10,000 parts with an ETag and a checksum each."""


async def create_multipart_upload(call: Call) -> Answer:
    """CreateMultipartUpload: what it is given here belongs to the finished object."""
    key = require_key(call.key)
    refuse_object_options(call.headers)
    chosen = chosen_checksum(call.headers)
    upload_id = call.new_id()
    await call.store.create_upload(
        call.bucket,
        key,
        upload_id=upload_id,
        headers=object_headers(call.headers),
        checksum_algorithm=chosen.algorithm.name if chosen else None,
        checksum_type=chosen.type if chosen else None,
        now_ms=call.request.now_ms,
    )
    headers: list[tuple[bytes, bytes]] = []
    if chosen is not None:
        headers = [
            (b"x-amz-checksum-algorithm", chosen.algorithm.name.encode()),
            (b"x-amz-checksum-type", chosen.type.encode()),
        ]
    return document(InitiatedUpload(bucket=call.bucket, key=key, upload_id=upload_id), headers=headers)


async def upload_part(call: Call) -> Answer:
    """UploadPart: a part that comes again replaces the one before."""
    number = parse_part_number(call.query["partNumber"])
    upload_id = call.query["uploadId"]
    refuse_object_options(call.headers)
    upload = call.store.find_upload(call.bucket, call.key, upload_id)
    default = Algorithm[upload.checksum_algorithm] if upload.checksum_algorithm else Algorithm.CRC64NVME
    intake = Intake(call, algorithm=default)
    require_same_algorithm(upload, intake.algorithm)
    async with await call.store.receive(
        intake.pieces(), size_hint=intake.expected_bytes, observe=intake.observe
    ) as draft:
        checksum = intake.require_as_claimed()
        part = await call.store.put_part(
            upload_id, number, draft, etag=intake.etag, checksum=checksum, now_ms=call.request.now_ms
        )
    headers = [etag_header(part.etag), *checksum_headers(part.checksum)[:1]]
    return empty(headers=headers)


async def complete_multipart_upload(call: Call) -> Answer:
    """CompleteMultipartUpload: the object appears whole, at once, from the parts that are named."""
    upload_id = call.query["uploadId"]
    upload = call.store.find_upload(call.bucket, call.key, upload_id)
    wanted = parse_complete_upload(await _read_completion(call))
    kept = await call.store.list_parts(
        call.bucket, call.key, upload_id, after_number=0, limit=MAX_PART_NUMBER
    )
    parts = _chosen_parts(wanted, {part.number: part for part in kept.parts})
    require_part_checksums(upload, wanted, parts)
    _require_object_size(call, parts)
    new = NewObject(
        etag=multipart_etag([part.etag for part in parts]),
        headers=upload.headers,
        checksum=object_checksum(upload, parts, call.headers),
    )
    stored = await call.store.complete_upload(
        call.bucket,
        call.key,
        upload_id,
        parts=[(part.number, part.etag) for part in parts],
        new=new,
        now_ms=call.request.now_ms,
        rule=write_rule(call),
    )
    return document(
        CompletedUpload(
            location=_location(call),
            bucket=call.bucket,
            key=call.key,
            etag=stored.etag,
            checksum=stored.checksum,
        )
    )


async def _read_completion(call: Call) -> bytes:
    # A checksum header is that of the finished object here, not that of the document in the body.
    headers = {name: value for name, value in call.headers.items() if not name.startswith("x-amz-checksum-")}
    return await read_document(replace(call, headers=headers), max_bytes=_MAX_DOCUMENT_BYTES)


def _chosen_parts(wanted: list[CompletedPart], kept: dict[int, Part]) -> list[Part]:
    numbers = [part.number for part in wanted]
    if numbers != sorted(set(numbers)):
        raise S3Error(Code.INVALID_PART_ORDER)
    chosen = []
    for part in wanted:
        found = kept.get(part.number)
        if found is None or found.etag != part.etag:
            raise InvalidPartError(part.number)
        chosen.append(found)
    return chosen


def _require_object_size(call: Call, parts: list[Part]) -> None:
    size = sum(part.size for part in parts)
    require_size(size, MAX_OBJECT_BYTES)
    claimed = call.headers.get("x-amz-mp-object-size")
    if claimed is not None and claimed != str(size):
        raise S3Error(
            Code.INVALID_REQUEST,
            "The provided 'x-amz-mp-object-size' header does not match what was computed.",
        )


def _location(call: Call) -> str:
    # As the client wrote it, so that it is right for either style of addressing.
    return f"http://{call.headers.get('host', '')}{call.request.raw_path.decode('latin-1')}"


async def abort_multipart_upload(call: Call) -> Answer:
    """AbortMultipartUpload."""
    await call.store.abort_upload(call.bucket, call.key, call.query["uploadId"])
    return no_content()


async def list_parts(call: Call) -> Answer:
    """ListParts."""
    wanted = parse_list_parts(call.query)
    upload_id = call.query["uploadId"]
    upload = call.store.find_upload(call.bucket, call.key, upload_id)
    page = await call.store.list_parts(
        call.bucket, call.key, upload_id, after_number=wanted.part_number_marker, limit=wanted.max_parts
    )
    owner = owner_of(call)
    return document(
        ListParts(
            bucket=call.bucket,
            key=call.key,
            upload_id=upload_id,
            initiator=owner,
            owner=owner,
            storage_class=_storage_class(upload),
            part_number_marker=wanted.part_number_marker,
            next_part_number_marker=page.parts[-1].number if page.parts else None,
            max_parts=wanted.max_parts,
            is_truncated=page.is_truncated,
            checksum_algorithm=upload.checksum_algorithm,
            checksum_type=upload.checksum_type,
            parts=tuple(_part_entry(part, upload) for part in page.parts),
        )
    )


def _part_entry(part: Part, upload: Upload) -> PartEntry:
    return PartEntry(
        number=part.number,
        modified_ms=part.modified_ms,
        etag=part.etag,
        size=part.size,
        checksum=part.checksum if upload.checksum_algorithm else None,
    )


def _storage_class(upload: Upload) -> str:
    return upload.headers.get("x-amz-storage-class", "STANDARD")


async def list_multipart_uploads(call: Call) -> Answer:
    """ListMultipartUploads."""
    wanted = parse_list_uploads(call.query)
    page = await call.store.list_uploads(
        call.bucket,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        key_marker=wanted.key_marker,
        upload_id_marker=wanted.upload_id_marker,
        limit=wanted.max_uploads,
    )
    owner = owner_of(call)
    return document(
        ListUploads(
            bucket=call.bucket,
            prefix=wanted.prefix,
            delimiter=wanted.delimiter,
            key_marker=wanted.key_marker,
            upload_id_marker=wanted.upload_id_marker,
            next_key_marker=page.next_key_marker,
            next_upload_id_marker=page.next_upload_id_marker,
            max_uploads=wanted.max_uploads,
            encoding_type=wanted.encoding_type,
            is_truncated=page.is_truncated,
            uploads=tuple(
                UploadEntry(
                    key=upload.key,
                    upload_id=upload.id,
                    initiated_ms=upload.created_ms,
                    initiator=owner,
                    owner=owner,
                    storage_class=_storage_class(upload),
                    checksum_algorithm=upload.checksum_algorithm,
                    checksum_type=upload.checksum_type,
                )
                for upload in page.uploads
            ),
            common_prefixes=page.common_prefixes,
        )
    )
