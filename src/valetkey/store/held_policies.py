"""The policies that users, groups and roles hold: inline ones, and those attached to them.

The changes run inside the writer's transaction.
"""

import sqlite3

from valetkey.store import identity_rows, rows
from valetkey.store import identity_statements as statements
from valetkey.store.entities import find_id
from valetkey.store.errors import LimitExceededError, NoSuchEntityError
from valetkey.store.identity_model import (
    AttachedPolicy,
    EntityKind,
    Holder,
    Page,
    PolicyHolder,
    Quota,
)
from valetkey.store.managed_policies import find_policy_row


def find_inline(source: rows.Source, holder: Holder, name: str) -> str:
    """Return the document. Raises NoSuchEntityError: of the holder, or of the policy."""
    row = source.execute(statements.FIND_INLINE, (find_id(source, holder), name)).fetchone()
    if row is None:
        raise NoSuchEntityError(EntityKind.INLINE_POLICY, name)
    return str(row[0])


def list_inline(connection: sqlite3.Connection, *, holder: Holder, after: str, limit: int) -> Page[str]:
    wanted = (find_id(connection, holder), after, limit + 1)
    found = connection.execute(statements.LIST_INLINE, wanted).fetchall()
    return identity_rows.to_page(found, lambda row: str(row[0]), limit=limit, place_of=str)


def put_inline(connection: sqlite3.Connection, *, holder: Holder, name: str, document: str) -> None:
    connection.execute(statements.PUT_INLINE, (find_id(connection, holder), name, document))


def delete_inline(connection: sqlite3.Connection, *, holder: Holder, name: str) -> None:
    removed = connection.execute(statements.REMOVE_INLINE, (find_id(connection, holder), name))
    if removed.rowcount == 0:
        raise NoSuchEntityError(EntityKind.INLINE_POLICY, name)


def attach(connection: sqlite3.Connection, *, holder: Holder, arn: str) -> None:
    entity_id = find_id(connection, holder)
    policy_id = find_policy_row(connection, holder.account_id, arn)[0]
    connection.execute(statements.ATTACH, (entity_id, policy_id))
    count = connection.execute(statements.COUNT_ATTACHED, (entity_id,)).fetchone()[0]
    if count > Quota.ATTACHED_POLICIES.value:
        raise LimitExceededError(Quota.ATTACHED_POLICIES)


def detach(connection: sqlite3.Connection, *, holder: Holder, arn: str) -> None:
    entity_id = find_id(connection, holder)
    policy_id = find_policy_row(connection, holder.account_id, arn)[0]
    if connection.execute(statements.DETACH, (entity_id, policy_id)).rowcount == 0:
        raise NoSuchEntityError(EntityKind.POLICY, arn)


def list_attached(
    connection: sqlite3.Connection, *, holder: Holder, path_prefix: str, after: str, limit: int
) -> Page[AttachedPolicy]:
    wanted = (find_id(connection, holder), after, path_prefix, limit + 1)
    found = connection.execute(statements.LIST_ATTACHED, wanted).fetchall()
    return identity_rows.to_page(
        found, lambda row: AttachedPolicy(*row), limit=limit, place_of=lambda policy: policy.arn
    )


def list_holders(connection: sqlite3.Connection, *, account_id: str, arn: str) -> list[PolicyHolder]:
    policy_id = find_policy_row(connection, account_id, arn)[0]
    found = connection.execute(statements.LIST_HOLDERS, (policy_id, account_id))
    return [PolicyHolder(EntityKind(kind), name, unique_id) for kind, name, unique_id in found]
