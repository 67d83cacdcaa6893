"""The values about links that cross this room's border.

Instants are whole milliseconds since the epoch, sizes are bytes. `None` for a limit means that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any, Final, NamedTuple, Self

ID_PREFIX: Final = "VKL"
ID_CHARS: Final = 35
"""A link's id, which is its access key id, begins so and is so long. No other access key of ours has that form."""

DAY_MS: Final = 86_400_000

MAX_LIFETIME_MS: Final = 3650 * DAY_MS
"""How long a link may hold. Ten years: one that outlives its issuer's memory is a hole."""

RESUME_MS: Final = 15 * 60 * 1000
"""How long the client that spent a use may go on with that download by ranges."""

RESUME_FACTOR: Final = 2
"""How many times the object's size one use may carry in all."""


def is_link_id(access_key: str) -> bool:
    """Return whether an access key id is that of a link."""
    return len(access_key) == ID_CHARS and access_key.startswith(ID_PREFIX)


class Verb(Enum):
    """What a link may be used for."""

    GET = "GET"
    """Reading, and HEAD."""
    HEAD = "HEAD"
    PUT = "PUT"
    DELETE = "DELETE"
    MULTIPART = "MULTIPART"
    """Uploading in parts: create, send, list, complete and abort."""
    LIST = "LIST"
    """Listing the keys under the link's prefix."""

    @property
    def method(self) -> str:
        """The HTTP method that a URL for it is signed with."""
        return {"MULTIPART": "POST", "LIST": "GET"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a link may do, as its issuer stated it. It can be altered: the URL stays the same."""

    verbs: tuple[Verb, ...]
    """At least one. The URL is signed with the method of the first."""
    bucket: str
    key: str
    """One key, or a prefix; empty with `is_prefix` for a whole bucket."""
    is_prefix: bool = False
    version_id: str | None = None
    """The version that it is bound to. None: it follows the key, whatever replaces the object."""
    etag: str | None = None
    """The content that it is bound to, where there are no versions."""
    starts_ms: int | None = None
    ends_ms: int
    """The first instant at which it is refused."""
    max_uses: int | None = None
    max_bytes: int | None = None
    """Served in all."""
    max_objects: int | None = None
    """Uploaded in all."""
    least_size: int = 0
    most_size: int | None = None
    content_types: tuple[str, ...] = ()
    """Of uploads; empty: any. `image/*` stands for all of a kind."""
    create_only: bool = False
    """An upload never replaces an object."""
    addresses: tuple[str, ...] = ()
    """Networks in CIDR form that it may be used from; empty: any."""
    password_hash: str | None = field(default=None, repr=False)
    filename: str | None = None
    """The name that a download gets."""
    content_type: str | None = None
    cache_control: str | None = None
    label: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    webhook: str | None = None

    def to_json(self) -> str:
        """Return it as the ledger keeps it: what is not the default, as one JSON object."""
        defaults = {each.name: each.default for each in fields(self)}
        values: dict[str, Any] = {
            name: value for name, value in asdict(self).items() if value != defaults[name]
        }
        values["verbs"] = [verb.value for verb in self.verbs]
        return json.dumps(values, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Grant:
        """Return what `to_json` wrote."""
        values = json.loads(text)
        values["verbs"] = tuple(Verb(each) for each in values["verbs"])
        for name in ("content_types", "addresses"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


class Issuer(NamedTuple):
    """Who made a link, by whose rights it is bounded."""

    account_id: str
    """Canonical user id."""
    access_key: str
    user: str | None
    """The user's unique id; None: the account itself."""


class State(Enum):
    """How a link stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a link has done."""

    uses: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    objects: int = 0
    last_used_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    id: str
    issuer: Issuer
    grant: Grant
    created_ms: int
    state: State = State.ACTIVE
    usage: Usage = Usage()
    number: int = field(default=0, compare=False)
    """Of its row in the ledger; 0 before it has one."""

    is_counted: bool = field(init=False, repr=False, compare=False)
    """Whether each use has to be written down before it is granted. Kept, as each request asks twice."""

    def __post_init__(self) -> None:
        grant = self.grant
        is_counted = not (grant.max_uses is None and grant.max_bytes is None and grant.max_objects is None)
        object.__setattr__(self, "is_counted", is_counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFilter:
    """Which links are meant: those that all of it holds for."""

    account_id: str
    user: str | None = None
    """The issuer's unique id. None: anybody in the account."""
    bucket: str | None = None
    prefix: str | None = None
    """What the link's key begins with."""
    label: str | None = None
    tag: tuple[str, str] | None = None
    state: State | None = None
    access_key: str | None = None
    """The issuer's key."""


class Place(NamedTuple):
    """Where a page of a listing ends."""

    number: int
    key: str


class Client(NamedTuple):
    """By what a client that comes again is known."""

    address: str
    agent: str


class Download(NamedTuple):
    """One answer with content, before its first byte."""

    client: Client
    key: str
    etag: str
    size: int
    """Of the whole object."""
    length: int
    """Of the answer's body."""
    is_range: bool


class Spent(NamedTuple):
    """What was taken from a link's counters for one request, to be given back if it comes to nothing."""

    link_id: str
    uses: int = 0
    objects: int = 0
    bytes_sent: int = 0
    download: Download | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """Takes back all ordinary presigned URLs that it fits and that were signed before an instant."""

    id: str
    account_id: str
    """Whose keys, or whose bucket."""
    access_key: str | None
    """The key that signed; None: any."""
    bucket: str | None
    """None: anywhere."""
    key: str | None
    """One object's, or with `is_prefix` what keys begin with. None: the whole bucket."""
    is_prefix: bool
    before_ms: int
    created_ms: int

    def fits(self, *, access_key: str, bucket: str | None, key: str | None, signed_ms: int | None) -> bool:
        """Return whether a URL is taken back. SigV2 does not say when it signed; then it may have been before."""
        if self.access_key is not None and self.access_key != access_key:
            return False
        if self.bucket is not None and self.bucket != bucket:
            return False
        if self.key is not None:
            asked = key or ""
            if not (asked.startswith(self.key) if self.is_prefix else asked == self.key):
                return False
        return signed_ms is None or signed_ms < self.before_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocations:
    """All that was taken back of ordinary presigned URLs."""

    signatures: frozenset[bytes]
    """SHA-256 of each."""
    cutoffs: Mapping[str, Sequence[Cutoff]]
    """By the key that must have signed, or by the bucket: whoever makes thousands of them holds up nobody else."""

    @classmethod
    def gather(cls, signatures: Iterable[bytes], cutoffs: Iterable[Cutoff]) -> Self:
        """Return them in order."""
        gathered: dict[str, list[Cutoff]] = {}
        for cutoff in cutoffs:
            gathered.setdefault(cutoff.access_key or cutoff.bucket or "", []).append(cutoff)
        return cls(signatures=frozenset(signatures), cutoffs=gathered)

    def __bool__(self) -> bool:
        return bool(self.signatures or self.cutoffs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortAddress:
    """A short address, which leads to a link: another one when its owner says so."""

    id: str
    account_id: str
    link_id: str
    name: str | None
    """Chosen by its owner. None: the address ends in a token that nobody can guess."""
    is_paused: bool
    created_ms: int
