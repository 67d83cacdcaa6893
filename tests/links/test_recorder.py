"""The history is written behind the requests, and says when it cannot be."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.links.attempts import attempt, note, open_history

from valetkey.links.history import file, recorder
from valetkey.links.history.model import Attempt, Note
from valetkey.links.history.recorder import open_recorder

_LONG_S = 20.0


def notes(attempts: Sequence[Attempt]) -> list[Note]:
    return [note(one) for one in attempts]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONG_S
    while not is_so():
        assert time.monotonic() < deadline


def test_what_is_added_is_written(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    writing = open_recorder(tmp_path, finish=notes)
    for at in range(1000):
        writing.add(attempt(at))
    until(lambda: history.page(limit=1).entries != [])
    writing.add(attempt(1000))
    writing.close(timeout_s=_LONG_S)
    assert history.instants(limit=1000) == list(range(1000, -1, -1))
    assert writing.lost == 0


def test_what_does_not_fit_in_memory_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 10)
    monkeypatch.setattr(recorder, "WRITE_EVERY_S", 600)
    history = open_history(tmp_path)
    writing = open_recorder(tmp_path, finish=notes)
    for at in range(25):
        writing.add(attempt(at))
    with caplog.at_level(logging.WARNING, "valetkey"):
        writing.close(timeout_s=_LONG_S)
    assert history.instants() == list(range(9, -1, -1))
    assert writing.lost == 15
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_failing_disk_is_told_once_and_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "WRITE_EVERY_S", 0.01)
    with caplog.at_level(logging.WARNING, "valetkey"):
        # Nobody has made the tables: each write fails.
        writing = open_recorder(tmp_path, finish=notes)
        for lost in range(1, 4):
            writing.add(attempt(lost))
            until(lambda lost=lost: writing.lost == lost)  # type: ignore[misc]  # bound at once
        file.prepare(tmp_path)
        writing.add(attempt(9))
        until(lambda: len(caplog.records) == 2)
        writing.close(timeout_s=_LONG_S)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "3 entries" in caplog.records[1].getMessage()
    assert open_history(tmp_path).instants() == [9]
