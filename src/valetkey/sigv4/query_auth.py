"""SigV4 in the query: the presigned URL.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters". The sentences of the
errors are S3's.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from valetkey.sigv4.claim import AuthType, Claim, EvidenceV4, SignatureVersion
from valetkey.sigv4.encoding import Pairs, decode_component, decode_text
from valetkey.sigv4.errors import (
    ExpiredError,
    MalformedQueryAuthError,
    NotYetValidError,
    UnsupportedMechanismError,
)
from valetkey.sigv4.instants import MAX_SKEW, after, parse_amz_date
from valetkey.sigv4.keys import ALGORITHM
from valetkey.sigv4.payload import UNSIGNED, UNSIGNED_PAYLOAD, undecoded_payload
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.scope import parse_credential

MAX_LIFETIME_S: Final = 604_800
"""Seven days. S3: X-Amz-Expires must be less than a week (and takes the week itself)."""

MARKERS: Final = frozenset((b"X-Amz-Algorithm", b"X-Amz-Credential", b"X-Amz-Signature"))
"""A query with any of these claims to be signed with SigV4."""

_REQUIRED: Final = (
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Signature",
    b"X-Amz-Date",
    b"X-Amz-SignedHeaders",
    b"X-Amz-Expires",
)
_TOKEN: Final = b"X-Amz-Security-Token"
_CONTENT_SHA256: Final = b"X-Amz-Content-Sha256"
PARAMETERS: Final = frozenset((*_REQUIRED, _TOKEN, _CONTENT_SHA256))
"""The parameters that belong to the signature itself. Each may stand in a query once."""

_SIGV4A: Final = b"AWS4-ECDSA-P256-SHA256"
_NUMBER: Final = re.compile(r"-?[0-9]+").fullmatch


def read_query_claim(request: ReceivedRequest, pairs: Pairs, *, region: str, now: datetime) -> Claim:
    """Return what the presigned URL claims. `pairs` is its canonical query.

    Checks, in this order: no parameter twice, all of them there, algorithm, credential, date, lifetime,
    and that `now` lies within. The instant `signed_at + lifetime` itself is refused.

    Raises:
        MalformedQueryAuthError: a parameter is repeated, missing or malformed.
        UnsupportedMechanismError: SigV4A.
        NotYetValidError: it begins more than 15 minutes from now.
        ExpiredError: it has ended.
    """
    values = _single_values(pairs)
    _require_algorithm(values[b"X-Amz-Algorithm"])
    credential = parse_credential(
        decode_text(values[b"X-Amz-Credential"]), region=region, refuse=_refuse_credential
    )
    amz_date = decode_text(values[b"X-Amz-Date"])
    signed_at = _require_date(amz_date, scope_date=credential.date)
    lifetime_text = decode_text(values[b"X-Amz-Expires"])
    lifetime_s = _require_lifetime(lifetime_text)
    expires_at = after(signed_at, timedelta(seconds=lifetime_s))
    if signed_at - now > MAX_SKEW:
        raise NotYetValidError(signed_at=signed_at, expires_at=expires_at, now=now)
    if now >= expires_at or lifetime_s == 0:
        raise ExpiredError(expires_at=expires_at, now=now, lifetime_text=lifetime_text)
    payload_line = _payload_line(request, values)
    return Claim(
        access_key=credential.access_key,
        session_token=_session_token(request, values),
        auth_type=AuthType.QUERY,
        version=SignatureVersion.V4,
        signed_at=signed_at,
        expires_at=expires_at,
        signature=decode_text(values[b"X-Amz-Signature"]),
        payload=UNSIGNED
        if payload_line is None
        else undecoded_payload(payload_line.decode("utf-8", "replace")),
        evidence=EvidenceV4(
            amz_date=amz_date,
            date=credential.date,
            region=credential.region,
            scope=credential.scope,
            signed_headers=decode_component(values[b"X-Amz-SignedHeaders"]),
            pairs=pairs,
            payload_line=UNSIGNED_PAYLOAD.encode() if payload_line is None else payload_line,
        ),
    )


def _single_values(pairs: Pairs) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            continue
        if name in values:
            # S3's own answer is not on record. The first or the last of two would be a guess that another
            # reader of the same URL (a proxy, a log) may make differently.
            raise MalformedQueryAuthError(f"{name.decode()} must not be given more than once.")
        values[name] = value
    if not all(name in values for name in _REQUIRED):
        raise MalformedQueryAuthError(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    return values


def _require_algorithm(value: bytes) -> None:
    if value == ALGORITHM.encode():
        return
    if value == _SIGV4A:
        raise UnsupportedMechanismError
    raise MalformedQueryAuthError(
        'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
    )


def _refuse_credential(sentence: str, region: str | None) -> MalformedQueryAuthError:
    return MalformedQueryAuthError(f"Error parsing the X-Amz-Credential parameter; {sentence}", region=region)


def _require_date(amz_date: str, *, scope_date: str) -> datetime:
    signed_at = parse_amz_date(amz_date)
    if signed_at is None:
        raise MalformedQueryAuthError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    if amz_date[:8] != scope_date:
        raise MalformedQueryAuthError(
            f'Invalid credential date "{scope_date}". '
            f'This date is not the same as X-Amz-Date: "{amz_date[:8]}".'
        )
    return signed_at


def _require_lifetime(text: str) -> int:
    # Nineteen digits hold 2**63 - 1, the largest number that S3 takes as one.
    if _NUMBER(text) is None or len(text) > 20 or abs(int(text)) >= 2**63:
        raise MalformedQueryAuthError("X-Amz-Expires should be a number")
    if text.startswith("-"):
        raise MalformedQueryAuthError("X-Amz-Expires must be non-negative")
    lifetime_s = int(text)
    if lifetime_s > MAX_LIFETIME_S:
        raise MalformedQueryAuthError(
            "X-Amz-Expires must be less than a week (in seconds); "
            "that is, the given X-Amz-Expires must be less than 604800 seconds"
        )
    return lifetime_s


def _payload_line(request: ReceivedRequest, values: dict[bytes, bytes]) -> bytes | None:
    """Return x-amz-content-sha256 of the header, signed or not, else of the query; None without both."""
    sent = request.values(b"x-amz-content-sha256")
    if sent:
        return b",".join(value.strip() for value in sent)
    # The JavaScript SDK writes UNSIGNED-PAYLOAD here. A hash is not on record: we hold the body to it.
    hoisted = values.get(_CONTENT_SHA256)
    return None if hoisted is None else decode_component(hoisted)


def _session_token(request: ReceivedRequest, values: dict[bytes, bytes]) -> str | None:
    if _TOKEN in values:
        return decode_text(values[_TOKEN])
    sent = request.values(b"x-amz-security-token")
    return sent[0].decode("utf-8", "replace") if sent else None
