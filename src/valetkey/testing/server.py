"""A real server in a process of its own, on a free port and a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

ACCESS_KEY: Final = "VKTESTROOTKEY0000001"
SECRET_KEY: Final = "a+test/secret that is long enough"  # noqa: S105 - opens test servers only

_READY_S: Final = 30.0
_MOST_PORTS: Final = 5
_STOP_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server that answers, and what a client needs to reach it."""

    endpoint: str
    """Such as `http://127.0.0.1:41234`, without a slash at its end."""
    host: str
    port: int
    access_key: str
    secret_key: str
    region: str
    data: Path
    socket_path: Path | None
    """The Unix socket, where it listens on one and not on the port."""
    log: Path
    """Standard output and error of the server: greeting, access log, faults."""
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill the server and its workers at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_STOP_S)

    def stop(self) -> int:
        """Ask the server to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_S)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PortTakenError(RuntimeError):
    """Somebody else took the port before the server did."""


def start_server(
    data: Path,
    *,
    workers: int = 1,
    region: str = "us-east-1",
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    socket_path: Path | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> RunningServer:
    """Start a server on `data` and return it once it answers.

    It listens on `socket_path` where that is given, and speaks HTTPS with a `certificate` and its key.

    Raises:
        RuntimeError: it ended, or was not ready within 30 s; the text holds what it printed.
    """
    start = partial(
        _start_on,
        data,
        workers=workers,
        region=region,
        options=options,
        environment=environment,
        socket_path=socket_path,
        certificate=certificate,
    )
    for _ in range(_MOST_PORTS if port is None else 0):
        # Of many servers and clients on one machine, one may take a port that another has just found free.
        with suppress(PortTakenError):
            return start(free_port())
    return start(port or free_port())


def _start_on(
    data: Path,
    port: int,
    *,
    workers: int,
    region: str,
    options: Sequence[str],
    environment: Mapping[str, str] | None,
    socket_path: Path | None,
    certificate: tuple[Path, Path] | None,
) -> RunningServer:
    log = data.with_name(data.name + ".log")
    command = [
        sys.executable, "-m", "valetkey", "serve",
        "--data", str(data), "--listen", f"unix:{socket_path}" if socket_path else f"127.0.0.1:{port}",
        "--region", region, "--workers", str(workers), *options,
    ]  # fmt: skip
    if certificate is not None:
        command += ["--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1])]
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("VALETKEY_", "AWS_"))
    }
    keys = {"VALETKEY_ACCESS_KEY": ACCESS_KEY, "VALETKEY_SECRET_KEY": SECRET_KEY}
    with log.open("ab") as output:
        process = _spawn(command, inherited | keys | dict(environment or {}), output)
    server = RunningServer(
        endpoint=f"{'https' if certificate else 'http'}://127.0.0.1:{port}",
        host="127.0.0.1",
        port=port,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=region,
        data=data,
        socket_path=socket_path,
        log=log,
        process=process,
    )
    _wait_until_ready(server)
    return server


def _spawn(command: list[str], environment: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own, so that `kill` reaches the workers too.
    return subprocess.Popen(
        command, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _wait_until_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            printed = server.log.read_text("utf-8", "replace")
            is_taken = f"Cannot listen on {server.host}:{server.port}: Address already in use" in printed
            raise (PortTakenError if is_taken else RuntimeError)(f"The server ended:\n{printed}")
        try:
            if _says_it_is_well(server):
                return
        except OSError:
            time.sleep(0.02)
    server.kill()
    raise RuntimeError(
        f"The server was not ready within {_READY_S} s:\n{server.log.read_text('utf-8', 'replace')}"
    )


def _says_it_is_well(server: RunningServer) -> bool:
    with _connection(server) as connection:
        connection.sendall(b"GET /-/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.1 200")


def _connection(server: RunningServer) -> socket.socket:
    if server.socket_path is not None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(server.socket_path))
        except OSError:
            connection.close()
            raise
        return connection
    connection = socket.create_connection((server.host, server.port), timeout=5)
    if not server.endpoint.startswith("https:"):
        return connection
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connection:
        return context.wrap_socket(connection)


@contextmanager
def running_server(
    data: Path,
    *,
    workers: int = 1,
    region: str = "us-east-1",
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    socket_path: Path | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[RunningServer]:
    """Run a server for the length of a `with` block."""
    server = start_server(
        data,
        workers=workers,
        region=region,
        options=options,
        environment=environment,
        socket_path=socket_path,
        certificate=certificate,
    )
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
