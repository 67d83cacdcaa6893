"""A single change that may make a signature fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from valetkey.explain.causes import Cause
from valetkey.explain.trial import Trial
from valetkey.sigv4.secret import Secret


class Part(Enum):
    """The part of a request that a change is about. Two changes are tried together if they are about two."""

    METHOD = auto()
    HOST = auto()
    PATH = auto()
    QUERY = auto()
    HEADERS = auto()
    PAYLOAD = auto()
    SCOPE = auto()
    SECRET = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change, and how it is told."""

    cause: Cause
    part: Part
    detail: str
    """What was signed instead, as one sentence."""
    apply: Callable[[Trial], Trial]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key pair that may have signed."""

    access_key: str
    secret: Secret
    label: str = ""
    """Where it was found, for people."""
    ends_at: datetime | None = None
    """When it stops working, if that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What is known of the signer's surroundings."""

    hosts: tuple[str, ...] = ()
    """Hosts that the signer may have addressed, the likeliest first."""
    prefixes: tuple[str, ...] = ()
    """Path prefixes of public endpoints, without trailing slash."""
    domains: tuple[str, ...] = ()
    """Domains under which a bucket's name may stand in the host."""
    regions: tuple[str, ...] = ()
    keys: tuple[KnownKey, ...] = ()
    access_key: str = ""
    """The key that the request names."""
    body_sha256: str | None = None
    seal: bytes = field(default=b"", repr=False)
    """The key of the seal that stands for the signature of a kept request; empty: the signature itself is there."""
