"""The answers that tell how a bucket is set up, as values. `xml/writer.py` turns them into bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from valetkey.s3.logging_status import LoggingEnabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioning:
    """Answer to GetBucketVersioning."""

    status: str | None
    """`Enabled` or `Suspended`; None if it never was turned on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """Answer to GetObjectTagging and GetBucketTagging."""

    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayment:
    """Answer to GetBucketRequestPayment."""

    payer: str
    """`BucketOwner` or `Requester`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerate:
    """Answer to GetBucketAccelerateConfiguration."""

    status: str | None
    """`Enabled` or `Suspended`; None if it never was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """Answer to GetBucketLogging."""

    enabled: LoggingEnabled | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNotifications:
    """Answer to GetBucketNotificationConfiguration: there are none."""


class ConfigurationKind(Enum):
    """What a bucket may have several configurations of. The value is the sub-resource."""

    ANALYTICS = "analytics"
    INTELLIGENT_TIERING = "intelligent-tiering"
    INVENTORY = "inventory"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoConfigurations:
    """Answer to the listing of one kind of configurations: there are none."""

    kind: ConfigurationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """Answer to GetBucketPolicyStatus."""

    is_public: bool


SettingDocument = (
    Versioning
    | Tagging
    | RequestPayment
    | Accelerate
    | Logging
    | NoNotifications
    | NoConfigurations
    | PolicyStatus
)
"""Every answer of this module."""
