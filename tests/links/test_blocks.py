"""What comes fast is kept in blocks: they give back what was put in, whoever writes, reads, ends or forgets beside it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.links.attempts import ALICE, ALICES_USER, BOB, EVERYTHING, History, attempt, note, open_history

from valetkey.links.history import file, packed, packing, retention
from valetkey.links.history.model import Attempt, Note
from valetkey.links.history.pen import Pen
from valetkey.links.history.recorder import open_recorder
from valetkey.processes.migrations import bring_up

_LONG_S = 20.0


@pytest.fixture
def history(tmp_path: Path) -> History:
    return open_history(tmp_path)


def ask(history: History, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(history.folder / file.FILE_NAME)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def notes(attempts: Sequence[Attempt]) -> list[Note]:
    return [note(one) for one in attempts]


def many(number: int, *, begin_ms: int = 0) -> list[Attempt]:
    return [attempt(begin_ms + at, key=f"k/{at}", request_id=f"{begin_ms}-{at}") for at in range(number)]


def test_a_block_gives_back_what_was_put_in(history: History) -> None:
    written = [
        attempt(
            1000 + number,
            signer=f"VKL{number % 5}",
            party=(ALICE, ALICES_USER, BOB)[number % 3],
            key=('a/ü\n \x00"', None, "plain")[number % 3],
            status=(200, 206, 0)[number % 3],
            sent_bytes=2**40 + number,
            received_bytes=number,
            duration_us=-number,
            agent=f"agent {number % 2}",
        )
        for number in range(100)
    ]
    history.write(*written)
    assert ask(history, "SELECT number FROM blocks") == [(100,)]
    assert ask(history, "SELECT count(*) FROM attempts") == [(0,)]
    entries = history.page().entries
    assert [entry.attempt for entry in entries] == written[::-1]
    assert [entry.id for entry in entries] == list(range(100, 0, -1))


def test_few_attempts_and_refused_ones_are_rows(history: History) -> None:
    history.write(*many(packing.LEAST_PACKED - 1))
    assert ask(history, "SELECT count(*) FROM blocks") == [(0,)]
    refused = [attempt(5000 + at, error="NoSuchKey", status=404) for at in range(packing.LEAST_PACKED)]
    history.write(*refused, *many(packing.LEAST_PACKED, begin_ms=5000))
    assert ask(history, "SELECT number FROM blocks") == [(packing.LEAST_PACKED,)]
    assert len(history.instants(refused_only=True)) == packing.LEAST_PACKED


def test_what_began_long_before_is_no_part_of_a_block(history: History) -> None:
    history.write(*many(packing.LEAST_PACKED, begin_ms=100_000), attempt(1))
    assert ask(history, "SELECT from_ms FROM blocks") == [(100_000,)]
    assert ask(history, "SELECT at_ms FROM attempts") == [(1,)]


@given(st.lists(st.integers(0, 5000), max_size=200))
def test_pieces_hold_everything_and_none_is_long(instants: list[int]) -> None:
    blocks, rest = packing.parted([note(attempt(at)) for at in instants])
    assert sorted(one.at_ms for piece in (*blocks, rest) for one in piece) == sorted(instants)
    for block in blocks:
        assert packing.LEAST_PACKED <= len(block) <= packing.MOST_PACKED
        assert 0 <= block[-1].at_ms - block[0].at_ms <= packing.SPAN_MS


def test_a_page_unpacks_no_more_than_so_many_blocks(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_PACKED", packing.LEAST_PACKED)
    monkeypatch.setattr(packed, "MOST_UNPACKED", 3)
    number = 10
    history.write(*many(number * packing.LEAST_PACKED))
    looked: list[int] = []
    place = None
    read_block = packed.read_block

    def look(cursor: sqlite3.Cursor, last_id: int) -> packing.Unpacked:
        looked.append(last_id)
        return read_block(cursor, last_id)

    monkeypatch.setattr(packed, "read_block", look)
    pages = 0
    while pages == 0 or place is not None:
        before = len(looked)
        page = history.page(bucket="photos", prefix="none", after=place)
        # And the one at which it begins.
        assert (page.entries, len(looked) - before <= 4) == ([], True)
        place, pages = page.next_place, pages + 1
    assert (pages, len(looked)) == (3, number)


def test_a_page_comes_on_among_blocks_side_by_side(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_PACKED", packing.LEAST_PACKED)
    monkeypatch.setattr(packed, "MOST_UNPACKED", 3)
    number = 40 * packing.LEAST_PACKED
    # Each ends at another instant, and all of them overlap.
    history.write(
        *[attempt(at * 29 % 907, signer=f"VKL{at // packing.LEAST_PACKED}") for at in range(number)]
    )
    pages, place = 0, None
    while pages == 0 or place is not None:
        page = history.page(bucket="photos", prefix="none", after=place)
        assert not page.entries
        place, pages = page.next_place, pages + 1
    assert pages <= 40 / 3 + 1


def test_those_that_share_a_number_are_told_apart(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "crc32", lambda _: 7)
    history.write(*[attempt(at, signer=f"VKL{at % 2}", bucket=f"b{at % 2}") for at in range(64)])
    assert history.instants(signer="VKL1") == list(range(63, 0, -2))
    assert history.instants(bucket="b0") == list(range(62, -1, -2))
    assert history.instants(signer="other") == []


def test_each_of_many_signers_is_found(history: History) -> None:
    history.write(*[attempt(at, signer=f"VKL{at % 450}") for at in range(900)])
    for signer in (0, 199, 200, 399, 400, 449):
        assert history.instants(signer=f"VKL{signer}") == [450 + signer, signer]


def test_what_one_signer_did_within_a_second_lies_together(history: History) -> None:
    signers = 300
    history.write(*[attempt(at // 4, signer=f"VKL{at % signers}") for at in range(4 * packing.MOST_PACKED)])
    held = [json.loads(str(text)) for (text,) in ask(history, "SELECT signers FROM blocks")]
    assert len(held) == 4
    # One at most goes on from each block into the next.
    assert sum(map(len, held)) <= signers + 3


@pytest.mark.parametrize("instants", [[at // 4 for at in range(2000)], [7] * 1500], ids=["spread", "at once"])
@pytest.mark.parametrize("limit", [3, 100])
def test_pages_over_blocks_side_by_side_hold_everything_once_and_in_order(
    history: History, instants: list[int], limit: int
) -> None:
    written = [attempt(at, signer=f"VKL{n % 90}", request_id=str(n)) for n, at in enumerate(instants)]
    history.write(*written)
    for signer in (None, "VKL5"):
        found = history.entries(signer=signer, since_ms=instants[100], limit=limit)
        wanted = [one for one in written if one.at_ms >= instants[100] and signer in (None, one.signer)]
        order = [(entry.attempt.at_ms, entry.id) for entry in found]
        assert order == sorted(order, reverse=True)
        assert sorted(entry.attempt.request_id for entry in found) == sorted(one.request_id for one in wanted)


def test_blocks_are_forgotten_whole_with_all_that_leads_to_them(history: History) -> None:
    for begin_ms in (0, 10_000, 20_000):
        history.write(*many(100, begin_ms=begin_ms), attempt(begin_ms, error="NoSuchKey"))
    assert retention.trim(history.folder, before_ms=10_050, most_bytes=2**40) == 102
    assert ask(history, "SELECT count(*) FROM blocks") == [(2,)]
    assert ask(history, "SELECT count(DISTINCT block) FROM block_members") == [(2,)]
    assert retention.trim(history.folder, before_ms=10_100, most_bytes=2**40) == 100
    assert retention.trim(history.folder, before_ms=2**40, most_bytes=2**40) == 101
    assert ask(history, "SELECT count(*) FROM block_members") == [(0,)]
    assert history.instants() == []
    history.write(attempt(1))
    assert history.page().entries[0].id == 304


def test_an_older_file_stays_readable_and_goes_on(tmp_path: Path) -> None:
    scripts = sorted((Path(file.__file__).parent / "migrations").glob("*.sql"))[:2]
    (tmp_path / "old").mkdir()
    for script in scripts:
        (tmp_path / "old" / script.name).write_bytes(script.read_bytes())
    connection = sqlite3.connect(tmp_path / file.FILE_NAME, isolation_level=None)
    bring_up(connection, tmp_path / "old")
    connection.execute("INSERT INTO parties (account, user) VALUES (?, ?)", ALICE)
    connection.execute(
        "INSERT INTO attempts VALUES (41, 5, 'AKALICE', 1, 1, 1, 1, 'GetObject', 'photos', 'old', 200, 1, 0, 1, "
        "'192.0.2.7', 'curl/8', '', NULL, 'R')"
    )
    connection.close()
    history = open_history(tmp_path)
    history.write(*many(50, begin_ms=100))
    entries = history.page(bucket="photos").entries
    assert [entry.id for entry in entries] == [*range(91, 41, -1), 41]
    assert entries[-1].attempt.key == "old"
    assert [entry.id for entry in history.tail(EVERYTHING, 41)[0]] == list(range(42, 92))


def test_several_write_while_others_read(history: History) -> None:
    recorders = [open_recorder(history.folder, finish=notes) for _ in range(3)]
    numbers: list[int] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            found = history.instants(limit=1000)
            assert found == sorted(found, reverse=True)
            numbers.append(len(found))

    reader = threading.Thread(target=read)
    reader.start()
    for recorder in recorders:
        for one in many(3000):
            recorder.add(one)
    for recorder in recorders:
        recorder.close(timeout_s=_LONG_S)
    is_over.set()
    reader.join()
    assert [recorder.lost for recorder in recorders] == [0, 0, 0]
    assert numbers == sorted(numbers)
    assert history.instants(limit=1000) == sorted([*range(3000)] * 3, reverse=True)


_WRITER = """
import sys
from pathlib import Path
from tests.links.attempts import attempt, note
from valetkey.links.history.pen import Pen

