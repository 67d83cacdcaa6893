"""The values of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Party(NamedTuple):
    """Who signs, or who owns a bucket."""

    account: str
    """Canonical user id; empty where nobody knows."""
    user: str = ""
    """Empty for the account's root."""


NOBODY = Party("")


class Attempt(NamedTuple):
    """What became of one request by a presigned URL or form."""

    at_ms: int
    """Unix time in milliseconds."""
    signer: str
    """The id of the link or of the access key that signed, or that the URL names where `is_proved` is false."""
    is_proved: bool
    party: Party
    """Whose key it is."""
    owner: Party
    """The account that owns the bucket."""
    operation: str | None
    bucket: str | None
    key: str | None
    status: int
    """0: the client left before it was answered."""
    sent_bytes: int
    """Of the answer's body."""
    received_bytes: int
    """Of the request's body."""
    duration_us: int
    address: str
    agent: str
    referrer: str
    """The host alone; empty where there is none."""
    error: str | None
    """The rule that refused, by S3's code; None where nothing was refused."""
    request_id: str


class Circumstances(NamedTuple):
    """What many attempts have alike. The fields are those of an attempt."""

    is_proved: bool
    party: Party
    owner: Party
    operation: str | None
    bucket: str | None
    status: int
    address: str
    agent: str
    referrer: str
    error: str | None


class Note(NamedTuple):
    """An attempt on its way into the history. The fields are those of an attempt."""

    at_ms: int
    signer: str
    key: str | None
    sent_bytes: int
    received_bytes: int
    duration_us: int
    request_id: str
    circumstances: Circumstances


class Entry(NamedTuple):
    """An attempt as the history keeps it."""

    id: int
    """Counts up in the order of writing."""
    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Whose attempts somebody may see."""

    is_all: bool = False
    party: Party = NOBODY
    """An account's root sees what concerns its keys and its buckets, a user what its own keys signed."""
    since_ms: int = 0
    """And nothing from before: an earlier user may have had the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which attempts are asked for. None: any."""

    signer: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    """Of keys; with a bucket only."""
    status: int | None = None
    refused_only: bool = False
    since_ms: int | None = None
    """Inclusive."""
    until_ms: int | None = None
    """Exclusive."""


class Place(NamedTuple):
    """Where a page of the history ended: at the attempt of this instant and id, which was shown."""

    at_ms: int
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Attempts, newest first."""

    entries: Sequence[Entry]
    """May be fewer than were asked for, or none, though there are more."""
    next_place: Place | None
    """Where to go on; None at the end."""
