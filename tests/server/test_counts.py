"""Workers count into files of their own; the sum is of all, and outlives them."""

from __future__ import annotations

from pathlib import Path

from valetkey.server.counts import ADMIN, OTHER, Counts, begin_counts
from valetkey.server.metrics import Metrics


def count(
    counts: Counts, operation: str | None = "GetObject", status: int = 200, error: str | None = None
) -> None:
    counts.note(operation, status, error, duration_ns=3_000_000, received_bytes=1, sent_bytes=10)


def test_the_sum_is_of_all_workers_and_outlives_them(tmp_path: Path) -> None:
    first, second = Counts(tmp_path), Counts(tmp_path)
    count(first)
    count(first, status=404, error="NoSuchKey")
    first.close()
    count(second)
    tally = second.sum()
    second.close()
    assert (tally.requests("GetObject", "2xx"), tally.requests("GetObject", "4xx")) == (2, 1)
    assert (tally.refusals("NoSuchKey"), tally.failures("NoSuchKey")) == (1, 0)
    assert (tally.received_bytes, tally.sent_bytes) == (3, 30)


def test_a_client_that_has_gone_is_a_class_of_its_own(tmp_path: Path) -> None:
    counts = Counts(tmp_path)
    count(counts, status=0)
    assert counts.sum().requests("GetObject", "gone") == 1
    counts.close()


def test_what_has_no_name_is_counted_as_other(tmp_path: Path) -> None:
    counts = Counts(tmp_path)
    count(counts, operation=None)
    count(counts, operation="Chosen\nByAClient", status=400, error="ChosenToo")
    count(counts, operation=ADMIN)
    tally = counts.sum()
    counts.close()
    assert tally.requests(OTHER, "2xx") == tally.requests(OTHER, "4xx") == tally.requests(ADMIN, "2xx") == 1
    assert tally.refusals(OTHER) == 1


def test_times_lie_in_buckets(tmp_path: Path) -> None:
    counts = Counts(tmp_path)
    for duration_ns in (1_000_000, 1_000_001, 30_000_000_000):
        counts.note("PutObject", 200, None, duration_ns=duration_ns, received_bytes=0, sent_bytes=0)
    below, seconds = counts.sum().latency("PutObject")
    counts.close()
    assert below[:2] == [1, 2]
    assert below[-2:] == [2, 3]
    assert abs(seconds - 30.002000001) < 1e-9


def test_a_new_run_begins_at_nothing(tmp_path: Path) -> None:
    counts = Counts(tmp_path)
    count(counts)
    counts.close()
    begin_counts(tmp_path)
    counts = Counts(tmp_path)
    assert counts.sum().requests("GetObject", "2xx") == 0
    counts.close()


def test_the_text_is_prometheus_own(tmp_path: Path) -> None:
    counts = Counts(tmp_path)
    count(counts)
    count(counts, status=500, error="InternalError")
    counts.set_lost(7)
    lines = Metrics(counts, active_links=lambda: 3).text().decode().splitlines()
    counts.close()
    for line in (
        'valetkey_requests_total{operation="GetObject",status="2xx"} 1.0',
        'valetkey_failures_total{code="InternalError"} 1.0',
        'valetkey_request_seconds_bucket{le="0.0025",operation="GetObject"} 0.0',
        'valetkey_request_seconds_bucket{le="0.005",operation="GetObject"} 2.0',
        'valetkey_request_seconds_count{operation="GetObject"} 2.0',
        "valetkey_received_bytes_total 2.0",
        "valetkey_lost_attempts_total 7.0",
        "valetkey_active_links 3.0",
    ):
        assert line in lines
