"""Starting, stopping, and two servers that want the same thing."""

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from valetkey import Signer
from valetkey.testing.server import RunningServer, free_port, running_server, start_server


def serve(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `valetkey serve` where it is expected to refuse."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VALETKEY_")}
    return subprocess.run(
        [sys.executable, "-m", "valetkey", "serve", *options],
        env=environment | environ, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(happened: object, *, within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_a_folder_that_another_server_holds_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        refused = serve("--data", str(server.data), "--listen", f"127.0.0.1:{free_port()}")
    assert refused.returncode != 0
    assert "Another running server holds the data folder" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "one") as server:
        refused = serve("--data", str(tmp_path / "two"), "--listen", f"127.0.0.1:{server.port}")
    assert refused.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{server.port}" in refused.stderr
    assert not (tmp_path / "two").exists(), "nothing is made for a server that cannot be"
    assert "Traceback" not in refused.stderr


def test_a_folder_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data):
        pass
    with closing(sqlite3.connect(data / "catalog.sqlite")) as catalog:
        catalog.execute("PRAGMA user_version = 99")
    refused = serve("--data", str(data), "--listen", f"127.0.0.1:{free_port()}")
    assert refused.returncode != 0
    assert "format 99" in refused.stderr
    with closing(sqlite3.connect(data / "catalog.sqlite")) as catalog:
        assert catalog.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--listen", "here"), "HOST:PORT"),
        (("--workers", "0"), "from 1 to 256"),
        (("--public-url", "files.example.com"), "expected a URL"),
        (("--data", "/proc/nowhere"), "/proc/nowhere"),
    ],
    ids=["listen", "workers", "public URL", "unwritable folder"],
)
def test_a_bad_setting_is_a_sentence(tmp_path: Path, options: tuple[str, ...], part: str) -> None:
    given = options if "--data" in options else ("--data", str(tmp_path / "data"), *options)
    refused = serve(*given)
    assert refused.returncode == 2
    assert part in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_server_can_be_started_again_after_a_kill(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data", workers=2)
    server.kill()
    with running_server(tmp_path / "data", workers=2):
        pass


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data", workers=2)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    wait_until(lambda: not is_listening(server.port))


def workers_of(server: RunningServer) -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        if parent == server.process.pid:
            found.add(int(folder.name))
    return found


def health(server: RunningServer) -> int:
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
        connection.request("GET", "/-/health")
        return connection.getresponse().status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_another_worker_takes_the_place_of_one_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    with running_server(tmp_path / "data", workers=2) as server:
        before = workers_of(server)
        assert len(before) == 2
        victim = min(before)
        os.kill(victim, number)
        wait_until(lambda: len(after := workers_of(server)) == 2 and victim not in after)
        assert all(health(server) == 200 for _ in range(20))
        assert server.stop() == 0


def spoil(data: Path) -> bytes:
    """Make the ledger one that no worker can open, and return what it was."""
    ledger = data / "links.sqlite"
    kept = ledger.read_bytes()
    ledger.write_bytes(b"no database" * 500)
    return kept


def test_a_server_of_which_no_worker_can_start_ends(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data):
        pass
    spoil(data)
    refused = serve("--data", str(data), "--listen", f"127.0.0.1:{free_port()}", "--workers", "2")
    assert refused.returncode != 0
    assert refused.stderr.count("A worker cannot start: The ledger of links") == 2, "each tried once"
    assert "No worker could start" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


def test_a_worker_that_cannot_start_again_is_tried_ever_more_rarely(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", workers=2) as server:
        kept = spoil(server.data)
        victim = min(workers_of(server))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "takes its place in 4 s" in server.log.read_text())
        printed = server.log.read_text()
        assert [printed.count(f"takes its place in {pause_s} s") for pause_s in (2, 4, 8)] == [1, 1, 0]
        assert all(health(server) == 200 for _ in range(20)), "the other goes on"
        (server.data / "links.sqlite").write_bytes(kept)
        wait_until(lambda: len(workers_of(server)) == 2)
        assert server.stop() == 0
        assert "in 8 s" not in server.log.read_text(), "it started again"


def test_connections_that_wait_outlive_their_worker(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGSTOP)
        with socket.create_connection((server.host, server.port), timeout=30) as waiting:
            waiting.sendall(b"GET /-/health HTTP/1.1\r\nHost: h\r\n\r\n")
            os.kill(worker, signal.SIGKILL)
            assert waiting.recv(12) == b"HTTP/1.1 200"


def test_hanging_up_changes_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        before = workers_of(server)
        server.process.send_signal(signal.SIGHUP)
        os.kill(min(before), signal.SIGHUP)
        assert health(server) == 200
        assert workers_of(server) == before


def test_whoever_does_not_finish_is_cut_off(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", environment={"VALETKEY_SHUTDOWN_TIMEOUT_S": "1"}) as server:
        signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
        with closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
            connection.request(
                "PUT", urlsplit(signer.presign("PUT", "stopping").url)._replace(scheme="", netloc="").geturl()
            )
            assert connection.getresponse().status == 200
        with closing(start_upload(server, signer, "never", 10)) as upload:
            upload.send(b"hello")
            assert server.stop() == 0


def start_upload(server: RunningServer, signer: Signer, key: str, length: int) -> http.client.HTTPConnection:
    parts = urlsplit(signer.presign("PUT", "stopping", key).url)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection


def test_stopping_finishes_what_is_in_flight(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
        parts = urlsplit(signer.presign("PUT", "stopping").url)
        connection.request("PUT", f"{parts.path}?{parts.query}")
        assert connection.getresponse().status == 200
    with closing(start_upload(server, signer, "in-flight", 10)) as upload:
        upload.send(b"hello")
        time.sleep(0.3)  # the server must have begun to read when it is asked to stop
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(server.port))
        upload.send(b"world")
        assert upload.getresponse().status == 200
    assert server.process.wait(20) == 0
    with running_server(tmp_path / "data") as again:
        signer = Signer(again.access_key, again.secret_key, endpoint=again.endpoint)
        with closing(http.client.HTTPConnection(again.host, again.port, timeout=30)) as connection:
            parts = urlsplit(signer.presign("GET", "stopping", "in-flight").url)
            connection.request("GET", f"{parts.path}?{parts.query}")
            assert connection.getresponse().read() == b"helloworld"


def test_a_client_that_leaves_in_the_middle_leaves_nothing(server: RunningServer) -> None:
    signer = Signer(server.access_key, server.secret_key, endpoint=server.endpoint)
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
        parts = urlsplit(signer.presign("PUT", "stopping").url)
        connection.request("PUT", f"{parts.path}?{parts.query}")
        connection.getresponse().read()
    files_before = blob_files(server.data)
    upload = start_upload(server, signer, "left", 3_000_000)
    upload.send(bytes(2_500_000))
    wait_until(lambda: blob_files(server.data) > files_before)
    upload.close()
    wait_until(lambda: blob_files(server.data) == files_before)
    with closing(http.client.HTTPConnection(server.host, server.port, timeout=30)) as connection:
        parts = urlsplit(signer.presign("GET", "stopping", "left").url)
        connection.request("GET", f"{parts.path}?{parts.query}")
        assert connection.getresponse().status == 404


def blob_files(data: Path) -> int:
    return sum(1 for path in (data / "blobs").rglob("*") if path.is_file())
