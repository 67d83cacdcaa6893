"""Whose name a signature is made in."""

from __future__ import annotations

from typing import Final, NamedTuple

from valetkey.sigv4.errors import MisuseError
from valetkey.sigv4.keys import TERMINAL
from valetkey.sigv4.secret import Secret

_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F))).replace("/", "")


class SigningCredentials(NamedTuple):
    """An access key with its secret, and the region and service that it signs for.

    A tuple, as all values of the signing half: `dataclasses` would take a third of the time in which
    `import valetkey` must be done.
    """

    access_key: str
    secret: Secret
    region: str
    service: str
    session_token: Secret | None

    def scope(self, date: str) -> str:
        """Return the scope of signatures made on `date` (yyyyMMdd)."""
        return f"{date}/{self.region}/{self.service}/{TERMINAL}"


def require_credentials(credentials: SigningCredentials) -> None:
    """Refuse credentials that no signature can be made with.

    Raises:
        MisuseError: a part is empty, or holds a character that would break the signature's syntax.
    """
    for name, value in (
        ("access key", credentials.access_key),
        ("region", credentials.region),
        ("service", credentials.service),
    ):
        if not value or value.strip(_PRINTABLE):
            raise MisuseError(f"the {name} must be printable ASCII without space and '/', and not empty")
    _require_secret("secret key", credentials.secret)
    if credentials.session_token is not None:
        _require_secret("session token", credentials.session_token)


def _require_secret(name: str, secret: Secret) -> None:
    text = secret.reveal()
    if not text or not text.isprintable():
        raise MisuseError(f"the {name} is empty or holds an unprintable character, such as a line break")
