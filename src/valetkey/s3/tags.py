"""Tags of objects and buckets: the header that brings them, the document, and what they may be.

Source: Amazon S3 User Guide, "Categorizing your objects using tags", "Using cost allocation S3 bucket tags".
"""

from __future__ import annotations

import unicodedata
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_OBJECT_TAGS
from valetkey.s3.percent import percent_decode
from valetkey.s3.xml.tree import Node, fields, malformed, parse_root, parse_tree

_MAX_KEY_UNITS: Final = 128
_MAX_VALUE_UNITS: Final = 256
"""In code units of UTF-16, as S3 counts them: what lies beyond the basic plane counts twice."""

_SIGNS: Final = frozenset("+-=._:/@")


def parse_tagging_header(text: str) -> dict[str, str]:
    """Return the tags that an `x-amz-tagging` header gives an object. One without `=` has the empty value.

    Raises:
        S3Error: InvalidArgument, for a bad escape, a bare comma or a key that comes twice; InvalidTag; BadRequest, for more
            than ten.
    """
    tags: dict[str, str] = {}
    if "," in text:
        raise _misencoded(text)
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        key = _decoded(name, text)
        if key in tags:
            raise _misencoded(text)
        tags[key] = _decoded(value, text)
    _require_tags(tags, most=MAX_OBJECT_TAGS)
    return tags


def _decoded(piece: str, header: str) -> str:
    try:
        return percent_decode(piece.replace("+", " ").encode("ascii"))
    except (S3Error, UnicodeEncodeError) as error:
        raise _misencoded(header) from error


def _misencoded(header: str) -> S3Error:
    message = (
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
        "tag name duplicates."
    )
    return invalid_argument(message, "x-amz-tagging", header)


def parse_tagging(body: bytes, *, most: int) -> dict[str, str]:
    """Return the tags that a document sets, in its order. `most` is how many there may be.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError; InvalidTag, also for a key that comes twice; BadRequest,
            for more than `most`.
    """
    return _parse_root(parse_tree(body, "Tagging"), most=most)


def parse_form_tagging(text: str) -> dict[str, str]:
    """Return the tags that the field `tagging` of a form gives an object; another document gives none.

    Raises:
        S3Error: as `parse_tagging`.
    """
    root = parse_root(text.encode("utf-8"))
    return _parse_root(root, most=MAX_OBJECT_TAGS) if root.name == "Tagging" else {}


def _parse_root(root: Node, *, most: int) -> dict[str, str]:
    if not root.children:
        return {}
    if [child.name for child in root.children] != ["TagSet"]:
        raise malformed()
    return read_tags(root.children[0], most=most)


def read_tags(tag_set: Node, *, most: int) -> dict[str, str]:
    """Return the tags that stand in an element of a document.

    Raises:
        S3Error: as `parse_tagging`.
    """
    tags: dict[str, str] = {}
    for node in tag_set.children:
        key, value = _parse_tag(node)
        if key in tags:
            raise _invalid_tag("Cannot provide multiple Tags with the same key", {"TagKey": key})
        tags[key] = value
    _require_tags(tags, most=most)
    return tags


def _parse_tag(node: Node) -> tuple[str, str]:
    found = fields(node, {"Key", "Value"})
    if node.name != "Tag" or len(found) != 2:
        raise malformed()
    return found["Key"], found["Value"]


def _require_tags(tags: dict[str, str], *, most: int) -> None:
    is_object = most == MAX_OBJECT_TAGS
    if len(tags) > most:
        what = "Object tags" if is_object else "Bucket tag count"
        raise S3Error(Code.BAD_REQUEST, f"{what} cannot be greater than {most}")
    for key, value in tags.items():
        if not key or not _is_taggable(key, _MAX_KEY_UNITS):
            raise _invalid_tag("The TagKey you have provided is invalid", {"TagKey": key})
        if not _is_taggable(value, _MAX_VALUE_UNITS):
            details = {"TagKey": key, "TagValue": value}
            raise _invalid_tag("The TagValue you have provided is invalid", details)
        if key.lower().startswith("aws:"):
            message = (
                "Your TagKey cannot be prefixed with aws:"
                if is_object
                else "System tags cannot be added/updated by requester"
            )
            raise _invalid_tag(message, {"TagKey": key})


def _is_taggable(text: str, most_units: int) -> bool:
    if len(text) > most_units or len(text.encode("utf-16-le")) > 2 * most_units:
        return False
    # Letters, separators and numbers of any script: the Unicode categories L, Z and N.
    return all(sign in _SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in text)


def _invalid_tag(message: str, details: dict[str, str]) -> S3Error:
    return S3Error(Code.INVALID_TAG, message, details)
