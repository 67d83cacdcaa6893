"""Who is in which group. The changes run inside the writer's transaction."""

import sqlite3

from valetkey.store import identity_rows
from valetkey.store import identity_statements as statements
from valetkey.store.entities import find_id, group_holder, user_holder
from valetkey.store.errors import LimitExceededError
from valetkey.store.identity_model import Group, Page, Quota, User


def add_member(connection: sqlite3.Connection, *, account_id: str, group: str, user: str) -> None:
    group_id = find_id(connection, group_holder(account_id, group))
    user_id = find_id(connection, user_holder(account_id, user))
    connection.execute(statements.ADD_MEMBER, (group_id, user_id))
    if connection.execute(statements.COUNT_GROUPS, (user_id,)).fetchone()[0] > Quota.GROUPS_OF_A_USER.value:
        raise LimitExceededError(Quota.GROUPS_OF_A_USER)


def remove_member(connection: sqlite3.Connection, *, account_id: str, group: str, user: str) -> None:
    group_id = find_id(connection, group_holder(account_id, group))
    user_id = find_id(connection, user_holder(account_id, user))
    connection.execute(statements.REMOVE_MEMBER, (group_id, user_id))


def list_members(
    connection: sqlite3.Connection, *, account_id: str, group: str, after: str, limit: int
) -> Page[User]:
    group_id = find_id(connection, group_holder(account_id, group))
    found = connection.execute(statements.LIST_MEMBERS, (group_id, after, limit + 1)).fetchall()
    return identity_rows.to_page(
        found, identity_rows.to_user, limit=limit, place_of=lambda member: member.name
    )


def list_groups_of(
    connection: sqlite3.Connection, *, account_id: str, user: str, after: str, limit: int
) -> Page[Group]:
    user_id = find_id(connection, user_holder(account_id, user))
    found = connection.execute(statements.LIST_GROUPS_OF, (user_id, after, limit + 1)).fetchall()
    return identity_rows.to_page(
        found, identity_rows.to_group, limit=limit, place_of=lambda group: group.name
    )
