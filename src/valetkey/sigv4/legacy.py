"""SigV2, which boto3 still presigns with by default on a custom endpoint.

It is verified, never made. Its weakness is its own: neither the host nor unknown query parameters are
signed, and a URL may live for years.

Source: Amazon S3 Developer Guide, "Signing and Authenticating REST Requests".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from valetkey.sigv4.claim import AuthType, Claim, EvidenceV2, SignatureVersion
from valetkey.sigv4.encoding import Pairs, canonical_component, decode_component, decode_text
from valetkey.sigv4.errors import (
    ExpiredError,
    InvalidAuthorizationError,
    InvalidExpiresV2Error,
    MalformedQueryAuthError,
    MissingQueryAuthV2Error,
)
from valetkey.sigv4.header_claim import header_date, require_near
from valetkey.sigv4.payload import UNSIGNED, Payload, undecoded_payload
from valetkey.sigv4.received import ReceivedRequest

MARKERS: Final = frozenset((b"AWSAccessKeyId", b"Signature"))
"""A query with either of these claims to be signed with SigV2."""

_REQUIRED: Final = frozenset((*MARKERS, b"Expires"))
_DIGITS: Final = re.compile(r"[0-9]{1,12}").fullmatch
_END_OF_TIME_S: Final = 253_402_300_799
"""The last second of the year 9999."""

SIGNED_PARAMETERS: Final = frozenset(
    b"accelerate acl analytics attributes cors defaultObjectAcl delete encryption intelligent-tiering "
    b"inventory legal-hold lifecycle location logging metrics notification object-lock ownershipControls "
    b"partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment "
    b"response-cache-control response-content-disposition response-content-encoding "
    b"response-content-language response-content-type response-expires restore retention select "
    b"select-type session storageClass tagging torrent uploadId uploads versionId versioning versions "
    b"website".split()
)
"""Parameters that are part of the signed resource. Beyond those of the source and of botocore: every name
that makes another operation of a request, since otherwise a holder could turn a GET URL into that one."""


def read_query_claim(request: ReceivedRequest, pairs: Pairs, *, now: datetime) -> Claim:
    """Return what a SigV2 presigned URL claims. The instant of Expires itself is refused.

    Raises:
        MalformedQueryAuthError: a parameter of the signature is repeated, or one could pass for others.
        MissingQueryAuthV2Error: one of them is missing or empty.
        InvalidExpiresV2Error: Expires is no number of seconds before the year 10000.
        ExpiredError: it has ended.
    """
    values = _single_values(pairs)
    _require_clear_headers(pairs)
    _require_clear_resource(pairs)
    expires_text = decode_text(values[b"Expires"])
    if _DIGITS(expires_text) is None or int(expires_text) > _END_OF_TIME_S:
        raise InvalidExpiresV2Error(expires_text)
    expires_at = datetime.fromtimestamp(int(expires_text), UTC)
    if now >= expires_at:
        raise ExpiredError(expires_at=expires_at, now=now, lifetime_text=None)
    token = _header_values(request, AuthType.QUERY).get(b"x-amz-security-token")
    return Claim(
        access_key=decode_text(values[b"AWSAccessKeyId"]),
        session_token=None if token is None else token.decode("utf-8", "replace"),
        auth_type=AuthType.QUERY,
        version=SignatureVersion.V2,
        signed_at=None,
        expires_at=expires_at,
        signature=decode_text(values[b"Signature"]),
        payload=_payload(request),
        evidence=EvidenceV2(date_line=expires_text.encode()),
    )


def read_header_claim(request: ReceivedRequest, pairs: Pairs, credential: bytes, *, now: datetime) -> Claim:
    """Return what an `AWS AKID:signature` header claims. `credential` is what follows the scheme.

    Raises:
        MalformedQueryAuthError: a parameter could pass for others.
        InvalidAuthorizationError: it has another form.
        MissingDateError: no date that can be read.
        SkewedError: the date is more than 15 minutes from `now`.
    """
    access_key, _, signature = credential.partition(b":")
    if not access_key or not signature or b" " in credential:
        raise InvalidAuthorizationError(
            "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        )
    _require_clear_resource(pairs)
    signed_at, date_text = header_date(request, is_http_date_allowed=True)
    require_near(signed_at, date_text=date_text, now=now)
    token = request.values(b"x-amz-security-token")
    return Claim(
        access_key=access_key.decode("utf-8", "replace"),
        session_token=token[0].decode("utf-8", "replace") if token else None,
        auth_type=AuthType.HEADER,
        version=SignatureVersion.V2,
        signed_at=signed_at,
        expires_at=None,
        signature=signature.decode("utf-8", "replace"),
        payload=_payload(request),
        evidence=EvidenceV2(
            date_line=b"" if request.values(b"x-amz-date") else b",".join(request.values(b"date")).strip()
        ),
    )


def strings_to_sign(
    request: ReceivedRequest, claim: Claim, evidence: EvidenceV2, *, method: str, virtual_bucket: str | None
) -> list[bytes]:
    """Return what the signer may have signed, the likeliest first.

    There are two where a sub-resource came with an empty value: `?acl=` is signed as `acl=` by some
    clients and as `acl` by others, and which of the two a client put on the wire is its HTTP library's
    choice.
    """
    values = _header_values(request, claim.auth_type)
    lines = [
        method.encode("utf-8", "replace"),
        values.pop(b"content-md5", b""),
        values.pop(b"content-type", b""),
        evidence.date_line,
    ]
    lines += [name + b":" + values[name] for name in sorted(values)]
    path = request.raw_path or b"/"
    if virtual_bucket is not None:
        path = b"/" + virtual_bucket.encode() + path
    paths = [path]
    if path.count(b"/") == 1 and path != b"/":
        # botocore sends `/bucket` and signs `/bucket/`.
        paths.append(path + b"/")
    return [
        b"\n".join((*lines, each + tail)) for each in paths for tail in _signed_queries(request.raw_query)
    ]


def _single_values(pairs: Pairs) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name not in _REQUIRED:
            continue
        if name in values:
            raise MalformedQueryAuthError(f"{name.decode()} must not be given more than once.")
        values[name] = value
    if not all(values.get(name) for name in _REQUIRED):
        raise MissingQueryAuthV2Error
    return values


def _require_clear_headers(pairs: Pairs) -> None:
    """Refuse hoisted headers that SigV2 would sign as it signs others: its text holds them decoded."""
    seen: set[bytes] = set()
    for raw_name, raw_value in pairs:
        name = decode_component(raw_name).lower()
        if not _is_signed(name):
            continue
        if name in seen:
            raise MalformedQueryAuthError(f"{_shown(name)} must not be given more than once.")
        if b":" in name or any(byte < 0x20 for byte in name + decode_component(raw_value)):
            raise MalformedQueryAuthError(f"{_shown(name)} must not hold a colon or control character.")
        seen.add(name)


def _require_clear_resource(pairs: Pairs) -> None:
    """Refuse a sub-resource whose value reads like more of them.

    The value of `?response-content-type=a%26versionId%3Db` is signed just as `?response-content-type=a` and
    `versionId=b` are, so that a holder could hide a parameter in another one's value.
    """
    for name, raw_value in pairs:
        if name not in SIGNED_PARAMETERS:
            continue
        rest = decode_component(raw_value).split(b"&")[1:]
        if any(piece.partition(b"=")[0] in SIGNED_PARAMETERS for piece in rest):
            raise MalformedQueryAuthError(f"{_shown(name)} must not hold the name of another parameter.")


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _header_values(request: ReceivedRequest, auth_type: AuthType) -> dict[bytes, bytes]:
    """Return the values of the signed headers by lower-case name.

    With query authentication, x-amz-* parameters count as if they were headers too: botocore moves the
    headers that it signed into the query, and S3 gives them effect there.
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in request.headers:
        if _is_signed(name):
            found.setdefault(name, []).append(value.strip())
    if auth_type is AuthType.QUERY:
        _add_hoisted(found, request.raw_query)
    return {name: b",".join(values) for name, values in found.items()}


