"""The values about identities that cross the store's border.

Instants are whole milliseconds since the epoch. Names come back as they were first written; which of two names
that differ in case alone is asked for makes no difference. Documents are the text that was put.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, NamedTuple, TypeVar

from valetkey.sigv4.secret import Secret

T = TypeVar("T")

PROVIDED: Final = "aws"
"""Stands for the account where a managed policy comes with the program and is for all accounts."""


class EntityKind(Enum):
    """What an error, or a holder of policies, is about."""

    ACCOUNT = "account"
    USER = "user"
    GROUP = "group"
    ROLE = "role"
    ACCESS_KEY = "access key"
    INLINE_POLICY = "inline policy"
    POLICY = "policy"
    POLICY_VERSION = "policy version"


class Obstacle(Enum):
    """Why something cannot be deleted."""

    ACCESS_KEYS = "it has access keys"
    INLINE_POLICIES = "it has inline policies"
    ATTACHED_POLICIES = "managed policies are attached to it"
    GROUPS = "it is in a group"
    MEMBERS = "users are in it"
    HOLDERS = "it is attached, or the boundary of somebody"
    VERSIONS = "it has other versions than the default one"
    IS_DEFAULT = "it is the default version"
    BUCKETS = "it owns buckets"
    ENTITIES = "it has users, groups, roles or policies"
    IS_ROOT = "it is the root account"


class Quota(Enum):
    """What there may be only so many of. Source: IAM User Guide, "IAM and AWS STS quotas"."""

    POLICY_VERSIONS = 5
    ATTACHED_POLICIES = 20
    """The most that Amazon grants; 10 before one asks."""
    GROUPS_OF_A_USER = 10
    TAGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    id: str
    """Canonical user id, 64 hex digits."""
    number: str
    """12 digits, as in ARNs."""
    name: str
    email: str | None
    created_ms: int
    is_active: bool
    """False: none of its keys counts."""
    is_root: bool
    """Its own credentials stand in the server's settings, and it cannot be deleted."""
    revoked_before_ms: int
    """Sessions of anybody in it that began before this instant count no more; 0: nobody ever said."""
    public_access_block: str | None
    """What it blocks of public access to its buckets, as a document that the store does not read; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What users, groups and roles have in common."""

    account_id: str
    name: str
    path: str
    """Begins and ends with a slash."""
    unique_id: str
    """Never that of another, also after this one is gone."""
    created_ms: int
    tags: Mapping[str, str]
    boundary_arn: str | None
    """The managed policy beyond which nothing is allowed; None: there is no such limit."""
    revoked_before_ms: int
    """Its sessions that began before this instant count no more; 0: nobody ever said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Entity):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Entity):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Entity):
    trust_policy: str
    """Who may assume it."""
    trust_ids: Mapping[str, str]
    """The unique ids of the users and roles that it means by their ARNs, as far as they are kept."""
    description: str
    max_session_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntity:
    """What a user, group or role begins with."""

    account_id: str
    name: str
    unique_id: str
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRole(NewEntity):
    trust_policy: str
    trust_ids: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    max_session_s: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Names a user, a group or a role, as what policies belong to."""

    account_id: str
    kind: EntityKind
    """USER, GROUP or ROLE."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key without its secret."""

    id: str
    account_id: str
    user_name: str | None
    """None: the account's own."""
    is_active: bool
    created_ms: int
    last_used_ms: int | None
    """To the minute; None, like the two below: it was never used."""
    last_used_service: str | None
    last_used_region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """What a new access key is to be."""

    access_key: str
    secret: Secret = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPolicy:
    """What a managed policy begins with."""

    account_id: str
    name: str
    unique_id: str
    document: str
    path: str = "/"
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    account_id: str
    """`PROVIDED` if it comes with the program."""
    arn: str
    name: str
    path: str
    unique_id: str
    created_ms: int
    updated_ms: int
    """When its newest version was made."""
    description: str
    tags: Mapping[str, str]
    default_version: int
    """The one that applies."""
    attachments_count: int
    boundaries_count: int
    """How many have it as their boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    number: int
    """1 for the first."""
    document: str
    created_ms: int
    is_default: bool


class AttachedPolicy(NamedTuple):
    name: str
    arn: str


class PolicyHolder(NamedTuple):
    kind: EntityKind
    name: str
    unique_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    entries: tuple[T, ...]
    next_after: str | None
    """What the next page comes after; None on the last page."""


# What every request asks for


class NamedDocument(NamedTuple):
    """A policy that applies."""

    name: str
    """The ARN of a managed policy; of an inline one its holder's kind and name before its own: "group/staff/read"."""
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUser:
    """A user in an active account, with what applies to it."""

    account: Account
    user: User
    policies: tuple[NamedDocument, ...]
    """Inline ones, those attached, and those of its groups."""
    boundary: NamedDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRole:
    """A role in an active account, with what applies to its sessions."""

    account: Account
    role: Role
    policies: tuple[NamedDocument, ...]
    boundary: NamedDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """An access key that counts, with whom it stands for and what applies to them."""

    access_key: str
    secret: Secret
    account: Account
    user: User | None
    """None: the key is the account's own."""
    policies: tuple[NamedDocument, ...]
    boundary: NamedDocument | None
