"""Verifying: what the check of one presigned GET costs, beside the least that it can cost."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from bench.rounds import Comparison, Field, Plan, Side, Unit, cpu_rate
from bench.signing import ACCESS_KEY, BUCKET, EXPIRES_S, HOST, REGION, SECRET_KEY, ascii_keys
from valetkey import Signer
from valetkey.sigv4.claims import read_claim
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import require_signature

if TYPE_CHECKING:
    from hashlib import _Hash

_NOW: Final = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
_REQUESTS: Final = 500

_OTHER_HEADERS: Final = (
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hashed:
    """What has to be hashed for one request, and what must come out."""

    canonical_request: bytes
    before_digest: bytes
    """The string to sign up to the digest that ends it."""
    signature: str


def _urls(count: int) -> list[str]:
    signer = Signer(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=REGION,
        endpoint=f"https://{HOST}",
        addressing="path",
    )
    return [str(signer.presign("GET", BUCKET, key, expires=EXPIRES_S, at=_NOW)) for key in ascii_keys(count)]


def _received(url: str) -> ReceivedRequest:
    parts = urlsplit(url)
    headers = [(b"host", parts.netloc.encode()), *_OTHER_HEADERS]
    return ReceivedRequest("GET", parts.path.encode(), parts.query.encode(), headers)


def _hashed(url: str) -> _Hashed:
    parts = urlsplit(url)
    query, _, signature = parts.query.partition("&X-Amz-Signature=")
    canonical = f"GET\n{parts.path}\n{query}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    date = parse_qs(parts.query)["X-Amz-Date"][0]
    before = f"AWS4-HMAC-SHA256\n{date}\n{date[:8]}/{REGION}/s3/aws4_request\n"
    return _Hashed(canonical_request=canonical.encode(), before_digest=before.encode(), signature=signature)


def _signing_key() -> bytes:
    steps = (f"{_NOW:%Y%m%d}", REGION, "s3", "aws4_request")
    start = ("AWS4" + SECRET_KEY).encode()
    return reduce(lambda key, text: hmac.digest(key, text.encode(), "sha256"), steps, start)


def _prepared_hmac(key: bytes) -> tuple[_Hash, _Hash]:
    """Return the inner and the outer hash of HMAC after the padded key: the cheapest way in plain Python.

    Source: RFC 2104.
    """
    padded = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


@contextmanager
def _presigned_get(plan: Plan) -> Iterator[Field]:
    urls = _urls(int(_REQUESTS * plan.share))
    requests = [_received(url) for url in urls]
    hashed = [_hashed(url) for url in urls]
    secret, (inner, outer) = Secret(SECRET_KEY), _prepared_hmac(_signing_key())

    def verify_all() -> int:
        for request in requests:
            claim = read_claim(request, region=REGION, now=_NOW)
            assert claim is not None
            require_signature(claim, request, secret=secret)
        return len(requests)

    def hash_all() -> int:
        for each in hashed:
            digest = hashlib.sha256(each.canonical_request).hexdigest()
            first, second = inner.copy(), outer.copy()
            first.update(each.before_digest + digest.encode())
            second.update(first.digest())
            assert second.hexdigest() == each.signature
        return len(hashed)

    yield Field(
        sides=[
            Side(name="read_claim and require_signature", measure=cpu_rate(verify_all)),
            Side(name="floor: the two hashes alone", measure=cpu_rate(hash_all)),
        ],
        slice_s=plan.cpu_slice_s,
    )


COMPARISONS: Final = (
    Comparison(name="verify", title="Verify a presigned GET", unit=Unit.MICROSECONDS, prepare=_presigned_get),
)
