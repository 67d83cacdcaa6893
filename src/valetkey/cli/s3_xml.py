"""The few XML texts that an uploading client writes and reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a server's `<Error>` says."""

    code: str
    message: str


def read_fault(body: bytes) -> Fault | None:
    """Return the error that `body` holds, or None when it holds none that can be read."""
    root = _parse(body)
    if root is None or _local_name(root) != "Error":
        return None
    return Fault(code=_text(root, "Code") or "Error", message=_text(root, "Message") or "")


def read_upload_id(body: bytes) -> str | None:
    """Return the upload id in the answer to CreateMultipartUpload, or None when there is none."""
    root = _parse(body)
    return None if root is None else _text(root, "UploadId")


def location_constraint(region: str) -> bytes:
    """Return the body of CreateBucket that puts the bucket into `region`."""
    root = ET.Element("CreateBucketConfiguration", xmlns=NAMESPACE)
    ET.SubElement(root, "LocationConstraint").text = region
    return _to_bytes(root)


def complete_upload(etags: Sequence[str]) -> bytes:
    """Return the body of CompleteMultipartUpload for parts 1, 2, … with these ETags."""
    root = ET.Element("CompleteMultipartUpload", xmlns=NAMESPACE)
    for number, etag in enumerate(etags, start=1):
        part = ET.SubElement(root, "Part")
        ET.SubElement(part, "PartNumber").text = str(number)
        ET.SubElement(part, "ETag").text = etag
    return _to_bytes(root)


def _parse(body: bytes) -> ET.Element | None:
    if b"<!DOCTYPE" in body:
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 - without a DTD there are no entities to expand
    except ET.ParseError:
        return None


def _text(root: ET.Element, name: str) -> str | None:
    return next((child.text for child in root if _local_name(child) == name), None)


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _to_bytes(root: ET.Element) -> bytes:
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
