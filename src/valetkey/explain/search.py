"""Trying, one after the other, what may have been signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

from valetkey.explain.change import Change, Hints
from valetkey.explain.changes_address import (
    addressing_changes,
    host_changes,
    key_encoding_changes,
    method_changes,
    prefix_changes,
)
from valetkey.explain.changes_headers import (
    content_type_changes,
    header_changes,
    payload_changes,
    scope_changes,
    secret_changes,
)
from valetkey.explain.changes_query import (
    date_changes,
    extra_changes,
    lifetime_changes,
    missing_changes,
    query_encoding_changes,
    token_changes,
)
from valetkey.explain.trial import Trial

MOST_SINGLE: Final = 1_000
MOST_PAIRS: Final = 6_000
"""About a tenth of a second."""
MOST_TARGET_BYTES: Final = 8192
_USUAL_BYTES: Final = 4096
"""A request of this length is tried in about 20 µs."""
_PART_BYTES: Final = 64
"""One more parameter takes as long as so many bytes."""
_MOST_OF_A_KIND: Final = 40
"""Of the changes of one kind, as many are tried together with others."""

_SOURCES: Final[tuple[Callable[[Trial, Hints], Iterator[Change]], ...]] = (
    method_changes,
    date_changes,
    token_changes,
    extra_changes,
    content_type_changes,
    host_changes,
    addressing_changes,
    prefix_changes,
    key_encoding_changes,
    query_encoding_changes,
    secret_changes,
    payload_changes,
    header_changes,
    missing_changes,
    lifetime_changes,
    scope_changes,
)
"""The likeliest first."""


def find_changes(trial: Trial, hints: Hints, *, more: tuple[Change, ...] = ()) -> tuple[Change, ...] | None:
    """Return what must be changed for the signature to fit: nothing, one change or two; None if none of them do.

    `more` are changes that somebody has reason to believe in; they come first. At most 1,000 single changes
    and 6,000 pairs are tried, of a request whose target is longer than servers take it, none.
    """
    if trial.fits():
        return ()
    length = len(trial.path) + len(trial.query) + len(trial.signed_headers)
    if length > MOST_TARGET_BYTES:
        return None
    # Long requests, and those of many parts, take longer to try, so fewer changes are.
    parts = trial.query.count(b"&") + trial.signed_headers.count(b";")
    share = min(1.0, _USUAL_BYTES / (length + parts * _PART_BYTES + 1))
    most_single = max(100, int(MOST_SINGLE * share))
    sources = [list(islice(source(trial, hints), most_single)) for source in _SOURCES]
    singles = list(islice(chain(more, *sources), most_single))
    for change in singles:
        if change.apply(trial).fits():
            return (change,)
    return _find_pair(trial, [list(more), *sources], most=int(MOST_PAIRS * share))


def _find_pair(trial: Trial, sources: list[list[Change]], *, most: int) -> tuple[Change, ...] | None:
    likely = [change for source in sources for change in source[:_MOST_OF_A_KIND]]
    for first, second in islice(_pairs(likely), most):
        if second.apply(first.apply(trial)).fits():
            return (first, second)
    return None


def _pairs(changes: list[Change]) -> Iterator[tuple[Change, Change]]:
    """Yield changes of two parts, the likelier pairs first."""
    # Going along the diagonals, each change meets the first few of the others before any goes on.
    for total in range(1, 2 * len(changes)):
        for at in range(max(0, total - len(changes) + 1), (total + 1) // 2):
            first, second = changes[at], changes[total - at]
            if first.part is not second.part:
                yield first, second
