"""What a request claims of its signer, before anybody looked up a secret.

The values of the verifying half are tuples, because each request makes one of each: frozen dataclasses would
take a sixth of the time that a verification takes.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from valetkey.sigv4.encoding import Pairs
from valetkey.sigv4.keys import SERVICE
from valetkey.sigv4.payload import Payload


class AuthType(Enum):
    """Where the signature stands. The values are those of the policy key `s3:authType`."""

    HEADER = "REST-HEADER"
    QUERY = "REST-QUERY-STRING"
    FORM = "POST"


class SignatureVersion(Enum):
    """How it was made. The values are those of the policy key `s3:signatureversion`."""

    V4 = "AWS4-HMAC-SHA256"
    V2 = "AWS"


class EvidenceV4(NamedTuple):
    """What a SigV4 signature is verified on, beside the request."""

    amz_date: str
    """The date as the string to sign holds it."""
    date: str
    region: str
    scope: str
    signed_headers: bytes
    """The list of names as it was sent, decoded."""
    query: bytes
    """The canonical query, without X-Amz-Signature."""
    stand_ins: Pairs
    """Canonical parameters that may stand in for signed headers which were not sent; none with header
    authentication."""
    payload_line: bytes
    """The last line of the canonical request."""
    service: str = SERVICE


class EvidenceV2(NamedTuple):
    """What a SigV2 signature is verified on, beside the request."""

    date_line: bytes
    """Expires as sent; with header authentication Date as sent, or nothing if x-amz-date takes its place."""


class Claim(NamedTuple):
    """Who says to have signed the request, and for when. Nothing of it is proved yet."""

    access_key: str
    session_token: str | None
    auth_type: AuthType
    version: SignatureVersion
    signed_at: datetime | None
    """None for SigV2 query authentication, which does not say."""
    expires_at: datetime | None
    """None for header authentication. The first instant at which the URL is refused."""
    signature: str
    """As provided."""
    payload: Payload
    evidence: EvidenceV4 | EvidenceV2

    def __repr__(self) -> str:
        # Neither the token nor the signature: each is as good as a password for a while.
        return (
            f"Claim(access_key={self.access_key!r}, {self.auth_type}, {self.version}, "
            f"signed_at={self.signed_at}, expires_at={self.expires_at})"
        )
