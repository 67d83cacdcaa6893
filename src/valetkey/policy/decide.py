"""The decision about one request, with the reason that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.policy.errors import AccessDeniedError as AccessDeniedError
from valetkey.policy.errors import PolicyError as PolicyError
from valetkey.policy.principal import ANONYMOUS as ANONYMOUS
from valetkey.policy.principal import Principal as Principal
from valetkey.policy.principal import PrincipalKind as PrincipalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a request may go on, and which rule said so."""

    is_allowed: bool
    reason: str


_OWNER: Final = Decision(is_allowed=True, reason="the account owns the bucket")
_OWN_ACCOUNT: Final = Decision(is_allowed=True, reason="every account may list and create its own buckets")
_STRANGER: Final = Decision(is_allowed=False, reason="no rule allows an anonymous request")
_OTHER_ACCOUNT: Final = Decision(is_allowed=False, reason="the bucket belongs to another account")


def decide(principal: Principal, action: str, *, owner_id: str | None) -> Decision:
    """Return whether `principal` may do `action` (an IAM action name such as `s3:GetObject`).

    `owner_id` is the account that owns the bucket; None where no bucket is concerned, or none yet. What no rule
    allows is denied.
    """
    if principal.kind is PrincipalKind.ANONYMOUS:
        return _STRANGER
    if owner_id is None:
        return _OWN_ACCOUNT
    return _OWNER if principal.account_id == owner_id else _OTHER_ACCOUNT


def require_allowed(principal: Principal, action: str, *, owner_id: str | None) -> None:
    """Return if `principal` may do `action`.

    Raises:
        AccessDeniedError: no rule allows it.
    """
    decision = decide(principal, action, owner_id=owner_id)
    if not decision.is_allowed:
        raise AccessDeniedError(principal=principal, action=action, reason=decision.reason)
