"""The ledger: exact counts, several doors to one folder, and what each learns of the other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.links.stock import ALICE, BOB, CAROL, NOW_MS, OF_ALICE, download, link

from valetkey.links import (
    Ledger,
    LedgerClosedError,
    LedgerFailedError,
    LinkRefusedError,
    NoSuchLinkError,
    Rule,
    changes,
    use_writer,
)
from valetkey.links.model import RESUME_MS, Cutoff, Download, LinkFilter, Place, Spent, State
from valetkey.links.schema import FILE_NAME, open_log_writer


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = Ledger.open(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def other(ledger: Ledger, tmp_path: Path) -> AsyncIterator[Ledger]:
    """Another process's door to the same folder."""
    opened = Ledger.open(tmp_path)
    yield opened
    await opened.close()


async def uses_of(ledger: Ledger) -> int:
    return (await ledger.get("VKLONE", OF_ALICE)).usage.uses


def spend(ledger: Ledger, what: Download, *, now_ms: int) -> Awaitable[Spent]:
    found = ledger.find("VKLONE")
    assert found is not None
    return ledger.spend_download(found, what, now_ms=now_ms)


async def test_a_link_comes_back_as_it_was_made(ledger: Ledger) -> None:
    made = link(label="Straße", tags={"a": "b"}, addresses=("10.0.0.0/8",))
    await ledger.add([made])
    assert ledger.find("VKLONE") == made
    assert ledger.find("VKLTWO") is None


async def test_a_link_for_n_uses_is_used_n_times_over_two_doors(ledger: Ledger, other: Ledger) -> None:
    await ledger.add([link(max_uses=10)])
    asked = [spend(door, download(), now_ms=NOW_MS) for _ in range(50) for door in (ledger, other)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Spent) for answer in answers) == 10
    refused = [answer.rule for answer in answers if isinstance(answer, LinkRefusedError)]
    assert refused == [Rule.USED_UP] * 90
    assert await uses_of(other) == 10


async def test_thousands_at_once_are_counted_by_an_sqlite_as_it_is_mostly_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_narrow(path: Path) -> tuple[sqlite3.Connection, int]:
        connection, log = open_log_writer(path)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        return connection, log

    monkeypatch.setattr(use_writer, "open_log_writer", open_narrow)
    opened = Ledger.open(tmp_path)
    await opened.add([link(max_uses=6000)])
    asked = [spend(opened, download(agent=str(number)), now_ms=NOW_MS) for number in range(6000)]
    assert all(isinstance(answer, Spent) for answer in await asyncio.gather(*asked))
    with pytest.raises(LinkRefusedError):
        await spend(opened, download(), now_ms=NOW_MS)
    assert await uses_of(opened) == 6000
    await opened.close()


async def test_uploads_spend_uses_and_objects(ledger: Ledger) -> None:
    await ledger.add([link(max_objects=2)])
    for _ in range(2):
        ledger.require_left("VKLONE", now_ms=NOW_MS)
        await ledger.spend_upload("VKLONE", objects=1, now_ms=NOW_MS)
    with pytest.raises(LinkRefusedError):
        ledger.require_left("VKLONE", now_ms=NOW_MS)
    with pytest.raises(LinkRefusedError):
        await ledger.spend_upload("VKLONE", objects=1, now_ms=NOW_MS)
    # A deletion stores none.
    await ledger.spend_upload("VKLONE", objects=0, now_ms=NOW_MS)
    usage = (await ledger.get("VKLONE", OF_ALICE)).usage
    assert (usage.uses, usage.objects) == (3, 2)


async def test_bytes_are_counted_before_they_flow(ledger: Ledger) -> None:
    await ledger.add([link(max_bytes=250)])
    first = await spend(ledger, download(), now_ms=NOW_MS)
    await spend(ledger, download(), now_ms=NOW_MS)
    with pytest.raises(LinkRefusedError) as refused:
        await spend(ledger, download(), now_ms=NOW_MS)
    assert refused.value.rule is Rule.BYTES_USED_UP
    # Half of the first never went out.
    ledger.give_back(first, bytes_sent=50)
    await spend(ledger, download(), now_ms=NOW_MS)


