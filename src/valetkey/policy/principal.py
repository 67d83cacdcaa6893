"""Who asks: accounts, their users, the sessions of both, and strangers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, assert_never


class PrincipalKind(Enum):
    """What sort of caller a request comes from."""

    ACCOUNT = "account"
    """An account's root, which owns what the account owns."""
    USER = "user"
    ROLE = "role"
    """A session that AssumeRole began."""
    FEDERATED = "federated"
    """A session that GetFederationToken began."""
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What temporary credentials add to the one who asked for them."""

    issued_at_ms: int
    """Unix time in milliseconds."""
    expires_at_ms: int
    """Unix time in milliseconds; from this instant on the session is over."""
    name: str = ""
    """RoleSessionName, or the name of a federated user; empty for GetSessionToken."""
    role_arn: str = ""
    """The role that was assumed; for a federated session, the user who asked for it; else empty."""
    issuer_id: str = ""
    """Of a federated session the unique id of the user who asked for it; empty where the account's root did."""
    policies: tuple[str, ...] = ()
    """Documents beyond which the session may do nothing; empty for no such limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, as the signature proved it."""

    kind: PrincipalKind
    name: str
    """Of the account, the user, the role or the federated user."""
    account_id: str = ""
    """Canonical user id of the account, 64 hex digits; empty for strangers."""
    account_number: str = ""
    """The account as ARNs name it, 12 digits; empty for strangers."""
    path: str = "/"
    """Of a user, as IAM has it: begins and ends with a slash."""
    unique_id: str = ""
    """`aws:userid`: of a user its id, of a role's session `ID:SESSION`; empty for an account's root."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the user or the role: `aws:PrincipalTag/…`."""
    session: Session | None = None
    """None for lasting credentials."""

    @property
    def is_root(self) -> bool:
        """True: an account's root with lasting credentials, whom no policy of its own limits."""
        return self.kind is PrincipalKind.ACCOUNT and self.session is None

    @property
    def arn(self) -> str:
        """The ARN of the caller, empty for strangers.

        Source: IAM User Guide, "IAM identifiers" and "AWS JSON policy elements: Principal".
        """
        match self.kind:
            case PrincipalKind.ACCOUNT:
                return f"arn:aws:iam::{self.account_number}:root"
            case PrincipalKind.USER:
                return f"arn:aws:iam::{self.account_number}:user{self.path}{self.name}"
            case PrincipalKind.ROLE:
                session = self.session.name if self.session else ""
                return f"arn:aws:sts::{self.account_number}:assumed-role/{self.name}/{session}"
            case PrincipalKind.FEDERATED:
                return f"arn:aws:sts::{self.account_number}:federated-user/{self.name}"
            case PrincipalKind.ANONYMOUS:
                return ""
            case _:
                assert_never(self.kind)


ANONYMOUS: Final = Principal(kind=PrincipalKind.ANONYMOUS, name="anonymous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The account that owns the resource of a request."""

    account_id: str
    """Canonical user id, 64 hex digits."""
    account_number: str = ""
    """12 digits."""
