"""`/-/metrics`: off, for everybody, or for whoever has the token; one answer from any worker."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.raw.door import Door, open_door
from tests.raw.wire import Reply

from valetkey.testing.server import running_server

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    environment = {"VALETKEY_METRICS": "open"}
    folder = tmp_path_factory.mktemp("metrics") / "data"
    with running_server(folder, workers=2, environment=environment) as server:
        yield open_door(server, "counted")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    environment = {"VALETKEY_METRICS": "token", "VALETKEY_METRICS_TOKEN": TOKEN}
    with running_server(tmp_path_factory.mktemp("guarded") / "data", environment=environment) as server:
        yield open_door(server, "guarded")


def ask(door: Door, headers: Mapping[str, str] | None = None) -> Reply:
    return door.send("GET", "/-/metrics", headers=headers or {})


def samples(door: Door) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    reply = ask(door)
    assert reply.status == 200
    assert (reply.header("content-type") or "").startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


_GETS = ("valetkey_requests_total", (("operation", "GetObject"), ("status", "2xx")))
_MISSING = ("valetkey_refusals_total", (("code", "NoSuchKey"),))
_SENT = ("valetkey_sent_bytes_total", ())


def test_every_worker_tells_the_sum_of_all(counted: Door) -> None:
    counted.put("object", b"x" * 1000)
    before = samples(counted)
    for _ in range(20):
        # A connection for each request: they fall on both workers.
        assert counted.presigned("GET", "object").status == 200
        assert counted.presigned("GET", "none").status == 404
    for _ in range(6):
        after = samples(counted)
        assert after[_GETS] - before.get(_GETS, 0) == 20
        assert after[_MISSING] - before.get(_MISSING, 0) == 20
        assert after[_SENT] - before[_SENT] >= 20_000


def test_what_a_killed_worker_has_counted_stays(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", workers=2, environment={"VALETKEY_METRICS": "open"}) as server:
        counted = open_door(server, "counted")
        counted.put("object", b"x")
        for _ in range(10):
            counted.presigned("GET", "object")
        parent = server.process.pid
        workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        os.kill(int(workers[0]), signal.SIGKILL)
        assert _samples_once_it_is_gone(counted)[_GETS] == 10


def _samples_once_it_is_gone(door: Door) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    deadline = time.monotonic() + 20
    while True:
        try:
            return samples(door)
        except OSError:
            # The connection fell on the worker that is dying.
            assert time.monotonic() < deadline


def test_no_label_is_a_clients_choice(counted: Door) -> None:
    for target in ("/counted/%0a%22evil", "/evil-bucket/evil", "/counted?evil=evil", "/-/api/v1/evil"):
        for method in ("GET", "EVIL", "PUT"):
            counted.send(method, target, headers={"User-Agent": "evil", "Host": "evil"})
    assert "evil" not in ask(counted).body.decode().lower()


def test_the_token_opens_and_nothing_else_does(guarded: Door) -> None:
    assert ask(guarded, {"Authorization": f"Bearer {TOKEN}"}).status == 200
    assert ask(guarded, {"Authorization": f"bearer {TOKEN}"}).status == 200
    for headers in (
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
    ):
        reply = ask(guarded, headers)
        assert reply.status == 401
        assert reply.header("www-authenticate") == "Bearer"
        assert b"valetkey_" not in reply.body
    assert guarded.send("GET", f"/-/metrics?token={TOKEN}").status == 401


def test_the_metrics_are_off_unless_asked_for(door: Door) -> None:
    assert ask(door).status == 404


def test_the_token_is_not_in_the_log(guarded: Door) -> None:
    ask(guarded, {"Authorization": f"Bearer {TOKEN}"})
    assert not re.search(TOKEN, guarded.server.log.read_text("utf-8"))
