"""The signature of a browser form: who says to have signed its policy, and the proof.

What is signed is the policy's base64 text, letter by letter as it was sent; what the policy says is not read here.

Source: Amazon S3 API Reference, "Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature
Version 4)"; Amazon S3 Developer Guide, "HTML forms" (SigV2).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from valetkey.sigv4.claim import AuthType, SignatureVersion
from valetkey.sigv4.errors import MalformedFormFieldError, MissingFormFieldError, SignatureMismatchError
from valetkey.sigv4.instants import parse_amz_date
from valetkey.sigv4.keys import ALGORITHM, base64_signature, signing_key
from valetkey.sigv4.payload import UNSIGNED
from valetkey.sigv4.scope import parse_credential
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import Proof

_V4: Final = {
    "x-amz-signature": "X-Amz-Signature",
    "x-amz-algorithm": "X-Amz-Algorithm",
    "x-amz-credential": "X-Amz-Credential",
    "x-amz-date": "X-Amz-Date",
    "policy": "Policy",
}
_V2: Final = {"signature": "Signature", "awsaccesskeyid": "AWSAccessKeyId", "policy": "Policy"}
"""Fields of a signature, and how S3's errors spell them."""
_V4_MARKERS: Final = _V4.keys() - {"policy"}
_V2_MARKERS: Final = _V2.keys() - {"policy"}

_TOKEN: Final = "x-amz-security-token"  # noqa: S105 - the name of a field


class PostClaim(NamedTuple):
    """Who says to have signed a form. Nothing of it is proved yet."""

    access_key: str
    session_token: str | None
    version: SignatureVersion
    signed_at: datetime | None
    """None for SigV2, which does not say."""
    region: str
    signature: str
    policy: str
    """Base64, as sent."""
    date: str
    """The day of `signed_at` as yyyyMMdd; empty for SigV2."""

    def __repr__(self) -> str:
        # Neither the token nor the signature: each is as good as a password for a while.
        return f"PostClaim(access_key={self.access_key!r}, {self.version}, signed_at={self.signed_at})"


def read_post_claim(fields: Mapping[str, str], *, region: str) -> PostClaim | None:
    """Return what the fields of a form, by lower-case name, claim of its signer; None: they claim nothing.

    `region` is the one that a SigV4 credential must name.

    Raises:
        MissingFormFieldError: a field of the signature is missing.
        MalformedFormFieldError: one of them is malformed.
    """
    if not fields.keys().isdisjoint(_V4_MARKERS):
        return _read_v4(fields, region=region)
    if not fields.keys().isdisjoint(_V2_MARKERS):
        return _read_v2(fields, region=region)
    return None


def _require_fields(fields: Mapping[str, str], required: Mapping[str, str]) -> None:
    for name, spelling in required.items():
        if name not in fields:
            raise MissingFormFieldError(spelling)


def _read_v4(fields: Mapping[str, str], *, region: str) -> PostClaim:
    _require_fields(fields, _V4)
    algorithm, credential_text = fields["x-amz-algorithm"], fields["x-amz-credential"]
    if algorithm != ALGORITHM:
        message = f"Only {ALGORITHM} is supported"
        raise MalformedFormFieldError(message, name="X-Amz-Algorithm", value=algorithm)

    def refuse(message: str, expected_region: str | None) -> MalformedFormFieldError:
        return MalformedFormFieldError(
            message, name="X-Amz-Credential", value=credential_text, region=expected_region
        )

    credential = parse_credential(credential_text, region=region, refuse=refuse)
    signed_at = parse_amz_date(fields["x-amz-date"])
    if signed_at is None:
        # The misspelling is Amazon's.
        message = "X-Amz-Date must be formated via ISO8601 Long format"
        raise MalformedFormFieldError(message, name="X-Amz-Date", value=fields["x-amz-date"])
    if fields["x-amz-date"][:8] != credential.date:
        raise refuse(
            f'Invalid credential date "{credential.date}". This date is not the same as X-Amz-Date: '
            f'"{fields["x-amz-date"][:8]}".',
            None,
        )
    return PostClaim(
        access_key=credential.access_key,
        session_token=fields.get(_TOKEN),
        version=SignatureVersion.V4,
        signed_at=signed_at,
        region=credential.region,
        signature=fields["x-amz-signature"],
        policy=fields["policy"],
        date=credential.date,
    )


def _read_v2(fields: Mapping[str, str], *, region: str) -> PostClaim:
    _require_fields(fields, _V2)
    return PostClaim(
        access_key=fields["awsaccesskeyid"],
        session_token=fields.get(_TOKEN),
        version=SignatureVersion.V2,
        signed_at=None,
        region=region,
        signature=fields["signature"],
        policy=fields["policy"],
        date="",
    )


def require_post_signature(claim: PostClaim, *, secret: Secret) -> Proof:
    """Return the proof of `claim`. When it ends says the policy.

    Raises:
        SignatureMismatchError: the signature is not the one that the secret gives for this policy.
    """
    to_sign = claim.policy.encode("utf-8", "replace")
    if not hmac.compare_digest(
        _signature(claim, to_sign, secret), claim.signature.encode("utf-8", "replace")
    ):
        raise SignatureMismatchError(
            access_key=claim.access_key,
            string_to_sign=to_sign,
            signature_provided=claim.signature,
            canonical_request=None,
        )
    return Proof(
        claim.access_key,
        AuthType.FORM,
        claim.version,
        claim.signed_at,
        None,
        claim.signature,
        UNSIGNED,
        None,
    )


def _signature(claim: PostClaim, to_sign: bytes, secret: Secret) -> bytes:
    if claim.signed_at is None:
        return base64_signature(secret.reveal(), to_sign)
    return signing_key(secret.reveal(), claim.date, claim.region).hex_signature(to_sign).encode()
