"""The accounts that the server knows, and their access keys.

Beside the root account there are those of a file, until accounts are kept and managed by the server itself.
"""

from __future__ import annotations

import configparser
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from valetkey.policy.decide import Principal, PrincipalKind
from valetkey.server.credentials import owner_id, root_credentials
from valetkey.server.settings import Settings, SettingsError
from valetkey.sigv4.secret import Secret

ROOT_NAME: Final = "root"

_CANONICAL_ID: Final = re.compile(r"[0-9a-f]{64}")
_FIELDS: Final = frozenset({"id", "display_name", "email", "access_key", "secret_key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account with one access key."""

    id: str
    """Canonical user id, 64 hex digits."""
    name: str
    access_key: str
    secret_key: Secret = field(repr=False)


class AccountKeys:
    """The access keys of all accounts."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._known: dict[str, tuple[Secret, Principal]] = {}
        self._names: dict[str, str] = {}
        for account in accounts:
            principal = Principal(kind=PrincipalKind.ACCOUNT, name=account.name, account_id=account.id)
            self._known[account.access_key] = (account.secret_key, principal)
            self._names[account.id] = account.name

    def find(self, access_key: str) -> tuple[Secret, Principal] | None:
        """Return the secret of `access_key` and whose it is, or None."""
        return self._known.get(access_key)

    def name_of(self, account_id: str) -> str | None:
        """Return the display name of an account, or None if there is none with this id."""
        return self._names.get(account_id)


def all_accounts(settings: Settings, master: bytes) -> list[Account]:
    """Return the accounts of the file that `settings` name, and the root account.

    Raises:
        SettingsError: the file or the root credentials cannot be used, or two accounts share an id or a key.
    """
    credentials = root_credentials(settings)
    root = Account(
        id=owner_id(master),
        name=ROOT_NAME,
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
    )
    others = [] if settings.accounts_file is None else read_accounts(settings.accounts_file)
    accounts = [root, *others]
    for what, values in (
        ("id", [account.id for account in accounts]),
        ("access_key", [account.access_key for account in accounts]),
    ):
        if len(set(values)) < len(values):
            raise SettingsError(
                f"In {settings.accounts_file}, an {what} stands twice, or is that of the root."
            )
    return accounts


def is_shared(path: Path) -> bool:
    """Return whether others than its owner may read the file."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def read_accounts(path: Path) -> list[Account]:
    """Return the accounts of an INI file: a section each, with `id`, `access_key`, `secret_key` and maybe
    `display_name` and `email`.

    Raises:
        SettingsError: the file cannot be read, or a section is malformed. The text holds no secret.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # The parser's own message quotes lines of the file, and a line holds a secret.
        raise SettingsError(f"The accounts in {path} cannot be read ({type(error).__name__}).") from None
    return [_account(path, name, dict(parser.items(name))) for name in parser.sections()]


def _account(path: Path, name: str, values: dict[str, str]) -> Account:
    unknown = values.keys() - _FIELDS
    if unknown:
        raise SettingsError(f"In {path}, [{name}] has an unknown name: {', '.join(sorted(unknown))}.")
    if _CANONICAL_ID.fullmatch(values.get("id", "")) is None:
        raise SettingsError(f"In {path}, [{name}] needs an id of 64 hex digits in lower case.")
    if not values.get("access_key") or not values.get("secret_key"):
        raise SettingsError(f"In {path}, [{name}] needs an access_key and a secret_key.")
    return Account(
        id=values["id"],
        name=values.get("display_name", name),
        access_key=values["access_key"],
        secret_key=Secret(values["secret_key"]),
    )
