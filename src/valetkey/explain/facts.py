"""What a signed request says of itself, in whichever scheme it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum


class Scheme(Enum):
    """A way to sign a URL, form or request. The value is what people call it."""

    SIGV4 = "SigV4"
    SIGV4_HEADER = "SigV4 in the Authorization header"
    SIGV4A = "SigV4A"
    SIGV2 = "SigV2"
    SIGV2_HEADER = "SigV2 in the Authorization header"
    POST_V4 = "POST policy, SigV4"
    POST_V2 = "POST policy, SigV2"
    CLOUDFRONT = "CloudFront signed URL"
    GCS_V4 = "Google Cloud Storage V4"
    GCS_V2 = "Google Cloud Storage V2"
    AZURE_SAS = "Azure SAS"
    NONE = "not signed"


CHECKABLE = frozenset((Scheme.SIGV4, Scheme.SIGV4_HEADER, Scheme.SIGV2, Scheme.SIGV2_HEADER))
"""Schemes of requests whose signature can be tried here; forms are tried by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was decoded. Empty or None: it does not say."""

    scheme: Scheme
    access_key: str = ""
    """Or what stands for it: an e-mail address, a key pair's id."""
    method: str | None = None
    operation: str = ""
    host: str = ""
    bucket: str = ""
    key: str = ""
    region: str = ""
    service: str = ""
    signed_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    has_token: bool = False
    """Temporary credentials signed it."""
    credential_ends_at: datetime | None = None
    signed_headers: tuple[str, ...] = ()
    """In lower case, without host: those that the recipient must send."""
    permissions: str = ""
    addresses: str = ""
    conditions: tuple[str, ...] = ()


def from_epoch(text: str) -> datetime | None:
    """Return the instant of a number of seconds since 1970, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12) or int(text) > 253_402_300_799:
        return None
    return datetime.fromtimestamp(int(text), UTC)


def from_iso(text: str) -> datetime | None:
    """Return the aware instant of an ISO 8601 text, or None."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
