"""What the server's owner forbids whoever signs, whatever policies allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.sigv4.claims import AuthType, SignatureVersion
from valetkey.sigv4.verify import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Limits on all signatures."""

    largest_age: timedelta | None = None
    """Of a signature, counted from the time at which it says to be made. None: what its own end says."""
    takes_presigned: bool = True
    """False: neither presigned URLs nor forms."""
    takes_v2: bool = True


def require_guarded(proof: Proof | None, guards: Guards, *, now: datetime, is_by_link: bool = False) -> None:
    """Return unless a signature, which is right, is of a kind that the server takes none of.

    A managed link may be older: it can be taken back, which is what the age of others is limited for.

    Raises:
        S3Error: AccessDenied, and why.
    """
    if proof is None:
        return
    if not guards.takes_presigned and proof.auth_type is not AuthType.HEADER:
        raise S3Error(Code.ACCESS_DENIED, "Presigned URLs and forms are turned off on this server.")
    if not guards.takes_v2 and proof.version is SignatureVersion.V2:
        raise S3Error(Code.ACCESS_DENIED, "Signature Version 2 is turned off on this server.")
    if guards.largest_age is None or is_by_link:
        return
    if proof.signed_at is None:
        # SigV2 tells when a URL ends, and not since when it works.
        raise S3Error(Code.ACCESS_DENIED, "This server takes no signature that does not tell its age.")
    if now - proof.signed_at > guards.largest_age:
        seconds = round(guards.largest_age.total_seconds())
        raise S3Error(
            Code.ACCESS_DENIED, f"This server takes no signature that is older than {seconds} seconds."
        )
