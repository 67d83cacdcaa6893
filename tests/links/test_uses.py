"""Uses on their way to the disk: by the loop's own thread, or by the one that can wait."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.links.stock import NOW_MS, OF_ALICE, download, link

from valetkey.links import Ledger, LedgerFailedError, LinkRefusedError, use_queue, use_writer
from valetkey.links.counters import Outcome, Use, spend_downloads
from valetkey.links.errors import LedgerClosedError
from valetkey.links.ledger import LOCK_NAME
from valetkey.links.model import Link, Spent
from valetkey.links.schema import FILE_NAME
from valetkey.processes.file_lock import FileLock


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = Ledger.open(tmp_path)
    yield opened
    await opened.close()


async def counted(ledger: Ledger, max_uses: int) -> Link:
    await ledger.add([link(max_uses=max_uses)])
    found = ledger.find("VKLONE")
    assert found is not None
    return found


async def uses_of(ledger: Ledger) -> int:
    return (await ledger.get("VKLONE", OF_ALICE)).usage.uses


async def some_turns() -> None:
    """Let the loop turn until a group of uses has gathered and is handed over."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_else_writes_holds_up_uses_and_not_the_loop(ledger: Ledger, tmp_path: Path) -> None:
    found = await counted(ledger, 2)
    lock = FileLock(tmp_path / LOCK_NAME)
    with lock.hold():
        asked = [
            asyncio.ensure_future(ledger.spend_download(found, download(), now_ms=NOW_MS)) for _ in range(3)
        ]
        await some_turns()
        assert not any(one.done() for one in asked)
    lock.close()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Spent) == 2
    assert await uses_of(ledger) == 2


async def test_a_program_in_the_midst_of_a_transaction_is_waited_for(ledger: Ledger, tmp_path: Path) -> None:
    found = await counted(ledger, 2)
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as program:
        program.execute("BEGIN IMMEDIATE")
        asked = asyncio.ensure_future(ledger.spend_download(found, download(), now_ms=NOW_MS))
        await some_turns()
        assert not asked.done()
        program.execute("COMMIT")
        assert isinstance(await asked, Spent)
    await ledger.spend_download(found, download(), now_ms=NOW_MS)
    assert await uses_of(ledger) == 2


