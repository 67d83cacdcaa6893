"""Two canonical requests beside each other, with what differs marked, and nothing secret in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

_SECRET: Final = re.compile(
    r"((?:x-amz-security-token|x-goog-signature|x-amz-signature|customer-key|authorization|cookie|signature)[=:])[^&\n]*",
    re.IGNORECASE,
)
_MOST_CHARS: Final = 16 * 1024


class Row(NamedTuple):
    """One line of both; None where one of them has none."""

    received: str | None
    signed: str | None

    @property
    def differs(self) -> bool:
        return self.received != self.signed


def side_by_side(received: bytes, signed: bytes) -> tuple[Row, ...]:
    """Return the lines of both texts, the query with a line for each parameter."""
    left, right = _lines(received), _lines(signed)
    return tuple(_rows(left, right))


def redacted(text: str) -> str:
    """Return `text` without the values of tokens, signatures and keys."""
    return _SECRET.sub(r"\1…", text)


def _lines(canonical: bytes) -> list[str]:
    lines: list[str] = []
    text = redacted(canonical.decode("utf-8", "replace")[:_MOST_CHARS])
    for number, line in enumerate(text.split("\n")):
        if number == 2 and "&" in line:
            first, *others = line.split("&")
            lines += [first, *(f"&{other}" for other in others)]
        else:
            lines.append(line)
    return lines


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
