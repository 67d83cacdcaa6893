"""The load: wrk with keep-alive connections, and a different presigned URL for each request."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.rounds import MissingPeerError

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).with_name("load.lua")
_GRACE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Which requests are sent."""

    method: str
    targets: Path
    """A file with one request target a line: path and query."""
    sent_bytes: int = 0
    """Size of each request's body."""
    received_bytes: int = 0
    """Size of each answer's body; a shorter one is an error."""


def require_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingPeerError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingPeerError(f"{name} is not on PATH; scripts/system-packages.sh can install it.")
    return path


def load_rate(endpoint: str, load: Load) -> Callable[[float], float]:
    """Return a `measure` that loads `endpoint` and returns its answers per second.

    Raises:
        MissingPeerError: wrk is not installed.
    """
    wrk = require_program("wrk")

    def measure(seconds: float) -> float:
        whole_s = max(1, math.ceil(seconds))
        command = [
            wrk, "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{whole_s}s",
            "--script", str(_SCRIPT), endpoint, "--", str(load.targets), load.method, str(load.sent_bytes),
        ]  # fmt: skip
        finished = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=whole_s + _GRACE_S
        )
        if finished.returncode != 0:
            raise RuntimeError(f"wrk failed: {finished.stderr or finished.stdout}")
        return _rate(finished.stdout, load)

    return measure


def _rate(output: str, load: Load) -> float:
    report: dict[str, int] = json.loads(output.splitlines()[-1])
    if report["refused"] or report["failed"]:
        raise RuntimeError(f"Requests were refused or failed, so this measures nothing: {report}")
    if report["bytes"] < report["requests"] * load.received_bytes:
        raise RuntimeError(f"Answers were shorter than the objects: {report}")
    return report["requests"] / (report["duration_us"] / 1e6)
