"""What the admin API knows of webhooks: which hosts they may go to, and what they are signed with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from valetkey.links.errors import InvalidGrantError
from valetkey.links.webhooks.address import AllowedHost, HookRefusedError, require_target


def _no_secret(account: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookDoor:
    """What the settings say of webhooks."""

    hosts: tuple[AllowedHost, ...] = ()
    """Empty: there are none."""
    secret_of: Callable[[str], str] = field(default=_no_secret, repr=False)
    """Returns what the messages of an account are signed with."""

    def require(self, url: str | None) -> None:
        """Return if a link may name this URL; none is one, too.

        Raises:
            InvalidGrantError
        """
        if url is None:
            return
        try:
            require_target(url, self.hosts)
        except HookRefusedError as error:
            raise InvalidGrantError("webhook", str(error)) from error


NO_HOOKS: Final = HookDoor()
