"""Instants as S3 writes and reads them. Elsewhere they are whole milliseconds since the epoch, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# The three forms that RFC 9110, section 5.6.7, tells a recipient to accept. The name of the day is not
# compared.
_TIME: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_MONTH: Final = rf"(?P<month>{'|'.join(_MONTHS)})"
_FORMS: Final = (
    re.compile(rf"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    re.compile(rf"[A-Z][a-z]{{5,8}}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)


def http_date(ms: int) -> str:
    """Return `ms` as HTTP writes it: `Wed, 21 Oct 2015 07:28:00 GMT`. What is below a second is cut off."""
    return _http_date(ms // 1000)


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    # Not strftime, whose names follow the process's locale.
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} GMT"
    )


def iso_date(ms: int) -> str:
    """Return `ms` as S3's XML writes it: `2015-10-21T07:28:00.000Z`.

    S3 keeps whole seconds, and clients compare this with `Last-Modified`; so what is below a second is cut
    off.
    """
    minutes, second = divmod(ms // 1000, 60)
    return _iso_minute(minutes) + _ISO_SECONDS[second]


_ISO_SECONDS: Final = tuple(f"{second:02}.000Z" for second in range(60))


# The thousand entries of a listing have many instants, but fewer minutes, and few days.
@lru_cache(maxsize=2048)
def _iso_minute(minutes: int) -> str:
    """Return all but the second of the minute that begins so many minutes after 1970-01-01."""
    days, minute = divmod(minutes, 1440)
    return f"{_iso_day(days)}T{minute // 60:02}:{minute % 60:02}:"


@lru_cache(maxsize=512)
def _iso_day(days: int) -> str:
    """Return the day that begins so many days after 1970-01-01."""
    return datetime.fromtimestamp(days * 86_400, UTC).strftime("%Y-%m-%d")


def parse_http_date(text: str) -> int | None:
    """Return the instant that a header names, or None if it names none: such a header is ignored.

    Source: RFC 9110, section 5.6.7, with its two obsolete forms.
    """
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found is not None:
            return _instant(found)
    return None


def _instant(found: re.Match[str]) -> int | None:
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    try:
        at = datetime(
            year,
            _MONTHS.index(found["month"]) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(at.timestamp()) * 1000