pen = Pen(Path(sys.argv[1]))
for batch in range(10**9):
    pen.write([note(attempt(batch * 2000 + at)) for at in range(1500)])
    print(batch, flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_batches(history: History) -> None:
    for _ in range(3):
        written = ask(history, "SELECT seq FROM sqlite_sequence WHERE name = 'attempts'")[0][0]
        assert isinstance(written, int)
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(history.folder)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        ) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(4)]
            writer.send_signal(signal.SIGKILL)
            told += [int(line) for line in writer.stdout.read().split()]
        assert ask(history, "PRAGMA integrity_check") == [("ok",)]
        ((number,),) = ask(history, "SELECT sum(number) FROM blocks")
        assert isinstance(number, int)
        assert number % 1500 == 0
        # What it was about to tell may be there already.
        assert number - written in (1500 * len(told), 1500 * (len(told) + 1))
        assert len(history.page(limit=1000).entries) == 1000
        assert ask(
            history, "SELECT count(*) FROM block_members WHERE block NOT IN (SELECT last_id FROM blocks)"
        ) == [(0,)]


def test_a_batch_that_cannot_be_kept_leaves_nothing(history: History) -> None:
    pen = Pen(history.folder)
    bad = note(attempt(70, key="\ud800", error="NoSuchKey"))
    with pytest.raises(UnicodeEncodeError):
        pen.write([*(note(one) for one in many(64)), bad])
    assert ask(history, "SELECT count(*) FROM blocks") == [(0,)]
    assert ask(history, "SELECT count(*) FROM block_members") == [(0,)]
    pen.write([note(one) for one in many(64)])
    pen.close()
    assert [entry.id for entry in history.page().entries] == list(range(64, 0, -1))


