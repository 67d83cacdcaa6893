"""The query of a request, decoded."""

from __future__ import annotations

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
    parameters: dict[str, str] = {}
    is_plain = raw_query.isascii()
    for piece in raw_query.split(b"&"):
        if not piece:
            continue
        raw_name, _, raw_value = piece.partition(b"=")
        if is_plain and b"%" not in piece and b"+" not in piece:
            name, value = raw_name.decode("ascii"), raw_value.decode("ascii")
        else:
            name = percent_decode(raw_name.replace(b"+", b" "))
            value = percent_decode(raw_value.replace(b"+", b" "))
        if name not in parameters:
            parameters[name] = value
    return parameters
