"""A full disk: a clear refusal, reads go on, and so do writes once there is room again."""

import contextlib
import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

DISK_BYTES = 48 * 1024 * 1024
BUCKET = "small-disk"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB of its own."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("Only root can make a file system of a set size, where the machine allows it at all.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Door:
    """Presigned requests over one connection."""

    def __init__(self, server: RunningServer) -> None:
        self._signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
        self._server = server

    def ask(
        self, method: str, key: str | None = None, body: bytes = b"", query: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        parts = urlsplit(self._signer.presign(method, BUCKET, key, query=query or {}).url)
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=30)
        with closing(connection):
            # A refusal may come while the body is still being sent; the answer is there all the same.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, f"{parts.path}?{parts.query}", body=body)
            response = connection.getresponse()
            return response.status, response.read()


def fill(door: Door, prefix: str, body: bytes) -> int:
    """Put objects until one is refused, and return how many were taken."""
    for number in range(100_000):
        status, answer = door.ask("PUT", f"{prefix}{number}", body)
        if status != 200:
            assert status == 507
            assert b"<Code>InsufficientStorage</Code>" in answer
            return number
    raise AssertionError("the disk never filled up")


def fill_by_hand(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    assert shutil.disk_usage(path.parent).free < 65536


@pytest.mark.parametrize("size", [2 * 1024 * 1024, 20_000], ids=["in files", "in the catalog"])
def test_a_full_disk_refuses_writes_and_nothing_else(small_disk: Path, size: int) -> None:
    body = os.urandom(size)
    with running_server(small_disk / "data") as server:
        door = Door(server)
        assert door.ask("PUT")[0] == 200
        taken = fill(door, "object-", body)
        assert taken > 5
        # What was taken is there, what was refused is not.
        assert door.ask("GET", "object-0") == (200, body)
        assert door.ask("GET", f"object-{taken - 1}") == (200, body)
        assert door.ask("GET", f"object-{taken}")[0] == 404
        assert (
            f"<KeyCount>{min(taken, 1000)}</KeyCount>".encode()
            in door.ask("GET", query={"list-type": "2"})[1]
        )
        # Room can be made through the store itself, and then it writes again.
        for number in range(taken // 2):
            assert door.ask("DELETE", f"object-{number}")[0] == 204
        assert door.ask("PUT", "again", body)[0] == 200
        assert door.ask("GET", "again") == (200, body)


def test_a_body_that_cannot_fit_is_refused_before_it_is_sent(small_disk: Path) -> None:
    with running_server(small_disk / "data") as server:
        door = Door(server)
        assert door.ask("PUT")[0] == 200
        signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
        parts = urlsplit(signer.presign("PUT", BUCKET, "huge").url)
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        with closing(connection):
            connection.putrequest("PUT", f"{parts.path}?{parts.query}")
            connection.putheader("Content-Length", str(DISK_BYTES * 2))
            connection.endheaders()
            response = connection.getresponse()
            assert response.status == 507


def test_another_programs_file_may_fill_the_disk_and_go_again(small_disk: Path) -> None:
    body = os.urandom(1_000_000)
    with running_server(small_disk / "data") as server:
        door = Door(server)
        assert door.ask("PUT")[0] == 200
        assert door.ask("PUT", "before", body)[0] == 200
        stranger = small_disk / "stranger"
        fill_by_hand(stranger)
        assert door.ask("PUT", "during", body)[0] == 507
        assert door.ask("PUT", "during-small", b"few bytes")[0] == 507
        assert door.ask("GET", "before") == (200, body)
        stranger.unlink()
        assert door.ask("PUT", "after", body)[0] == 200
        assert door.ask("GET", "during")[0] == 404