async def test_the_same_client_goes_on_by_ranges(ledger: Ledger) -> None:
    await ledger.add([link(max_uses=1)])
    await spend(ledger, download(), now_ms=NOW_MS)
    part = download(60, is_range=True)
    assert (await spend(ledger, part, now_ms=NOW_MS + RESUME_MS - 1)).uses == 0
    for refused in (
        part._replace(length=41),  # more than twice the object's size in all
        part._replace(length=10, etag="e2"),  # another content
        part._replace(length=10, client=download(agent="wget").client),
        part._replace(length=10, key="other"),
        part._replace(length=10, is_range=False),
    ):
        with pytest.raises(LinkRefusedError):
            await spend(ledger, refused, now_ms=NOW_MS + 1)
    with pytest.raises(LinkRefusedError):
        await spend(ledger, part._replace(length=10), now_ms=NOW_MS + RESUME_MS)
    assert await uses_of(ledger) == 1


async def test_a_use_that_was_given_back_can_be_spent_once(ledger: Ledger) -> None:
    await ledger.add([link(max_uses=1)])
    spent = await spend(ledger, download(), now_ms=NOW_MS)
    ledger.give_back(spent, uses=1, bytes_sent=100)
    # Nobody goes on with what was none.
    again = await spend(ledger, download(10, is_range=True), now_ms=NOW_MS)
    assert again.uses == 1
    with pytest.raises(LinkRefusedError):
        await spend(ledger, download(), now_ms=NOW_MS)


async def test_revoking_is_seen_by_every_door_at_once(ledger: Ledger, other: Ledger) -> None:
    await ledger.add([link(max_uses=5)])
    before = other.find("VKLONE")
    assert before is not None
    assert other.find("VKLONE") is before
    await ledger.set_state("VKLONE", OF_ALICE, State.REVOKED)
    after = other.find("VKLONE")
    assert after is not None
    assert after.state is State.REVOKED
    with pytest.raises(LinkRefusedError) as refused:
        await spend(other, download(), now_ms=NOW_MS)
    assert refused.value.rule is Rule.REVOKED


async def test_what_is_revoked_stays_so(ledger: Ledger) -> None:
    await ledger.add([link()])
    await ledger.set_state("VKLONE", OF_ALICE, State.PAUSED)
    assert (await ledger.set_state("VKLONE", OF_ALICE, State.ACTIVE)).state is State.ACTIVE
    await ledger.set_state("VKLONE", OF_ALICE, State.REVOKED)
    for state in (State.ACTIVE, State.PAUSED):
        assert (await ledger.set_state("VKLONE", OF_ALICE, state)).state is State.REVOKED


@pytest.mark.parametrize(
    ("meant", "ids"),
    [
        pytest.param(OF_ALICE, {"VKL1", "VKL2", "VKL3"}, id="an account's"),
        pytest.param(replace(OF_ALICE, user="AIDACAROL"), {"VKL3"}, id="a user's"),
        pytest.param(replace(OF_ALICE, bucket="bucket"), {"VKL1", "VKL3"}, id="bucket"),
        pytest.param(replace(OF_ALICE, prefix="dir/"), {"VKL1"}, id="prefix"),
        pytest.param(replace(OF_ALICE, label="team"), {"VKL2"}, id="label"),
        pytest.param(replace(OF_ALICE, tag=("a", "b")), {"VKL2", "VKL3"}, id="tag"),
        pytest.param(replace(OF_ALICE, tag=("a", "b"), label="team"), {"VKL2"}, id="tag and label"),
        pytest.param(replace(OF_ALICE, access_key="CAROLKEY"), {"VKL3"}, id="issuer's key"),
        pytest.param(replace(OF_ALICE, prefix="%"), set(), id="no wildcard"),
        pytest.param(LinkFilter(account_id=BOB.account_id), {"VKL4"}, id="another's"),
    ],
)
async def test_a_filter_means_all_that_it_says(ledger: Ledger, meant: LinkFilter, ids: set[str]) -> None:
    await ledger.add(
        [
            link("VKL1", key="dir/a"),
            link("VKL2", bucket="other", label="team", tags={"a": "b"}),
            link("VKL3", issuer=CAROL, tags={"a": "b", "c": "d"}),
            link("VKL4", issuer=BOB, key="dir/a", label="team", tags={"a": "b"}),
        ]
    )
    found, _ = await ledger.list(meant, limit=10)
    assert {each.id for each in found} == ids
    assert await ledger.set_states(meant, State.REVOKED) == len(ids)
    for link_id in ("VKL1", "VKL2", "VKL3", "VKL4"):
        known = ledger.find(link_id)
        assert known is not None
        assert (known.state is State.REVOKED) == (link_id in ids)


