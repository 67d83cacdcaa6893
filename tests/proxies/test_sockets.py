"""Listening on a Unix socket: who may connect, what a dead server left behind, and who is the client."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.raw.signing import key_of, path_of
from tests.raw.wire import Reply, head, read_reply

from valetkey.testing.server import RunningServer, running_server, start_server


def ask(
    server: RunningServer, method: str, target: str, *, body: bytes = b"", told: str | None = None
) -> Reply:
    headers = {"Host": f"{server.host}:{server.port}", "Content-Length": str(len(body))}
    if told is not None:
        headers["X-Forwarded-For"] = told
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket_path))
        connection.sendall(head(method, target, headers) + body)
        return read_reply(connection, method)


def remotes(server: RunningServer) -> list[object]:
    lines = [json.loads(line) for line in server.log.read_text("utf-8").splitlines() if line[:1] == "{"]
    return [line["remote"] for line in lines if line["method"] == "GET"]


@pytest.mark.parametrize("workers", [1, 2])
def test_links_work_over_a_socket_that_goes_with_the_server(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "s"
    options = ("--trusted-proxy", "unix")
    with running_server(tmp_path / "data", workers=workers, socket_path=path, options=options) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        key = key_of(server)
        assert ask(server, "PUT", key.presign("PUT", "/socket")).status == 200
        assert ask(server, "PUT", key.presign("PUT", path_of("socket", "a")), body=b"content").status == 200
        target = key.presign("GET", path_of("socket", "a"))
        assert ask(server, "GET", target, told="203.0.113.7").body == b"content"
        assert server.stop() == 0
        assert not path.exists()
    assert remotes(server) == ["203.0.113.7"]


def test_without_trust_the_peer_of_a_socket_has_no_address(tmp_path: Path) -> None:
    options = {"VALETKEY_SOCKET_MODE": "600"}
    with running_server(tmp_path / "data", socket_path=tmp_path / "s", environment=options) as server:
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
        assert ask(server, "GET", "/bucket/key", told="203.0.113.7").status == 404
        assert server.stop() == 0
    assert remotes(server) == [None]


def test_the_socket_of_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "s"
    start_server(tmp_path / "data", socket_path=path).kill()
    assert path.is_socket()
    with running_server(tmp_path / "data", socket_path=path) as server:
        assert ask(server, "GET", "/-/health").status == 200


def test_the_socket_of_a_living_server_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with running_server(tmp_path / "data", socket_path=path) as server:
        assert "another server does" in refusal(tmp_path / "other", path)
        assert ask(server, "GET", "/-/health").status == 200


def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    assert "it is no socket" in refusal(tmp_path / "data", path)
    assert path.read_text() == "precious"
    assert "its folder is not there" in refusal(tmp_path / "data", tmp_path / "missing" / "s")


def refusal(data: Path, path: Path) -> str:
    command = [sys.executable, "-m", "valetkey", "serve", "--data", str(data), "--listen", f"unix:{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stderr
