"""Whose name a signature is made in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from valetkey.sigv4.errors import MisuseError
from valetkey.sigv4.keys import SERVICE, TERMINAL
from valetkey.sigv4.secret import Secret

_NAME: Final = re.compile(r"[!-.0-~]+").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningCredentials:
    """An access key with its secret, and the region and service that it signs for."""

    access_key: str
    secret: Secret
    region: str
    service: str = SERVICE
    session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, value in (
            ("access key", self.access_key),
            ("region", self.region),
            ("service", self.service),
        ):
            if _NAME(value) is None:
                raise MisuseError(f"the {name} must be printable ASCII without space and '/', and not empty")
        if not self.secret.reveal():
            raise MisuseError("the secret key is empty")
        if self.session_token == "":
            raise MisuseError("the session token is empty; leave it out if the key is permanent")
        try:
            f"{self.secret.reveal()}{self.session_token}".encode()
        except UnicodeEncodeError:
            # Not chained: the exception would show the secret.
            raise MisuseError("the secret key or session token is no valid Unicode text") from None

    def scope(self, date: str) -> str:
        """Return the scope of signatures made on `date` (yyyyMMdd)."""
        return f"{date}/{self.region}/{self.service}/{TERMINAL}"
