"""Multipart uploads: CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from valetkey.gateway.aside import aside, parsed
from valetkey.gateway.call import Answer, Call, RepeatedAnswer
from valetkey.gateway.intake import read_document, require_size
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.kept_settings import abort_headers_of
from valetkey.gateway.operations.object_facts import expiration_header, new_version_header
from valetkey.gateway.operations.own_address import own_address
from valetkey.gateway.operations.part_checksums import (
    chosen_checksum,
    invalid_part,
    object_checksum,
    require_part_checksums,
)
from valetkey.gateway.operations.put_object import new_version_id, write_rule
from valetkey.gateway.operations.upload_options import upload_options, wire_headers
from valetkey.gateway.operations.upload_part import require_upload_key
from valetkey.links.rules import require_size as require_granted_size
from valetkey.s3.answers import CompletedUpload, InitiatedUpload
from valetkey.s3.codes import Code
from valetkey.s3.encryption import customer_key, encryption_headers
from valetkey.s3.errors import S3Error
from valetkey.s3.etag import multipart_etag
from valetkey.s3.limits import MAX_OBJECT_BYTES, MAX_PART_NUMBER
from valetkey.s3.names import require_key
from valetkey.s3.xml.reader import CompletedPart, parse_complete_upload
from valetkey.store.errors import NoSuchUploadError
from valetkey.store.model import Checksum, NewObject, Part, Upload

_MAX_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
"""10,000 parts with an ETag and a checksum each."""


async def create_multipart_upload(call: Call) -> Answer:
    """CreateMultipartUpload: what it is given here belongs to the finished object."""
    key = require_key(call.key)
    options = upload_options(call)
    chosen = chosen_checksum(call.headers)
    upload_id = call.new_id()
    await call.store.uploads.create(
        call.bucket,
        key,
        upload_id=upload_id,
        headers=options.headers,
        checksum_algorithm=chosen.algorithm.name if chosen else None,
        checksum_type=chosen.type if chosen else None,
        tags=options.tags,
        lock=options.lock,
        encryption=options.encryption,
        owner_id=options.access.owner_id,
        initiator_id=call.principal.account_id or None,
        acl=options.access.acl,
        begun_by=call.link.id if call.link else None,
        now_ms=call.now_ms,
    )
    headers = options.encryption_headers()
    if chosen is not None:
        headers.append((b"x-amz-checksum-algorithm", chosen.algorithm.name.encode()))
        headers.append((b"x-amz-checksum-type", chosen.type.encode()))
    headers += wire_headers(abort_headers_of(call.bucket, key, call.now_ms))
    result = InitiatedUpload(bucket=call.bucket_name, key=key, upload_id=upload_id)
    return document(result, headers=headers)


async def complete_multipart_upload(call: Call) -> Answer:
    """CompleteMultipartUpload: the object appears whole, at once, from the parts that are named.

    A client that did not hear the answer may ask again, and hears it then.
    """
    upload_id = call.query["uploadId"]
    _require_known(call, upload_id)
    wanted = await parsed(await _read_completion(call), parse_complete_upload)
    try:
        return await _complete(call, upload_id, wanted)
    except NoSuchUploadError:
        done = call.store.uploads.find_completed(call.bucket_name, call.key, upload_id)
        given = _completed(call, done.etag, done.checksum, done.version_id)
        return RepeatedAnswer(given.status, given.headers, given.body, given.content_length)


def _require_known(call: Call, upload_id: str) -> None:
    """Return if there is or was such an upload: of another no document is read.

    Raises:
        NoSuchUploadError
    """
    try:
        call.store.uploads.find(call.bucket_name, call.key, upload_id)
    except NoSuchUploadError:
        call.store.uploads.find_completed(call.bucket_name, call.key, upload_id)


async def _complete(call: Call, upload_id: str, wanted: list[CompletedPart]) -> Answer:
    upload = call.store.uploads.find(call.bucket_name, call.key, upload_id)
    key = customer_key(call.headers)
    # Amazon wants the key here only where checksums are computed of what it hides.
    if key is not None or upload.checksum_algorithm is not None:
        require_upload_key(call, upload, key)
    kept = await call.store.uploads.list_parts(
        call.bucket, call.key, upload_id, after_number=0, limit=MAX_PART_NUMBER
    )
    parts, new = await aside(partial(_plan, call, upload, wanted, kept.parts), size=len(wanted))
    stored = await call.store.uploads.complete(
        call.bucket,
        call.key,
        upload_id,
        parts=[(part.number, part.etag) for part in parts],
        new=new,
        version_id=new_version_id(call),
        now_ms=call.now_ms,
        rule=write_rule(call),
    )
    answer = _completed(call, stored.etag, stored.checksum, stored.version_id)
    answer.headers += wire_headers(encryption_headers(stored.encryption, key))
    answer.headers += expiration_header(call, stored)
    return answer


def _plan(
    call: Call, upload: Upload, wanted: Sequence[CompletedPart], kept: Sequence[Part]
) -> tuple[list[Part], NewObject]:
    """Return the parts that are named, and the object that they make."""
    parts = _chosen_parts(upload, wanted, {part.number: part for part in kept})
    require_part_checksums(upload, wanted, parts)
    _require_object_size(call, parts)
    new = NewObject(
        etag=multipart_etag([part.etag for part in parts]),
        headers=upload.headers,
        checksum=object_checksum(upload, parts, call.headers),
        tags=upload.tags,
        lock=upload.lock,
        owner_id=upload.owner_id,
        acl=upload.acl,
    )
    return parts, new


def _completed(call: Call, etag: str, checksum: Checksum | None, version_id: str | None) -> Answer:
    result = CompletedUpload(
        location=_location(call), bucket=call.bucket_name, key=call.key, etag=etag, checksum=checksum
    )
    return document(result, headers=new_version_header(call.bucket, version_id))


async def _read_completion(call: Call) -> bytes:
    # A checksum header is that of the finished object here, not that of the document in the body.
    headers = {name: value for name, value in call.headers.items() if not name.startswith("x-amz-checksum-")}
    return await read_document(replace(call, headers=headers), max_bytes=_MAX_DOCUMENT_BYTES)


def _chosen_parts(upload: Upload, wanted: Sequence[CompletedPart], kept: dict[int, Part]) -> list[Part]:
    numbers = [part.number for part in wanted]
    if numbers != sorted(set(numbers)):
        raise S3Error(Code.INVALID_PART_ORDER, None, {"UploadId": upload.id})
    chosen = []
    for part in wanted:
        found = kept.get(part.number)
        if found is None or found.etag != part.etag:
            raise invalid_part(upload, part)
        chosen.append(found)
    return chosen


def _require_object_size(call: Call, parts: list[Part]) -> None:
    size = sum(part.size for part in parts)
    require_size(size, MAX_OBJECT_BYTES)
    if call.link is not None:
        require_granted_size(call.link.grant, size, is_whole=True)
    claimed = call.headers.get("x-amz-mp-object-size")
    if claimed is not None and claimed != str(size):
        raise S3Error(
            Code.INVALID_REQUEST,
            f"The provided 'x-amz-mp-object-size' header value {claimed} does not match what was computed: {size}",
        )


def _location(call: Call) -> str:
    # The path as the client wrote it, so that it is right for either style of addressing.
    return own_address(call) + call.request.raw_path.decode("latin-1")


async def abort_multipart_upload(call: Call) -> Answer:
    """AbortMultipartUpload."""
    await call.store.uploads.abort(call.bucket, call.key, call.query["uploadId"])
    return no_content()
