"""The spelling of an instant that SigV4 uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from valetkey.sigv4.errors import MisuseError

MAX_SKEW: Final = timedelta(minutes=15)
"""How far a signer's clock may be from ours. S3: MaxAllowedSkewMilliseconds 900000."""


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


def to_amz_date(at: datetime) -> str:
    """Return `at`, which is in UTC, as `yyyyMMdd'T'HHmmss'Z'`; fractions of a second are dropped."""
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def after(start: datetime, lifetime: timedelta) -> datetime:
    """Return `start + lifetime`, or the last instant there is if that lies beyond it."""
    try:
        return start + lifetime
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
