"""Lifetimes as people type them."""

import re
from datetime import timedelta
from typing import Final

from valetkey.cli.errors import BadInputError

MIN_LIFETIME: Final = timedelta(seconds=1)
MAX_LIFETIME: Final = timedelta(days=7)
"""Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", X-Amz-Expires."""

MAX_LINK_LIFETIME: Final = timedelta(days=3650)
"""Of a managed link."""

_LIFETIME: Final = re.compile(
    r"(?=.)(?:(?P<days>[0-9]{1,9})d)?(?:(?P<hours>[0-9]{1,9})h)?"
    r"(?:(?P<minutes>[0-9]{1,9})m)?(?:(?P<seconds>[0-9]{1,9})s?)?"
)


def parse_lifetime(text: str, *, most: timedelta = MAX_LIFETIME) -> timedelta:
    """Return the lifetime that `text` names: `30s`, `15m`, `2h`, `7d`, `1h30m` or plain seconds.

    Raises:
        BadInputError: it is not written so, or lies outside 1 second to `most` (both allowed).
    """
    lifetime = parse_duration(text)
    if lifetime is None:
        raise BadInputError(
            f"--expires {text!r} is no lifetime: write it as 30s, 15m, 2h, 7d or plain seconds"
        )
    if not MIN_LIFETIME <= lifetime <= most:
        whose = "S3 signatures allow" if most == MAX_LIFETIME else "links allow"
        raise BadInputError(f"--expires {text!r} is outside what {whose}: 1 second to {most.days} days")
    return lifetime


def parse_duration(text: str) -> timedelta | None:
    """Return the time that `text` names, written as above, or None if it is written otherwise."""
    match = _LIFETIME.fullmatch(text.strip().lower())
    if match is None:
        return None
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
