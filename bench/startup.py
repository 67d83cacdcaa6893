"""Starting: how long until a server answers, and what `import valetkey` costs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.rounds import Comparison, Field, Plan, Side, Unit
from valetkey.testing.server import running_server

START_MS: Final = 700
"""From the command to the first answer, however much the store holds."""


def started_per_second(seconds: float, *, data: Path) -> float:
    """Start a server on `data` over and over; only the way to its first answer counts."""
    done, spent = 0, 0.0
    while spent < seconds:
        began = time.perf_counter()
        with running_server(data):
            spent += time.perf_counter() - began
        done += 1
    return done / spent


def _started_anew_per_second(seconds: float) -> float:
    """The same, each time on a folder that is not there yet."""
    done, spent = 0, 0.0
    while spent < seconds:
        with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name:
            spent += 1 / started_per_second(0.001, data=Path(name, "data"))
        done += 1
    return done / spent


def _python(code: str) -> Callable[[float], float]:
    def measure(seconds: float) -> float:
        done, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            subprocess.run([sys.executable, "-c", code], check=True)
            done += 1
        return done / spent

    return measure


@contextmanager
def _starting(plan: Plan) -> Iterator[Field]:
    yield Field(
        sides=[Side(name="valetkey serve", measure=_started_anew_per_second, limit=START_MS)],
        slice_s=plan.load_slice_s,
    )


@contextmanager
def _importing(plan: Plan) -> Iterator[Field]:
    sides = [
        Side(name="python -c 'import valetkey'", measure=_python("import valetkey")),
        Side(name="python -c 'pass'", measure=_python("pass")),
    ]
    yield Field(sides=sides, slice_s=plan.load_slice_s)


COMPARISONS: Final = (
    Comparison(
        name="start",
        title="From the command to the first answer",
        unit=Unit.MILLISECONDS,
        prepare=_starting,
    ),
    Comparison(
        name="import",
        title="A Python that imports the library (goal: 30 ms more)",
        unit=Unit.MILLISECONDS,
        prepare=_importing,
    ),
)
