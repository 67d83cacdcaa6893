"""The numbers in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from valetkey.server.counts import BOUNDS_S, CLASSES, CODES, OPERATION_NAMES, Counts, Tally

__all__ = ["CONTENT_TYPE", "Metrics"]


class Metrics(Collector):
    """What all workers have counted, as Prometheus asks for it."""

    def __init__(self, counts: Counts, *, active_links: Callable[[], int] | None = None) -> None:
        """`active_links` says how many managed links work at this moment."""
        self._counts = counts
        self._active_links = active_links
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return all of it. Reads a file for each worker, of some tens of kilobytes."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Return nothing: the names are known to be distinct."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield what is told. Operations and codes that never occurred are left out."""
        tally = self._counts.sum()
        yield _requests(tally)
        yield _latency(tally)
        yield _by_code("valetkey_refusals", "Requests that were refused, by S3's code.", tally.refusals)
        yield _by_code("valetkey_failures", "Requests that failed on our side, by S3's code.", tally.failures)
        yield CounterMetricFamily(
            "valetkey_received_bytes", "Bytes of requests' bodies.", value=tally.received_bytes
        )
        yield CounterMetricFamily("valetkey_sent_bytes", "Bytes of answers' bodies.", value=tally.sent_bytes)
        yield CounterMetricFamily(
            "valetkey_lost_attempts",
            "Attempts that could not be written into the history.",
            value=tally.lost_attempts,
        )
        if self._active_links is not None:
            yield GaugeMetricFamily(
                "valetkey_active_links", "Managed links that work now.", value=self._active_links()
            )


def _requests(tally: Tally) -> Metric:
    family = CounterMetricFamily(
        "valetkey_requests", "Requests by operation and class of status.", labels=("operation", "status")
    )
    for operation in OPERATION_NAMES:
        for status_class in CLASSES:
            if number := tally.requests(operation, status_class):
                family.add_metric((operation, status_class), number)
    return family


def _latency(tally: Tally) -> Metric:
    family = HistogramMetricFamily(
        "valetkey_request_seconds", "Time from a request's head to its answer's end.", labels=("operation",)
    )
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    for operation in OPERATION_NAMES:
        below, seconds = tally.latency(operation)
        if below[-1]:
            family.add_metric((operation,), list(zip(bounds, below, strict=True)), seconds)
    return family


def _by_code(name: str, text: str, number_of: Callable[[str], int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=("code",))
    for code in CODES:
        if number := number_of(code):
            family.add_metric((code,), number)
    return family
