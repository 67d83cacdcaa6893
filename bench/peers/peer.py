"""A server that takes part, and how its program is started and stopped."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.rounds import MissingPeerError
from valetkey import Signer
from valetkey.testing.server import ACCESS_KEY, SECRET_KEY

REGION: Final = "us-east-1"
_READY_S: Final = 30.0
_STOP_S: Final = 30.0

_INHERITED: Final = ("HOME", "LANG", "PATH", "TMPDIR")
"""No settings of the person who measures: many of these programs read AWS_… and their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server that answers."""

    name: str
    endpoint: str
    """Such as `http://127.0.0.1:41234`."""
    root_processes: tuple[int, ...]
    """What was started; what these start in turn belongs to it too."""
    signer: Signer
    """Who signs for it as for S3; a server that looks at no signature gets the same URLs as the others."""
    link: Callable[[str, int], str] | None = None
    """Instead of the signer, for reading: return the URL for a path and a lifetime in seconds."""
    files: Path | None = None
    """Where the files lie that it serves, if it takes no uploads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A server that can be started in a folder of its own, with so many workers where it has that notion."""

    name: str
    running: Callable[[Path, int], AbstractContextManager[Peer]]
    must_check: bool = False
    """It is not measured if it lets an altered signature through."""


def signer_at(endpoint: str, *, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> Signer:
    """Return who signs for a server that knows the key."""
    return Signer(
        access_key=access_key, secret_key=secret_key, region=REGION, endpoint=endpoint, addressing="path"
    )


def python_program(name: str, package: str) -> str:
    """Return the path of a program that a Python package has put beside the interpreter.

    Raises:
        MissingPeerError: it is not there.
    """
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise MissingPeerError(f"The Python package {package} is not installed; `make bench` brings it.")
    return str(path)


@contextmanager
def running(
    command: Sequence[str], folder: Path, url: str, *, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a program until the block ends, and yield its process id once `url` is answered, whatever the answer.

    Raises:
        RuntimeError: it ended, or did not answer within 30 s; the text holds what it printed.
    """
    output = folder / "output.log"
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=inherited | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, url, output)
        yield process.pid
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, output: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(url):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start:\n{output.read_text('utf-8', 'replace')}")


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Nobody will read what it holds, so nothing is lost by not asking; and it takes its children along.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_STOP_S)
