"""SigV4 in the query: the presigned URL.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters". The sentences of the
errors are S3's.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from valetkey.sigv4 import parameters
from valetkey.sigv4.canonical import canonical_query, is_header_list
from valetkey.sigv4.claim import AuthType, Claim, EvidenceV4, SignatureVersion
from valetkey.sigv4.encoding import Pairs, decode_component, decode_text
from valetkey.sigv4.errors import (
    ExpiredError,
    MalformedQueryAuthError,
    NotYetValidError,
    UnsupportedMechanismError,
)
from valetkey.sigv4.instants import MAX_SKEW, after, parse_amz_date
from valetkey.sigv4.keys import ALGORITHM, SERVICE
from valetkey.sigv4.payload import UNSIGNED, UNSIGNED_PAYLOAD, Payload, undecoded_payload
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.scope import Credential, parse_credential

_ALGORITHM: Final = parameters.ALGORITHM.encode()
_CREDENTIAL: Final = parameters.CREDENTIAL.encode()
_DATE: Final = parameters.DATE.encode()
_EXPIRES: Final = parameters.EXPIRES.encode()
_SIGNED_HEADERS: Final = parameters.SIGNED_HEADERS.encode()
_SIGNATURE: Final = parameters.SIGNATURE.encode()
_TOKEN: Final = parameters.SECURITY_TOKEN.encode()
_CONTENT_SHA256: Final = parameters.CONTENT_SHA256.encode()
_REQUIRED: Final = frozenset(name.encode() for name in parameters.REQUIRED)
_OWN: Final = frozenset(name.encode() for name in parameters.ALL)

MARKERS: Final = frozenset((_ALGORITHM, _CREDENTIAL, _SIGNATURE))
"""A query with any of these claims to be signed with SigV4."""

_HMAC: Final = ALGORITHM.encode()
_SIGV4A: Final = b"AWS4-ECDSA-P256-SHA256"
_UNSIGNED_LINE: Final = UNSIGNED_PAYLOAD.encode()

Values = dict[bytes, bytes]


def read_query_claim(
    request: ReceivedRequest,
    pairs: Pairs,
    values: Values,
    *,
    region: str,
    now: datetime,
    service: str = SERVICE,
    body_sha256: str | None = None,
    is_time_judged: bool = True,
) -> Claim:
    """Return what the presigned URL claims. `pairs` is its canonical query, `values` the same by name.

    Without `is_time_judged` the lifetime may be longer than a week, and `now` does not matter: then somebody else
    says when the URL begins and ends.

    Checks, in this order: no parameter twice, all of them there, algorithm, credential, date, lifetime,
    and that `now` lies within. The instant `signed_at + lifetime` itself is refused.

    Raises:
        MalformedQueryAuthError: a parameter is repeated, missing or malformed.
        UnsupportedMechanismError: SigV4A.
        NotYetValidError: it begins more than 15 minutes from now.
        ExpiredError: it has ended.
    """
    _require_each_once(pairs, values)
    _require_algorithm(values[_ALGORITHM])
    credential = read_credential(values[_CREDENTIAL], region, service)
    amz_date = decode_text(values[_DATE])
    signed_at = _require_date(amz_date, scope_date=credential.date)
    expires_at = _end(signed_at, decode_text(values[_EXPIRES]), now=now if is_time_judged else None)
    signed_headers = decode_component(values[_SIGNED_HEADERS])
    if not is_header_list(signed_headers):
        raise MalformedQueryAuthError("X-Amz-SignedHeaders must list header names, sorted and each once")
    sent = dict(request.headers)
    payload, payload_line = _payload(request, sent, values, body_sha256)
    return Claim(
        access_key=credential.access_key,
        session_token=_session_token(sent, values),
        auth_type=AuthType.QUERY,
        version=SignatureVersion.V4,
        signed_at=signed_at,
        expires_at=expires_at,
        signature=decode_text(values[_SIGNATURE]),
        payload=payload,
        evidence=EvidenceV4(
            amz_date,
            credential.date,
            credential.region,
            credential.scope,
            signed_headers,
            canonical_query(pairs),
            pairs,
            payload_line,
            service,
        ),
    )


def _require_each_once(pairs: Pairs, values: Values) -> None:
    if len(values) < len(pairs):
        for name, times in Counter(name for name, _ in pairs).items():
            if times > 1 and name in _OWN:
                # S3's own answer is not on record. The first or the last of two would be a guess that
                # another reader of the same URL (a proxy, a log) may make differently.
                raise MalformedQueryAuthError(f"{name.decode()} must not be given more than once.")
    if not values.keys() >= _REQUIRED:
        raise MalformedQueryAuthError(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )


def _require_algorithm(value: bytes) -> None:
    if value == _HMAC:
        return
    if value == _SIGV4A:
        raise UnsupportedMechanismError
    raise MalformedQueryAuthError(
        'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
    )


def read_credential(value: bytes, region: str, service: str = SERVICE) -> Credential:
    """Return the parts of the parameter X-Amz-Credential.

    Raises:
        MalformedQueryAuthError: it has another form, or is not for us.
    """
    # A key's URLs of one day share it. Longer ones are no key of ours, and would fill the memory.
    if len(value) <= 256:
        return _parsed_credential(value, region, service)
    return parse_credential(decode_text(value), region=region, refuse=_refuse_credential, service=service)


@lru_cache(maxsize=256)
def _parsed_credential(value: bytes, region: str, service: str) -> Credential:
    return parse_credential(decode_text(value), region=region, refuse=_refuse_credential, service=service)


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


def _end(signed_at: datetime, lifetime_text: str, *, now: datetime | None) -> datetime:
    """Return the instant at which the URL ends. It is open at `now`, where that is asked."""
    if now is not None:
        return _require_open(signed_at, lifetime_text, now=now)
    # More than a calendar holds is the same as all that it holds.
    return after(signed_at, timedelta(seconds=min(_require_number(lifetime_text), 10**12)))


def _require_open(signed_at: datetime, lifetime_text: str, *, now: datetime) -> datetime:
    """Return the instant at which the URL ends."""
    lifetime_s = _require_lifetime(lifetime_text)
    expires_at = after(signed_at, timedelta(seconds=lifetime_s))
    if signed_at - now > MAX_SKEW:
        raise NotYetValidError(signed_at=signed_at, expires_at=expires_at, now=now)
    # A lifetime of 0 is over even where the signer's clock is ahead of ours.
    if now >= expires_at or lifetime_s == 0:
        raise ExpiredError(expires_at=expires_at, now=now, lifetime_text=lifetime_text)
    return expires_at


def _require_lifetime(text: str) -> int:
    lifetime_s = _require_number(text)
    if lifetime_s > parameters.MAX_LIFETIME_S:
        raise MalformedQueryAuthError(
            "X-Amz-Expires must be less than a week (in seconds); "
            "that is, the given X-Amz-Expires must be less than 604800 seconds"
        )
    return lifetime_s


def _require_number(text: str) -> int:
    digits = text.removeprefix("-")
    # Nineteen digits hold 2**63 - 1, the largest that S3 takes for a number.
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 19
    lifetime_s = int(digits) if is_number else 2**63
    if lifetime_s >= 2**63:
        raise MalformedQueryAuthError("X-Amz-Expires should be a number")
    if digits != text:
        raise MalformedQueryAuthError("X-Amz-Expires must be non-negative")
    return lifetime_s


def _payload(
    request: ReceivedRequest, sent: Values, values: Values, body_sha256: str | None
) -> tuple[Payload, bytes]:
    """Return what is said of the body, by the header (signed or not) or else by the query, and the text."""
    if b"x-amz-content-sha256" in sent:
        line = b",".join([value.strip() for value in request.values(b"x-amz-content-sha256")])
    elif _CONTENT_SHA256 in values:
        # The JavaScript SDK writes UNSIGNED-PAYLOAD here. A hash is not on record: we hold the body to it.
        line = decode_component(values[_CONTENT_SHA256])
    elif body_sha256 is not None:
        line = body_sha256.encode()
    else:
        return UNSIGNED, _UNSIGNED_LINE
    return undecoded_payload(line.decode("utf-8", "replace")), line


def _session_token(sent: Values, values: Values) -> str | None:
    if _TOKEN in values:
        return decode_text(values[_TOKEN])
    token = sent.get(b"x-amz-security-token")
    return None if token is None else token.decode("utf-8", "replace")
