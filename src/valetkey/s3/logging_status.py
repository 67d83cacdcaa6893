"""Where the server access log of a bucket goes, and what its pieces are called there.

Source: Amazon S3 User Guide, "Logging requests with server access logging".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Partition(Enum):
    """By which date the keys of the log are partitioned."""

    EVENT_TIME = "EventTime"
    DELIVERY_TIME = "DeliveryTime"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingEnabled:
    """Where a bucket's log goes."""

    target_bucket: str
    target_prefix: str
    partition: Partition | None
    """None: the keys have the prefix and the time, and no more."""
    names_format: bool = False
    """The format of keys was stated, though it is the usual one."""


def log_key(
    config: LoggingEnabled,
    *,
    source_account: str,
    source_region: str,
    source_bucket: str,
    event_day: datetime,
    now: datetime,
    unique: str,
) -> str:
    """Return the key of a piece of the log. `event_day` is the beginning of the day of all its records, in UTC."""
    if config.partition is None:
        return f"{config.target_prefix}{now:%Y-%m-%d-%H-%M-%S}-{unique}"
    # Pieces that are sorted by the time of their records all have its first second, as Amazon's.
    at = event_day if config.partition is Partition.EVENT_TIME else now
    place = f"{source_account}/{source_region}/{source_bucket}/{at:%Y/%m/%d}"
    return f"{config.target_prefix}{place}/{at:%Y-%m-%d-%H-%M-%S}-{unique}"
