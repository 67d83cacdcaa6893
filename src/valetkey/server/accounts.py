"""The accounts that the server knows, and their access keys.

The root account and those of a file have a key that stands in the settings. All others the store keeps.
"""

from __future__ import annotations

import configparser
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from valetkey.gateway.iam.naming import account_number
from valetkey.gateway.session_tokens import KEY_PREFIX, TokenBox, find_session
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.server.credentials import owner_id, root_credentials
from valetkey.server.settings import Settings, SettingsError
from valetkey.sigv4.secret import Secret
from valetkey.store.errors import EntityExistsError, NoSuchEntityError
from valetkey.store.identity_model import KnownKey
from valetkey.store.identity_store import Identities

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
    email: str | None = None


class AccountKeys:
    """The access keys of all accounts and users: those that stand in the settings, and those that the store keeps."""

    def __init__(
        self, accounts: Iterable[Account], identities: Identities, box: TokenBox, *, region: str
    ) -> None:
        """`box` opens the tokens of temporary credentials."""
        self._region = region
        self._identities = identities
        self._box = box
        self._known: dict[str, tuple[Secret, Principal]] = {}
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        for account in accounts:
            principal = Principal(
                kind=PrincipalKind.ACCOUNT,
                name=account.name,
                account_id=account.id,
                account_number=account_number(account.id),
            )
            self._known[account.access_key] = (account.secret_key, principal)
            self._names[account.id] = account.name
            if account.email:
                self._ids[account.email.lower()] = account.id

    def find(self, access_key: str) -> tuple[Secret, Principal] | None:
        """Return the secret of `access_key` and whose it is, or None."""
        found = self._known.get(access_key)
        if found is not None:
            # An account may be deactivated, also one whose key stands in the settings.
            return found if self._is_active(found[1].account_id) else None
        kept = self._identities.find_key(access_key)
        return None if kept is None else (kept.secret, principal_of(kept))

    def _is_active(self, account_id: str) -> bool:
        try:
            return self._identities.find_account(account_id).is_active
        except NoSuchEntityError:
            return False

    def find_session(self, access_key: str, token: str, *, now_ms: int) -> tuple[Secret, Principal] | None:
        """Return the secret of temporary credentials, and whose they are; None if the key is none of theirs.

        Raises:
            S3Error: InvalidToken or ExpiredToken.
        """
        if not access_key.startswith(KEY_PREFIX):
            return None
        return find_session(access_key, token, box=self._box, identities=self._identities, now_ms=now_ms)

    def note_use(self, access_key: str, *, now_ms: int) -> None:
        """Remember that a key that the store keeps has signed a request, to the minute."""
        if access_key in self._known or access_key.startswith(KEY_PREFIX):
            return
        self._identities.keys.note_use(access_key, used_ms=now_ms, service="s3", region=self._region)

    def name_of(self, account_id: str) -> str | None:
        """Return the display name of an account, or None if there is none with this id."""
        name = self._names.get(account_id)
        if name is not None:
            return name
        try:
            return self._identities.find_account(account_id).name
        except NoSuchEntityError:
            return None

    def id_by_email(self, email: str) -> str | None:
        """Return the id of the account with this email address, in whatever case, or None."""
        found = self._ids.get(email.lower())
        if found is not None:
            return found
        try:
            return self._identities.find_account(email, by="email").id
        except NoSuchEntityError:
            return None


def principal_of(key: KnownKey) -> Principal:
    """Return whom an access key stands for: a user, or the account itself."""
    account, user = key.account, key.user
    if user is None:
        return Principal(
            kind=PrincipalKind.ACCOUNT,
            name=account.name,
            account_id=account.id,
            account_number=account.number,
        )
    return Principal(
        kind=PrincipalKind.USER,
        name=user.name,
        account_id=account.id,
        account_number=account.number,
        path=user.path,
        unique_id=user.unique_id,
        tags=user.tags,
    )


async def ensure_accounts(accounts: Iterable[Account], identities: Identities, *, now_ms: int) -> None:
    """Make what the store keeps of accounts that stand in the settings, so that they can have users.

    Raises:
        SettingsError: another account of the store has the name or email of one of them.
    """
    for account in accounts:
        try:
            await identities.accounts.ensure(
                account.id,
                number=account_number(account.id),
                name=account.name,
                email=account.email,
                is_root=account.name == ROOT_NAME,
                now_ms=now_ms,
            )
        except EntityExistsError as error:
            raise SettingsError(f"The account {account.name} cannot be made: {error}") from error


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
        email=values.get("email") or None,
    )
