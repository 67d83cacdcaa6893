"""Whether an ordinary presigned URL, or a form, was taken back."""

from __future__ import annotations

from valetkey.gateway.links.door import signature_digest
from valetkey.links import Ledger
from valetkey.links.rules import require_unrevoked
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType
from valetkey.sigv4.verify import Proof


def require_not_taken_back(proof: Proof | None, target: Target, ledger: Ledger, *, now_ms: int) -> None:
    """Return unless it was. What the header signs cannot be.

    Raises:
        LinkError: it was, or nobody can tell.
    """
    if proof is None or proof.auth_type is AuthType.HEADER:
        return
    revocations = ledger.revocations(now_ms=now_ms)
    if revocations:
        require_unrevoked(
            revocations,
            digest=signature_digest(proof.access_key, proof.signature),
            access_key=proof.access_key,
            bucket=target.bucket,
            key=target.key,
            signed_ms=None if proof.signed_at is None else round(proof.signed_at.timestamp() * 1000),
        )
