"""What is told once is told once; what could not be told is tried again, and given up after a day."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from valetkey.links.history import file
from valetkey.links.webhooks import queue
from valetkey.links.webhooks.events import HookEvent, HookKind, signature_of

DAY_MS = 86_400_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    file.prepare(tmp_path)
    opened = file.open_writer(tmp_path)
    yield opened
    opened.close()


def event(kind: HookKind, link: str = "VKL1", **changes: Any) -> HookEvent:
    usual: dict[str, Any] = {
        "account": "a",
        "url": "https://h.example/",
        "at_ms": 1000,
        "facts": {"bucket": "b"},
    }
    return HookEvent(kind=kind, link=link, **(usual | changes))


def keep(connection: sqlite3.Connection, *events: HookEvent, now_ms: int = 0, most_refusals: int = 3) -> int:
    numbers = itertools.count(1)
    return queue.keep(
        connection, events, most_refusals=most_refusals, new_id=lambda: f"id{next(numbers)}", now_ms=now_ms
    )


def told(connection: sqlite3.Connection, now_ms: int = 2**52) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in queue.due(connection, now_ms=now_ms, limit=1000)]


def test_the_first_use_is_told_once_of_each_link(connection: sqlite3.Connection) -> None:
    keep(connection, event(HookKind.FIRST_USE), event(HookKind.FIRST_USE), event(HookKind.FIRST_USE, "VKL2"))
    keep(connection, event(HookKind.FIRST_USE), event(HookKind.USED_UP))
    assert [(one["event"], one["link"]) for one in told(connection)] == [
        ("link.first_use", "VKL1"),
        ("link.first_use", "VKL2"),
        ("link.used_up", "VKL1"),
    ]


def test_each_upload_is_told(connection: sqlite3.Connection) -> None:
    keep(connection, event(HookKind.UPLOAD_FINISHED), event(HookKind.UPLOAD_FINISHED))
    assert [one["id"] for one in told(connection)] == ["id1", "id2"]


@pytest.mark.parametrize("batches", [[5], [1] * 5, [3, 2], [2, 3, 4]])
def test_refusals_are_told_when_there_are_more_than_so_many(
    connection: sqlite3.Connection, batches: list[int]
) -> None:
    for number in batches:
        keep(connection, *[event(HookKind.REFUSED)] * number)
    (one,) = told(connection)
    assert one["event"] == "link.refused"
    assert one["refusals"] > 3


def test_few_refusals_are_not_told(connection: sqlite3.Connection) -> None:
    keep(connection, *[event(HookKind.REFUSED)] * 3, *[event(HookKind.REFUSED, "VKL2")] * 3)
    assert told(connection) == []


def test_a_message_tells_what_happened(connection: sqlite3.Connection) -> None:
    keep(connection, event(HookKind.FIRST_USE, label="for Ann"))
    assert told(connection) == [
        {
            "id": "id1",
            "event": "link.first_use",
            "time": "1970-01-01T00:00:01.000Z",
            "link": "VKL1",
            "label": "for Ann",
            "bucket": "b",
        }
    ]


def test_delays_double_and_end_after_a_day(connection: sqlite3.Connection) -> None:
    keep(connection, event(HookKind.FIRST_USE))
    now_ms, delays = 0, []
    while True:
        (delivery,) = queue.due(connection, now_ms=now_ms, limit=10)
        if not queue.later(connection, delivery, now_ms=now_ms, jitter=0.5):
            break
        assert queue.due(connection, now_ms=now_ms, limit=10) == []
        due_ms: int = connection.execute("SELECT due_ms FROM hook_deliveries").fetchone()[0]
        delays.append(due_ms - now_ms)
        now_ms = due_ms
    assert delays[:4] == [5_000, 10_000, 20_000, 40_000]
    assert max(delays) == 3_600_000
    assert DAY_MS - 3_600_000 <= now_ms <= DAY_MS
    assert told(connection) == []


def test_the_queue_is_bounded(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 5)
    monkeypatch.setattr(queue, "MOST_OF_ACCOUNT", 3)
    assert keep(connection, *[event(HookKind.UPLOAD_FINISHED)] * 4) == 1
    assert keep(connection, *[event(HookKind.UPLOAD_FINISHED, account="b")] * 4) == 2
    assert len(told(connection)) == 5


def test_the_signature_can_be_checked_by_anybody_with_the_secret() -> None:
    value = signature_of(b'{"id":"1"}', secret="abc", at_s=1795780800)
    expected = hmac.new(b"abc", b'1795780800.{"id":"1"}', hashlib.sha256).hexdigest()
    assert value == f"t=1795780800,v1={expected}"
