"""The spelling of an instant that the header Date uses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HTTP_DATE: Final = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|([+-])([0-9]{2})([0-9]{2}))"
)


def parse_http_date(text: str) -> datetime | None:
    """Return the instant that an HTTP date names, with GMT or a numeric offset; None for any other form.

    One before 1970 is none, as S3 has it.

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
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if instant >= _EPOCH else None
