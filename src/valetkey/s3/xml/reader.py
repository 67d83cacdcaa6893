"""The XML documents that clients send, read strictly: a value comes out, or S3's refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.s3.checksums import Algorithm
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.etag import unquoted
from valetkey.s3.limits import MAX_BUCKET_TAGS, MAX_LISTED, MAX_PART_NUMBER
from valetkey.s3.preconditions import parse_date, parse_size
from valetkey.s3.tags import read_tags
from valetkey.s3.xml.tree import Node, fields, malformed, parse_tree

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,10}")
_CHECKSUM_ELEMENTS: Final = {algorithm.element: algorithm for algorithm in Algorithm}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedPart:
    """A part that a completion names."""

    number: int
    """1 to 10,000."""
    etag: str
    """Unquoted."""
    checksums: Mapping[Algorithm, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteKey:
    """A key that DeleteObjects names."""

    key: str
    version_id: str | None
    etag: str | None
    """Unquoted; the deletion is on condition that this is there."""
    modified_ms: int | None = None
    """Likewise, when it was last modified."""
    size: int | None = None
    """Likewise, its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRequest:
    """What DeleteObjects asks for."""

    quiet: bool
    """Only failures are to be told."""
    keys: list[DeleteKey]
    """1 to 1,000, in the document's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBucket:
    """What CreateBucket says of the bucket."""

    location: str | None
    """The region that it is to be in; None: that of the server."""
    tags: Mapping[str, str]


def parse_complete_upload(body: bytes) -> list[CompletedPart]:
    """Return the parts that a CompleteMultipartUpload names, in the document's order, 1 to 10,000.

    Raises:
        S3Error: MalformedXML, also without a body, or InvalidArgument for a number that no part can have.
    """
    if not body:
        raise malformed()
    root = parse_tree(body, "CompleteMultipartUpload")
    if not 1 <= len(root.children) <= MAX_PART_NUMBER:
        raise malformed()
    return [_completed_part(child) for child in root.children]


def _completed_part(node: Node) -> CompletedPart:
    if node.name != "Part":
        raise malformed()
    found = fields(node, {"PartNumber", "ETag", *_CHECKSUM_ELEMENTS})
    if "PartNumber" not in found or "ETag" not in found:
        raise malformed()
    return CompletedPart(
        number=_part_number(found["PartNumber"].strip()),
        etag=unquoted(found["ETag"]),
        checksums={
            algorithm: found[name].strip()
            for name, algorithm in _CHECKSUM_ELEMENTS.items()
            if found.get(name)
        },
    )


def _part_number(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise malformed()
    number = int(text)
    if number < 1:
        raise invalid_argument("PartNumber must be >= 1", "PartNumber", text)
    if number > MAX_PART_NUMBER:
        message = f"Part number must be an integer between 1 and {MAX_PART_NUMBER}, inclusive"
        raise invalid_argument(message, "partNumber", text)
    return number


def parse_delete(body: bytes) -> DeleteRequest:
    """Return what a DeleteObjects asks for.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or UserKeyMustBeSpecified for an empty key.
    """
    root = parse_tree(body, "Delete")
    quiet: str | None = None
    keys: list[DeleteKey] = []
    for child in root.children:
        if child.name == "Object":
            keys.append(_delete_key(child))
        elif child.name == "Quiet" and quiet is None and not child.children:
            quiet = child.text.strip().lower()
        else:
            raise malformed()
    if not 1 <= len(keys) <= MAX_LISTED:
        raise malformed()
    if any(not entry.key for entry in keys):
        raise S3Error(Code.USER_KEY_MUST_BE_SPECIFIED)
    return DeleteRequest(quiet=quiet == "true", keys=keys)


def _delete_key(node: Node) -> DeleteKey:
    # A condition that is not known is refused, never passed over: the key would be deleted against it.
    found = fields(node, {"Key", "VersionId", "ETag", "LastModifiedTime", "Size"})
    if "Key" not in found:
        raise malformed()
    etag = found.get("ETag")
    if etag is not None and not unquoted(etag):
        raise malformed()
    return DeleteKey(
        key=found["Key"],
        version_id=found.get("VersionId") or None,
        etag=None if etag is None else unquoted(etag),
        modified_ms=_condition(found.get("LastModifiedTime"), parse_date),
        size=_condition(found.get("Size"), parse_size),
    )


def _condition(text: str | None, parse: Callable[[str], int | None]) -> int | None:
    if text is None:
        return None
    value = parse(text)
    if value is None:
        raise malformed()
    return value


def parse_create_bucket(body: bytes) -> NewBucket:
    """Return what a CreateBucket says of the new bucket. It may say nothing.

    Raises:
        S3Error: MalformedXML, InvalidTag, BadRequest for too many tags, or NotImplemented for what only directory
            buckets have.
    """
    if not body.strip():
        return NewBucket(location=None, tags={})
    root = parse_tree(body, "CreateBucketConfiguration")
    tags: dict[str, str] = {}
    others = Node(root.name)
    for child in root.children:
        if child.name == "Tags":
            tags = read_tags(child, most=MAX_BUCKET_TAGS)
        elif child.name in ("Bucket", "Location"):
            raise S3Error(
                Code.NOT_IMPLEMENTED,
                "A header or query you provided requested functionality that is not implemented.",
                {"ResourceType": child.name},
            )
        else:
            others.children.append(child)
    location = fields(others, {"LocationConstraint"}).get("LocationConstraint", "").strip()
    return NewBucket(location=location or None, tags=tags)
