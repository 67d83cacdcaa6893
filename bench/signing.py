"""Signing: presigned GET URLs per second, in one process on one core, with the same keys for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from typing import Final
from urllib.parse import urlsplit

from bench import signers
from bench.rounds import Comparison, Field, Plan, Side, Unit
from bench.signers import (
    ACCESS_KEY,
    BUCKET,
    EXPIRES_S,
    HOST,
    REGION,
    SECRET_KEY,
    Peer,
    SignOne,
    peer_sides,
    sign_all,
    sign_each,
)
from valetkey import Signer
from valetkey.sigv4.claims import read_claim
from valetkey.sigv4.parameters import MAX_LIFETIME_S
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import require_signature

PANEL: Final = "Signing"

_BATCH: Final = 200
"""Keys between two looks at the clock."""
_LARGE_BATCH: Final = 100_000

_AHEAD: Final = 1.0
_GOALS_ONE: Final[Mapping[Peer, float]] = {
    signers.BOTO3: 40.0,
    signers.MINIO: 8.0,
    signers.LIBPRESIGN: 2.0,
    signers.FAST_S3_URL: _AHEAD,
    signers.JAVASCRIPT: _AHEAD,
}
# What none of the URLs before it helps is held to less.
_GOALS_ANEW: Final[Mapping[Peer, float]] = dict.fromkeys(_GOALS_ONE, _AHEAD) | {signers.BOTO3: 30.0}
_GOALS_BATCH: Final[Mapping[Peer, float]] = {
    signers.BOTO3: 80.0,
    signers.MINIO: _AHEAD,
    signers.LIBPRESIGN: _AHEAD,
    signers.FAST_S3_URL_BATCH: _AHEAD,
    signers.JAVASCRIPT: _AHEAD,
}

MakeKeys = Callable[[int], list[str]]


def ascii_keys(count: int) -> list[str]:
    """Return `count` distinct keys of a usual length, with folders, a space here and there."""
    return [f"reports/2026/{number % 12 + 1:02}/customer {number:06}/summary.pdf" for number in range(count)]


def non_ascii_keys(count: int) -> list[str]:
    """Return `count` distinct keys as long as those of `ascii_keys`, half of them letters beyond ASCII."""
    return [f"отчёты/2026/{number % 12 + 1:02}/клиент {number:06}/Übersicht.pdf" for number in range(count)]


def bench_signer() -> Signer:
    """Return our own signer, set up as the peers are."""
    return Signer(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=REGION,
        endpoint=f"https://{HOST}",
        addressing="path",
    )


def _require_valid(name: str, url: str) -> None:
    """Refuse to measure a signer whose URLs would not open anything."""
    parts = urlsplit(url)
    host = (b"host", parts.netloc.encode())
    request = ReceivedRequest("GET", parts.path.encode(), parts.query.encode(), [host])
    claim = read_claim(request, region=REGION, now=datetime.now(UTC))
    if claim is None:
        raise RuntimeError(f"{name} returned a URL without a signature.")
    require_signature(claim, request, secret=Secret(SECRET_KEY))


def _sign_one() -> SignOne:
    # Signer keeps what the last URL has in common with the next one. That is the usual case, and what the
    # peers' clients meet too; with `_sign_anew` it helps nothing.
    presign = bench_signer().presign
    # Everybody hands out text in the end.
    return lambda key: presign("GET", BUCKET, key, expires=EXPIRES_S).url


def _sign_anew() -> SignOne:
    presign, lifetimes = bench_signer().presign, cycle(range(EXPIRES_S, MAX_LIFETIME_S))
    return lambda key: presign("GET", BUCKET, key, expires=next(lifetimes)).url


@contextmanager
def _one_at_a_time(
    plan: Plan, *, make_keys: MakeKeys, make_sign: Callable[[], SignOne], goals: Mapping[Peer, float]
) -> Iterator[Field]:
    keys, sign = make_keys(_BATCH), make_sign()
    _require_valid("Valetkey", str(sign(keys[0])))
    peers = [(peer, keys, goal) for peer, goal in goals.items()]
    with peer_sides(peers, _require_valid) as (sides, absent):
        ours = Side(name="Valetkey presign", measure=sign_each(sign, keys))
        yield Field(sides=[ours, *sides], slice_s=plan.cpu_slice_s, absent=absent)


@contextmanager
def _many(plan: Plan, *, make_keys: MakeKeys) -> Iterator[Field]:
    presign_many, keys = bench_signer().presign_many, make_keys(int(_LARGE_BATCH * plan.share))

    def sign(keys: Sequence[str]) -> None:
        for _ in presign_many("GET", BUCKET, keys, expires=EXPIRES_S):
            pass

    _require_valid("Valetkey", next(iter(presign_many("GET", BUCKET, keys[:1], expires=EXPIRES_S))))
    peers = [
        (peer, keys if peer is signers.FAST_S3_URL_BATCH else keys[:_BATCH], goal)
        for peer, goal in _GOALS_BATCH.items()
    ]
    with peer_sides(peers, _require_valid) as (sides, absent):
        ours = Side(name="Valetkey presign_many", measure=sign_all(sign, keys))
        yield Field(sides=[ours, *sides], slice_s=plan.cpu_slice_s, absent=absent)


def _comparison(
    name: str, title: str, prepare: Callable[[Plan], AbstractContextManager[Field]]
) -> Comparison:
    return Comparison(name=name, title=title, unit=Unit.URLS, prepare=prepare, panel=PANEL)


COMPARISONS: Final = (
    _comparison(
        "sign",
        "Sign a GET, one at a time",
        partial(_one_at_a_time, make_keys=ascii_keys, make_sign=_sign_one, goals=_GOALS_ONE),
    ),
    _comparison(
        "sign-non-ascii",
        "Sign a GET, one at a time, keys beyond ASCII",
        partial(_one_at_a_time, make_keys=non_ascii_keys, make_sign=_sign_one, goals=_GOALS_ONE),
    ),
    _comparison(
        "sign-anew",
        "Sign a GET, each with another lifetime",
        partial(_one_at_a_time, make_keys=ascii_keys, make_sign=_sign_anew, goals=_GOALS_ANEW),
    ),
    _comparison("sign-many", "Sign 100,000 GETs", partial(_many, make_keys=ascii_keys)),
    _comparison(
        "sign-many-non-ascii",
        "Sign 100,000 GETs, keys beyond ASCII",
        partial(_many, make_keys=non_ascii_keys),
    ),
)
