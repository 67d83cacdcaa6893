"""The attributes of an object, as XML. The order of elements is S3's."""

from __future__ import annotations

from valetkey.s3.object_answers import ObjectAttributes, PartAttribute, PartsAttribute, PartsPage
from valetkey.s3.xml.text import checksum, element, flag


def object_attributes(answer: ObjectAttributes) -> str:
    """Return the content of `GetObjectAttributesResponse`. The tag has no quotation marks here."""
    found = checksum(answer.checksum, with_type=True)
    return (
        element("ETag", answer.etag)
        + (f"<Checksum>{found}</Checksum>" if found else "")
        + ("" if answer.parts is None else _parts(answer.parts))
        + element("StorageClass", answer.storage_class)
        + element("ObjectSize", None if answer.size is None else str(answer.size))
    )


def _parts(parts: PartsAttribute) -> str:
    page = "" if parts.page is None else _page(parts.page)
    return f"<ObjectParts><PartsCount>{parts.count}</PartsCount>{page}</ObjectParts>"


def _page(page: PartsPage) -> str:
    return (
        f"<PartNumberMarker>{page.part_number_marker}</PartNumberMarker>"
        f"<NextPartNumberMarker>{page.next_part_number_marker}</NextPartNumberMarker>"
        f"<MaxParts>{page.max_parts}</MaxParts>"
        + flag("IsTruncated", value=page.is_truncated)
        + "".join([_part(part) for part in page.parts])
    )


def _part(part: PartAttribute) -> str:
    return (
        f"<Part>{checksum(part.checksum, with_type=False)}"
        f"<PartNumber>{part.number}</PartNumber><Size>{part.size}</Size></Part>"
    )
