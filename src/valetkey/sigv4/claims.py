"""Reading who says to have signed a request."""

from __future__ import annotations

from datetime import datetime

from valetkey.sigv4 import header_claim, legacy, query_auth
from valetkey.sigv4.claim import AuthType as AuthType
from valetkey.sigv4.claim import Claim as Claim
from valetkey.sigv4.claim import SignatureVersion as SignatureVersion
from valetkey.sigv4.encoding import Pairs, query_pairs
from valetkey.sigv4.errors import (
    InvalidAuthorizationError,
    TwoMechanismsError,
    UnsupportedMechanismError,
)
from valetkey.sigv4.instants import require_aware
from valetkey.sigv4.keys import ALGORITHM, SERVICE
from valetkey.sigv4.plain_url import read_plain_claim
from valetkey.sigv4.received import ReceivedRequest


def read_claim(
    request: ReceivedRequest,
    *,
    region: str,
    now: datetime,
    service: str = SERVICE,
    body_sha256: str | None = None,
    is_time_judged: bool = True,
) -> Claim | None:
    """Return what the request claims of its signer, or None if it claims nothing (anonymous).

    `region` is the one that a SigV4 credential must name, like `service`; `now` is an aware instant. `body_sha256`
    is what services other than S3 sign of the body, in hex, where no header says it. Everything that needs no
    secret is checked: that there is one mechanism, its form, and its time. Whether the signature is right
    says `require_signature`. Without `is_time_judged` a presigned URL of SigV4 may be of any time, past or to come,
    and live longer than a week: for keys whose URLs somebody else judges.

    Raises:
        SignatureError: the first fault found, in S3's order of checks.
        MisuseError: `now` is naive.
    """
    require_aware(now, name="now")
    if service == SERVICE:
        plain = read_plain_claim(request, region=region, now=now, is_time_judged=is_time_judged)
        if plain is not None:
            return plain
    pairs = query_pairs(request.raw_query)
    authorization = request.values(b"authorization")
    values = dict(pairs)
    has_v4_query = not query_auth.MARKERS.isdisjoint(values)
    has_v2_query = not legacy.MARKERS.isdisjoint(values)
    if bool(authorization) + has_v4_query + has_v2_query > 1:
        raise TwoMechanismsError
    if has_v4_query:
        return query_auth.read_query_claim(
            request,
            pairs,
            values,
            region=region,
            now=now,
            service=service,
            body_sha256=body_sha256,
            is_time_judged=is_time_judged,
        )
    if has_v2_query:
        return legacy.read_query_claim(request, pairs, now=now)
    if authorization:
        return _read_authorization(
            request, pairs, authorization, region=region, now=now, service=service, body_sha256=body_sha256
        )
    return None


def _read_authorization(
    request: ReceivedRequest,
    pairs: Pairs,
    authorization: list[bytes],
    *,
    region: str,
    now: datetime,
    service: str,
    body_sha256: str | None,
) -> Claim:
    scheme, space, rest = authorization[0].strip().partition(b" ")
    if len(authorization) > 1 or not space:
        raise InvalidAuthorizationError(
            "Authorization header is invalid -- one and only one ' ' (space) required."
        )
    if scheme == ALGORITHM.encode():
        return header_claim.read_header_claim(
            request, pairs, rest, region=region, now=now, service=service, body_sha256=body_sha256
        )
    if scheme == b"AWS":
        return legacy.read_header_claim(request, pairs, rest.strip(), now=now)
    if scheme.startswith(b"AWS4-"):
        raise UnsupportedMechanismError
    raise InvalidAuthorizationError("Unsupported Authorization Type")
