"""Proving a claim with the secret of its access key."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from valetkey.sigv4.canonical import canonical_request, header_lines
from valetkey.sigv4.chunks import ChunkSigner
from valetkey.sigv4.claim import AuthType, Claim, EvidenceV2, EvidenceV4, SignatureVersion
from valetkey.sigv4.encoding import canonical_path
from valetkey.sigv4.errors import HeadersNotSignedError, SignatureMismatchError
from valetkey.sigv4.keys import SigningKey, base64_signature, signing_key, string_to_sign
from valetkey.sigv4.legacy import strings_to_sign
from valetkey.sigv4.payload import Payload, PayloadKind
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHost:
    """A public endpoint that the signer may have addressed, where a proxy changed Host or path."""

    host: bytes
    """As the signer's client wrote it into Host: lower case, with the port unless it is the default. Empty:
    the Host that was received."""
    path_prefix: bytes = b""
    """What stood before the path that we received, without trailing slash."""


class Proof(NamedTuple):
    """Who signed the request, beyond doubt."""

    access_key: str
    auth_type: AuthType
    version: SignatureVersion
    signed_at: datetime | None
    """None for SigV2 query authentication."""
    expires_at: datetime | None
    """None for header authentication."""
    signature: str
    payload: Payload
    """What the body must be; nobody has looked at it yet."""
    chunk_signer: ChunkSigner | None
    """For the two forms whose chunks are signed."""

    def __repr__(self) -> str:
        return (
            f"Proof(access_key={self.access_key!r}, {self.auth_type}, {self.version}, "
            f"signed_at={self.signed_at}, expires_at={self.expires_at})"
        )


_AS_RECEIVED: Final = SignedHost(host=b"")


def require_signature(
    claim: Claim,
    request: ReceivedRequest,
    *,
    secret: Secret,
    virtual_bucket: str | None = None,
    alternatives: Sequence[SignedHost] = (),
    head_as_get: bool = False,
) -> Proof:
    """Return the proof of `claim`, which was read from `request`.

    `virtual_bucket` is the bucket that stood in the Host, if it did; SigV2 signs it. `alternatives` are
    tried after the Host as received (SigV4 only). With `head_as_get`, a presigned GET also proves a HEAD.

    Raises:
        HeadersNotSignedError: SigV4, and a header that must be signed is not.
        SignatureMismatchError: the signature is wrong. It shows the request as received.
    """
    methods = [request.method]
    if head_as_get and request.method == "HEAD" and claim.auth_type is AuthType.QUERY:
        methods.append("GET")
    chunk_signer = None
    if isinstance(claim.evidence, EvidenceV2):
        _require_v2(claim, claim.evidence, request, methods, secret=secret, virtual_bucket=virtual_bucket)
    else:
        evidence = claim.evidence
        _require_headers_signed(evidence, request)
        key = signing_key(secret.reveal(), evidence.date, evidence.region, evidence.service)
        _require_v4(claim, evidence, request, methods, key=key, alternatives=alternatives)
        kind = claim.payload.kind
        # Not by a set: to hash a member of an enumeration takes longer than both.
        if kind is PayloadKind.STREAMING_SIGNED or kind is PayloadKind.STREAMING_SIGNED_TRAILER:
            chunk_signer = ChunkSigner(
                key=key,
                access_key=claim.access_key,
                amz_date=evidence.amz_date,
                scope=evidence.scope,
                seed=claim.signature,
            )
    return Proof(
        claim.access_key,
        claim.auth_type,
        claim.version,
        claim.signed_at,
        claim.expires_at,
        claim.signature,
        claim.payload,
        chunk_signer,
    )


def _require_headers_signed(evidence: EvidenceV4, request: ReceivedRequest) -> None:
    must = [name for name, _ in request.headers if name[:6] == b"x-amz-" or name == b"content-md5"]
    if not must and evidence.signed_headers == b"host":
        return
    signed = frozenset(evidence.signed_headers.split(b";"))
    missing = set(must) - signed
    # Its value is the last line of the canonical request, so it is covered either way.
    missing.discard(b"x-amz-content-sha256")
    if b"host" not in signed:
        missing.add(b"host")
    if b"range" in signed and b"if-range" not in signed and request.values(b"if-range"):
        missing.add(b"if-range")
    if missing:
        raise HeadersNotSignedError(tuple(sorted(name.decode("utf-8", "replace") for name in missing)))


def _require_v4(
    claim: Claim,
    evidence: EvidenceV4,
    request: ReceivedRequest,
    methods: Sequence[str],
    *,
    key: SigningKey,
    alternatives: Sequence[SignedHost],
) -> None:
    """Compare with the request as received, then as the signer may have seen it."""
    provided = claim.signature.encode()
    path = canonical_path(request.raw_path)
    names = evidence.signed_headers.split(b";")
    shown: tuple[bytes, bytes] | None = None
    for seen in _endpoints(request, alternatives):
        lines = header_lines(names, request.headers, host=seen.host, stand_ins=evidence.stand_ins)
        for method in methods:
            canonical = canonical_request(
                method,
                seen.path_prefix + path,
                evidence.query,
                lines,
                evidence.signed_headers,
                evidence.payload_line,
            )
            to_sign = string_to_sign(canonical, amz_date=evidence.amz_date, scope=evidence.scope)
            if hmac.compare_digest(key.hex_signature(to_sign).encode(), provided):
                return
            shown = shown or (to_sign, canonical)
    assert shown is not None  # there is always one endpoint and one method
    to_sign, canonical = shown
    raise SignatureMismatchError(
        access_key=claim.access_key,
        string_to_sign=to_sign,
        signature_provided=claim.signature,
        canonical_request=canonical,
    )


def _endpoints(request: ReceivedRequest, alternatives: Sequence[SignedHost]) -> Sequence[SignedHost]:
    """Return the endpoints that the signer may have addressed, the likeliest first."""
    if not alternatives:
        return (_AS_RECEIVED,)
    host = b",".join(request.values(b"host")).lower()
    # Behind a prefix this Host is never the whole address: a path that begins with the prefix would be
    # signed for one bucket and be received as another.
    if any(each.path_prefix and each.host == host for each in alternatives):
        return alternatives
    return (_AS_RECEIVED, *alternatives)


def _require_v2(
    claim: Claim,
    evidence: EvidenceV2,
    request: ReceivedRequest,
    methods: Sequence[str],
    *,
    secret: Secret,
    virtual_bucket: str | None,
) -> None:
    candidates = [
        to_sign
        for method in methods
        for to_sign in strings_to_sign(request, claim, evidence, method=method, virtual_bucket=virtual_bucket)
    ]
    provided = claim.signature.encode()
    for to_sign in candidates:
        if hmac.compare_digest(base64_signature(secret.reveal(), to_sign), provided):
            return
    raise SignatureMismatchError(
        access_key=claim.access_key,
        string_to_sign=candidates[0],
        signature_provided=claim.signature,
        canonical_request=None,
    )
