"""What the fields of a browser form say: the object's key, its headers, and what is answered.

Source: Amazon S3 API Reference, "POST Object".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from valetkey.s3.errors import invalid_argument
from valetkey.s3.form_reader import Fields
from valetkey.s3.headers import METADATA_PREFIX
from valetkey.s3.tags import parse_form_tagging

_FILENAME: Final = "${filename}"
_NEVER_NAMED: Final = frozenset({"policy", "signature", "x-amz-signature"})
"""What was signed, and the signature, are compared as they were sent."""

_HEADERS: Final = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
        "expires",
        "if-match",
        "if-none-match",
        "x-amz-expected-bucket-owner",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
    }
)
_HEADER_PREFIXES: Final = (
    METADATA_PREFIX,
    "x-amz-checksum-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
)
"""Fields that say of the object what headers of these names say of a PUT."""

_STATUSES: Final = {"200": 200, "201": 201}
_USUAL_STATUS: Final = 204
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class PostForm(NamedTuple):
    """The fields of a form, read."""

    fields: Mapping[str, str]
    """By lower-case name, with the file's name put in."""
    names: Mapping[str, str]
    """How the form spells each of them."""

    @property
    def key(self) -> str:
        return self.fields["key"]

    @property
    def headers(self) -> dict[str, str]:
        """The fields that act as headers of an upload, by the header's lower-case name.

        Tags too: what they are in a header is what policies look at, and a form gives them as a document.

        Raises:
            S3Error: the field `tagging` is malformed.
        """
        headers = {
            name: value
            for name, value in self.fields.items()
            if name in _HEADERS or name.startswith(_HEADER_PREFIXES)
        }
        if "acl" in self.fields:
            headers["x-amz-acl"] = self.fields["acl"]
        if "tagging" in self.fields:
            headers["x-amz-tagging"] = urlencode(parse_form_tagging(self.fields["tagging"]))
        return headers

    @property
    def success_status(self) -> int:
        """200, 201 or 204: what is answered where the client is not sent elsewhere."""
        return _STATUSES.get(self.fields.get("success_action_status", ""), _USUAL_STATUS)

    def redirect_url(self, *, bucket: str, etag: str) -> str | None:
        """Return where the client is to be sent after the upload, or None where it is not.

        `etag` is unquoted. A URL that is none, or that no header could hold, counts as not given, as with Amazon.
        """
        fields = self.fields
        url = fields.get("success_action_redirect") or fields.get("redirect") or ""
        if _PRINTABLE.fullmatch(url) is None or not _is_absolute(url):
            return None
        place, hash_sign, fragment = url.partition("#")
        query = f"bucket={bucket}&key={quote_plus(self.key)}&etag=%22{etag}%22"
        return f"{place}{'&' if '?' in place else '?'}{query}{hash_sign}{fragment}"


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def read_form(found: Fields) -> PostForm:
    """Return the form that was found before the file. Of a field that comes several times the values are joined.

    Raises:
        S3Error: InvalidArgument, where it names no key, or an empty one.
    """
    fields: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in found.values:
        lower = name.lower()
        text = value if lower in _NEVER_NAMED else _named(value, found.filename)
        fields[lower] = f"{fields[lower]},{text}" if lower in fields else text
        names.setdefault(lower, name)
    if "key" not in fields:
        # The two spaces are Amazon's.
        message = (
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the "
            "fields."
        )
        raise invalid_argument(message, "key", "")
    if not fields["key"]:
        raise invalid_argument("User key must have a length greater than 0.", "key", "")
    return PostForm(fields=fields, names=names)


def _named(value: str, filename: str | None) -> str:
    if filename is None or _FILENAME not in value:
        return value
    return value.replace(_FILENAME, filename.replace("\\", "/").rpartition("/")[2])


def object_location(origin: str, *, bucket: str | None, key: str) -> str:
    """Return the URL of an object as S3 tells it of one that came by a form: `/` in its key is encoded too.

    `origin` is scheme and host; `bucket` is None where the host names it.
    """
    place = origin if bucket is None else f"{origin}/{bucket}"
    return f"{place}/{quote(key, safe='')}"