async def test_pages_hold_every_link_once_newest_first(ledger: Ledger) -> None:
    await ledger.add([link(f"VKL{number}") for number in range(25)])
    seen: list[str] = []
    place: Place | None = None
    while True:
        page, place = await ledger.list(OF_ALICE, after=place, limit=10)
        seen += [each.id for each in page]
        if place is None:
            break
    assert seen == [f"VKL{number}" for number in reversed(range(25))]


async def test_links_to_a_prefix_come_in_the_order_of_their_keys(ledger: Ledger) -> None:
    keys = ["dir/b", "dir/a", "dir/a", "dirs", "dir/ü", "dir/c"]
    await ledger.add([link(f"VKL{number}", key=key) for number, key in enumerate(keys)])
    seen: list[str] = []
    place: Place | None = None
    meant = replace(OF_ALICE, bucket="bucket", prefix="dir/")
    while True:
        page, place = await ledger.list(meant, after=place, limit=2)
        seen += [each.id for each in page]
        if place is None:
            break
    assert seen == ["VKL1", "VKL2", "VKL0", "VKL5", "VKL4"]


async def test_nobody_reaches_a_link_of_somebody_else(ledger: Ledger) -> None:
    await ledger.add([link()])
    for meant in (LinkFilter(account_id=BOB.account_id), replace(OF_ALICE, user="AIDACAROL")):
        with pytest.raises(NoSuchLinkError):
            await ledger.get("VKLONE", meant)
        with pytest.raises(NoSuchLinkError):
            await ledger.set_state("VKLONE", meant, State.REVOKED)
        with pytest.raises(NoSuchLinkError):
            await ledger.alter("VKLONE", meant, lambda grant: grant)
        with pytest.raises(NoSuchLinkError):
            await ledger.remove("VKLONE", meant)
    known = ledger.find("VKLONE")
    assert known is not None
    assert known.state is State.ACTIVE


async def test_an_altered_grant_counts_at_once_and_keeps_what_was_spent(
    ledger: Ledger, other: Ledger
) -> None:
    await ledger.add([link(max_uses=1, tags={"a": "b"})])
    await spend(ledger, download(), now_ms=NOW_MS)
    altered = await other.alter("VKLONE", OF_ALICE, lambda grant: replace(grant, max_uses=2, tags={"c": "d"}))
    assert (altered.usage.uses, altered.grant.max_uses) == (1, 2)
    await spend(ledger, download(), now_ms=NOW_MS)
    assert (await ledger.list(replace(OF_ALICE, tag=("a", "b")), limit=9))[0] == []
    assert len((await ledger.list(replace(OF_ALICE, tag=("c", "d")), limit=9))[0]) == 1


async def test_a_link_that_is_removed_is_nobodys(ledger: Ledger, other: Ledger) -> None:
    await ledger.add([link(tags={"a": "b"})])
    before = other.find("VKLONE")
    assert before is not None
    await ledger.remove("VKLONE", OF_ALICE)
    assert other.find("VKLONE") is None
    with pytest.raises(NoSuchLinkError):
        await other.spend_download(before, download(), now_ms=NOW_MS)


async def test_what_was_noted_is_there_after_a_flush(ledger: Ledger, other: Ledger) -> None:
    await ledger.add([link()])
    for _ in range(3):
        ledger.note("VKLONE", now_ms=NOW_MS, uses=1, bytes_sent=7)
    ledger.flush()
    usage = (await ledger.get("VKLONE", OF_ALICE)).usage
    assert (usage.uses, usage.bytes_sent, usage.last_used_ms) == (3, 21, NOW_MS)
    assert await uses_of(other) == 3