async def test_uses_that_cannot_be_written_are_refused_until_they_can(ledger: Ledger, tmp_path: Path) -> None:
    found = await counted(ledger, 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as program:
        program.execute("ALTER TABLE resumptions RENAME TO gone")
        with pytest.raises(LedgerFailedError):
            await ledger.spend_download(found, download(), now_ms=NOW_MS)
        program.execute("ALTER TABLE gone RENAME TO resumptions")
    # What failed took nothing.
    await ledger.spend_download(found, download(), now_ms=NOW_MS)
    with pytest.raises(LinkRefusedError):
        await ledger.spend_download(found, download(), now_ms=NOW_MS)


async def test_what_is_given_back_is_there_for_the_very_next_use(ledger: Ledger) -> None:
    found = await counted(ledger, 3)
    spent = [await ledger.spend_download(found, download(), now_ms=NOW_MS) for _ in range(3)]
    # They are written, or being written, before any use is given back.
    again = [asyncio.ensure_future(ledger.spend_download(found, download(), now_ms=NOW_MS)) for _ in range(2)]
    await some_turns()
    for one in spent[:2]:
        ledger.give_back(one, uses=1, bytes_sent=one.bytes_sent)
    assert await uses_of(ledger) == 1
    answers = await asyncio.gather(*again, return_exceptions=True)
    assert all(isinstance(answer, LinkRefusedError) for answer in answers)
    await ledger.spend_download(found, download(), now_ms=NOW_MS)


async def test_those_who_ask_in_the_turns_that_follow_are_written_together(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await counted(ledger, 10)
    sizes: list[int] = []

    def spend(connection: sqlite3.Connection, uses: Sequence[Use]) -> list[Outcome]:
        sizes.append(len(uses))
        return spend_downloads(connection, uses)

    monkeypatch.setattr(use_writer, "spend_downloads", spend)
    asked = []
    for _ in range(4):
        asked.append(ledger.spend_download(found, download(), now_ms=NOW_MS))
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert sizes == [4]


async def test_a_stream_of_those_who_ask_does_not_hold_up_the_first(ledger: Ledger) -> None:
    found = await counted(ledger, 10_000)
    asked: list[asyncio.Future[Spent]] = []
    while not (asked and asked[0].done()):
        asked.append(asyncio.ensure_future(ledger.spend_download(found, download(), now_ms=NOW_MS)))
        assert len(asked) < 5000
        await asyncio.sleep(0)
    await asyncio.gather(*asked)


async def test_the_log_is_moved_into_the_file_now_and_then(ledger: Ledger, tmp_path: Path) -> None:
    found = await counted(ledger, 10_000)
    for _ in range(12):
        asked = [ledger.spend_download(found, download(), now_ms=NOW_MS) for _ in range(100)]
        await asyncio.gather(*asked)
    # Read without its log.
    with closing(sqlite3.connect(f"file:{tmp_path / FILE_NAME}?immutable=1", uri=True)) as file:
        (uses,) = file.execute("SELECT uses FROM links").fetchone()
    assert uses >= 1000
    assert await uses_of(ledger) == 1200


async def test_a_use_that_waits_is_written_when_the_ledger_is_closed(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    found = await counted(ledger, 5)
    asked = [ledger.spend_download(found, download(), now_ms=NOW_MS) for _ in range(3)]
    await ledger.close()
    assert all(isinstance(one, Spent) for one in await asyncio.gather(*asked))
    again = Ledger.open(tmp_path)
    assert await uses_of(again) == 3
    await again.close()


async def test_what_is_given_back_as_soon_as_it_is_heard_of_is_given_back_before_closing(
    tmp_path: Path,
) -> None:
    ledger = Ledger.open(tmp_path)
    found = await counted(ledger, 5)
    asked = asyncio.ensure_future(ledger.spend_download(found, download(), now_ms=NOW_MS))
    asked.add_done_callback(lambda done: ledger.give_back(done.result(), uses=1))
    lock = FileLock(tmp_path / LOCK_NAME)
    with lock.hold():
        closing = asyncio.create_task(ledger.close())
        await some_turns()
    lock.close()
    await closing
    again = Ledger.open(tmp_path)
    assert await uses_of(again) == 0
    await again.close()


async def test_nothing_is_written_by_the_loop_while_a_ledger_is_being_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(tmp_path)
    found = await counted(ledger, 5)
    spent = await ledger.spend_download(found, download(), now_ms=NOW_MS)
    is_closing, goes_on = threading.Event(), threading.Event()
    close = use_writer.UseWriter.close

    def slowly(self: use_writer.UseWriter) -> None:
        is_closing.set()
        assert goes_on.wait(20)
        close(self)

    monkeypatch.setattr(use_writer.UseWriter, "close", slowly)
    closing = asyncio.create_task(ledger.close())
    assert await asyncio.to_thread(is_closing.wait, 20)
    ledger.give_back(spent, uses=1)
    asked = ledger.spend_download(found, download(), now_ms=NOW_MS)
    with pytest.raises(LedgerClosedError):
        await asked
    goes_on.set()
    await closing
    again = Ledger.open(tmp_path)
    assert await uses_of(again) == 1
    await again.close()


async def test_a_lock_that_cannot_be_had_fails_its_uses_and_no_others(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await counted(ledger, 5)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as broken:
        broken.setattr(fcntl, "flock", fail)
        with pytest.raises(LedgerFailedError):
            await asyncio.wait_for(ledger.spend_download(found, download(), now_ms=NOW_MS), 20)
    await asyncio.wait_for(ledger.spend_download(found, download(), now_ms=NOW_MS), 20)
    assert await uses_of(ledger) == 1


async def test_one_who_asks_in_each_turn_holds_up_nobody_for_long(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_queue, "MOST_GATHERING_S", 0.02)
    found = await counted(ledger, 10_000)
    sizes: list[int] = []

    def spend(connection: sqlite3.Connection, uses: Sequence[Use]) -> list[Outcome]:
        sizes.append(len(uses))
        return spend_downloads(connection, uses)

    monkeypatch.setattr(use_writer, "spend_downloads", spend)
    asked = []
    for _ in range(12):
        asked.append(ledger.spend_download(found, download(), now_ms=NOW_MS))
        # A turn that takes long: of these few fit in the time.
        time.sleep(0.01)  # noqa: ASYNC251 - it is the loop that is to be busy
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    assert sum(sizes) == 12
    assert sizes[0] <= 3


async def test_a_use_that_is_being_written_is_not_broken_off_by_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(tmp_path)
    found = await counted(ledger, 5)
    loop_thread, is_writing, goes_on = threading.current_thread(), threading.Event(), threading.Event()

    def spend(connection: sqlite3.Connection, uses: Sequence[Use]) -> list[Outcome]:
        if threading.current_thread() is not loop_thread:
            is_writing.set()
            assert goes_on.wait(20)
        return spend_downloads(connection, uses)

    monkeypatch.setattr(use_writer, "spend_downloads", spend)
    lock = FileLock(tmp_path / LOCK_NAME)
    with lock.hold():
        asked = [ledger.spend_download(found, download(), now_ms=NOW_MS)]
        await some_turns()
    lock.close()
    assert await asyncio.to_thread(is_writing.wait, 20)
    asked.append(ledger.spend_download(found, download(), now_ms=NOW_MS))
    closing = asyncio.create_task(ledger.close())
    await asyncio.sleep(0)
    goes_on.set()
    await closing
    assert all(isinstance(one, Spent) for one in await asyncio.gather(*asked))
