"""The load of small requests: wrk with keep-alive connections, and a different presigned URL for each request."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.rounds import MissingPeerError
from bench.usage import Done

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).with_name("load.lua")
_GRACE_S: Final = 30.0
_SLOWEST_S: Final = 30
"""Whoever has answered nothing in the time of a turn gets up to so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Which requests are sent, by turns."""

    file: Path
    """What `write_requests` wrote."""
    count: int
    received_bytes: int = 0
    """Size of each answer's body, in the middle; less is an error."""
    connections: int = CONNECTIONS


def require_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingPeerError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingPeerError(f"{name} is not on PATH; scripts/system-packages.sh can install it.")
    return path


def request_head(method: str, url: str, *, length: int = 0, content_type: str = "") -> bytes:
    """Return a request up to its body."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    body = f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n" if content_type else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{body}\r\n".encode()


def write_requests(
    file: Path, requests: Iterable[bytes], *, received_bytes: int = 0, connections: int = CONNECTIONS
) -> Load:
    """Write whole requests, none of which may hold a zero byte, into a file."""
    count = 0
    with file.open("wb") as output:
        for request in requests:
            output.write(request + b"\0")
            count += 1
    return Load(file=file, count=count, received_bytes=received_bytes, connections=connections)


def loading(endpoint: str, load: Load) -> Callable[[float], Done]:
    """Return what loads `endpoint` for so many seconds (whole ones, at least 1) and says what was answered.

    Each call goes on with the request after the last one, so that a URL comes again only after all others have.

    Raises:
        MissingPeerError: wrk is not installed.
    """
    wrk = require_program("wrk")
    sent = 0

    def work(seconds: float) -> Done:
        nonlocal sent
        whole_s = max(1, math.ceil(seconds))
        done = send(whole_s)
        while not done.requests and whole_s < _SLOWEST_S:
            whole_s *= 2
            done = send(whole_s)
        sent += done.requests
        return done

    def send(whole_s: int) -> Done:
        command = [
            wrk, "--threads", "1", "--connections", str(load.connections), "--duration", f"{whole_s}s",
            "--timeout", f"{_GRACE_S:.0f}s",
            "--script", str(_SCRIPT), endpoint, "--", str(load.file), str(sent % load.count),
        ]  # fmt: skip
        finished = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=whole_s + _GRACE_S
        )
        if finished.returncode != 0:
            raise RuntimeError(f"wrk failed: {finished.stderr or finished.stdout}")
        return _read(finished.stdout, load)

    return work


def load_rate(endpoint: str, load: Load) -> Callable[[float], float]:
    """Return a `measure` that loads `endpoint` and returns its answers per second.

    Raises:
        MissingPeerError: wrk is not installed.
    """
    work = loading(endpoint, load)

    def measure(seconds: float) -> float:
        done = work(seconds)
        return done.requests / done.seconds

    return measure


def _read(output: str, load: Load) -> Done:
    report: dict[str, int] = json.loads(output.splitlines()[-1])
    if report["refused"] or report["failed"]:
        raise RuntimeError(f"Requests were refused or failed, so this measures nothing: {report}")
    if report["bytes"] < report["requests"] * load.received_bytes:
        raise RuntimeError(f"Answers were shorter than the objects: {report}")
    return Done(requests=report["requests"], seconds=report["duration_us"] / 1e6)
