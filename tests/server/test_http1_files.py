"""Large bodies go from the file to the socket, whole and in order, whoever leaves or is slow."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

MIB = 1024 * 1024
SIZE = 24 * MIB + 12_345


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that waits one second for a client, with one large object."""
    folder = tmp_path_factory.mktemp("files") / "data"
    with running_server(folder, environment={"VALETKEY_BODY_TIMEOUT_S": "1"}) as server:
        assert ask(server, "PUT", target(server, "PUT", None))[0] == 200
        assert ask(server, "PUT", target(server, "PUT", "large"), body=content())[0] == 200
        yield server


def content() -> bytes:
    return b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(SIZE // 32 + 1))[:SIZE]


def signer(server: RunningServer) -> Signer:
    return Signer(server.access_key, server.secret_key, endpoint=server.endpoint, addressing="path")


def target(server: RunningServer, method: str, key: str | None) -> str:
    url = signer(server).presign(method, "files", key) if key else signer(server).presign(method, "files")
    return "/" + str(url).split("/", 3)[3]


def ask(
    server: RunningServer,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection = HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def begun(server: RunningServer, buffer_bytes: int) -> socket.socket:
    """Return a connection on which the large object has been asked for, and not a byte of it taken."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    client.settimeout(30)
    client.connect((server.host, server.port))
    line = f"GET {target(server, 'GET', 'large')} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n\r\n"
    client.sendall(line.encode())
    return client


def open_files(server: RunningServer) -> int:
    """Return how many blobs and sockets the server's workers have open."""
    parent, count = server.process.pid, 0
    for worker in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            try:
                opened = str(descriptor.readlink())
            except OSError:
                continue
            count += "/blobs/" in opened or opened.startswith("socket:")
    return count


def at_rest(server: RunningServer) -> int:
    """Return how many are open once those who came before have gone."""
    deadline = time.monotonic() + 20
    while _changes_soon(server, count := open_files(server)):
        assert time.monotonic() < deadline
    return count


def _changes_soon(server: RunningServer, count: int) -> bool:
    time.sleep(0.3)
    return open_files(server) != count


def until_open(server: RunningServer, count: int) -> None:
    """Return when just so many are open."""
    deadline = time.monotonic() + 20
    while open_files(server) != count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_files(server) == count


def test_one_connection_gets_all_of_it_several_times(patient: RunningServer) -> None:
    connection = HTTPConnection(patient.host, patient.port, timeout=30)
    path = target(patient, "GET", "large")
    for first, last in ((0, SIZE - 1), (1, SIZE - 2), (5 * MIB, 5 * MIB + 300_000), (SIZE - 7, SIZE - 1)):
        connection.request("GET", path, headers={"Range": f"bytes={first}-{last}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (206, content()[first : last + 1])
    connection.request("GET", path)
    assert connection.getresponse().read() == content()
    connection.close()


def test_requests_in_a_row_are_answered_in_a_row(patient: RunningServer) -> None:
    client = begun(patient, 256 * 1024)
    path = target(patient, "GET", "large")
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {patient.host}:{patient.port}\r\nRange: bytes=0-299999\r\n"
        f"Connection: close\r\n\r\n".encode()
    )
    received = bytearray()
    while piece := client.recv(1024 * 1024):
        received += piece
    client.close()
    first_head, _, rest = bytes(received).partition(b"\r\n\r\n")
    second_head, _, second = rest[SIZE:].partition(b"\r\n\r\n")
    assert first_head.startswith(b"HTTP/1.1 200 ")
    assert rest[:SIZE] == content()
    assert second_head.startswith(b"HTTP/1.1 206 ")
    assert second == content()[:300_000]


def test_whoever_takes_nothing_is_cut_off(patient: RunningServer) -> None:
    before = at_rest(patient)
    client = begun(patient, 4096)
    # Its connection, a second descriptor of it to send by, and the blob.
    until_open(patient, before + 3)
    until_open(patient, before)
    client.close()


def test_whoever_is_slow_gets_it_all(patient: RunningServer) -> None:
    client, wanted = begun(patient, 128 * 1024), content()
    received, began = bytearray(), time.monotonic()
    while not received.endswith(wanted[-1000:]):
        # Longer, in all, than the server waits for whoever takes nothing, and less than the kernel counts as room.
        is_slow = time.monotonic() - began < 4
        if is_slow:
            time.sleep(0.2)
        piece = client.recv(50_000 if is_slow else MIB)
        assert piece, "cut off"
        received += piece
    client.close()
    assert bytes(received).partition(b"\r\n\r\n")[2] == wanted


def test_whoever_leaves_leaves_nothing_open(patient: RunningServer) -> None:
    before = at_rest(patient)
    clients = [begun(patient, 64 * 1024) for _ in range(20)]
    for client in clients:
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        client.close()
    until_open(patient, before)
    assert ask(patient, "GET", target(patient, "GET", "large")) == (200, content())
