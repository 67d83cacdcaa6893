"""The XML documents that clients send, read strictly: a value comes out, or S3's refusal.

A document type or an entity declaration is refused where it begins, so no document grows while it is read.
The namespace is not looked at, as S3 does not. The caller bounds the size of the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn
from xml.parsers import expat

from valetkey.s3.checksums import Algorithm
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.etag import unquoted
from valetkey.s3.limits import MAX_LISTED, MAX_PART_NUMBER

_MAX_DEPTH: Final = 8
"""Twice what the deepest of these documents needs."""

_MAX_NODES: Final = 12 * MAX_PART_NUMBER
"""The longest document has 10,000 parts with a number, an ETag and the checksums of five algorithms."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRequest:
    """What DeleteObjects asks for."""

    quiet: bool
    """Only failures are to be told."""
    keys: list[DeleteKey]
    """1 to 1,000, in the document's order."""


def parse_complete_upload(body: bytes) -> list[CompletedPart]:
    """Return the parts that a CompleteMultipartUpload names, in the document's order, 1 to 10,000.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or InvalidArgument for a number that no part can have.
    """
    root = _parse(body, "CompleteMultipartUpload")
    if not 1 <= len(root.children) <= MAX_PART_NUMBER:
        raise _malformed()
    return [_completed_part(child) for child in root.children]


def _completed_part(node: _Node) -> CompletedPart:
    if node.name != "Part":
        raise _malformed()
    fields = _fields(node, {"PartNumber", "ETag", *_CHECKSUM_ELEMENTS})
    if "PartNumber" not in fields or "ETag" not in fields:
        raise _malformed()
    return CompletedPart(
        number=_part_number(fields["PartNumber"].strip()),
        etag=unquoted(fields["ETag"]),
        checksums={
            algorithm: fields[name].strip()
            for name, algorithm in _CHECKSUM_ELEMENTS.items()
            if fields.get(name)
        },
    )


def _part_number(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise _malformed()
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
    root = _parse(body, "Delete")
    quiet: str | None = None
    keys: list[DeleteKey] = []
    for child in root.children:
        if child.name == "Object":
            keys.append(_delete_key(child))
        elif child.name == "Quiet" and quiet is None and not child.children:
            quiet = child.text.strip().lower()
        else:
            raise _malformed()
    if not 1 <= len(keys) <= MAX_LISTED:
        raise _malformed()
    if any(not entry.key for entry in keys):
        raise S3Error(Code.USER_KEY_MUST_BE_SPECIFIED)
    return DeleteRequest(quiet=quiet == "true", keys=keys)


def _delete_key(node: _Node) -> DeleteKey:
    # A condition that is not known is refused, never passed over: the key would be deleted against it.
    fields = _fields(node, {"Key", "VersionId", "ETag"})
    if "Key" not in fields:
        raise _malformed()
    etag = fields.get("ETag")
    return DeleteKey(
        key=fields["Key"],
        version_id=fields.get("VersionId") or None,
        etag=unquoted(etag) if etag else None,
    )


def parse_create_bucket(body: bytes) -> str | None:
    """Return the location constraint that a CreateBucket names, or None where there is none.

    Raises:
        S3Error: MalformedXML, or NotImplemented for tags and for what only directory buckets have.
    """
    if not body.strip():
        return None
    root = _parse(body, "CreateBucketConfiguration")
    for child in root.children:
        if child.name in ("Bucket", "Location", "Tags"):
            raise S3Error(
                Code.NOT_IMPLEMENTED,
                "A header or query you provided requested functionality that is not implemented.",
                {"ResourceType": child.name},
            )
    return _fields(root, {"LocationConstraint"}).get("LocationConstraint", "").strip() or None


def _fields(node: _Node, names: set[str]) -> dict[str, str]:
    """Return the text of each child of `node`; each of `names` may stand there once, and nothing else."""
    found: dict[str, str] = {}
    for child in node.children:
        if child.name not in names or child.name in found or child.children:
            raise _malformed()
        found[child.name] = child.text
    return found


def _malformed() -> S3Error:
    return S3Error(Code.MALFORMED_XML)


class _Node:
    """An element with its text or its children."""

    __slots__ = ("children", "name", "pieces")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: list[_Node] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class _Builder:
    """Takes in the parser's events and keeps the tree that they describe."""

    def __init__(self) -> None:
        self.root: _Node | None = None
        self._count = 0
        self._open: list[_Node] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if len(self._open) == _MAX_DEPTH or self._count > _MAX_NODES:
            raise _malformed()
        # With namespaces on, expat writes "namespace name".
        node = _Node(name.rpartition(" ")[2])
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].pieces.append(text)


def _parse(body: bytes, root_name: str) -> _Node:
    if not body:
        raise S3Error(Code.MISSING_REQUEST_BODY_ERROR)
    builder = _Builder()
    # The encoding is given, so that none which the document declares is looked up: S3's documents are UTF-8.
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    refuse: Callable[..., NoReturn] = _refuse_declaration
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
    except (expat.ExpatError, ValueError) as error:
        raise _malformed() from error
    if builder.root is None or builder.root.name != root_name:
        raise _malformed()
    return builder.root


def _refuse_declaration(*_: object) -> NoReturn:
    raise _malformed()
