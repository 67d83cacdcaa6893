"""Instants in ISO 8601, to the millisecond, as documents and headers of clients hold them.

`dates` writes whole seconds, as listings do; what a client set to the millisecond comes back so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

FIRST_MS: Final = -62_135_596_800_000
"""The first millisecond of the year 1, before which no date can be written."""
LAST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999: no date after it can be written."""

_FORM: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def instant_text(ms: int) -> str:
    """Return `ms` as S3 writes it: `2030-01-01T00:00:00.000Z`."""
    at = _EPOCH + timedelta(milliseconds=ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z".rjust(24, "0")


def parse_instant(text: str) -> int | None:
    """Return the instant that `text` names, in ms since the epoch, or None if it names none.

    A date alone is its first moment, a time without a zone is in UTC, and what is below a millisecond is cut off.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    date, time, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{date}T{time or '00:00:00'}")
        seconds = (at.replace(tzinfo=_zone(zone)) - _EPOCH) // _SECOND
    except (ValueError, OverflowError):
        return None
    ms = seconds * 1000 + (int(fraction[:3].ljust(3, "0")) if fraction else 0)
    return ms if FIRST_MS <= ms <= LAST_MS else None


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
