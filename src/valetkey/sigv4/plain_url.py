"""The plainest presigned URL, and by far the commonest: six parameters, the host signed and nothing else.

One regular expression reads it, in a third of the time that the general reader needs (9 µs saved a request).
Whatever is in the least unusual, or wrong, is left to the general reader, which alone says what is wrong.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from valetkey.sigv4.claim import AuthType, Claim, EvidenceV4, SignatureVersion
from valetkey.sigv4.errors import SignatureError
from valetkey.sigv4.instants import MAX_SKEW, seconds
from valetkey.sigv4.parameters import MAX_LIFETIME_S
from valetkey.sigv4.payload import UNSIGNED
from valetkey.sigv4.query_auth import read_credential
from valetkey.sigv4.received import ReceivedRequest

_PLAIN: Final = re.compile(
    rb"X-Amz-Algorithm=AWS4-HMAC-SHA256"
    rb"&X-Amz-Credential=([A-Za-z0-9\-._~]{1,128}(?:%2F[A-Za-z0-9\-._~]{1,64}){4})"
    rb"&X-Amz-Date=([0-9]{8}T(?:[01][0-9]|2[0-3])[0-9]{4}Z)"
    # Sorted, as most sign it; and as botocore writes it.
    rb"(?:&X-Amz-Expires=([1-9][0-9]{0,8})&X-Amz-SignedHeaders=host"
    rb"|&X-Amz-SignedHeaders=host&X-Amz-Expires=([1-9][0-9]{0,8}))"
    rb"&X-Amz-Signature=([0-9a-f]{64})"
).fullmatch
_SIGNATURE_BYTES: Final = len("&X-Amz-Signature=") + 64


def read_plain_claim(
    request: ReceivedRequest, *, region: str, now: datetime, is_time_judged: bool = True
) -> Claim | None:
    """Return what a plain presigned URL claims that is open at `now`; None for everything else.

    What `is_time_judged` means, says `read_claim`.
    """
    found = _PLAIN(request.raw_query)
    if found is None:
        return None
    for name, _ in request.headers:
        if name[:6] == b"x-amz-" or name == b"authorization":
            return None
    raw_credential, raw_date, lifetime, other_lifetime, signature = found.groups()
    amz_date = raw_date.decode()
    try:
        credential = read_credential(raw_credential, region)
        signed_at = datetime.fromisoformat(amz_date)
    except (SignatureError, ValueError):
        return None
    lifetime_s = int(lifetime or other_lifetime)
    if amz_date[:8] != credential.date:
        return None
    # In years that no URL of ours is from, the sum could leave the calendar.
    if signed_at.year > 9000:
        return None
    expires_at = signed_at + seconds(lifetime_s)
    if is_time_judged and (lifetime_s > MAX_LIFETIME_S or signed_at - now > MAX_SKEW or now >= expires_at):
        return None
    if lifetime is not None:
        query = request.raw_query[:-_SIGNATURE_BYTES]
    else:
        query = (
            b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%b&X-Amz-Date=%b&X-Amz-Expires=%b"
            b"&X-Amz-SignedHeaders=host" % (raw_credential, raw_date, other_lifetime)
        )
    return Claim(
        credential.access_key,
        None,
        AuthType.QUERY,
        SignatureVersion.V4,
        signed_at,
        expires_at,
        signature.decode(),
        UNSIGNED,
        EvidenceV4(
            amz_date,
            credential.date,
            credential.region,
            credential.scope,
            b"host",
            query,
            [],
            b"UNSIGNED-PAYLOAD",
        ),
    )
