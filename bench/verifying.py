"""Verifying: what the check of one request costs, beside the least that it can cost."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bench.rounds import Comparison, Field, Plan, Side, Unit, cpu_rate
from bench.signers import BUCKET, EXPIRES_S, REGION, SECRET_KEY
from bench.signing import ascii_keys, bench_signer
from valetkey.sigv4.canonical import canonical_request, header_lines
from valetkey.sigv4.claim import EvidenceV4
from valetkey.sigv4.claims import read_claim
from valetkey.sigv4.encoding import canonical_path
from valetkey.sigv4.post_claim import read_post_claim, require_post_signature
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import require_signature

if TYPE_CHECKING:
    from hashlib import _Hash

GOAL_GET_US: Final = 12.0
"""On a core that hashes SHA-256 at 1.7 GB/s."""

_NOW: Final = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
_REQUESTS: Final = 500
_BLOCK_BYTES: Final = 1024 * 1024

_OTHER_HEADERS: Final = (
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
)
_SIGNED_HEADERS: Final = {
    "cache-control": "private, max-age=3600",
    "content-length": "1024",
    "content-type": "image/png",
    "x-amz-meta-owner": "someone",
    "x-amz-storage-class": "STANDARD",
}
"""With the host, six."""

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hashed:
    """What has to be hashed for one request, and what must come out."""

    canonical_request: bytes
    before_digest: bytes
    """The string to sign up to the digest that ends it."""
    signature: str


def _signed_at(number: int) -> datetime:
    # Each in another second, so that nothing that was kept of a date helps the next.
    return _NOW - timedelta(seconds=number)


def _requests(count: int, *, method: str, headers: Mapping[str, str]) -> list[ReceivedRequest]:
    signer = bench_signer()
    received = []
    for number, key in enumerate(ascii_keys(count)):
        url = signer.presign(
            method, BUCKET, key, expires=EXPIRES_S, headers=headers, at=_signed_at(number)
        ).url
        parts = urlsplit(url)
        sent = [(b"host", parts.netloc.encode()), *_OTHER_HEADERS]
        sent += [(name.encode(), value.encode()) for name, value in headers.items()]
        received.append(ReceivedRequest(method, parts.path.encode(), parts.query.encode(), sent))
    return received


def _forms(count: int) -> list[Form]:
    signer = bench_signer()
    return [
        signer.presign_post(
            BUCKET,
            key,
            expires=EXPIRES_S,
            conditions=[["starts-with", "$Content-Type", "image/"]],
            content_length_range=(1, 10_000_000),
            at=_signed_at(number),
        ).fields
        for number, key in enumerate(ascii_keys(count))
    ]


def _hashed(request: ReceivedRequest) -> _Hashed:
    claim = read_claim(request, region=REGION, now=_NOW)
    assert claim is not None
    evidence = claim.evidence
    assert isinstance(evidence, EvidenceV4)
    lines = header_lines(evidence.signed_headers.split(b";"), request.headers, host=b"", stand_ins=())
    return _Hashed(
        canonical_request=canonical_request(
            request.method,
            canonical_path(request.raw_path),
            evidence.query,
            lines,
            evidence.signed_headers,
            evidence.payload_line,
        ),
        before_digest=f"AWS4-HMAC-SHA256\n{evidence.amz_date}\n{evidence.scope}\n".encode(),
        signature=claim.signature,
    )


def _prepared_hmac() -> tuple[_Hash, _Hash]:
    """Return the inner and the outer hash of HMAC after the day's padded key: the cheapest way in plain Python.

    Source: RFC 2104.
    """
    steps = (f"{_NOW:%Y%m%d}", REGION, "s3", "aws4_request")
    start = ("AWS4" + SECRET_KEY).encode()
    key = reduce(lambda key, text: hmac.digest(key, text.encode(), "sha256"), steps, start)
    padded = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def _hash_requests(requests: Sequence[ReceivedRequest]) -> Callable[[], int]:
    hashed, (inner, outer) = [_hashed(request) for request in requests], _prepared_hmac()

    def work() -> int:
        for each in hashed:
            digest = hashlib.sha256(each.canonical_request).hexdigest()
            first, second = inner.copy(), outer.copy()
            first.update(each.before_digest + digest.encode())
            second.update(first.digest())
            assert second.hexdigest() == each.signature
        return len(hashed)

    return work


def _hash_forms(forms: Sequence[Form]) -> Callable[[], int]:
    hashed = [(form["policy"].encode(), form["x-amz-signature"]) for form in forms]
    inner, outer = _prepared_hmac()

    def work() -> int:
        for policy, signature in hashed:
            first, second = inner.copy(), outer.copy()
            first.update(policy)
            second.update(first.digest())
            assert second.hexdigest() == signature
        return len(hashed)

    return work


@contextmanager
def _requests_field(
    plan: Plan, *, method: str, headers: Mapping[str, str], limit: float | None
) -> Iterator[Field]:
    requests = _requests(int(_REQUESTS * plan.share), method=method, headers=headers)
    secret = Secret(SECRET_KEY)

    def verify_all() -> int:
        for request in requests:
            claim = read_claim(request, region=REGION, now=_NOW)
            assert claim is not None
            require_signature(claim, request, secret=secret)
        return len(requests)

    yield Field(
        sides=[
            Side(name="read_claim and require_signature", measure=cpu_rate(verify_all), limit=limit),
            Side(name="floor: the two hashes alone", measure=cpu_rate(_hash_requests(requests))),
        ],
        slice_s=plan.cpu_slice_s,
        notes=[_hashing_speed(plan)],
    )


@contextmanager
def _forms_field(plan: Plan) -> Iterator[Field]:
    forms, secret = _forms(int(_REQUESTS * plan.share)), Secret(SECRET_KEY)

    def verify_all() -> int:
        for form in forms:
            claim = read_post_claim(form, region=REGION)
            assert claim is not None
            require_post_signature(claim, secret=secret)
        return len(forms)

    yield Field(
        sides=[
            Side(name="read_post_claim and require_post_signature", measure=cpu_rate(verify_all)),
            Side(name="floor: the hash alone", measure=cpu_rate(_hash_forms(forms))),
        ],
        slice_s=plan.cpu_slice_s,
        notes=[_hashing_speed(plan)],
    )


def _hashing_speed(plan: Plan) -> str:
    """Return a sentence on how fast this core hashes, in blocks so large that nothing but hashing counts."""
    block, best_s = bytes(_BLOCK_BYTES), float("inf")
    for _ in range(max(int(100 * plan.share), 1)):
        began = time.process_time()
        hashlib.sha256(block)
        best_s = min(best_s, time.process_time() - began)
    return f"This core hashes SHA-256 at {_BLOCK_BYTES / best_s / 1e9:.2f} GB/s in blocks of 1 MiB."


COMPARISONS: Final = (
    Comparison(
        name="verify",
        title="Verify a presigned GET, the host signed",
        unit=Unit.MICROSECONDS,
        prepare=partial(_requests_field, method="GET", headers={}, limit=GOAL_GET_US),
    ),
    Comparison(
        name="verify-put",
        title="Verify a presigned PUT, six headers signed",
        unit=Unit.MICROSECONDS,
        prepare=partial(_requests_field, method="PUT", headers=_SIGNED_HEADERS, limit=None),
    ),
    Comparison(
        name="verify-post",
        title="Verify the policy of a POST form",
        unit=Unit.MICROSECONDS,
        prepare=_forms_field,
    ),
)
