"""Signing the headers of a request that one sends oneself.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from valetkey.sigv4.canonical import canonical_query, canonical_request
from valetkey.sigv4.credentials import SigningCredentials
from valetkey.sigv4.encoding import canonical_path, query_pairs
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.errors import MisuseError
from valetkey.sigv4.instants import signing_instant, to_amz_date
from valetkey.sigv4.keys import ALGORITHM, signing_key, string_to_sign
from valetkey.sigv4.payload import is_payload_line
from valetkey.sigv4.presign import require_header, require_method, signed_value

_URL: Final = r"(https?://[^/?#]+)(/[^?#]*)?(?:\?([^#]*))?"
_LEFT_UNSIGNED: Final = frozenset(
    (
        "accept-encoding",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    )
)
"""Headers that a proxy or the HTTP library may change on the way."""
_WRITTEN_HERE: Final = frozenset(
    ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
)


def sign_request(
    credentials: SigningCredentials,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    payload_line: str,
    at: datetime,
) -> dict[str, str]:
    """Return `headers` with those that authenticate the request.

    `url` is the encoded URL that will be requested: it is signed as it stands. `payload_line` is the
    SHA-256 of the body in hex, or one of the words that S3 knows for x-amz-content-sha256. `at` is an aware
    instant. Hop-by-hop headers and User-Agent stay unsigned; Host is signed but not among the result,
    unless it was given.

    Raises:
        MisuseError: one of the values cannot be signed.
    """
    require_method(method)
    if not is_payload_line(payload_line):
        raise MisuseError("the payload hash must be 64 hex digits, UNSIGNED-PAYLOAD or a STREAMING- word")
    origin, path, query = _parts(url)
    amz_date = to_amz_date(signing_instant(at))
    result = {name: value for name, value in headers.items() if name.lower() not in _WRITTEN_HERE}
    result["X-Amz-Date"] = amz_date
    result["X-Amz-Content-Sha256"] = payload_line
    if credentials.session_token is not None:
        result["X-Amz-Security-Token"] = credentials.session_token.reveal()
    lines = _lines(result, host=Endpoint.parse(origin).host)
    names = ";".join(sorted(lines))
    canonical = canonical_request(
        method=method,
        path=canonical_path(path.encode()),
        query=canonical_query(query_pairs(query.encode())),
        header_lines="".join([f"{name}:{lines[name]}\n" for name in sorted(lines)]).encode(),
        signed_headers=names.encode(),
        payload_line=payload_line.encode(),
    )
    scope = credentials.scope(amz_date[:8])
    key = signing_key(credentials.secret.reveal(), amz_date[:8], credentials.region, credentials.service)
    signature = key.hex_signature(string_to_sign(canonical, amz_date=amz_date, scope=scope))
    result["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return result


def _parts(url: str) -> tuple[str, str, str]:
    found = re.fullmatch(_URL, url)
    if found is None or not url.isascii():
        raise MisuseError(f"not an encoded URL: {url!r}; escape what is not ASCII, and leave out a fragment")
    return found[1], found[2] or "/", found[3] or ""


def _lines(headers: Mapping[str, str], *, host: str) -> dict[str, str]:
    lines: dict[str, str] = {"host": host}
    given: set[str] = set()
    for name, value in headers.items():
        require_header(name, value)
        lower = name.lower()
        if lower in given:
            raise MisuseError(f"the header {name} is given twice")
        given.add(lower)
        if lower not in _LEFT_UNSIGNED:
            lines[lower] = signed_value(value)
    return lines
