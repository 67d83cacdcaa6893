"""SigV4 in the Authorization header.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header". The sentences of
the errors are S3's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from valetkey.sigv4.canonical import canonical_query, is_header_list
from valetkey.sigv4.claim import AuthType, Claim, EvidenceV4, SignatureVersion
from valetkey.sigv4.encoding import Pairs
from valetkey.sigv4.errors import (
    MalformedHeaderAuthError,
    MissingContentSha256Error,
    MissingDateError,
    SkewedError,
)
from valetkey.sigv4.http_dates import parse_http_date
from valetkey.sigv4.instants import MAX_SKEW, parse_amz_date, to_amz_date
from valetkey.sigv4.keys import SERVICE
from valetkey.sigv4.payload import header_payload
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.scope import parse_credential

_COMPONENTS: Final = frozenset((b"Credential", b"SignedHeaders", b"Signature"))


def read_header_claim(
    request: ReceivedRequest,
    pairs: Pairs,
    components: bytes,
    *,
    region: str,
    now: datetime,
    service: str = SERVICE,
    body_sha256: str | None = None,
) -> Claim:
    """Return what the Authorization header claims. `components` is what follows the algorithm in it.

    Checks, in this order: components, credential, date, that the date is within 15 minutes of `now`,
    and x-amz-content-sha256.

    Raises:
        MalformedHeaderAuthError: a component or the credential is malformed.
        MissingDateError: no date that can be read.
        SkewedError: the date is too far from `now`.
        MissingContentSha256Error, InvalidContentSha256Error: the header x-amz-content-sha256.
    """
    values = _components(components)
    credential = parse_credential(
        _text(values[b"Credential"]), region=region, refuse=_refuse, service=service
    )
    signed_at, date_text = header_date(request, is_http_date_allowed=False)
    amz_date = to_amz_date(signed_at)
    _require_date(credential.date, amz_date[:8])
    require_near(signed_at, date_text=date_text, now=now)
    payload_line = _one_value(request, b"x-amz-content-sha256")
    if payload_line is None:
        if body_sha256 is None:
            raise MissingContentSha256Error
        payload_line = body_sha256.encode()
    token = _one_value(request, b"x-amz-security-token")
    return Claim(
        access_key=credential.access_key,
        session_token=None if token is None else _text(token),
        auth_type=AuthType.HEADER,
        version=SignatureVersion.V4,
        signed_at=signed_at,
        expires_at=None,
        signature=_text(values[b"Signature"]),
        payload=header_payload(_text(payload_line)),
        evidence=EvidenceV4(
            amz_date=amz_date,
            date=credential.date,
            region=credential.region,
            scope=credential.scope,
            signed_headers=values[b"SignedHeaders"],
            query=canonical_query(pairs),
            stand_ins=[],
            payload_line=payload_line,
            service=service,
        ),
    )


def _require_date(in_credential: str, in_header: str) -> None:
    if in_credential != in_header:
        raise _refuse(
            f'Invalid credential date "{in_credential}". '
            f'This date is not the same as X-Amz-Date: "{in_header}".',
            None,
        )


def header_date(request: ReceivedRequest, *, is_http_date_allowed: bool) -> tuple[datetime, str]:
    """Return the instant of x-amz-date, or of Date where that is missing, and its text as sent.

    x-amz-date of SigV4 has one form; that of SigV2 may also be an HTTP date, as Date always may.

    Raises:
        MissingDateError: neither is there, or the one that counts cannot be read.
    """
    sent = _one_value(request, b"x-amz-date")
    if sent is None:
        sent = _one_value(request, b"date")
        is_http_date_allowed = True
    text = "" if sent is None else _text(sent)
    instant = parse_amz_date(text)
    if instant is None and is_http_date_allowed:
        instant = parse_http_date(text)
    if instant is None:
        raise MissingDateError
    return instant, text


def require_near(signed_at: datetime, *, date_text: str, now: datetime) -> None:
    """Refuse a date more than 15 minutes from `now`, on either side.

    Raises:
        SkewedError: it is.
    """
    if abs(signed_at - now) > MAX_SKEW:
        raise SkewedError(request_time_text=date_text, now=now)


def _components(text: bytes) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    pieces = text.split(b",")
    for piece in pieces:
        name, _, value = piece.strip().partition(b"=")
        values[name] = value
    if len(pieces) != 3 or values.keys() != _COMPONENTS:
        raise _refuse(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            None,
        )
    if not is_header_list(values[b"SignedHeaders"]):
        raise _refuse("SignedHeaders must list header names, sorted and each once.", None)
    return values


def _refuse(sentence: str, region: str | None) -> MalformedHeaderAuthError:
    return MalformedHeaderAuthError(f"The authorization header is malformed; {sentence}", region=region)


def _one_value(request: ReceivedRequest, name: bytes) -> bytes | None:
    """Return the value of a header; a repeated one is joined with commas, so that it is no valid date."""
    sent = request.values(name)
    return b",".join(value.strip() for value in sent) if sent else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
