"""The two spellings of an instant that signatures use."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from valetkey.sigv4.errors import MisuseError

MAX_SKEW: Final = timedelta(minutes=15)
"""How far a signer's clock may be from ours. S3: MaxAllowedSkewMilliseconds 900000."""

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_HTTP_DATE: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|([+-])([0-9]{2})([0-9]{2}))"
)


def require_aware(at: datetime, *, name: str) -> None:
    """Refuse an instant without offset.

    Raises:
        MisuseError: `at` is naive, so that it names no instant.
    """
    if at.tzinfo is None:
        raise MisuseError(f"{name} is a naive datetime; give it a time zone, as in datetime.now(UTC)")


def parse_amz_date(text: str) -> datetime | None:
    """Return the instant that `yyyyMMdd'T'HHmmss'Z'` names, or None for any other form."""
    if len(text) != 16 or text[8] != "T" or text[15] != "Z":
        return None
    digits = text[:8] + text[9:15]
    # fromisoformat of later Pythons reads 24:00:00 as the next day's midnight.
    if not (digits.isascii() and digits.isdigit()) or text[9:11] == "24":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse_http_date(text: str) -> datetime | None:
    """Return the instant that an HTTP date names, with GMT or a numeric offset; None for any other form.

    Source: RFC 9110, section 5.6.7 (IMF-fixdate), with the offsets of RFC 5322 that SigV2 clients send.
    """
    found = _HTTP_DATE.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        return None
    day, _, year, hour, minute, second, sign, offset_hours, offset_minutes = found.groups()
    try:
        offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        local = datetime(
            int(year), _MONTHS[found[2]], int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_amz_date(at: datetime) -> str:
    """Return `at`, which is in UTC, as `yyyyMMdd'T'HHmmss'Z'`; fractions of a second are dropped."""
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def after(start: datetime, lifetime: timedelta) -> datetime:
    """Return `start + lifetime`, or the last instant there is if that lies beyond it."""
    try:
        return start + lifetime
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