async def test_what_many_links_have_done_is_noted_of_each(ledger: Ledger) -> None:
    await ledger.add([link(f"VKL{number}") for number in range(600)])
    for number in range(600):
        ledger.note_sent(f"VKL{number}", NOW_MS + number, number)
        ledger.note_sent(f"VKL{number}", NOW_MS, 1)
    ledger.note_sent("VKL0", NOW_MS + 1, -1)
    ledger.flush()
    for number in (0, 255, 256, 511, 512, 599):
        usage = (await ledger.get(f"VKL{number}", OF_ALICE)).usage
        assert (usage.uses, usage.bytes_sent, usage.last_used_ms) == (2, number + 1, NOW_MS + number)


async def test_revocations_of_ordinary_urls_are_seen_by_every_door(ledger: Ledger, other: Ledger) -> None:
    assert not other.revocations(now_ms=NOW_MS)
    await ledger.revoke_signature(b"d" * 32, account_id=ALICE.account_id, now_ms=NOW_MS, ends_ms=NOW_MS + 5)
    cutoff = Cutoff(
        id="1",
        account_id=ALICE.account_id,
        access_key="ALICEKEY",
        bucket=None,
        key=None,
        is_prefix=False,
        before_ms=NOW_MS,
        created_ms=NOW_MS,
    )
    await ledger.add_cutoff(cutoff)
    known = other.revocations(now_ms=NOW_MS)
    assert known.signatures == {b"d" * 32}
    assert [*known.cutoffs.values()] == [[cutoff]]
    with pytest.raises(NoSuchLinkError):
        await ledger.remove_cutoff("1", account_id=BOB.account_id)
    await ledger.remove_cutoff("1", account_id=ALICE.account_id)
    assert other.revocations(now_ms=NOW_MS).cutoffs == {}


async def test_a_sweep_forgets_what_is_over(ledger: Ledger) -> None:
    await ledger.add([link(max_uses=1)])
    await spend(ledger, download(), now_ms=NOW_MS)
    await ledger.revoke_signature(b"d" * 32, account_id=ALICE.account_id, now_ms=NOW_MS, ends_ms=NOW_MS + 5)
    await ledger.sweep(now_ms=NOW_MS + RESUME_MS + 1)
    with pytest.raises(LinkRefusedError):
        await spend(ledger, download(10, is_range=True), now_ms=NOW_MS + 1)


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
async def test_a_sweep_takes_a_few_at_a_time_and_leaves_what_is_not_over(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(changes, "_AT_ONCE", at_once)
    await ledger.add([link(max_uses=6)])
    for number in range(6):
        begun = download(agent=str(number))
        await spend(ledger, begun, now_ms=NOW_MS + number % 2 * RESUME_MS)
    await ledger.sweep(now_ms=NOW_MS + RESUME_MS + 1)
    for number in range(6):
        piece = download(10, is_range=True, agent=str(number))
        if number % 2:
            await spend(ledger, piece, now_ms=NOW_MS + RESUME_MS + 1)
        else:
            with pytest.raises(LinkRefusedError):
                await spend(ledger, piece, now_ms=NOW_MS + 1)


async def test_ids_that_are_taken_change_nothing(ledger: Ledger) -> None:
    await ledger.add([link()])
    with pytest.raises(LedgerFailedError):
        await ledger.add([link("VKLTWO"), link()])
    assert ledger.find("VKLTWO") is None


async def test_a_ledger_that_is_closed_says_so(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    await ledger.close()
    with pytest.raises(LedgerClosedError):
        ledger.find("VKLONE")
    with pytest.raises(LedgerClosedError):
        await ledger.add([link()])


@pytest.mark.usefixtures("other")
def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes[FILE_NAME] == 0o600
    assert all(mode == 0o600 for mode in modes.values()), modes


async def test_a_ledger_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    await Ledger.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerFailedError, match="newer version"):
        Ledger.open(tmp_path)
