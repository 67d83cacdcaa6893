"""Serving: presigned requests per second over 32 keep-alive connections, beside nginx with static files."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.load import Load, load_rate, require_program
from bench.nginx import running_nginx
from bench.rounds import Comparison, Field, Plan, Side, Unit
from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

BUCKET: Final = "benchmark"
_ENVIRONMENT: Final = {"VALETKEY_ACCESS_LOG": "off"}
"""nginx writes no access log here either."""
_LIFETIME_S: Final = 3600

GOAL_SMALL_GET: Final = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A GET of objects of one size."""

    size_bytes: int
    objects: int
    urls: int
    """Distinct presigned URLs over those objects."""
    workers: int
    goal: float | None

    def shared(self, plan: Plan) -> Reading:
        """Return the same with as much sample data as a plan wants."""
        return replace(self, objects=int(self.objects * plan.share), urls=int(self.urls * plan.share))


def signer_of(server: RunningServer) -> Signer:
    """Return who signs for a server."""
    return Signer(
        access_key=server.access_key,
        secret_key=server.secret_key,
        region=server.region,
        endpoint=server.endpoint,
        addressing="path",
    )


def _send(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def key_of(number: int) -> str:
    """Return the key of one of the objects."""
    return f"objects/{number:05}.bin"


def _content(number: int, size_bytes: int) -> bytes:
    return (b"%05d " % number * (size_bytes // 6 + 1))[:size_bytes]


def write_targets(urls: list[str], file: Path) -> Path:
    """Write the targets of URLs into a file, and return it."""
    parts = [urlsplit(url) for url in urls]
    file.write_text("".join(f"{part.path}?{part.query}\n" for part in parts))
    return file


def urls_of(signer: Signer, reading: Reading) -> list[str]:
    """Return URLs that differ in their lifetime where they name the same object, and so in the signature."""
    return [
        str(
            signer.presign(
                "GET",
                BUCKET,
                key_of(number % reading.objects),
                expires=_LIFETIME_S + number // reading.objects,
            )
        )
        for number in range(reading.urls)
    ]


def fill(signer: Signer, root: Path, reading: Reading) -> None:
    """Put the same objects into the store and into files."""
    _send("PUT", str(signer.presign("PUT", BUCKET)))
    folder = root / BUCKET / "objects"
    folder.mkdir(parents=True)
    for number in range(reading.objects):
        content = _content(number, reading.size_bytes)
        _send("PUT", str(signer.presign("PUT", BUCKET, key_of(number))), content)
        (root / BUCKET / key_of(number)).write_bytes(content)


def _require_checked(url: str) -> None:
    """Refuse to measure a server that lets an altered signature through."""
    try:
        _send("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 403:
                return
    raise RuntimeError("The server answered a URL with an altered signature.")


def _require_same(url: str, other: str, expected: bytes) -> None:
    if _send("GET", url) != expected or _send("GET", other) != expected:
        raise RuntimeError("The two servers do not answer with the same bytes.")


@contextmanager
def _reading(reading: Reading, plan: Plan) -> Iterator[Field]:
    require_program("wrk")
    require_program("nginx")
    reading = reading.shared(plan)
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name,
        running_server(Path(name, "data"), workers=reading.workers, environment=_ENVIRONMENT) as server,
        running_nginx(Path(name, "nginx"), root=Path(name, "files"), workers=reading.workers) as nginx,
    ):
        signer = signer_of(server)
        fill(signer, Path(name, "files"), reading)
        presigned = urls_of(signer, reading)
        first = presigned[0]
        _require_checked(first)
        _require_same(first, nginx + first.removeprefix(server.endpoint), _content(0, reading.size_bytes))
        targets = write_targets(presigned, Path(name, "targets"))
        load = Load(method="GET", targets=targets, received_bytes=reading.size_bytes)
        yield Field(
            sides=[
                Side(name="valetkey serve", measure=load_rate(server.endpoint, load)),
                Side(name="nginx, static files", measure=load_rate(nginx, load), goal=reading.goal),
            ],
            slice_s=plan.load_slice_s,
        )


@contextmanager
def _writing(plan: Plan, *, size_bytes: int, urls: int, workers: int) -> Iterator[Field]:
    require_program("wrk")
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name,
        running_server(Path(name, "data"), workers=workers, environment=_ENVIRONMENT) as server,
    ):
        signer = signer_of(server)
        _send("PUT", str(signer.presign("PUT", BUCKET)))
        count = int(urls * plan.share)
        puts = [
            str(signer.presign("PUT", BUCKET, key_of(number), expires=_LIFETIME_S)) for number in range(count)
        ]
        targets = write_targets(puts, Path(name, "targets"))
        load = Load(method="PUT", targets=targets, sent_bytes=size_bytes)
        yield Field(
            sides=[Side(name="valetkey serve", measure=load_rate(server.endpoint, load))],
            slice_s=plan.load_slice_s,
        )


_SMALL: Final = Reading(size_bytes=1024, objects=200, urls=2000, workers=1, goal=GOAL_SMALL_GET)
# More URLs than a worker remembers, by turns: each is verified as if it came for the first time.
_SMALL_NEW: Final = Reading(size_bytes=1024, objects=200, urls=20_000, workers=1, goal=None)
_SMALL_TWO: Final = Reading(size_bytes=1024, objects=200, urls=2000, workers=2, goal=GOAL_SMALL_GET)
_LARGE: Final = Reading(size_bytes=1024 * 1024, objects=20, urls=200, workers=1, goal=None)

_Prepare = Callable[[Plan], AbstractContextManager[Field]]


def _comparison(name: str, title: str, prepare: _Prepare) -> Comparison:
    return Comparison(name=name, title=title, unit=Unit.REQUESTS, prepare=prepare)


COMPARISONS: Final = (
    _comparison("get-1kib", "Presigned GET of 1 KiB, 1 worker", partial(_reading, _SMALL)),
    _comparison(
        "get-1kib-new-urls",
        "Presigned GET of 1 KiB, each URL as if new, 1 worker",
        partial(_reading, _SMALL_NEW),
    ),
    _comparison("get-1kib-2-workers", "Presigned GET of 1 KiB, 2 workers", partial(_reading, _SMALL_TWO)),
    _comparison("get-1mib", "Presigned GET of 1 MiB, 1 worker", partial(_reading, _LARGE)),
    _comparison(
        "put-1kib",
        "Presigned PUT of 1 KiB, durable, 1 worker",
        partial(_writing, size_bytes=1024, urls=2000, workers=1),
    ),
)
