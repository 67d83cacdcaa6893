"""Who signed this request?"""

from __future__ import annotations

from collections.abc import Sequence

from valetkey.gateway.call import Keys, Request, Rules
from valetkey.gateway.faults import UnknownAccessKeyError
from valetkey.policy.principal import ANONYMOUS, Principal
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target
from valetkey.sigv4.claims import Claim, read_claim
from valetkey.sigv4.errors import SignatureError
from valetkey.sigv4.plain_url import read_plain_claim
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import Proof, SignedHost, require_signature
from valetkey.store.errors import StoreError


def authenticate(
    request: Request, target: Target, *, keys: Keys, rules: Rules
) -> tuple[Principal, Proof | None]:
    """Return the principal, and the proof unless nobody signed.

    Raises:
        SignatureError: the signature, its time or its form is wrong.
        UnknownAccessKeyError: no active key has the id that signed.
        S3Error: a session token came with a key that has none.
    """
    received = ReceivedRequest(request.method, request.raw_path, request.raw_query, request.headers)
    claim = read_claim(received, region=rules.region, now=request.now)
    if claim is None:
        return ANONYMOUS, None
    return _proved(claim, received, request, target, keys=keys, rules=rules)


def authenticate_plain(
    request: Request, target: Target, *, keys: Keys, rules: Rules
) -> tuple[Principal, Proof] | None:
    """Return the same for a plain presigned URL that is open; None for whatever else, and for what is wrong."""
    received = ReceivedRequest(request.method, request.raw_path, request.raw_query, request.headers)
    claim = read_plain_claim(received, region=rules.region, now=request.now)
    if claim is None:
        return None
    try:
        return _proved(claim, received, request, target, keys=keys, rules=rules)
    except (SignatureError, UnknownAccessKeyError, S3Error, StoreError):
        return None


def _proved(
    claim: Claim, received: ReceivedRequest, request: Request, target: Target, *, keys: Keys, rules: Rules
) -> tuple[Principal, Proof]:
    secret, principal = find_signer(keys, claim.access_key, claim.session_token, now_ms=request.now_ms)
    proof = require_signature(
        claim,
        received,
        secret=secret,
        virtual_bucket=target.bucket if target.virtual else None,
        # A bucket that was read from the Host stands and falls with it: under another one it would be another.
        alternatives=request.forwarded_hosts if target.virtual else other_hosts(request, rules),
        head_as_get=not rules.is_strict,
    )
    require_own_token(principal, claim.session_token)
    return principal, proof


def other_hosts(request: Request, rules: Rules) -> Sequence[SignedHost]:
    """Return the endpoints, beside the Host received, that a signature may have been made for: the likeliest first."""
    if not request.forwarded_hosts:
        return rules.signed_hosts
    # A public endpoint with a path prefix is more than its host: see `require_signature`.
    prefixed = {each.host for each in rules.signed_hosts if each.path_prefix}
    return (*(each for each in request.forwarded_hosts if each.host not in prefixed), *rules.signed_hosts)


def find_signer(
    keys: Keys, access_key: str, session_token: str | None, *, now_ms: int
) -> tuple[Secret, Principal]:
    """Return the secret that a signature must have been made with, and whose it is.

    Raises:
        UnknownAccessKeyError: no active key has the id.
        S3Error: InvalidToken or ExpiredToken.
    """
    session = None
    if session_token is not None:
        session = keys.find_session(access_key, session_token, now_ms=now_ms)
    known = session or keys.find(access_key)
    if known is None:
        raise UnknownAccessKeyError(access_key)
    return known


def require_own_token(principal: Principal, session_token: str | None) -> None:
    """Return unless a token came with a key that has none, which Amazon refuses.

    Not before the signature: a token in a header that nobody signed is first of all such a header.

    Raises:
        S3Error: InvalidToken.
    """
    if session_token is not None and principal.session is None:
        raise S3Error(Code.INVALID_TOKEN)
