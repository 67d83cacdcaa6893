"""From an answer to its bytes."""

from __future__ import annotations

from typing import Final

from valetkey.s3.answers import (
    CompletedUpload,
    CopyResult,
    DeleteResult,
    Fault,
    InitiatedUpload,
    ListBuckets,
    ListObjectsV1,
    ListObjectsV2,
    ListParts,
    ListUploads,
    Location,
)
from valetkey.s3.dates import iso_date
from valetkey.s3.documents import Document
from valetkey.s3.object_answers import CopyPartResult, ListVersions, ObjectAttributes
from valetkey.s3.setting_answers import SettingDocument
from valetkey.s3.xml import listings
from valetkey.s3.xml.attributes import object_attributes
from valetkey.s3.xml.settings import setting
from valetkey.s3.xml.text import checksum, element, escaped, flag

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(answer: Document) -> bytes:
    """Return the XML document of an answer, in UTF-8.

    Characters that XML cannot hold are written as numeric references, as S3 does. An error has no namespace.
    """
    root, content = _parts(answer)
    opening = root if isinstance(answer, Fault) else f'{root} xmlns="{NAMESPACE}"'
    markup = f"<{opening}>{content}</{root}>" if content else f"<{opening}/>"
    return f"{_DECLARATION}{markup}".encode()


def _parts(answer: Document) -> tuple[str, str]:
    """Return the name of the root element and what stands in it."""
    match answer:
        case ListObjectsV2():
            return "ListBucketResult", listings.list_objects_v2(answer)
        case ListObjectsV1():
            return "ListBucketResult", listings.list_objects_v1(answer)
        case ListVersions():
            return "ListVersionsResult", listings.list_versions(answer)
        case ObjectAttributes():
            return "GetObjectAttributesResponse", object_attributes(answer)
        case ListBuckets():
            return "ListAllMyBucketsResult", listings.list_buckets(answer)
        case ListParts():
            return "ListPartsResult", listings.list_parts(answer)
        case ListUploads():
            return "ListMultipartUploadsResult", listings.list_uploads(answer)
        case _:
            return _small_parts(answer)


def _small_parts(
    answer: (
        Location
        | CopyResult
        | CopyPartResult
        | InitiatedUpload
        | CompletedUpload
        | DeleteResult
        | SettingDocument
        | Fault
    ),
) -> tuple[str, str]:
    match answer:
        case Location():
            return "LocationConstraint", escaped(answer.region or "")
        case CopyResult():
            return "CopyObjectResult", _copy(answer, with_type=True)
        case CopyPartResult():
            return "CopyPartResult", _copy(answer, with_type=False)
        case InitiatedUpload():
            return "InitiateMultipartUploadResult", _initiated(answer)
        case CompletedUpload():
            return "CompleteMultipartUploadResult", _completed(answer)
        case DeleteResult():
            return "DeleteResult", _deleted(answer)
        case Fault():
            return _fault(answer)
        case _:
            return setting(answer)


def _copy(answer: CopyResult | CopyPartResult, *, with_type: bool) -> str:
    return (
        f"<LastModified>{iso_date(answer.modified_ms)}</LastModified>"
        f"<ETag>&quot;{escaped(answer.etag)}&quot;</ETag>{checksum(answer.checksum, with_type=with_type)}"
    )


def _initiated(answer: InitiatedUpload) -> str:
    return (
        element("Bucket", answer.bucket) + element("Key", answer.key) + element("UploadId", answer.upload_id)
    )


def _completed(answer: CompletedUpload) -> str:
    return (
        element("Location", answer.location)
        + element("Bucket", answer.bucket)
        + element("Key", answer.key)
        + element("ETag", f'"{answer.etag}"')
        + checksum(answer.checksum, with_type=True)
    )


def _deleted(answer: DeleteResult) -> str:
    deleted = [
        f"<Deleted><Key>{escaped(entry.key)}</Key>{element('VersionId', entry.version_id)}"
        f"{flag('DeleteMarker', value=True) if entry.is_delete_marker else ''}"
        f"{element('DeleteMarkerVersionId', entry.delete_marker_version_id)}</Deleted>"
        for entry in answer.deleted
    ]
    errors = [
        f"<Error><Key>{escaped(entry.key)}</Key>{element('VersionId', entry.version_id)}"
        f"{element('Code', entry.code)}{element('Message', entry.message)}</Error>"
        for entry in answer.errors
    ]
    return "".join(deleted + errors)


def _fault(answer: Fault) -> tuple[str, str]:
    reason = (
        element("Code", answer.code)
        + element("Message", answer.message)
        + "".join([element(name, text) for name, text in answer.details.items()])
    )
    ids = element("RequestId", answer.request_id) + element("HostId", answer.host_id)
    return (
        ("ErrorResponse", f"<Error>{reason}</Error>{ids}") if answer.is_wrapped else ("Error", reason + ids)
    )
