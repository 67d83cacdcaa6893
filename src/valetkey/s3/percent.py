"""Percent-decoding that refuses what is malformed, instead of passing it on."""

from __future__ import annotations

from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

_HEX_DIGITS: Final = "0123456789abcdefABCDEF"

_BYTES: Final = {
    (high + low).encode(): bytes([int(high + low, 16)]) for high in _HEX_DIGITS for low in _HEX_DIGITS
}


def percent_decode(raw: bytes) -> str:
    """Return the text whose UTF-8 is `raw` after decoding `%XX`. A `+` stays a `+`.

    Raises:
        S3Error: InvalidURI, for a `%` without two hex digits or bytes that are not UTF-8.
    """
    try:
        if b"%" not in raw:
            return raw.decode("utf-8")
        first, *escaped = raw.split(b"%")
        return b"".join((first, *[_BYTES[piece[:2]] + piece[2:] for piece in escaped])).decode("utf-8")
    except (KeyError, UnicodeDecodeError) as error:
        raise S3Error(Code.INVALID_URI) from error
