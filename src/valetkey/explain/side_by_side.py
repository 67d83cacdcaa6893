"""Two canonical requests beside each other, with what differs marked, and nothing secret in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

_SECRET: Final = re.compile(
    r"((?:security-token|session-token|signature|customer-key|authorization|cookie|password|\bsig)"
    r"(?:[=:]|%(?:25)*3[da]))[^&\n]*",
    re.IGNORECASE,
)
_MOST_CHARS: Final = 16 * 1024
_MOST_LINES: Final = 200


class Row(NamedTuple):
    """One line of both; None where one of them has none."""

    received: str | None
    signed: str | None

    @property
    def differs(self) -> bool:
        return self.received != self.signed


def side_by_side(received: bytes, signed: bytes) -> tuple[Row, ...]:
    """Return the lines of both texts, the query with a line for each parameter."""
    left, right = _sections(received), _sections(signed)
    return tuple(row for ours, theirs in zip(left, right, strict=True) for row in _rows(ours, theirs))


def redacted(text: str) -> str:
    """Return `text` without the values of tokens, signatures and keys."""
    return _SECRET.sub(r"\1…", text)


def _sections(canonical: bytes) -> tuple[list[str], list[str], list[str]]:
    """Return the lines before the query, the query's parameters, and the lines after it."""
    lines = redacted(canonical.decode("utf-8", "replace")[:_MOST_CHARS]).split("\n")
    first, *others = (lines[2:3] or [""])[0].split("&")
    query = [first, *(f"&{other}" for other in others[:_MOST_LINES])]
    return lines[:2], query, lines[3 : 3 + _MOST_LINES]


def _rows(left: list[str], right: list[str]) -> Iterator[Row]:
    for kind, left_at, left_end, right_at, right_end in SequenceMatcher(
        None, left, right, autojunk=False
    ).get_opcodes():
        ours, theirs = left[left_at:left_end], right[right_at:right_end]
        if kind == "equal":
            yield from (Row(line, line) for line in ours)
            continue
        for at in range(max(len(ours), len(theirs))):
            yield Row(
                ours[at] if at < len(ours) else None,
                theirs[at] if at < len(theirs) else None,
            )
