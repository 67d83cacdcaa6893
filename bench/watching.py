"""What it costs to watch: the same requests with the history, and without it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load import load_rate, request_head, require_program, write_requests
from bench.objects import fill, presigned
from bench.peers.peer import signer_at
from bench.rounds import Comparison, Field, Plan, Side, Unit
from valetkey.testing.server import RunningServer, running_server

GOAL_WATCHED: Final = 0.8

_SIZE_BYTES: Final = 1024
_OBJECTS: Final = 200
_URLS: Final = 2000
_WITH: Final = {"VALETKEY_ACCESS_LOG": "off"}
_WITHOUT: Final = {"VALETKEY_ACCESS_LOG": "off", "VALETKEY_HISTORY_DAYS": "0"}


@contextmanager
def _watching(plan: Plan) -> Iterator[Field]:
    require_program("wrk")
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name,
        _server(Path(name), "with", _WITH) as watched,
        _server(Path(name), "without", _WITHOUT) as unwatched,
    ):
        sides = [
            Side(name="with the history", measure=_measure(watched, Path(name, "with"), plan)),
            Side(
                name="without it",
                measure=_measure(unwatched, Path(name, "without"), plan),
                goal=GOAL_WATCHED,
            ),
        ]
        yield Field(sides=sides, slice_s=plan.load_slice_s)


@contextmanager
def _server(folder: Path, name: str, environment: Mapping[str, str]) -> Iterator[RunningServer]:
    (folder / name).mkdir()
    with running_server(folder / name / "data", environment=environment) as server:
        yield server


def _measure(server: RunningServer, folder: Path, plan: Plan) -> Callable[[float], float]:
    signer = signer_at(server.endpoint)
    fill(signer, count=_OBJECTS, size_bytes=_SIZE_BYTES, folder=folder)
    urls = presigned(signer, "GET", objects=_OBJECTS, count=int(_URLS * plan.share))
    requests = (request_head("GET", url) for url in urls)
    load = write_requests(folder / "requests", requests, received_bytes=_SIZE_BYTES)
    return load_rate(server.endpoint, load)


COMPARISONS: Final = (
    Comparison(
        name="get-1kib-watched",
        title="Presigned GET of 1 KiB with the history, 1 worker",
        unit=Unit.REQUESTS,
        prepare=_watching,
    ),
)
