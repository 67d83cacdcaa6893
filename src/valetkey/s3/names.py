"""What buckets and objects may be called."""

from __future__ import annotations

import re
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_KEY_BYTES

_LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# Amazon forbids adjacent periods only; a hyphen beside a period makes no valid host name, so it is refused
# too.
_BUCKET: Final = re.compile(rf"(?=.{{3,63}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_ADDRESS: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+\Z")
_RESERVED_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_VERSION_ID: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,1024}")
_RESERVED_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def require_bucket_name(text: str) -> str:
    """Return `text` if a new bucket may have this name.

    3 to 63 lower-case letters, digits, hyphens and periods; every label between periods begins and ends with
    a letter or digit; no IPv4 address; none of the beginnings and endings that Amazon keeps for itself.

    Raises:
        S3Error: InvalidBucketName.

    Source: Amazon S3 User Guide, "General purpose bucket naming rules".
    """
    if (
        _BUCKET.match(text) is None
        or _ADDRESS.match(text) is not None
        or text.startswith(_RESERVED_PREFIXES)
        or text.endswith(_RESERVED_SUFFIXES)
    ):
        raise S3Error(Code.INVALID_BUCKET_NAME, None, {"BucketName": text})
    return text


def bucket_arn(name: str) -> str:
    """Return the Amazon Resource Name of a bucket."""
    return f"arn:aws:s3:::{name}"


def require_key(text: str) -> str:
    """Return `text` if an object may have this key: 1 to 1,024 bytes of UTF-8, any characters.

    Raises:
        S3Error: KeyTooLongError, or UserKeyMustBeSpecified where it is empty.

    Source: Amazon S3 User Guide, "Naming Amazon S3 objects".
    """
    if not text:
        raise S3Error(Code.USER_KEY_MUST_BE_SPECIFIED)
    # Four bytes are the most that one character takes, so a short key need not be encoded to be measured.
    if len(text) > MAX_KEY_BYTES // 4:
        size_bytes = len(text.encode("utf-8"))
        if size_bytes > MAX_KEY_BYTES:
            details = {"Size": str(size_bytes), "MaxSizeAllowed": str(MAX_KEY_BYTES)}
            raise S3Error(Code.KEY_TOO_LONG_ERROR, None, details)
    return text


def require_version_id(text: str) -> str:
    """Return `text` if it could be the id of a version.

    Raises:
        S3Error: InvalidArgument.
    """
    if not text:
        raise invalid_argument("Version id cannot be the empty string", "versionId", "")
    if _VERSION_ID.fullmatch(text) is None:
        raise invalid_argument("Invalid version id specified", "versionId", text)
    return text
