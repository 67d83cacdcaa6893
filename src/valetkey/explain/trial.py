"""One way in which a request may have been signed, and whether the signature fits it.

What is computed here never leaves: the answer is yes or no, found in constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from valetkey.explain.amazon import components, scope_parts
from valetkey.explain.facts import Facts, Scheme
from valetkey.explain.sent import Headers, Sent
from valetkey.sigv4 import parameters
from valetkey.sigv4.canonical import canonical_query, canonical_request, header_lines
from valetkey.sigv4.claim import AuthType, Claim, EvidenceV2, SignatureVersion
from valetkey.sigv4.encoding import canonical_path, query_pairs
from valetkey.sigv4.keys import TERMINAL, SigningKey, base64_signature, signing_key_bytes, string_to_sign
from valetkey.sigv4.legacy import strings_to_sign
from valetkey.sigv4.payload import UNSIGNED, UNSIGNED_PAYLOAD
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret


class Kind(Enum):
    """How the signature is made, and where it stands."""

    QUERY_V4 = auto()
    HEADER_V4 = auto()
    QUERY_V2 = auto()
    HEADER_V2 = auto()


_KINDS: Final = {
    Scheme.SIGV4: Kind.QUERY_V4,
    Scheme.SIGV4_HEADER: Kind.HEADER_V4,
    Scheme.SIGV2: Kind.QUERY_V2,
    Scheme.SIGV2_HEADER: Kind.HEADER_V2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A request as it may have been signed, and the secret that may have signed it."""

    kind: Kind
    method: str
    host: bytes
    path: bytes
    """As on the wire."""
    query: bytes
    """As on the wire, without the signature."""
    headers: Headers
    signed_headers: bytes = b""
    payload_line: bytes = b""
    amz_date: str = ""
    day: str = ""
    region: str = ""
    service: str = ""
    date_line: bytes = b""
    """SigV2: Expires or Date."""
    virtual_bucket: str | None = None
    """SigV2: the bucket, if it stands in the host."""
    is_path_encoded_again: bool = False
    """SigV4 as services other than S3 want it: the path is encoded once more."""
    provided: bytes
    secret: Secret
    seal: Callable[[bytes], bytes] | None = None
    """Makes of a signature what `provided` is of one; None: `provided` is the signature."""

    @property
    def is_v4(self) -> bool:
        return self.kind in {Kind.QUERY_V4, Kind.HEADER_V4}

    def canonical(self) -> bytes:
        """Return the canonical request (SigV4), or the text that is signed (SigV2)."""
        if not self.is_v4:
            return self._texts()[0]
        pairs = query_pairs(self.query)
        lines = header_lines(
            self.signed_headers.split(b";"),
            self._all_headers(),
            host=b"",
            stand_ins=pairs if self.kind is Kind.QUERY_V4 else (),
        )
        path = canonical_path(self.path)
        if self.is_path_encoded_again:
            path = path.replace(b"%", b"%25")
        return canonical_request(
            self.method, path, canonical_query(pairs), lines, self.signed_headers, self.payload_line
        )

    def fits(self) -> bool:
        """Tell whether the signature is the one that this secret gives for this request."""
        if not self.is_v4:
            secret = self.secret.reveal()
            # Each is tried, so that the time does not tell which one fitted.
            found = [self._is_same(base64_signature(secret, text)) for text in self._texts()]
            return any(found)
        key = SigningKey(
            signing_key_bytes(self.secret.reveal(), date=self.day, region=self.region, service=self.service)
        )
        scope = f"{self.day}/{self.region}/{self.service}/{TERMINAL}"
        to_sign = string_to_sign(self.canonical(), amz_date=self.amz_date, scope=scope)
        return self._is_same(key.hex_signature(to_sign).encode())

    def _is_same(self, computed: bytes) -> bool:
        return hmac.compare_digest(computed if self.seal is None else self.seal(computed), self.provided)

    def _all_headers(self) -> Headers:
        return ((b"host", self.host), *self.headers) if self.host else self.headers

    def _texts(self) -> list[bytes]:
        request = ReceivedRequest(self.method, self.path, self.query, self._all_headers())
        is_query = self.kind is Kind.QUERY_V2
        evidence = EvidenceV2(date_line=self.date_line)
        claim = Claim(
            access_key="", session_token=None, auth_type=AuthType.QUERY if is_query else AuthType.HEADER,
            version=SignatureVersion.V2, signed_at=None, expires_at=None, signature="", payload=UNSIGNED,
            evidence=evidence,
        )  # fmt: skip
        return strings_to_sign(
            request, claim, evidence, method=self.method, virtual_bucket=self.virtual_bucket
        )