@pytest.mark.parametrize(
    "damage",
    [
        "numbers = x'00'",
        "circumstances = '[[1, 2]]'",
        "circumstances = '{'",
        "signers = 'VKL'",
        "circumstances = '[]'",
        "signers = '[]'",
        # The first one's circumstances, signer and instant.
        "numbers = CAST(x'0900' || substr(numbers, 3) AS BLOB)",
        "numbers = CAST(substr(numbers, 1, 80) || x'0900' || substr(numbers, 83) AS BLOB)",
        "numbers = CAST(substr(numbers, 1, 160) || x'2000' || substr(numbers, 163) AS BLOB)",
    ],
)
def test_a_damaged_block_hides_no_other_and_is_forgotten_in_its_time(history: History, damage: str) -> None:
    for begin_ms in (0, 10_000, 20_000):
        history.write(*many(40, begin_ms=begin_ms))
    with sqlite3.connect(history.folder / file.FILE_NAME) as connection:
        connection.execute(f"UPDATE blocks SET {damage} WHERE from_ms = 10000")
    connection.close()
    assert history.instants() == [*range(20_039, 19_999, -1), *range(39, -1, -1)]
    assert len(history.tail(EVERYTHING, 0)[0]) == 80
    assert retention.trim(history.folder, before_ms=15_000, most_bytes=2**40) == 41
    assert ask(history, "SELECT count(DISTINCT block) FROM block_members") == [(1,)]
    assert history.instants() == [*range(20_039, 19_999, -1)]
