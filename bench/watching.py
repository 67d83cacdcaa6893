"""What it costs to watch: the same requests with the history, and without it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load import Load, load_rate, require_program
from bench.rounds import Comparison, Field, Plan, Side, Unit
from bench.serving import Reading, fill, signer_of, urls_of, write_targets
from valetkey.testing.server import RunningServer, running_server

GOAL_WATCHED: Final = 0.8

_READING: Final = Reading(size_bytes=1024, objects=200, urls=2000, workers=1, goal=GOAL_WATCHED)
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
                goal=_READING.goal,
            ),
        ]
        yield Field(sides=sides, slice_s=plan.load_slice_s)


@contextmanager
def _server(folder: Path, name: str, environment: Mapping[str, str]) -> Iterator[RunningServer]:
    (folder / name).mkdir()
    with running_server(folder / name / "data", environment=environment) as server:
        yield server


def _measure(server: RunningServer, folder: Path, plan: Plan) -> Callable[[float], float]:
    signer = signer_of(server)
    reading = _READING.shared(plan)
    fill(signer, folder / "files", reading)
    targets = write_targets(urls_of(signer, reading), folder / "targets")
    return load_rate(server.endpoint, Load(method="GET", targets=targets, received_bytes=reading.size_bytes))


COMPARISONS: Final = (
    Comparison(
        name="get-1kib-watched",
        title="Presigned GET of 1 KiB with the history, 1 worker",
        unit=Unit.REQUESTS,
        prepare=_watching,
    ),
)
