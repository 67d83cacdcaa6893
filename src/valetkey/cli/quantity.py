"""Sizes and instants as people type them."""

import re
from datetime import UTC, datetime
from typing import Final

from valetkey.cli.errors import BadInputError
from valetkey.cli.lifetime import parse_duration

_SIZE: Final = re.compile(r"(\d{1,15})\s*([KMGT]?)(I?)B?", re.ASCII)
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(flag: str, text: str) -> int:
    """Return the bytes that `text` names: `500`, `10MB` (of a thousand), `10MiB` (of 1,024).

    Raises:
        BadInputError: it is written otherwise.
    """
    match = _SIZE.fullmatch(text.strip().upper())
    if match is None or (match[3] and not match[2]):
        raise BadInputError(f"{flag} {text!r} is no size: write it as 500, 10MB or 10MiB")
    size: int = int(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2]]
    return size


def parse_moment(flag: str, text: str, *, now: datetime) -> datetime:
    """Return the instant that `text` names: `2026-12-24T18:00Z`, or `2h` for so long after `now`.

    Raises:
        BadInputError: it is written otherwise.
    """
    duration = parse_duration(text)
    try:
        if duration is not None:
            return now + duration
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInputError(
        f"{flag} {text!r} is no instant: write it as 2026-12-24T18:00Z, or 2h for in two hours"
    )
