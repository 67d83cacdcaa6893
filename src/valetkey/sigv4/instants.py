"""The spelling of an instant that SigV4 uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
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


def signing_instant(at: datetime) -> datetime:
    """Return the whole second of `at` in UTC, from which a signature counts.

    Raises:
        MisuseError: `at` is naive, or at the very edge of the calendar.
    """
    require_aware(at, name="at")
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise MisuseError("the instant lies outside of the years 1 to 9999 in UTC") from error


@lru_cache(maxsize=256)
def seconds(number: int) -> timedelta:
    """Return so many seconds. Making a `timedelta` takes 0.2 µs, and lifetimes are few."""
    return timedelta(0, number)


def signed_until(at: datetime, lifetime_s: int) -> datetime:
    """Return the end of what is signed at `at`.

    Raises:
        MisuseError: it lies after the year 9999.
    """
    try:
        return at + seconds(lifetime_s)
    except OverflowError as error:
        raise MisuseError("the signature would end after the year 9999") from error


def parse_amz_date(text: str) -> datetime | None:
    """Return the instant that `yyyyMMdd'T'HHmmss'Z'` names, or None for any other form."""
    # fromisoformat of later Pythons reads 24:00:00 as the next day's midnight.
    if not (len(text) == 16 and text.isascii() and text[8] == "T" and text[15] == "Z" and text[9:11] != "24"):
        return None
    if not (text[:8] + text[9:15]).isdigit():
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def to_amz_date(at: datetime) -> str:
    """Return `at`, which is in UTC, as `yyyyMMdd'T'HHmmss'Z'`; fractions of a second are dropped."""
    return at.isoformat()[:19].replace("-", "").replace(":", "") + "Z"


def after(start: datetime, lifetime: timedelta) -> datetime:
    """Return `start + lifetime`, or the last instant there is if that lies beyond it."""
    try:
        return start + lifetime
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
