"""Refusals are counted by address, forgotten with time, and take up bounded memory."""

from __future__ import annotations

from valetkey.gateway.call import Answer
from valetkey.server.gatekeeper import MOST_ADDRESSES, Refusals, gatekeeper
from valetkey.server.settings import load_settings


def test_so_many_at_once_and_then_one_after_another() -> None:
    refusals = Refusals(6)
    for _ in range(6):
        assert refusals.wait_s("192.0.2.1", 100.0) == 0
        refusals.note("192.0.2.1", 100.0)
    assert refusals.wait_s("192.0.2.1", 100.0) == 10
    assert refusals.wait_s("192.0.2.1", 104.5) == 6
    assert refusals.wait_s("192.0.2.1", 110.0) == 0
    refusals.note("192.0.2.1", 110.0)
    assert refusals.wait_s("192.0.2.1", 110.0) == 10
    assert refusals.wait_s("192.0.2.1", 1000.0) == 0


def test_no_address_pays_for_another() -> None:
    refusals = Refusals(1)
    refusals.note("192.0.2.1", 0.0)
    assert refusals.wait_s("192.0.2.1", 0.0) == 60
    assert refusals.wait_s("192.0.2.2", 0.0) == 0


def test_all_addresses_of_a_64_are_one() -> None:
    refusals = Refusals(1)
    refusals.note("2001:db8:0:1::1", 0.0)
    assert refusals.wait_s("2001:db8:0:1:ffff:ffff:ffff:ffff", 0.0) == 60
    assert refusals.wait_s("2001:db8:0:2::1", 0.0) == 0


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    refusals = Refusals(1)
    refusals.note("192.0.2.1", 50.0)
    assert refusals.wait_s("192.0.2.1", 20.0) == 60


def test_memory_is_bounded_and_the_latest_are_kept() -> None:
    refusals = Refusals(1)
    for number in range(MOST_ADDRESSES + 10):
        refusals.note(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(refusals._spells) == MOST_ADDRESSES
    assert refusals.wait_s("10.0.0.0", 0.0) == 0
    assert refusals.wait_s(f"10.0.{MOST_ADDRESSES >> 8}.9", 0.0) == 60


def test_nobody_stands_at_the_door_unless_asked_for() -> None:
    assert gatekeeper(load_settings({}, {})) is None


def test_workers_share_the_limit() -> None:
    found = gatekeeper(load_settings({"workers": "4"}, {"VALETKEY_REFUSALS_PER_MINUTE": "10"}))
    assert found is not None
    for _ in range(3):
        assert found.turned_away("192.0.2.1", "GET", request_id="", host_id="", now_s=0.0) is None
        found.note("192.0.2.1", Answer(403, []), 0.0)
    answer = found.turned_away("192.0.2.1", "GET", request_id="", host_id="", now_s=0.0)
    assert answer is not None
    assert answer.status == 429
    assert (b"retry-after", b"20") in answer.headers


def test_only_refusals_count() -> None:
    found = gatekeeper(load_settings({}, {"VALETKEY_REFUSALS_PER_MINUTE": "1"}))
    assert found is not None
    for status in (200, 206, 304, 400, 404, 412, 416, 500, 503):
        found.note("192.0.2.1", Answer(status, []), 0.0)
    assert found.turned_away("192.0.2.1", "GET", request_id="", host_id="", now_s=0.0) is None