def _add_hoisted(found: dict[bytes, list[bytes]], raw_query: bytes) -> None:
    for piece in raw_query.split(b"&"):
        raw_name, _, raw_value = piece.partition(b"=")
        name, values = decode_component(raw_name).lower(), [decode_component(raw_value).strip()]
        if not _is_signed(name):
            continue
        if not name.startswith(b"x-amz-"):
            # What is in the query has no effect on the content headers, so the header itself counts.
            found.setdefault(name, values)
        elif found.setdefault(name, values) != values:
            # Two values of one header: no signer made that, and which of them took effect would be ours
            # to choose. Joined, they match nothing.
            found[name] = found[name] + values


def _is_signed(name: bytes) -> bool:
    return name.startswith(b"x-amz-") or name in {b"content-md5", b"content-type"}


def _signed_queries(raw_query: bytes) -> list[bytes]:
    as_sent: list[tuple[bytes, bytes]] = []
    bare: list[tuple[bytes, bytes]] = []
    for piece in raw_query.split(b"&"):
        raw_name, equals, raw_value = piece.partition(b"=")
        name = canonical_component(raw_name)
        if name in SIGNED_PARAMETERS:
            value = decode_component(raw_value)
            as_sent.append((name, name + equals + value))
            bare.append((name, name + b"=" + value if value else name))
    if not as_sent:
        return [b""]
    candidates = [as_sent] if as_sent == bare else [as_sent, bare]
    # Sorted by name only, so that equal names keep their order: the first of them takes effect.
    return [b"?" + b"&".join(text for _, text in sorted(each, key=_name)) for each in candidates]


def _name(pair: tuple[bytes, bytes]) -> bytes:
    return pair[0]


def _payload(request: ReceivedRequest) -> Payload:
    sent = request.values(b"x-amz-content-sha256")
    return undecoded_payload(b",".join(sent).decode("utf-8", "replace")) if sent else UNSIGNED
