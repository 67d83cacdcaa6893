"""Access keys in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from typing import Final

from valetkey.store import identity_rows, rows
from valetkey.store import identity_statements as statements
from valetkey.store.accounts import find_account
from valetkey.store.contents import Effects
from valetkey.store.entities import find_id, user_holder
from valetkey.store.errors import EntityExistsError, NoSuchEntityError
from valetkey.store.identity_model import AccessKey, EntityKind, Page

USE_NOTED_MS: Final = 60_000
"""How long after a use was written down no other one is."""


def find_access_key(source: rows.Source, key_id: str) -> AccessKey:
    """Raises NoSuchEntityError."""
    row = source.execute(statements.FIND_KEY, (key_id,)).fetchone()
    if row is None:
        raise NoSuchEntityError(EntityKind.ACCESS_KEY, key_id)
    return identity_rows.to_access_key(row)


def list_access_keys(
    connection: sqlite3.Connection, *, account_id: str, user: str | None, after: str, limit: int
) -> Page[AccessKey]:
    wanted = (account_id, _owner_id(connection, account_id, user), after, limit + 1)
    found = connection.execute(statements.LIST_KEYS, wanted).fetchall()
    return identity_rows.to_page(found, identity_rows.to_access_key, limit=limit, place_of=lambda key: key.id)


def create_access_key(
    connection: sqlite3.Connection,
    *,
    key_id: str,
    seal: bytes,
    account_id: str,
    user: str | None,
    now_ms: int,
) -> AccessKey:
    owner_id = _owner_id(connection, account_id, user)
    if connection.execute(statements.FIND_KEY, (key_id,)).fetchone() is not None:
        raise EntityExistsError(EntityKind.ACCESS_KEY, key_id)
    connection.execute(statements.ADD_KEY, (key_id, account_id, owner_id, seal, True, now_ms))
    return find_access_key(connection, key_id)


def set_active(
    connection: sqlite3.Connection, *, account_id: str, user: str | None, key_id: str, is_active: bool
) -> None:
    _require_own(connection, account_id, user, key_id)
    connection.execute(statements.SET_KEY_ACTIVE, (is_active, key_id))


def delete_access_key(
    connection: sqlite3.Connection, *, account_id: str, user: str | None, key_id: str
) -> None:
    _require_own(connection, account_id, user, key_id)
    connection.execute(statements.REMOVE_KEY, (key_id,))


def note_use(
    connection: sqlite3.Connection,
    _effects: Effects,
    *,
    key_id: str,
    used_ms: int,
    service: str,
    region: str,
) -> None:
    """Write down a use, unless one is known that lies less than a minute back. No memory depends on it."""
    connection.execute(statements.NOTE_USE, (key_id, used_ms, service, region, USE_NOTED_MS))


def _require_own(connection: sqlite3.Connection, account_id: str, user: str | None, key_id: str) -> None:
    owned = (key_id, account_id, _owner_id(connection, account_id, user))
    if connection.execute(statements.FIND_OWN_KEY, owned).fetchone() is None:
        raise NoSuchEntityError(EntityKind.ACCESS_KEY, key_id)


def _owner_id(source: rows.Source, account_id: str, user: str | None) -> int | None:
    """Return the id in the catalog of the user; None for the account itself.

    Raises:
        NoSuchEntityError
    """
    if user is not None:
        return find_id(source, user_holder(account_id, user))
    find_account(source, account_id)
    return None
