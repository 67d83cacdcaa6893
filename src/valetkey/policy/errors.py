"""What a decision raises when it is no."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valetkey.policy.evaluate import DecidingStatement
    from valetkey.policy.principal import Principal


class PolicyError(Exception):
    """Base of all errors of this room."""


class AccessDeniedError(PolicyError):
    """No rule allows the action, or one forbids it."""

    def __init__(
        self, *, principal: Principal, action: str, reason: str, statement: DecidingStatement | None = None
    ) -> None:
        super().__init__(f"{principal.name} may not {action}: {reason}")
        self.principal = principal
        self.action = action
        self.reason = reason
        self.statement = statement
        """The Deny that forbids it; None if no statement allows it."""
