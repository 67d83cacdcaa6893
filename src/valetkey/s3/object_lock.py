"""Object Lock: what clients ask for, and which changes of a retention may be made.

Source: Amazon S3 User Guide, "Locking objects with Object Lock", and the texts that S3 was seen to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.instants import LAST_MS, instant_text, parse_instant

MODE_HEADER: Final = "x-amz-object-lock-mode"
UNTIL_HEADER: Final = "x-amz-object-lock-retain-until-date"
HOLD_HEADER: Final = "x-amz-object-lock-legal-hold"

_DAY_MS: Final = 86_400_000
_YEAR_DAYS: Final = 365
"""S3 counts a year as this many days."""

_MISSING: Final = "Bucket is missing Object Lock Configuration"
_MISSING_FOR_UPLOAD: Final = "Bucket is missing ObjectLockConfiguration"
_PROTECTED: Final = "Access Denied because object protected by object lock."
_UNPAIRED: Final = f"{UNTIL_HEADER} and {MODE_HEADER} must both be supplied"
_PAST: Final = "The retain until date must be in the future!"


class Mode(StrEnum):
    GOVERNANCE = "GOVERNANCE"
    """Whoever has the permission may shorten or remove it."""
    COMPLIANCE = "COMPLIANCE"
    """Nobody may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRetention:
    """What new versions get that name no retention. Exactly one of the two periods is there, from 1."""

    mode: Mode
    days: int | None = None
    years: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockConfiguration:
    """The Object Lock configuration of a bucket that has it enabled."""

    default: DefaultRetention | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """What an upload's headers, or a document, ask for."""

    mode: Mode | None = None
    until_ms: int | None = None
    """None exactly where `mode` is."""
    legal_hold: bool | None = None
    """None: not a word about it."""

    def __bool__(self) -> bool:
        return self.mode is not None or self.legal_hold is not None


def lock_request(headers: Mapping[str, str], *, now_ms: int) -> LockRequest:
    """Return the lock that an upload's headers ask for; false if they ask for none.

    Raises:
        S3Error: InvalidArgument.
    """
    mode, until = headers.get(MODE_HEADER), headers.get(UNTIL_HEADER)
    if (mode is None) != (until is None):
        raise invalid_argument(_UNPAIRED, MODE_HEADER if mode is None else UNTIL_HEADER)
    until_ms = None if until is None else _future(until, now_ms=now_ms)
    hold = headers.get(HOLD_HEADER)
    if hold not in {None, "ON", "OFF"}:
        raise invalid_argument("Legal Hold must be either of 'ON' or 'OFF'", HOLD_HEADER, hold)
    return LockRequest(
        mode=None if mode is None else _mode(mode),
        until_ms=until_ms,
        legal_hold=None if hold is None else hold == "ON",
    )


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise invalid_argument("Unknown wormMode directive.", MODE_HEADER, text) from None


def _future(text: str, *, now_ms: int) -> int:
    until_ms = parse_instant(text)
    if until_ms is None:
        message = "The retain until date must be provided in ISO 8601 format"
        raise invalid_argument(message, UNTIL_HEADER, text)
    if until_ms <= now_ms:
        raise invalid_argument(_PAST, UNTIL_HEADER, text)
    return until_ms


def asks_bypass(headers: Mapping[str, str]) -> bool:
    """Return whether retention in the mode GOVERNANCE is not to count, if the client may ask for that."""
    return headers.get("x-amz-bypass-governance-retention", "").lower() == "true"


def default_retention(config: LockConfiguration, *, now_ms: int) -> tuple[Mode, int] | None:
    """Return the mode and the end, in ms since the epoch, of the retention that a new version gets by default."""
    default = config.default
    if default is None:
        return None
    days = default.days if default.days is not None else (default.years or 0) * _YEAR_DAYS
    return default.mode, min(now_ms + days * _DAY_MS, LAST_MS)


def require_in_future(until_ms: int, *, now_ms: int) -> None:
    """Return if the end of a retention that a document names is yet to come.

    Raises:
        S3Error: InvalidArgument.
    """
    if until_ms <= now_ms:
        raise invalid_argument(_PAST, "RetainUntilDate", instant_text(until_ms))


def require_retention_change(
    current_mode: str | None,
    current_until_ms: int | None,
    new_mode: str | None,
    new_until_ms: int | None,
    *,
    now_ms: int,
    may_bypass: bool,
) -> None:
    """Return if a version's retention may be replaced by the new one, or removed where `new_mode` is None.

    A retention that has ended binds nobody. One that lasts may be made longer in its mode by everybody. All else
    takes `may_bypass` in the mode GOVERNANCE, and cannot be done in the mode COMPLIANCE.

    Raises:
        S3Error: AccessDenied.
    """
    if current_mode is None or current_until_ms is None or current_until_ms <= now_ms:
        return
    if new_mode == current_mode and new_until_ms is not None and new_until_ms >= current_until_ms:
        return
    if current_mode == Mode.GOVERNANCE and may_bypass:
        return
    raise protected()


def protected() -> S3Error:
    """Return the refusal to delete a version, or to loosen its retention, that a lock forbids."""
    return S3Error(Code.ACCESS_DENIED, _PROTECTED)


def require_lockable(*, is_lockable: bool) -> None:
    """Return if the bucket has Object Lock, which reading and setting a version's lock takes.

    Raises:
        S3Error: InvalidRequest.
    """
    if not is_lockable:
        raise S3Error(Code.INVALID_REQUEST, _MISSING)


def require_lockable_upload(request: LockRequest, *, is_lockable: bool) -> None:
    """Return if an upload asks for no lock, or its bucket has Object Lock.

    Raises:
        S3Error: InvalidRequest.
    """
    if request and not is_lockable:
        raise S3Error(Code.INVALID_REQUEST, _MISSING_FOR_UPLOAD)


def require_versioned(versioning: str | None) -> None:
    """Return if a bucket in this state of versioning may have Object Lock.

    Raises:
        S3Error: InvalidBucketState.
    """
    if versioning != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error(Code.INVALID_BUCKET_STATE, message)


def require_versioning_change(status: str, *, is_lockable: bool) -> None:
    """Return if versioning may be set to `status`: a bucket with Object Lock keeps its versions.

    Raises:
        S3Error: InvalidBucketState.
    """
    if is_lockable and status != "Enabled":
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise S3Error(Code.INVALID_BUCKET_STATE, message)


def lock_headers(mode: str | None, until_ms: int | None, *, legal_hold: bool | None) -> dict[str, str]:
    """Return the headers that tell of a version's lock, by lower-case name."""
    headers: dict[str, str] = {}
    if mode is not None and until_ms is not None:
        headers[MODE_HEADER] = mode
        headers[UNTIL_HEADER] = instant_text(until_ms)
    if legal_hold is not None:
        headers[HOLD_HEADER] = "ON" if legal_hold else "OFF"
    return headers
