"""GetObjectAttributes."""

from __future__ import annotations

from dataclasses import replace

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.get_object import LOOKUPS, requested_key, require_readable
from valetkey.gateway.operations.object_facts import version_header
from valetkey.gateway.operations.refusals import version_id_of
from valetkey.s3.attributes import Attribute, AttributesRequest, parse_attributes
from valetkey.s3.codes import Code
from valetkey.s3.dates import http_date
from valetkey.s3.errors import S3Error
from valetkey.s3.object_answers import ObjectAttributes, PartAttribute, PartsAttribute, PartsPage
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import Checksum, ObjectPart, StoredObject


async def get_object_attributes(call: Call) -> Answer:
    """GetObjectAttributes: what HeadObject tells, as far as it is asked for, and the parts page by page."""
    wanted = parse_attributes(call.headers)
    key = requested_key(call.headers)
    version_id = version_id_of(call.query)
    for _ in range(LOOKUPS):
        found = call.store.find_object(call.bucket_name, call.key, version_id)
        require_readable(call, found, key)
        headers = [(b"last-modified", http_date(found.modified_ms).encode())]
        headers += version_header(call.bucket, found.version_id)
        try:
            return document(await _attributes(call, found, wanted), headers=headers)
        except ContentGoneError:
            continue
    raise S3Error(Code.SLOW_DOWN)


async def _attributes(call: Call, found: StoredObject, wanted: AttributesRequest) -> ObjectAttributes:
    names = wanted.attributes
    checksum = None
    if Attribute.CHECKSUM in names and found.checksum is not None:
        checksum = found.checksum
    storage_class = found.headers.get("x-amz-storage-class", "STANDARD")
    return ObjectAttributes(
        etag=found.etag if Attribute.ETAG in names else None,
        checksum=checksum,
        parts=await _parts(call, found, wanted) if Attribute.OBJECT_PARTS in names else None,
        storage_class=storage_class if Attribute.STORAGE_CLASS in names else None,
        size=found.size if Attribute.OBJECT_SIZE in names else None,
    )


async def _parts(call: Call, found: StoredObject, wanted: AttributesRequest) -> PartsAttribute | None:
    """Return a page of the parts.

    Amazon shows single parts only where they have checksums. Without them their sizes are of use as well.
    """
    if found.parts_count is None:
        return None
    parts, is_truncated = await call.store.list_object_parts(
        found, after_number=wanted.part_number_marker, limit=wanted.max_parts
    )
    page = PartsPage(
        part_number_marker=wanted.part_number_marker,
        next_part_number_marker=parts[-1].number if parts else 0,
        max_parts=wanted.max_parts,
        is_truncated=is_truncated,
        parts=[_part(part, found.checksum) for part in parts],
    )
    return PartsAttribute(count=found.parts_count, page=page)


def _part(part: ObjectPart, checksum: Checksum | None) -> PartAttribute:
    value = None
    if checksum is not None and part.checksum_value is not None:
        value = replace(checksum, value=part.checksum_value)
    return PartAttribute(number=part.number, size=part.size, checksum=value)
