"""The query of a request, decoded."""

from __future__ import annotations

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.percent import percent_decode


def parse_query(raw_query: bytes) -> dict[str, str]:
    """Return the parameters of `raw_query`, which is what stood on the wire after the `?`.

    `+` is a space, `%XX` is decoded as UTF-8, a parameter without `=` has the empty value, and of a parameter
    that comes twice the first counts, as it does for Amazon.

    Raises:
        S3Error: InvalidURI, for a bad escape or bytes that are not UTF-8.
    """
    if not raw_query:
        return {}
    try:
        text = raw_query.decode("utf-8")
    except UnicodeDecodeError as error:
        raise S3Error(Code.INVALID_URI) from error
    parameters: dict[str, str] = {}
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if "%" in piece or "+" in piece:
            name, value = _decoded(name), _decoded(value)
        if name not in parameters:
            parameters[name] = value
    return parameters


def _decoded(text: str) -> str:
    # Nearly all escapes of a presigned URL are the slashes of its credential. To replace them first is quick,
    # and safe: a slash is no hex digit, so it completes no other escape.
    plain = text.replace("+", " ").replace("%2F", "/")
    return percent_decode(plain.encode("utf-8")) if "%" in plain else plain
