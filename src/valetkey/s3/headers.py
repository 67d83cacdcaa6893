"""Headers that belong to an object: read from an upload, kept, sent with a download, or found in a query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_KEPT_HEADERS_BYTES, MAX_METADATA_BYTES

METADATA_PREFIX: Final = "x-amz-meta-"

DEFAULT_CONTENT_TYPE: Final = "binary/octet-stream"
"""Source: Amazon S3 API Reference, "PutObject"."""

STORAGE_CLASSES: Final = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
    }
)
"""The classes that an ordinary bucket takes. Here they are a label that comes back, and no more."""

_KEPT: Final = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)

_OVERRIDES: Final = {
    f"response-{name}": name
    for name in (
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    )
}
OVERRIDE_NAMES: Final = frozenset(_OVERRIDES)

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What may stand as a header's name. Source: RFC 9110, section 5.6.2."""

_ISO_8859_1: Final = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_PRINTABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_UNCONTROLLED: Final = re.compile(r"[\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]*")

_HOISTED_NAMES: Final = frozenset(
    {
        "content-md5",
        "if-match",
        "if-none-match",
        "x-amz-acl",
        "x-amz-metadata-directive",
        "x-amz-storage-class",
    }
)
_HOISTED_PREFIXES: Final = (
    METADATA_PREFIX,
    "x-amz-server-side-encryption",
    "x-amz-copy-source",
    "x-amz-grant-",
    "x-amz-object-lock-",
)
_NEVER_HOISTED: Final = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Content-Sha256",
        "partNumber",
        "uploadId",
        "x-amz-checksum-mode",
        "x-id",
    }
)
"""The parameters of nearly every presigned URL: a quick way past them. None of them acts as a header."""


def header_text(raw: bytes) -> str:
    """Return a header's value as text: UTF-8 if it is valid UTF-8, else ISO-8859-1, which anything is."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def object_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what S3 keeps of an upload's headers and sends with every download, by lower-case name.

    Content headers, the website redirect, the storage class unless it is STANDARD, and user metadata, whose
    RFC 2047 words stay as they came. `aws-chunked` is no encoding of the object and is taken out.

    Raises:
        S3Error: InvalidStorageClass, InvalidRedirectLocation, MetadataTooLarge, or InvalidArgument for
            metadata whose name could be no header.

    Source: Amazon S3 User Guide, "Working with object metadata".
    """
    kept = {"content-type": headers.get("content-type") or DEFAULT_CONTENT_TYPE}
    metadata_bytes = 0
    for name, value in headers.items():
        if name in _KEPT:
            text = _without_aws_chunked(value) if name == "content-encoding" else value
            if text:
                kept[name] = text
        elif name.startswith(METADATA_PREFIX):
            _require_metadata_name(name)
            metadata_bytes += len(name) - len(METADATA_PREFIX) + len(value.encode("utf-8"))
            kept[name] = value
    kept_bytes = sum(len(name) + len(value.encode("utf-8")) for name, value in kept.items())
    if kept_bytes - metadata_bytes > MAX_KEPT_HEADERS_BYTES:
        details = {"MaxSizeAllowed": str(MAX_KEPT_HEADERS_BYTES)}
        raise S3Error(Code.REQUEST_HEADER_SECTION_TOO_LARGE, None, details)
    if metadata_bytes > MAX_METADATA_BYTES:
        details = {"Size": str(metadata_bytes), "MaxSizeAllowed": str(MAX_METADATA_BYTES)}
        raise S3Error(Code.METADATA_TOO_LARGE, None, details)
    return kept | _redirect(headers) | _storage_class(headers)


def _redirect(headers: Mapping[str, str]) -> dict[str, str]:
    location = headers.get("x-amz-website-redirect-location")
    if location is None:
        return {}
    if not location.startswith(("/", "http://", "https://")):
        raise S3Error(Code.INVALID_REDIRECT_LOCATION)
    return {"x-amz-website-redirect-location": location}


def _storage_class(headers: Mapping[str, str]) -> dict[str, str]:
    wanted = headers.get("x-amz-storage-class", "STANDARD")
    if wanted not in STORAGE_CLASSES:
        raise S3Error(Code.INVALID_STORAGE_CLASS, None, {"StorageClassRequested": wanted})
    return {} if wanted == "STANDARD" else {"x-amz-storage-class": wanted}


def _without_aws_chunked(value: str) -> str:
    if "aws-chunked" not in value.lower():
        return value
    encodings = (encoding.strip() for encoding in value.split(","))
    return ",".join(encoding for encoding in encodings if encoding and encoding.lower() != "aws-chunked")


def _require_metadata_name(name: str) -> None:
    # A name from the query has passed no HTTP parser, and would come back as a header of our answers.
    if _TOKEN.fullmatch(name) is None:
        raise invalid_argument("The metadata name is not a valid header name.", "x-amz-meta-", name)


def wire_value(name: str, text: str) -> bytes:
    """Return the value of a kept header as it goes out: as it came in if it is of the content, and printable.

    Of metadata what is not printable ASCII becomes RFC 2047 words, and so does what holds a control character: a
    line break in a value, which only a query can bring in, never breaks a line.
    """
    if _PRINTABLE.fullmatch(text) is not None:
        return text.encode("ascii")
    if not name.startswith(METADATA_PREFIX) and _UNCONTROLLED.fullmatch(text) is not None:
        return text.encode("utf-8")
    return _encoded_words(text)


_MAX_WORD_CHARACTERS: Final = 75 - len("=?UTF-8?Q??=")
"""Source: RFC 2047, section 2: an encoded word is at most 75 characters long."""


def _encoded_words(text: str) -> bytes:
    words = [""]
    for character in text:
        # Characters stay whole: RFC 2047, section 5, wants each word to be decodable by itself.
        encoded = _q_encoded(character)
        if len(words[-1]) + len(encoded) > _MAX_WORD_CHARACTERS:
            words.append("")
        words[-1] += encoded
    return " ".join(f"=?UTF-8?Q?{word}?=" for word in words).encode("ascii")


def _q_encoded(character: str) -> str:
    if character == " ":
        return "_"
    if "!" <= character <= "~" and character not in "=?_":
        return character
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8"))


def response_overrides(query: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that `response-…` parameters put in place of the object's own, by lower-case name.

    Empty ones are left out. Every value can be sent as ISO-8859-1 and holds no control character.

    Raises:
        S3Error: InvalidArgument, for a value that cannot be a header.

    Source: Amazon S3 API Reference, "GetObject", Overriding Response Header Values.
    """
    if OVERRIDE_NAMES.isdisjoint(query):
        return {}
    overrides: dict[str, str] = {}
    for parameter, header in _OVERRIDES.items():
        value = query.get(parameter)
        if not value:
            continue
        if _ISO_8859_1.fullmatch(value) is None:
            raise invalid_argument("Header value cannot be represented using ISO-8859-1.", parameter, value)
        overrides[header] = value
    return overrides


def hoisted(query: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that stand in a presigned query and act as headers, by lower-case name.

    Only for a query whose signature has been verified and covers these parameters. Never tags, checksums or
    the payload hash, to which S3 pays no heed in a query, nor the signature's own parameters. Of one name in
    two spellings the first counts.

    Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", and what S3 was seen
    to do with the URLs of the JavaScript, Go and Java SDKs.
    """
    if _NEVER_HOISTED.issuperset(query):
        return {}
    found: dict[str, str] = {}
    for name, value in query.items():
        lower = name.lower()
        if lower in _HOISTED_NAMES or lower.startswith(_HOISTED_PREFIXES):
            found.setdefault(lower, value.strip())
    return found
