"""The largest single upload, 5 GiB, up and down, while no process of the server grows beyond 200 MiB."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.raw.door import open_door
from tests.raw.form import BOUNDARY, CONTENT_TYPE, encoded_form, signed_v4

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

SIZE_BYTES = 5 * 1024**3
LIMIT_KIB = 200 * 1024
BLOCK = bytes(range(256)) * 4096  # 1 MiB


def processes_of(server: RunningServer) -> list[Path]:
    """Return the folders under /proc of the server and its workers."""
    session = str(server.process.pid)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if fields[3] == session:
            found.append(folder)
    return found


def largest_kib(server: RunningServer) -> int:
    """Return the most memory that any process of the server has had resident, ever."""
    peaks = []
    for folder in processes_of(server):
        lines = (folder / "status").read_text().splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return max(peaks)


@contextmanager
def answer(
    server: RunningServer, method: str, url: str, **options: object
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
    with closing(connection):
        connection.request(method, f"{parts.path}?{parts.query}", **options)  # type: ignore[arg-type]
        yield connection.getresponse()


def blocks() -> Iterator[bytes]:
    for _ in range(SIZE_BYTES // len(BLOCK)):
        yield BLOCK


def hash_all(digest: hashlib._Hash) -> None:
    for block in blocks():
        digest.update(block)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_five_gibibytes_pass_through_flat_memory(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", workers=2) as server:
        signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
        with answer(server, "PUT", signer.presign("PUT", "large").url) as created:
            assert created.status == 200
        length = {"Content-Length": str(SIZE_BYTES)}
        with answer(
            server, "PUT", signer.presign("PUT", "large", "o").url, body=blocks(), headers=length
        ) as put:
            assert put.status == 200
        assert largest_kib(server) < LIMIT_KIB

        sent, received, count = hashlib.sha1(usedforsecurity=False), hashlib.sha1(usedforsecurity=False), 0
        hasher = threading.Thread(target=hash_all, args=(sent,))
        hasher.start()
        with answer(server, "GET", signer.presign("GET", "large", "o").url) as got:
            assert got.status == 200
            while block := got.read(1024 * 1024):
                received.update(block)
                count += len(block)
        hasher.join()
        assert count == SIZE_BYTES
        assert received.digest() == sent.digest()
        assert largest_kib(server) < LIMIT_KIB


@pytest.mark.slow
def test_a_form_of_a_gibibyte_passes_through_flat_memory(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        door = open_door(server, "large-forms")
        fields = {"key": "o", **signed_v4(door.key, [{"bucket": door.bucket}, {"key": "o"}])}
        before, after = encoded_form(fields, b"\0").split(b"\0")
        count = 1024
        # Line ends and dashes all over: what might be the end of the file is most work.
        block = (b"\r\n--" + BOUNDARY[:-1].encode()) * 40_000
        body = itertools.chain([before], itertools.repeat(block, count), [after])
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Content-Length": str(len(before) + count * len(block) + len(after)),
        }
        url = f"{server.endpoint}/{door.bucket}"
        with answer(server, "POST", url, body=body, headers=headers) as posted:
            assert posted.status == 204
        assert largest_kib(server) < LIMIT_KIB
        kept = door.presigned("HEAD", "o")
        assert kept.header("Content-Length") == str(count * len(block))


def test_one_byte_more_is_refused_before_it_is_read(server: RunningServer) -> None:
    signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
    with answer(server, "PUT", signer.presign("PUT", "large-refused").url):
        pass
    length = {"Content-Length": str(SIZE_BYTES + 1)}
    with answer(server, "PUT", signer.presign("PUT", "large-refused", "o").url, headers=length) as put:
        body = put.read()
        assert put.status == 400
        assert b"<Code>EntityTooLarge</Code>" in body
        assert f"<MaxSizeAllowed>{SIZE_BYTES}</MaxSizeAllowed>".encode() in body


def test_a_slow_reader_of_a_large_object_costs_no_memory(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
        with answer(server, "PUT", signer.presign("PUT", "slow").url):
            pass
        with answer(server, "PUT", signer.presign("PUT", "slow", "o").url, body=BLOCK * 256) as put:
            assert put.status == 200
        with answer(server, "GET", signer.presign("GET", "slow", "o").url) as got:
            assert got.read(1024) == BLOCK[:1024]
            # While this reader waits, the server serves others and holds no more than a few blocks for it.
            with answer(server, "HEAD", signer.presign("HEAD", "slow", "o").url) as head:
                assert head.status == 200
            assert largest_kib(server) < LIMIT_KIB
            assert len(got.read()) == 256 * len(BLOCK) - 1024
