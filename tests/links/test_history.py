"""The history gives back what was written, in the order of time, to whom it concerns."""

from __future__ import annotations

import random
import sqlite3
import stat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.links.attempts import ALICE, ALICES_USER, BOB, EVERYTHING, History, attempt, open_history

from valetkey.links.history import file, packed, packing, reader, retention
from valetkey.links.history.model import Attempt, Party, Place, Sight
from valetkey.processes.migrations import NewerFormatError


@pytest.fixture
def history(tmp_path: Path) -> History:
    return open_history(tmp_path)


def test_what_is_written_is_read(history: History) -> None:
    written = attempt(1000, error="NoSuchKey", status=404, key="ü/\x00")
    history.write(written)
    page = history.page()
    assert [entry.attempt for entry in page.entries] == [written]
    assert page.next_place is None


def test_the_newest_comes_first(history: History) -> None:
    history.write(attempt(3), attempt(1), attempt(2))
    assert history.instants() == [3, 2, 1]


def test_of_the_same_instant_the_last_written_comes_first(history: History) -> None:
    history.write(attempt(5, request_id="A"), attempt(5, request_id="B"))
    assert [entry.attempt.request_id for entry in history.page().entries] == ["B", "A"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_each_attempt_once(history: History, limit: int) -> None:
    history.write(*[attempt(number // 3) for number in range(20)])
    assert history.instants(limit=limit) == sorted((number // 3 for number in range(20)), reverse=True)


def test_a_page_that_ends_exactly_is_the_last(history: History) -> None:
    history.write(attempt(1), attempt(2))
    assert history.page(limit=2).next_place is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({"signer": "VKL1"}, [4, 2], id="link"),
        pytest.param({"bucket": "docs"}, [5, 3], id="bucket"),
        pytest.param({"bucket": "photos", "prefix": "cats/"}, [2, 1], id="prefix"),
        pytest.param({"bucket": "docs", "prefix": "cats/"}, [3], id="prefix-of-the-bucket"),
        pytest.param({"status": 403}, [5, 4], id="status"),
        pytest.param({"refused_only": True}, [5, 4], id="refusals"),
        pytest.param({"signer": "VKL1", "refused_only": True}, [4], id="refusals-of-a-link"),
        pytest.param(
            {"bucket": "photos", "prefix": "d", "refused_only": True}, [4], id="refusals-of-a-prefix"
        ),
        pytest.param({"since_ms": 2, "until_ms": 4}, [3, 2], id="since-is-inclusive-until-is-not"),
        pytest.param({"signer": "VKL1", "since_ms": 3}, [4], id="link-since"),
        pytest.param({"bucket": "photos", "prefix": "cats/", "until_ms": 2}, [1], id="prefix-until"),
        pytest.param({"signer": "nobody"}, [], id="nobody"),
    ],
)
def test_only_what_is_wanted_is_given(history: History, wanted: dict[str, Any], expected: list[int]) -> None:
    history.write(
        attempt(1),
        attempt(2, signer="VKL1"),
        attempt(3, bucket="docs"),
        attempt(4, signer="VKL1", key="dogs/1.jpg", status=403, error="LinkRevoked"),
        attempt(5, bucket="docs", key=None, status=403, error="AccessDenied"),
    )
    assert history.instants(**wanted) == expected
    assert history.instants(limit=1, **wanted) == expected


@pytest.mark.parametrize(
    ("sight", "expected"),
    [
        pytest.param(EVERYTHING, [5, 4, 3, 2, 1], id="root-of-the-store"),
        pytest.param(Sight(party=ALICE), [4, 3, 2, 1], id="own-keys-and-buckets"),
        pytest.param(Sight(party=ALICES_USER), [2], id="user"),
        pytest.param(Sight(party=BOB), [5, 3], id="other-account"),
        pytest.param(Sight(party=Party("c" * 64)), [], id="stranger"),
        pytest.param(Sight(party=Party("b" * 64, "ann")), [], id="user-of-the-same-name"),
    ],
)
def test_everybody_sees_what_concerns_him(history: History, sight: Sight, expected: list[int]) -> None:
    history.write(
        attempt(1),
        attempt(2, party=ALICES_USER, signer="AKANN"),
        attempt(3, party=BOB, signer="AKBOB"),
        attempt(4, owner=BOB, party=ALICE)._replace(owner=Party("d" * 64)),
        attempt(5, party=BOB, owner=BOB, signer="AKBOB", bucket="bobs"),
    )
    assert history.instants(sight) == expected
    assert history.instants(sight, limit=1) == expected
    assert set(history.instants(sight, bucket="photos")) <= set(expected)
    assert set(history.instants(sight, signer="AKBOB")) <= set(expected)
    assert set(history.instants(sight, bucket="photos", prefix="c")) <= set(expected)
    entries, _ = history.tail(sight, 0)
    assert [entry.attempt.at_ms for entry in entries] == sorted(expected)


@pytest.mark.parametrize(
    "least_packed", [pytest.param(1000, id="rows"), pytest.param(4, id="blocks-and-rows")]
)
def test_pages_agree_with_a_plain_search(
    history: History, monkeypatch: pytest.MonkeyPatch, least_packed: int
) -> None:
    # So few are looked at that pages end early.
    monkeypatch.setattr(reader, "MOST_LOOKED_AT", 7)
    monkeypatch.setattr(packed, "MOST_UNPACKED", 2)
    monkeypatch.setattr(packed, "MOST_UNPACKED_OF_TAIL", 2)
    monkeypatch.setattr(packing, "LEAST_PACKED", least_packed)
    monkeypatch.setattr(packing, "MOST_PACKED", 9)
    monkeypatch.setattr(packing, "SPAN_MS", 12)
    chance = random.Random(7)
    written = [_any_attempt(chance) for _ in range(200)]
    begin = 0
    while begin < len(written):
        number = chance.choice([1, 3, 30, 60])
        history.write(*written[begin : begin + number])
        begin += number
    for sight in (EVERYTHING, Sight(party=ALICE), Sight(party=ALICES_USER), Sight(party=BOB)):
        for wanted in _WANTED:
            for refused_only in (False, True):
                expected = [
                    one.at_ms
                    for one in written
                    if _is_seen(sight, one) and _is_wanted(one, wanted, refused_only=refused_only)
                ]
                expected.sort(reverse=True)
                found = history.instants(sight, limit=5, refused_only=refused_only, **wanted)
                assert found == expected, (sight, wanted, refused_only)
                told = _whole_tail(history, sight, refused_only=refused_only, **wanted)
                assert sorted(told, reverse=True) == expected, (sight, wanted, refused_only)


def _any_attempt(chance: random.Random) -> Attempt:
    return attempt(
        chance.randrange(50),
        signer=chance.choice(["A", "B", "C"]),
        party=chance.choice([ALICE, ALICES_USER, BOB]),
        owner=chance.choice([ALICE, BOB]),
        bucket=chance.choice(["x", "y"]),
        key=chance.choice(["a/1", "a/2", "b", None]),
        status=chance.choice([200, 206]),
        error=chance.choice([None, None, "AccessDenied"]),
    )


def _whole_tail(history: History, sight: Sight, **wanted: Any) -> list[int]:
    told: list[int] = []
    last_id, place = 0, -1
    while last_id != place:
        place = last_id
        entries, last_id = history.tail(sight, place, **wanted)
        assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
        told += [entry.attempt.at_ms for entry in entries]
    return told


_WANTED: list[dict[str, Any]] = [
    {},
    {"signer": "A"},
    {"bucket": "x"},
    {"bucket": "y", "prefix": "a/"},
    {"signer": "B", "bucket": "y"},
    {"status": 206},
]


def _is_seen(sight: Sight, one: Attempt) -> bool:
    if sight.is_all or sight.party == one.party:
        return True
    return not sight.party.user and sight.party in (Party(one.party.account), one.owner)


def _is_wanted(one: Attempt, wanted: dict[str, Any], *, refused_only: bool) -> bool:
    return (
        wanted.get("signer", one.signer) == one.signer
        and wanted.get("bucket", one.bucket) == one.bucket
        and wanted.get("status", one.status) == one.status
        and ("prefix" not in wanted or (one.key or "").startswith(wanted["prefix"]))
        and (not refused_only or one.error is not None)
    )


def test_the_tail_begins_now_and_goes_on(history: History) -> None:
    history.write(attempt(1))
    nothing, place = history.tail(EVERYTHING, None)
    assert nothing == []
    history.write(attempt(3), attempt(2, signer="VKL1"))
    entries, place = history.tail(EVERYTHING, place)
    assert [entry.attempt.at_ms for entry in entries] == [3, 2]
    assert history.tail(EVERYTHING, place) == ([], place)
    assert [entry.attempt.at_ms for entry in history.tail(EVERYTHING, 0, signer="VKL1")[0]] == [2]


def test_a_user_of_an_earlier_users_name_is_told_nothing_of_that_ones(history: History) -> None:
    old = [attempt(at, party=ALICES_USER) for at in range(packing.LEAST_PACKED)]
    history.write(*old, attempt(5, party=ALICES_USER, error="AccessDenied"))
    history.write(attempt(200, party=ALICES_USER))
    sight = Sight(party=ALICES_USER, since_ms=100)
    assert history.instants(sight) == [200]
    assert [entry.attempt.at_ms for entry in history.tail(sight, 0)[0]] == [200]


def test_the_file_is_private(history: History) -> None:
    history.write(attempt(1))
    for path in history.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_what_is_too_old_is_forgotten(history: History) -> None:
    history.write(*[attempt(at) for at in range(10)])
    assert retention.trim(history.folder, before_ms=4, most_bytes=2**40) == 4
    assert history.instants() == [9, 8, 7, 6, 5, 4]


def test_the_oldest_are_forgotten_beyond_the_size(history: History) -> None:
    for begin in range(0, 20_000, 5000):
        history.write(*[attempt(at, key=f"{at:0400}") for at in range(begin, begin + 5000)])
    most_bytes = 4 * 1024 * 1024
    removed = retention.trim(history.folder, before_ms=0, most_bytes=most_bytes)
    assert 0 < removed < 20_000
    connection = file.open_reader(history.folder)
    assert most_bytes / 2 < retention.used_bytes(connection) <= most_bytes
    connection.close()
    assert history.page(limit=1).entries[0].attempt.at_ms == 19_999
    assert history.page(after=Place(removed, 0)).entries == []


def test_one_process_trims_at_a_time(history: History) -> None:
    history.write(attempt(1))
    with file.take_trim_lock(history.folder) as is_ours:
        assert is_ours
        assert retention.trim(history.folder, before_ms=10, most_bytes=2**40) == 0
    assert retention.trim(history.folder, before_ms=10, most_bytes=2**40) == 1


def test_trimming_ends_when_it_is_told_to(history: History) -> None:
    history.write(*[attempt(number) for number in range(10_000)])
    told = iter([True, False])
    removed = retention.trim(history.folder, before_ms=2**40, most_bytes=0, goes_on=lambda: next(told))
    assert 0 < removed < 10_000


def test_who_starts_does_not_wait_for_who_trims(history: History) -> None:
    starting = Thread(target=file.prepare, args=(history.folder,))
    with file.take_trim_lock(history.folder) as is_ours:
        assert is_ours
        starting.start()
        starting.join(20)
        assert not starting.is_alive()


def test_a_later_format_is_refused(history: History) -> None:
    connection = sqlite3.connect(history.folder / file.FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NewerFormatError, match="format 99"):
        file.prepare(history.folder)
