"""The decision about one request, with the reason that made it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class PrincipalKind(Enum):
    """What sort of caller a request comes from."""

    ROOT = "root"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, as the signature proved it."""

    kind: PrincipalKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a request may go on, and which rule said so."""

    is_allowed: bool
    reason: str


class PolicyError(Exception):
    """Base of all errors of this room."""


class AccessDeniedError(PolicyError):
    """No rule allows the action, or one forbids it."""

    def __init__(self, *, principal: Principal, action: str, reason: str) -> None:
        super().__init__(f"{principal.name} may not {action}: {reason}")
        self.principal = principal
        self.action = action
        self.reason = reason


ANONYMOUS: Final = Principal(kind=PrincipalKind.ANONYMOUS, name="anonymous")

_OWNER: Final = Decision(is_allowed=True, reason="the root account owns every bucket")
_DEFAULT_DENY: Final = Decision(is_allowed=False, reason="no rule allows an anonymous request")


def decide(principal: Principal, action: str) -> Decision:
    """Return whether `principal` may do `action` (an IAM action name such as `s3:GetObject`).

    What no rule allows is denied.
    """
    if principal.kind is PrincipalKind.ROOT:
        return _OWNER
    return _DEFAULT_DENY


def require_allowed(principal: Principal, action: str) -> None:
    """Return if `principal` may do `action`.

    Raises:
        AccessDeniedError: no rule allows it.
    """
    decision = decide(principal, action)
    if not decision.is_allowed:
        raise AccessDeniedError(principal=principal, action=action, reason=decision.reason)
