"""Every attempt on a presigned URL is remembered, over all workers, and shown to whom it concerns."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import typer
from tests.clients.admin import ask_admin
from tests.raw.door import Door, open_door
from tests.raw.form import CONTENT_TYPE, encoded_form, signed_v4
from tests.raw.wire import connect, fetch, head

from valetkey.cli import links_history
from valetkey.testing.server import RunningServer, running_server, start_server

_LONG_S = 20.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with running_server(tmp_path_factory.mktemp("history") / "data", workers=2) as server:
        yield open_door(server, "watched")


def history(
    server: RunningServer, *, key: tuple[str, str] | None = None, **query: str
) -> list[dict[str, Any]]:
    status, answer = ask_admin(server, "GET", f"history?{urlencode(sorted(query.items()))}", key=key)
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["attempts"]
    return found


def eventually(find: Callable[[], list[dict[str, Any]]], number: int) -> list[dict[str, Any]]:
    """Return what is found once there is so much of it: it is written in the background."""
    deadline = time.monotonic() + _LONG_S
    while len(found := find()) < number:
        assert time.monotonic() < deadline, found
    return found


def of_prefix(door: Door, prefix: str, number: int) -> list[dict[str, Any]]:
    return eventually(lambda: history(door.server, bucket=door.bucket, prefix=prefix), number)


def test_an_attempt_tells_who_did_what(watched: Door) -> None:
    watched.put("told/ü.txt", b"content")
    headers = {"User-Agent": "agent/1", "Referer": "https://Example.COM/page?secret=1"}
    reply = watched.presigned("GET", "told/ü.txt", unsigned=headers)
    newest, oldest = of_prefix(watched, "told/", 2)
    assert newest == {
        "id": newest["id"],
        "time": newest["time"],
        "request_id": reply.header("x-amz-request-id"),
        "access_key": watched.key.access_key,
        "proved": True,
        "account": newest["account"],
        "user": None,
        "operation": "GetObject",
        "bucket": "watched",
        "key": "told/ü.txt",
        "status": 200,
        "error_code": None,
        "bytes_sent": 7,
        "bytes_received": 0,
        "duration_ms": newest["duration_ms"],
        "remote": "127.0.0.1",
        "user_agent": "agent/1",
        "referrer": "example.com",
    }
    assert newest["duration_ms"] > 0
    assert len(newest["account"]) == 64
    assert (oldest["operation"], oldest["bytes_received"], oldest["bytes_sent"]) == ("PutObject", 7, 0)


def test_a_refusal_tells_its_rule(watched: Door) -> None:
    assert watched.presigned("GET", "refused/none").status == 404
    (found,) = of_prefix(watched, "refused/", 1)
    assert (found["status"], found["error_code"], found["proved"]) == (404, "NoSuchKey", True)
    refused = history(watched.server, bucket="watched", prefix="refused/", refused="true")
    assert [one["id"] for one in refused] == [found["id"]]
    assert history(watched.server, bucket="watched", prefix="refused/", status="200") == []


def test_a_wrong_signature_is_an_attempt_that_proves_nobody(watched: Door) -> None:
    target = watched.key.presign("GET", watched.path("forged/1"))
    assert watched.send("GET", target[:-1] + "g").status == 403
    past = datetime(2026, 1, 1, tzinfo=UTC)
    assert watched.send("GET", watched.key.presign("GET", watched.path("forged/2"), at=past)).status == 403
    found = of_prefix(watched, "forged/", 2)
    assert {one["proved"] for one in found} == {False}
    assert {one["access_key"] for one in found} == {watched.key.access_key}
    assert {one["error_code"] for one in found} == {"SignatureDoesNotMatch", "AccessDenied"}
    assert {one["account"] for one in found} == {None}


def test_a_form_is_an_attempt(watched: Door) -> None:
    conditions = [{"bucket": "watched"}, {"key": "form/1"}]
    body = encoded_form({"key": "form/1", **signed_v4(watched.key, conditions)}, b"posted")
    reply = watched.send("POST", "/watched", headers={"Content-Type": CONTENT_TYPE}, body=body)
    assert reply.status == 204, reply.body
    (found,) = of_prefix(watched, "form/", 1)
    assert (found["operation"], found["bytes_received"]) == ("PostObject", len(body))


def test_a_request_signed_in_its_headers_is_none(watched: Door) -> None:
    assert watched.signed("PUT", watched.path("header/1"), body=b"x").status == 200
    watched.put("header/2", b"x")
    assert [one["key"] for one in of_prefix(watched, "header/", 1)] == ["header/2"]


def test_a_client_that_leaves_is_remembered_with_what_it_got(watched: Door) -> None:
    size = 64 * 1024 * 1024
    watched.put("left/big", bytes(size))
    with connect(watched.server.port) as connection:
        target = watched.key.presign("GET", watched.path("left/big"))
        connection.sendall(head("GET", target, {"Host": watched.key.host}))
        assert connection.recv(1000)
    newest, _ = of_prefix(watched, "left/", 2)
    assert newest["operation"] == "GetObject"
    assert 0 <= newest["bytes_sent"] < size


def test_an_upload_that_breaks_off_is_remembered(watched: Door) -> None:
    with connect(watched.server.port) as connection:
        target = watched.key.presign("PUT", watched.path("broken/1"))
        connection.sendall(
            head("PUT", target, {"Host": watched.key.host, "Content-Length": "1000"}) + b"x" * 10
        )
    (found,) = of_prefix(watched, "broken/", 1)
    assert (found["operation"], found["status"], found["bytes_received"]) == ("PutObject", 0, 10)
    assert found["proved"] is True


def test_all_workers_write_to_one_history(watched: Door) -> None:
    for number in range(60):
        watched.presigned("HEAD", f"many/{number}")
    found = of_prefix(watched, "many/", 60)
    assert len({one["id"] for one in found}) == 60
    assert [one["time"] for one in found] == sorted((one["time"] for one in found), reverse=True)


def test_pages_go_on_where_they_ended(watched: Door) -> None:
    for number in range(5):
        watched.presigned("HEAD", f"paged/{number}")
    expected = [one["id"] for one in of_prefix(watched, "paged/", 5)]
    found: list[int] = []
    query = {"bucket": "watched", "prefix": "paged/", "limit": "2"}
    while True:
        _, page = ask_admin(watched.server, "GET", f"history?{urlencode(sorted(query.items()))}")
        found += [one["id"] for one in page["attempts"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert found == expected


def test_a_user_sees_what_its_own_keys_signed(watched: Door) -> None:
    server = watched.server
    status, _ = ask_admin(server, "POST", "users", {"name": "hans"})
    assert status == 200
    _, made = ask_admin(server, "POST", "keys", {"user": "hans"})
    pair = (made["access_key"], made["secret_key"])
    hans = replace(watched, key=replace(watched.key, access_key=pair[0], secret_key=pair[1]))
    assert hans.presigned("GET", "hans/1").status == 403
    watched.presigned("GET", "hans/2")
    both = of_prefix(watched, "hans/", 2)
    assert [(one["key"], one["user"]) for one in both] == [("hans/2", None), ("hans/1", "hans")]
    assert [one["key"] for one in history(server, key=pair)] == ["hans/1"]
    assert history(server, key=pair, id=watched.key.access_key) == []


def test_an_account_sees_its_keys_and_its_buckets(watched: Door) -> None:
    server = watched.server
    status, made = ask_admin(server, "POST", "accounts", {"name": "other"})
    assert status == 200, made
    pair = (made["access_key"], made["secret_key"])
    other = open_door(replace(server, access_key=pair[0], secret_key=pair[1]), "others")
    other.put("own/1", b"x")
    assert other.send("GET", other.key.presign("GET", "/watched/own/2")).status == 403
    assert watched.send("GET", watched.key.presign("GET", "/others/own/3")).status == 403
    watched.presigned("GET", "own/4")

    def own() -> list[dict[str, Any]]:
        return [one for one in history(server, key=pair) if (one["key"] or "").startswith("own/")]

    of_prefix(watched, "own/4", 1)
    assert [one["key"] for one in eventually(own, 3)] == ["own/3", "own/2", "own/1"]
    acting = [one["key"] for one in history(server, account="other") if one["key"]]
    assert acting == ["own/3", "own/2", "own/1"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "after=1", "since=yesterday", "status=x", "refused=yes", "prefix=a"]
)
def test_what_cannot_be_asked_is_refused(watched: Door, query: str) -> None:
    status, answer = ask_admin(watched.server, "GET", f"history?{query}")
    assert (status, answer["error"]["code"] in {"ValidationError", "MalformedInput"}) == (400, True)


def test_nothing_secret_is_remembered(watched: Door) -> None:
    target = watched.key.presign("GET", watched.path("secret/1"))
    signature = target.rpartition("=")[2]
    pasted = target.replace("?", "%3F").replace("&", "&amp;")
    watched.send("GET", target, headers={"Host": watched.key.host, "User-Agent": f"x Signature={signature}"})
    watched.send("GET", pasted + "?AWSAccessKeyId=x&Signature=y&Expires=1")
    of_prefix(watched, "secret/1", 1)
    files = list(watched.server.data.glob("history.sqlite*"))
    assert files
    for path in files:
        assert signature.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_a_killed_server_has_lost_a_second_at_most(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    door = open_door(server, "killed")
    door.presigned("HEAD", "before")
    of_prefix(door, "before", 1)
    door.presigned("HEAD", "then")
    written = time.monotonic()
    while time.monotonic() < written + 1.0:
        door.signed("HEAD", door.path("busy"))
    server.kill()
    with running_server(tmp_path / "data") as again:
        assert [one["key"] for one in history(again)][:2] == ["then", "before"]


def test_no_days_are_no_history(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", environment={"VALETKEY_HISTORY_DAYS": "0"}) as server:
        open_door(server, "unwatched")
        status, answer = ask_admin(server, "GET", "history")
        assert (status, answer["error"]["code"]) == (404, "NoSuchEntity")
        assert not (server.data / "history.sqlite").exists()


@pytest.fixture
def here(watched: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALETKEY_ENDPOINT", watched.server.endpoint)
    monkeypatch.setenv("VALETKEY_ACCESS_KEY", watched.server.access_key)
    monkeypatch.setenv("VALETKEY_SECRET_KEY", watched.server.secret_key)


def run(*arguments: str) -> None:
    app = typer.Typer()
    links_history.register(app)
    with pytest.raises(SystemExit) as ended:
        app(list(arguments))
    assert ended.value.code == 0


@pytest.mark.usefixtures("here")
def test_the_command_prints_a_table_or_json(watched: Door, capsys: pytest.CaptureFixture[str]) -> None:
    watched.presigned("GET", "printed/1")
    of_prefix(watched, "printed/", 1)
    url = f"http://{watched.key.host}{watched.key.presign('GET', watched.path('x'))}"
    run("history", url, "--bucket", "watched", "--prefix", "printed/", "--since", "1h")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["TIME", "ACCESS", "KEY"]
    assert "watched/printed/1" in lines[1]
    assert "NoSuchKey" in lines[1]
    run("history", "--bucket", "watched", "--prefix", "printed/", "--refused", "--json")
    assert [one["key"] for one in json.loads(capsys.readouterr().out)] == ["printed/1"]


_WATCH = """
import typer
from valetkey.cli import links_history
app = typer.Typer()
links_history.register(app)
app()
"""


@pytest.mark.usefixtures("here")
def test_watching_prints_lines_until_ctrl_c(watched: Door) -> None:
    command = [sys.executable, "-c", _WATCH, "watch", "--bucket", "watched", "--prefix", "seen/", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        lines = io.TextIOWrapper(child.stdout)
        try:
            found = _first_line(watched, lines)
            assert found["key"].startswith("seen/")
            child.send_signal(signal.SIGINT)
            assert child.wait(_LONG_S) == 0
            assert child.stderr.read() == b""
        finally:
            child.kill()


def _first_line(door: Door, lines: io.TextIOWrapper) -> dict[str, Any]:
    """Return the first line; attempts are made until it comes, since nobody says when the command has begun."""
    is_there = threading.Event()

    def attempt() -> None:
        number = 0
        while not is_there.wait(0.2):
            door.presigned("HEAD", f"seen/{number}")
            number += 1

    worker = threading.Thread(target=attempt)
    worker.start()
    try:
        found: dict[str, Any] = json.loads(lines.readline())
        return found
    finally:
        is_there.set()
        worker.join()


def make_link(door: Door, key: str, *, pair: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    grant = {"operations": ["GET"], "bucket": door.bucket, "key": key, **more}
    status, link = ask_admin(door.server, "POST", "links", grant, key=pair)
    assert status == 200, link
    made: dict[str, Any] = link
    return made


def test_a_link_has_a_history_of_its_own(watched: Door) -> None:
    watched.put("linked", b"content")
    link = make_link(watched, "linked", max_uses=1)
    assert fetch(link["url"], headers={"User-Agent": "one"}).status == 200
    assert fetch(link["url"], headers={"User-Agent": "two"}).status == 403
    ask_admin(watched.server, "POST", f"links/{link['id']}/revoke")
    assert fetch(link["url"]).status == 403
    found = eventually(lambda: history(watched.server, id=link["id"]), 3)
    assert [(one["status"], one["error_code"]) for one in found] == [
        (403, "LinkRevoked"),
        (403, "LinkUsedUp"),
        (200, None),
    ]
    assert {one["proved"] for one in found} == {True}
    assert found[-1]["bytes_sent"] == 7


def test_a_user_sees_what_became_of_its_links(watched: Door) -> None:
    server = watched.server
    reading = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    ask_admin(server, "POST", "users", {"name": "linker"})
    ask_admin(server, "PUT", "policies/reading", {"document": reading})
    ask_admin(server, "POST", "policies/reading/attach", {"user": "linker"})
    _, key = ask_admin(server, "POST", "keys", {"user": "linker"})
    pair = (key["access_key"], key["secret_key"])
    watched.put("of-user", b"x")
    link = make_link(watched, "of-user", pair=pair)
    reply = fetch(link["url"])
    found = eventually(lambda: history(server, key=pair), 1)
    assert [(one["access_key"], one["status"], one["user"]) for one in found] == [
        (link["id"], reply.status, "linker")
    ]


def test_what_a_short_address_serves_is_an_attempt_on_its_link(watched: Door) -> None:
    watched.put("short", b"content")
    link = make_link(watched, "short")
    status, short = ask_admin(watched.server, "POST", f"links/{link['id']}/addresses", {})
    assert status == 200, short
    assert fetch(short["url"]).body == b"content"
    (found,) = eventually(lambda: history(watched.server, id=link["id"]), 1)
    assert (found["operation"], found["key"], found["bytes_sent"]) == ("GetObject", "short", 7)
    token = short["url"].rpartition("/")[2]
    for path in watched.server.data.glob("history.sqlite*"):
        assert token.encode() not in path.read_bytes()
