"""Accounts in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from dataclasses import replace

from valetkey.store import identity_rows, rows
from valetkey.store import identity_statements as statements
from valetkey.store.errors import DeleteConflictError, EntityExistsError, NoSuchEntityError
from valetkey.store.identity_model import Account, EntityKind, Obstacle, Page


def find_account(source: rows.Source, value: str, *, by: str = "id") -> Account:
    """Return the account whose `by` ("id", "number", "name" or "email") is the value.

    Raises:
        NoSuchEntityError
    """
    row = source.execute(statements.FIND_ACCOUNT[by], (value,)).fetchone()
    if row is None:
        raise NoSuchEntityError(EntityKind.ACCOUNT, value)
    return identity_rows.to_account(row)


def list_accounts(connection: sqlite3.Connection, *, after: str, limit: int) -> Page[Account]:
    found = connection.execute(statements.LIST_ACCOUNTS, (after, limit + 1)).fetchall()
    return identity_rows.to_page(
        found, identity_rows.to_account, limit=limit, place_of=lambda account: account.name
    )


def create_account(connection: sqlite3.Connection, new: Account) -> Account:
    _require_free(connection, new)
    row = (new.id, new.number, new.name, new.email, new.created_ms, new.is_root)
    connection.execute(statements.ADD_ACCOUNT, row)
    return new


def ensure_account(connection: sqlite3.Connection, new: Account) -> Account:
    """Return the account with the id of `new` as it is, or else make it."""
    try:
        return find_account(connection, new.id)
    except NoSuchEntityError:
        return create_account(connection, new)


def update_account(
    connection: sqlite3.Connection,
    *,
    account_id: str,
    name: str | None,
    email: str | None,
    is_active: bool | None,
) -> Account:
    former = find_account(connection, account_id)
    changed = replace(
        former,
        name=former.name if name is None else name,
        email=former.email if email is None else email,
        is_active=former.is_active if is_active is None else is_active,
    )
    _require_free(connection, changed, besides=former.id)
    row = (changed.name, changed.email, changed.is_active, changed.id)
    connection.execute(statements.UPDATE_ACCOUNT, row)
    return changed


def put_public_access_block(connection: sqlite3.Connection, *, account_id: str, document: str | None) -> None:
    find_account(connection, account_id)
    connection.execute(statements.SET_ACCOUNT_BLOCK, (document, account_id))


def delete_account(connection: sqlite3.Connection, *, account_id: str) -> None:
    """Remove an account that has nothing but keys of its own; those go with it."""
    if find_account(connection, account_id).is_root:
        raise DeleteConflictError(EntityKind.ACCOUNT, account_id, Obstacle.IS_ROOT)
    for statement, obstacle in (
        (statements.HAS_BUCKETS, Obstacle.BUCKETS),
        (statements.HAS_ENTITIES, Obstacle.ENTITIES),
    ):
        if connection.execute(statement, (account_id,)).fetchone()[0]:
            raise DeleteConflictError(EntityKind.ACCOUNT, account_id, obstacle)
    connection.execute(statements.REMOVE_KEYS_OF_ACCOUNT, (account_id,))
    connection.execute(statements.REMOVE_ACCOUNT, (account_id,))


def _require_free(connection: sqlite3.Connection, wanted: Account, *, besides: str | None = None) -> None:
    """Raises EntityExistsError: another account than `besides` has the id, number, name or email."""
    for field, value in (
        ("id", wanted.id),
        ("number", wanted.number),
        ("name", wanted.name),
        ("email", wanted.email),
    ):
        found = connection.execute(statements.FIND_ACCOUNT[field], (value,)).fetchone()
        if found is not None and found[0] != besides:
            raise EntityExistsError(EntityKind.ACCOUNT, str(value))
