"""Users, groups and roles in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from valetkey.store import identity_rows, rows
from valetkey.store import identity_statements as statements
from valetkey.store.accounts import find_account
from valetkey.store.errors import (
    DeleteConflictError,
    EntityExistsError,
    LimitExceededError,
    NoSuchEntityError,
)
from valetkey.store.identity_model import (
    Entity,
    EntityKind,
    Group,
    Holder,
    NewEntity,
    NewRole,
    Obstacle,
    Page,
    Quota,
    Role,
    User,
)
from valetkey.store.managed_policies import find_policy_row

E = TypeVar("E", bound=Entity)

_IN_THE_WAY: Final[Mapping[EntityKind, tuple[tuple[str, Obstacle], ...]]] = {
    EntityKind.USER: (
        (statements.COUNT_KEYS, Obstacle.ACCESS_KEYS),
        (statements.COUNT_INLINE, Obstacle.INLINE_POLICIES),
        (statements.COUNT_ATTACHED, Obstacle.ATTACHED_POLICIES),
        (statements.COUNT_GROUPS, Obstacle.GROUPS),
    ),
    EntityKind.GROUP: (
        (statements.COUNT_MEMBERS, Obstacle.MEMBERS),
        (statements.COUNT_INLINE, Obstacle.INLINE_POLICIES),
        (statements.COUNT_ATTACHED, Obstacle.ATTACHED_POLICIES),
    ),
    EntityKind.ROLE: (
        (statements.COUNT_INLINE, Obstacle.INLINE_POLICIES),
        (statements.COUNT_ATTACHED, Obstacle.ATTACHED_POLICIES),
    ),
}


def user_holder(account_id: str, name: str) -> Holder:
    return Holder(account_id=account_id, kind=EntityKind.USER, name=name)


def group_holder(account_id: str, name: str) -> Holder:
    return Holder(account_id=account_id, kind=EntityKind.GROUP, name=name)


def role_holder(account_id: str, name: str) -> Holder:
    return Holder(account_id=account_id, kind=EntityKind.ROLE, name=name)


def find_row(source: rows.Source, holder: Holder) -> rows.Row:
    """Return the row of `FIND_ENTITY`; its first column is the id in the catalog.

    Raises:
        NoSuchEntityError
    """
    wanted = (holder.account_id, holder.kind.value, holder.name)
    row: rows.Row | None = source.execute(statements.FIND_ENTITY, wanted).fetchone()
    if row is None:
        raise NoSuchEntityError(holder.kind, holder.name)
    return row


def find_id(source: rows.Source, holder: Holder) -> int:
    """Raises NoSuchEntityError."""
    return int(find_row(source, holder)[0])


def find_user(source: rows.Source, account_id: str, name: str) -> User:
    return identity_rows.to_user(find_row(source, user_holder(account_id, name)))


def find_group(source: rows.Source, account_id: str, name: str) -> Group:
    return identity_rows.to_group(find_row(source, group_holder(account_id, name)))


def find_role(source: rows.Source, account_id: str, name: str) -> Role:
    return identity_rows.to_role(find_row(source, role_holder(account_id, name)))


def list_entities(
    connection: sqlite3.Connection,
    to_value: Callable[[rows.Row], E],
    *,
    account_id: str,
    kind: EntityKind,
    path_prefix: str,
    after: str,
    limit: int,
) -> Page[E]:
    wanted = (account_id, kind.value, path_prefix, after, limit + 1)
    found = connection.execute(statements.LIST_ENTITIES, wanted).fetchall()
    return identity_rows.to_page(found, to_value, limit=limit, place_of=_name_of)


def create_user(connection: sqlite3.Connection, *, new: NewEntity, now_ms: int) -> User:
    return identity_rows.to_user(_add(connection, EntityKind.USER, new, now_ms))


def create_group(connection: sqlite3.Connection, *, new: NewEntity, now_ms: int) -> Group:
    return identity_rows.to_group(_add(connection, EntityKind.GROUP, new, now_ms))


def create_role(connection: sqlite3.Connection, *, new: NewRole, now_ms: int) -> Role:
    role = (new.trust_policy, new.description, new.max_session_s, rows.from_map(new.trust_ids))
    return identity_rows.to_role(_add(connection, EntityKind.ROLE, new, now_ms, role))


def _add(
    connection: sqlite3.Connection,
    kind: EntityKind,
    new: NewEntity,
    now_ms: int,
    role: tuple[str | None, str | None, int | None, str | None] = (None, None, None, None),
) -> rows.Row:
    find_account(connection, new.account_id)
    holder = Holder(account_id=new.account_id, kind=kind, name=new.name)
    _require_free(connection, holder)
    boundary_id = None
    if new.boundary_arn is not None:
        boundary_id = find_policy_row(connection, new.account_id, new.boundary_arn)[0]
    tags = rows.from_map(_limited(new.tags))
    row = (new.account_id, kind.value, new.name, new.path, new.unique_id, now_ms, tags, boundary_id, *role)
    connection.execute(statements.ADD_ENTITY, row)
    return find_row(connection, holder)


def move_entity(
    connection: sqlite3.Connection, *, holder: Holder, new_name: str | None, new_path: str | None
) -> None:
    """Give it another name or path. What it has, and who is in it, stays."""
    entity_id, _, name, path, *_ = find_row(connection, holder)
    if new_name is not None:
        wanted = Holder(account_id=holder.account_id, kind=holder.kind, name=new_name)
        _require_free(connection, wanted, besides=entity_id)
        name = new_name
    connection.execute(statements.MOVE_ENTITY, (name, path if new_path is None else new_path, entity_id))


def amend_tags(
    connection: sqlite3.Connection, *, holder: Holder, put: Mapping[str, str], remove: Iterable[str]
) -> None:
    row = find_row(connection, holder)
    # Keys that differ in case alone are one key: policies could not tell them apart.
    replaced = {name.lower() for name in (*put, *remove)}
    kept = {name: value for name, value in rows.to_map(row[6]).items() if name.lower() not in replaced}
    tags = {**kept, **put}
    connection.execute(statements.SET_TAGS, (rows.from_map(_limited(tags)), row[0]))


def set_boundary(connection: sqlite3.Connection, *, holder: Holder, arn: str | None) -> None:
    entity_id = find_id(connection, holder)
    boundary_id = None if arn is None else find_policy_row(connection, holder.account_id, arn)[0]
    connection.execute(statements.SET_BOUNDARY, (boundary_id, entity_id))


def update_role(
    connection: sqlite3.Connection,
    *,
    account_id: str,
    name: str,
    trust_policy: str | None,
    trust_ids: Mapping[str, str] | None,
    description: str | None,
    max_session_s: int | None,
) -> Role:
    """Change what is not None."""
    row = find_row(connection, role_holder(account_id, name))
    role = identity_rows.to_role(row)
    changed = (
        role.trust_policy if trust_policy is None else trust_policy,
        role.description if description is None else description,
        role.max_session_s if max_session_s is None else max_session_s,
        rows.from_map(role.trust_ids if trust_ids is None else trust_ids),
    )
    connection.execute(statements.UPDATE_ROLE, (*changed, row[0]))
    return find_role(connection, account_id, name)


def revoke_sessions(
    connection: sqlite3.Connection, *, account_id: str, holder: Holder | None, before_ms: int
) -> None:
    """Let sessions of the holder, or of all in the account, count only from `before_ms` on; never fewer."""
    if holder is None:
        find_account(connection, account_id)
        connection.execute(statements.REVOKE_ACCOUNT, (before_ms, account_id))
    else:
        connection.execute(statements.REVOKE_ENTITY, (before_ms, find_id(connection, holder)))


def delete_entity(connection: sqlite3.Connection, *, holder: Holder) -> None:
    entity_id = find_id(connection, holder)
    for statement, obstacle in _IN_THE_WAY[holder.kind]:
        if connection.execute(statement, (entity_id,)).fetchone()[0]:
            raise DeleteConflictError(holder.kind, holder.name, obstacle)
    connection.execute(statements.REMOVE_ENTITY, (entity_id,))


def _require_free(connection: sqlite3.Connection, holder: Holder, *, besides: int | None = None) -> None:
    wanted = (holder.account_id, holder.kind.value, holder.name)
    row = connection.execute(statements.FIND_ENTITY, wanted).fetchone()
    if row is not None and row[0] != besides:
        raise EntityExistsError(holder.kind, holder.name)


def _limited(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Raises LimitExceededError."""
    if len(tags) > Quota.TAGS.value:
        raise LimitExceededError(Quota.TAGS)
    return tags


def _name_of(entity: Entity) -> str:
    return entity.name
