"""The opaque tokens that continue a listing. Only who holds the key can make one."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from valetkey.s3.errors import S3Error, invalid_argument

_SEAL_BYTES: Final = 16
"""A token begins with as much of an HMAC-SHA256, so that none that was damaged or made up is followed."""


def encode_token(text: str, *, key: bytes, scope: str) -> str:
    """Return a continuation token for the page after `text`.

    `scope` is the name of the bucket that is listed, or empty where buckets are; the token is good for no
    other listing.
    """
    raw = text.encode("utf-8")
    return urlsafe_b64encode(_seal(raw, key, scope) + raw).decode("ascii")


def decode_token(token: str, *, key: bytes, scope: str) -> str:
    """Return the text that `encode_token` made `token` of, with the same key and scope.

    Raises:
        S3Error: InvalidArgument, for a token that is none of ours.
    """
    try:
        sealed = urlsafe_b64decode(token.encode("ascii"))
        text = sealed[_SEAL_BYTES:].decode("utf-8")
    except ValueError as error:
        raise _incorrect_token() from error
    # Encoding it again leaves each place one token, whatever the decoder let pass.
    expected = encode_token(text, key=key, scope=scope)
    if not hmac.compare_digest(expected.encode("ascii"), token.encode("ascii")):
        raise _incorrect_token()
    return text


def _seal(raw: bytes, key: bytes, scope: str) -> bytes:
    # No bucket's name has a NUL, so the scope cannot run into the text.
    return hmac.digest(key, scope.encode("utf-8") + b"\0" + raw, "sha256")[:_SEAL_BYTES]


def _incorrect_token() -> S3Error:
    return invalid_argument("The continuation token provided is incorrect", "continuation-token")
