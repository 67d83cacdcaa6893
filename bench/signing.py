"""Signing: presigned GET URLs per second, in one process on one core, with the same keys for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Final
from urllib.parse import urlsplit

from bench.rounds import Comparison, Field, MissingPeerError, Plan, Side, Unit, cpu_rate
from valetkey import Signer
from valetkey.sigv4.claims import read_claim
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import require_signature

ACCESS_KEY: Final = "AKIDBENCHMARK0000001"
SECRET_KEY: Final = "bench/secret+0123456789abcdefghijklmnopq"
REGION: Final = "us-east-1"
HOST: Final = "storage.example.com"
BUCKET: Final = "benchmark"
EXPIRES_S: Final = 3600

_BATCH: Final = 200
"""Keys between two looks at the clock."""
_LARGE_BATCH: Final = 10_000

GOAL_BOTO3: Final = 30.0
GOAL_AHEAD: Final = 1.0

SignOne = Callable[[str], object]


def ascii_keys(count: int) -> list[str]:
    """Return `count` distinct keys of a usual length, with folders, a space here and there."""
    return [f"reports/2026/{number % 12 + 1:02}/customer {number:06}/summary.pdf" for number in range(count)]


def _boto3() -> SignOne:
    try:
        import boto3  # noqa: PLC0415 - the other sides are measured without it too
        from botocore.config import Config  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingPeerError(_missing("boto3")) from error
    client = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=f"https://{HOST}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    sign = client.generate_presigned_url
    return lambda key: sign("get_object", {"Bucket": BUCKET, "Key": key}, EXPIRES_S)


def _minio() -> SignOne:
    try:
        from minio import Minio  # noqa: PLC0415 - the other sides are measured without it too
    except ImportError as error:
        raise MissingPeerError(_missing("minio")) from error
    # With the region given it does not ask the server where the bucket is.
    sign = Minio(HOST, access_key=ACCESS_KEY, secret_key=SECRET_KEY, region=REGION).presigned_get_object
    lifetime = timedelta(seconds=EXPIRES_S)
    return lambda key: sign(BUCKET, key, lifetime)


def _libpresign() -> SignOne:
    try:
        from libpresign import get  # noqa: PLC0415 - ships for one platform only
    except ImportError as error:
        raise MissingPeerError(_missing("libpresign")) from error
    # It takes a host as endpoint and writes virtual-host style only; the work is the same.
    return lambda key: get(
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region=REGION,
        bucket=BUCKET,
        key=key,
        expires=EXPIRES_S,
        endpoint=HOST,
    )


PEERS: Final = (
    ("boto3", _boto3, GOAL_BOTO3),
    ("minio-py", _minio, GOAL_AHEAD),
    ("libpresign (C++)", _libpresign, GOAL_AHEAD),
)


def _missing(package: str) -> str:
    return f"The Python package {package} is not installed; `make dev` brings it."


def _signer() -> Signer:
    return Signer(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=REGION,
        endpoint=f"https://{HOST}",
        addressing="path",
    )


def _each(sign: SignOne, keys: Sequence[str]) -> Callable[[], int]:
    def work() -> int:
        for key in keys:
            sign(key)
        return len(keys)

    return work


def _require_valid(name: str, url: str) -> None:
    """Refuse to measure a signer whose URLs would not open anything."""
    parts = urlsplit(url)
    host = (b"host", parts.netloc.encode())
    request = ReceivedRequest("GET", parts.path.encode(), parts.query.encode(), [host])
    claim = read_claim(request, region=REGION, now=datetime.now(UTC))
    if claim is None:
        raise RuntimeError(f"{name} returned a URL without a signature.")
    require_signature(claim, request, secret=Secret(SECRET_KEY))


def _peer_sides(keys: Sequence[str]) -> tuple[list[Side], list[str]]:
    sides, notes = [], []
    for name, make, goal in PEERS:
        try:
            sign = make()
        except MissingPeerError as error:
            notes.append(f"{name} is left out. {error}")
            continue
        _require_valid(name, str(sign(keys[0])))
        sides.append(Side(name=name, measure=cpu_rate(_each(sign, keys)), goal=goal))
    return sides, notes


@contextmanager
def _one_at_a_time(plan: Plan) -> Iterator[Field]:
    # Signer keeps what the last URL has in common with the next one. That is the usual case, and what the
    # peers' clients meet too; `_one_at_a_time_anew` is the case in which it helps nothing.
    signer, keys = _signer(), ascii_keys(_BATCH)

    def sign(key: str) -> str:
        # Everybody hands out text in the end.
        return str(signer.presign("GET", BUCKET, key, expires=EXPIRES_S))

    _require_valid("Valetkey", sign(keys[0]))
    peers, notes = _peer_sides(keys)
    ours = Side(name="Valetkey presign", measure=cpu_rate(_each(sign, keys)))
    yield Field(sides=[ours, *peers], slice_s=plan.cpu_slice_s, notes=notes)


@contextmanager
def _one_at_a_time_anew(plan: Plan) -> Iterator[Field]:
    signer, keys = _signer(), ascii_keys(_BATCH)
    lifetimes = cycle(range(EXPIRES_S, EXPIRES_S + _BATCH))

    def sign(key: str) -> str:
        return str(signer.presign("GET", BUCKET, key, expires=next(lifetimes)))

    _require_valid("Valetkey", sign(keys[0]))
    peers, notes = _peer_sides(keys)
    ours = Side(name="Valetkey presign, each with another lifetime", measure=cpu_rate(_each(sign, keys)))
    yield Field(sides=[ours, *peers], slice_s=plan.cpu_slice_s, notes=notes)


@contextmanager
def _many(plan: Plan) -> Iterator[Field]:
    signer, keys = _signer(), ascii_keys(int(_LARGE_BATCH * plan.share))

    def sign_all() -> int:
        return len(list(signer.presign_many("GET", BUCKET, keys, expires=EXPIRES_S)))

    _require_valid("Valetkey", next(iter(signer.presign_many("GET", BUCKET, keys, expires=EXPIRES_S))))
    peers, notes = _peer_sides(keys[:_BATCH])
    ours = Side(name="Valetkey presign_many", measure=cpu_rate(sign_all))
    yield Field(sides=[ours, *peers], slice_s=plan.cpu_slice_s, notes=notes)


COMPARISONS: Final = (
    Comparison(name="sign", title="Sign a GET, one at a time", unit=Unit.URLS, prepare=_one_at_a_time),
    Comparison(
        name="sign-anew",
        title="Sign a GET, nothing shared with the one before",
        unit=Unit.URLS,
        prepare=_one_at_a_time_anew,
    ),
    Comparison(name="sign-many", title="Sign GETs in batches", unit=Unit.URLS, prepare=_many),
)
