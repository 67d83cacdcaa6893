"""Serving: reading objects of four sizes by presigned URLs, beside nginx and every S3 server that can be had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.contest import Contest, Rival, Work, comparison
from bench.load import loading, request_head, write_requests
from bench.objects import MIB, content_of, fill, fill_files, links_to, send
from bench.peers.moto import MOTO
from bench.peers.nginx import NGINX, NGINX_SECURE_LINK
from bench.peers.peer import Peer
from bench.peers.rclone import RCLONE
from bench.peers.s3rver import S3RVER
from bench.peers.seaweedfs import SEAWEEDFS
from bench.peers.valetkey import VALETKEY
from bench.rounds import Plan, Unit
from bench.transfer import Sending, transferring

PANEL: Final = "Serving"

GOAL_SMALL_GET_NGINX: Final = 0.6
GOAL_LARGE_GET_NGINX: Final = 0.8
GOAL_GET_SEAWEEDFS: Final = 2.0
GOAL_GET_AHEAD: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A GET or a HEAD of objects of one size."""

    size_bytes: int
    objects: int
    urls: int
    """Distinct presigned URLs over those objects, sent by turns."""
    method: str = "GET"
    connections: int = 32
    is_in_bytes: bool = False
    """Bytes are counted, and not requests."""

    def shared(self, plan: Plan) -> Reading:
        """Return the same with as much sample data as a plan wants."""
        return replace(
            self, objects=max(1, int(self.objects * plan.share)), urls=max(1, int(self.urls * plan.share))
        )


def _prepare(reading: Reading, peer: Peer, folder: Path, plan: Plan) -> Work:
    reading = reading.shared(plan)
    objects, size_bytes = reading.objects, reading.size_bytes
    if peer.files is None:
        fill(peer.signer, count=objects, size_bytes=size_bytes, folder=folder / "objects")
    else:
        fill_files(peer.files, count=objects, size_bytes=size_bytes, folder=folder / "objects")
    if send("GET", next(links_to(peer, "GET", objects=1, count=1))) != content_of(0, size_bytes):
        raise RuntimeError(f"{peer.name} does not answer with the bytes of the object.")
    urls = links_to(peer, reading.method, objects=objects, count=reading.urls)
    requests = (request_head(reading.method, url) for url in urls)
    if reading.method == "HEAD" or size_bytes >= MIB:
        return transferring(
            peer.endpoint,
            [Sending(request, answered_bytes=size_bytes) for request in requests],
            connections=reading.connections,
            amount_each=size_bytes / 1e6 if reading.is_in_bytes else 1.0,
        )
    file = folder / f"requests of {peer.name}"
    return loading(peer.endpoint, write_requests(file, requests, received_bytes=size_bytes))


def _rivals(
    *, nginx: float | None = None, seaweedfs: float | None = None, others: float | None = None
) -> list[Rival]:
    return [
        Rival(kind=VALETKEY),
        Rival(kind=NGINX, goal=nginx),
        Rival(kind=NGINX_SECURE_LINK),
        Rival(kind=SEAWEEDFS, goal=seaweedfs),
        *(Rival(kind=kind, goal=others) for kind in (RCLONE, S3RVER, MOTO)),
    ]


_SMALL: Final = Reading(size_bytes=1024, objects=200, urls=200_000)
_AGAIN: Final = replace(_SMALL, urls=2000)
_MEDIUM: Final = Reading(size_bytes=64 * 1024, objects=200, urls=20_000)
_LARGE: Final = Reading(size_bytes=MIB, objects=20, urls=20_000)
_HUGE: Final = Reading(size_bytes=100 * MIB, objects=2, urls=400, connections=4, is_in_bytes=True)


def _head(reading: Reading) -> Reading:
    return replace(reading, method="HEAD", urls=20_000, connections=32, is_in_bytes=False)


COMPARISONS: Final = (
    comparison(
        "get-1kib",
        "Presigned GET of 1 KiB, 2,000 URLs over and over, 1 worker",
        Unit.REQUESTS,
        Contest(rivals=_rivals()[:4], prepare=partial(_prepare, _AGAIN), rounds=5),
    ),
    comparison(
        "get-1kib-new-urls",
        "Presigned GET of 1 KiB, distinct URLs, 1 worker",
        Unit.REQUESTS,
        Contest(
            rivals=_rivals(nginx=GOAL_SMALL_GET_NGINX, seaweedfs=GOAL_GET_SEAWEEDFS, others=GOAL_GET_AHEAD),
            prepare=partial(_prepare, _SMALL),
            rounds=5,
            slice_s=2.0,
        ),
        panel=PANEL,
    ),
    comparison(
        "get-1kib-2-workers",
        "Presigned GET of 1 KiB, distinct URLs, 2 workers",
        Unit.REQUESTS,
        Contest(
            rivals=_rivals(nginx=GOAL_SMALL_GET_NGINX)[:3],
            prepare=partial(_prepare, _SMALL),
            workers=2,
            rounds=5,
            slice_s=2.0,
        ),
    ),
    *(
        comparison(
            f"get-{name}",
            f"Presigned GET of {size}, 1 worker",
            unit,
            Contest(rivals=_rivals(nginx=goal), prepare=partial(_prepare, reading), rounds=rounds),
            panel=PANEL if goal else None,
        )
        for name, size, unit, reading, goal, rounds in (
            ("64kib", "64 KiB", Unit.REQUESTS, _MEDIUM, None, 3),
            ("1mib", "1 MiB", Unit.REQUESTS, _LARGE, None, 3),
            ("100mib", "100 MiB", Unit.MEGABYTES, _HUGE, GOAL_LARGE_GET_NGINX, 5),
        )
    ),
    *(
        comparison(
            f"head-{name}",
            f"Presigned HEAD of {size}, 1 worker",
            Unit.REQUESTS,
            Contest(rivals=_rivals(), prepare=partial(_prepare, _head(reading)), rounds=rounds),
        )
        for name, size, reading, rounds in (
            ("1kib", "1 KiB", _SMALL, 3),
            ("64kib", "64 KiB", _MEDIUM, 2),
            ("1mib", "1 MiB", _LARGE, 2),
            ("100mib", "100 MiB", _HUGE, 2),
        )
    ),
)
