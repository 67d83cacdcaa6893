"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.buckets import account_of, owner_of
from valetkey.gateway.operations.kept_settings import abort_headers_of
from valetkey.gateway.operations.upload_options import wire_headers
from valetkey.s3.answers import ListParts, ListUploads, Owner, PartEntry, UploadEntry
from valetkey.s3.encryption import SSE_C
from valetkey.s3.listing import parse_list_parts, parse_list_uploads
from valetkey.store.model import Part, Upload


async def list_parts(call: Call) -> Answer:
    """ListParts."""
    wanted = parse_list_parts(call.query)
    upload_id = call.query["uploadId"]
    upload = call.store.uploads.find(call.bucket_name, call.key, upload_id)
    page = await call.store.uploads.list_parts(
        call.bucket, call.key, upload_id, after_number=wanted.part_number_marker, limit=wanted.max_parts
    )
    # The holder of a link learns nothing of its issuer.
    owner = owner_of(call) if call.link is None else None
    return document(
        ListParts(
            bucket=call.bucket_name,
            key=call.key,
            upload_id=upload_id,
            initiator=owner and _account(call, upload.initiator_id, owner),
            owner=owner and _account(call, upload.owner_id, owner),
            storage_class=_storage_class(upload),
            part_number_marker=wanted.part_number_marker,
            next_part_number_marker=page.parts[-1].number if page.parts else 0,
            max_parts=wanted.max_parts,
            is_truncated=page.is_truncated,
            checksum_algorithm=upload.checksum_algorithm,
            checksum_type=upload.checksum_type,
            parts=tuple(_part_entry(part, upload) for part in page.parts),
        ),
        headers=wire_headers(abort_headers_of(call.bucket, call.key, upload.created_ms)),
    )


def _part_entry(part: Part, upload: Upload) -> PartEntry:
    return PartEntry(
        number=part.number,
        modified_ms=part.modified_ms,
        etag=part.etag,
        size=part.size,
        # Under a client's own key not even a digest is told without it.
        checksum=part.checksum if upload.checksum_algorithm and upload.encryption != SSE_C else None,
    )


def _account(call: Call, account_id: str | None, owner: Owner) -> Owner:
    return owner if account_id is None else account_of(call, account_id)


def _storage_class(upload: Upload) -> str:
    return upload.headers.get("x-amz-storage-class", "STANDARD")


async def list_multipart_uploads(call: Call) -> Answer:
    """ListMultipartUploads."""
    wanted = parse_list_uploads(call.query)
    page = await call.store.uploads.list(
        call.bucket,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        key_marker=wanted.key_marker,
        upload_id_marker=wanted.upload_id_marker,
        limit=wanted.max_uploads,
    )
    owner = owner_of(call)
    # Amazon names the last upload also where nothing follows.
    last = page.uploads[-1] if page.uploads and not page.is_truncated else None
    return document(
        ListUploads(
            bucket=call.bucket_name,
            prefix=wanted.prefix,
            delimiter=wanted.delimiter,
            key_marker=wanted.key_marker,
            upload_id_marker=wanted.upload_id_marker,
            next_key_marker=page.next_key_marker or (last.key if last else None),
            next_upload_id_marker=page.next_upload_id_marker or (last.id if last else None),
            max_uploads=wanted.max_uploads,
            encoding_type=wanted.encoding_type,
            is_truncated=page.is_truncated,
            uploads=tuple(
                UploadEntry(
                    key=upload.key,
                    upload_id=upload.id,
                    initiated_ms=upload.created_ms,
                    initiator=_account(call, upload.initiator_id, owner),
                    owner=_account(call, upload.owner_id, owner),
                    storage_class=_storage_class(upload),
                    checksum_algorithm=upload.checksum_algorithm,
                    checksum_type=upload.checksum_type,
                )
                for upload in page.uploads
            ),
            common_prefixes=page.common_prefixes,
        )
    )