def make_trial(sent: Sent, facts: Facts, *, secret: Secret, virtual_bucket: str | None) -> Trial | None:
    """Return how the request claims to have been signed, or None where parts of the claim are missing."""
    kind = _KINDS.get(facts.scheme)
    if kind is None:
        return None
    if kind is Kind.QUERY_V4:
        return _query_v4(sent, secret)
    if kind is Kind.HEADER_V4:
        return _header_v4(sent, secret)
    return _v2(sent, kind, secret, virtual_bucket)


def _query_v4(sent: Sent, secret: Secret) -> Trial | None:
    values = sent.values()
    signature = values.get(parameters.SIGNATURE)
    if signature is None:
        return None
    _, day, region, service = scope_parts(values.get(parameters.CREDENTIAL, ""))
    hashed = sent.header("x-amz-content-sha256") or values.get(parameters.CONTENT_SHA256)
    return Trial(
        kind=Kind.QUERY_V4,
        method=sent.verb,
        host=sent.host.encode("utf-8", "replace"),
        path=sent.raw_path,
        query=_without(sent.raw_query, parameters.SIGNATURE),
        headers=sent.headers,
        signed_headers=values.get(parameters.SIGNED_HEADERS, "").encode("utf-8", "replace"),
        payload_line=(hashed or UNSIGNED_PAYLOAD).encode("utf-8", "replace"),
        amz_date=values.get(parameters.DATE, ""),
        day=day,
        region=region,
        service=service,
        provided=signature.encode("utf-8", "replace"),
        secret=secret,
    )


def _header_v4(sent: Sent, secret: Secret) -> Trial | None:
    found = components(sent.header("authorization") or "")
    if "Signature" not in found:
        return None
    _, day, region, service = scope_parts(found.get("Credential", ""))
    hashed = sent.header("x-amz-content-sha256") or sent.body_sha256 or UNSIGNED_PAYLOAD
    return Trial(
        kind=Kind.HEADER_V4,
        method=sent.verb,
        host=sent.host.encode("utf-8", "replace"),
        path=sent.raw_path,
        query=sent.raw_query,
        headers=sent.headers,
        signed_headers=found.get("SignedHeaders", "").encode("utf-8", "replace"),
        payload_line=hashed.encode("utf-8", "replace"),
        amz_date=sent.header("x-amz-date") or "",
        day=day,
        region=region,
        service=service,
        provided=found["Signature"].encode("utf-8", "replace"),
        secret=secret,
    )


def _v2(sent: Sent, kind: Kind, secret: Secret, virtual_bucket: str | None) -> Trial | None:
    if kind is Kind.QUERY_V2:
        values = sent.values()
        signature, date = values.get("Signature"), values.get("Expires", "")
    else:
        signature = (sent.header("authorization") or "").partition(":")[2]
        date = "" if sent.header("x-amz-date") is not None else sent.header("date") or ""
    if not signature:
        return None
    return Trial(
        kind=kind,
        method=sent.verb,
        host=sent.host.encode("utf-8", "replace"),
        path=sent.raw_path,
        query=_without(sent.raw_query, "Signature") if kind is Kind.QUERY_V2 else sent.raw_query,
        headers=sent.headers,
        date_line=date.encode("utf-8", "replace"),
        virtual_bucket=virtual_bucket,
        provided=signature.encode("utf-8", "replace"),
        secret=secret,
    )


def _without(query: bytes, name: str) -> bytes:
    own = name.encode() + b"="
    return b"&".join(piece for piece in query.split(b"&") if not piece.startswith(own))
