"""Managed policies and their versions in the catalog. The changes run inside the writer's transaction."""

import sqlite3

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
    PROVIDED,
    EntityKind,
    ManagedPolicy,
    NewPolicy,
    Obstacle,
    Page,
    PolicyVersion,
    Quota,
)


def find_policy_row(source: rows.Source, account_id: str, arn: str) -> rows.Row:
    """Return the row of a policy that the account may use; its first column is the id in the catalog.

    Raises:
        NoSuchEntityError: there is none, or it is another account's.
    """
    row: rows.Row | None = source.execute(statements.FIND_POLICY, (arn, account_id)).fetchone()
    if row is None:
        raise NoSuchEntityError(EntityKind.POLICY, arn)
    return row


def find_policy(source: rows.Source, account_id: str, arn: str) -> ManagedPolicy:
    """Raises NoSuchEntityError."""
    return identity_rows.to_policy(find_policy_row(source, account_id, arn))


def find_named_policy(source: rows.Source, account_id: str, name: str) -> ManagedPolicy:
    """Return the policy of this name: one of the account, or else a provided one.

    Raises:
        NoSuchEntityError
    """
    for owner in (account_id, PROVIDED):
        row = source.execute(statements.FIND_POLICY_NAMED, (owner, name)).fetchone()
        if row is not None:
            return identity_rows.to_policy(row)
    raise NoSuchEntityError(EntityKind.POLICY, name)


def find_version(source: rows.Source, account_id: str, arn: str, number: int) -> PolicyVersion:
    """Raises NoSuchEntityError: of the policy, or of the version."""
    row = find_policy_row(source, account_id, arn)
    return _version(source, row, number)


def list_policies(
    connection: sqlite3.Connection,
    *,
    account_ids: tuple[str, str],
    path_prefix: str,
    only_attached: bool,
    after: str,
    limit: int,
) -> Page[ManagedPolicy]:
    wanted = (*account_ids, after, path_prefix, only_attached, limit + 1)
    found = connection.execute(statements.LIST_POLICIES, wanted).fetchall()
    return identity_rows.to_page(
        found, identity_rows.to_policy, limit=limit, place_of=lambda policy: policy.arn
    )


def list_versions(connection: sqlite3.Connection, *, account_id: str, arn: str) -> list[PolicyVersion]:
    policy_id, *_ = row = find_policy_row(connection, account_id, arn)
    default_version = identity_rows.to_policy(row).default_version
    found = connection.execute(statements.LIST_VERSIONS, (policy_id,))
    return [identity_rows.to_version(one, default_version=default_version) for one in found]


def create_policy(connection: sqlite3.Connection, *, new: NewPolicy, now_ms: int) -> ManagedPolicy:
    if connection.execute(statements.HAS_POLICY_NAMED, (new.account_id, new.name)).fetchone()[0]:
        raise EntityExistsError(EntityKind.POLICY, new.name)
    if len(new.tags) > Quota.TAGS.value:
        raise LimitExceededError(Quota.TAGS)
    number = PROVIDED if new.account_id == PROVIDED else find_account(connection, new.account_id).number
    arn = f"arn:aws:iam::{number}:policy{new.path}{new.name}"
    row = (new.account_id, arn, new.name, new.path, new.unique_id, now_ms, new.description)
    policy_id = connection.execute(statements.ADD_POLICY, (*row, rows.from_map(new.tags))).lastrowid
    connection.execute(statements.ADD_VERSION, (policy_id, 1, new.document, now_ms))
    return find_policy(connection, new.account_id, arn)


def provide_policy(connection: sqlite3.Connection, *, new: NewPolicy, now_ms: int) -> None:
    """Let a policy that comes with the program have the document of `new`, whatever an earlier program gave it."""
    arn = f"arn:aws:iam::{PROVIDED}:policy{new.path}{new.name}"
    try:
        row = find_policy_row(connection, PROVIDED, arn)
    except NoSuchEntityError:
        create_policy(connection, new=new, now_ms=now_ms)
        return
    policy = identity_rows.to_policy(row)
    if _version(connection, row, policy.default_version).document != new.document:
        number = _newest(row) + 1
        connection.execute(statements.REMOVE_POLICY_VERSIONS, (row[0],))
        connection.execute(statements.ADD_VERSION, (row[0], number, new.document, now_ms))
        connection.execute(statements.UPDATE_POLICY, (now_ms, number, number, row[0]))


def create_version(
    connection: sqlite3.Connection,
    *,
    account_id: str,
    arn: str,
    document: str,
    is_default: bool,
    now_ms: int,
) -> PolicyVersion:
    policy_id, *_ = row = _changeable(connection, account_id, arn)
    number = _newest(row) + 1
    default_version = number if is_default else identity_rows.to_policy(row).default_version
    connection.execute(statements.ADD_VERSION, (policy_id, number, document, now_ms))
    if (
        connection.execute(statements.COUNT_VERSIONS, (policy_id,)).fetchone()[0]
        > Quota.POLICY_VERSIONS.value
    ):
        raise LimitExceededError(Quota.POLICY_VERSIONS)
    connection.execute(statements.UPDATE_POLICY, (now_ms, default_version, number, policy_id))
    return PolicyVersion(number=number, document=document, created_ms=now_ms, is_default=is_default)


def set_default_version(connection: sqlite3.Connection, *, account_id: str, arn: str, number: int) -> None:
    policy_id, *_ = row = _changeable(connection, account_id, arn)
    _version(connection, row, number)
    updated_ms = identity_rows.to_policy(row).updated_ms
    connection.execute(statements.UPDATE_POLICY, (updated_ms, number, _newest(row), policy_id))


def delete_version(connection: sqlite3.Connection, *, account_id: str, arn: str, number: int) -> None:
    policy_id, *_ = row = _changeable(connection, account_id, arn)
    if _version(connection, row, number).is_default:
        raise DeleteConflictError(EntityKind.POLICY_VERSION, f"v{number}", Obstacle.IS_DEFAULT)
    connection.execute(statements.REMOVE_POLICY_VERSION, (policy_id, number))


def delete_policy(connection: sqlite3.Connection, *, account_id: str, arn: str) -> None:
    """Remove a policy that nobody has and that has no version but the default one."""
    policy_id, *_ = row = _changeable(connection, account_id, arn)
    policy = identity_rows.to_policy(row)
    if policy.attachments_count or policy.boundaries_count:
        raise DeleteConflictError(EntityKind.POLICY, arn, Obstacle.HOLDERS)
    if connection.execute(statements.COUNT_VERSIONS, (policy_id,)).fetchone()[0] > 1:
        raise DeleteConflictError(EntityKind.POLICY, arn, Obstacle.VERSIONS)
    connection.execute(statements.REMOVE_POLICY_VERSIONS, (policy_id,))
    connection.execute(statements.REMOVE_POLICY, (policy_id,))


def _changeable(connection: sqlite3.Connection, account_id: str, arn: str) -> rows.Row:
    """Return the row of one of the account's own policies.

    Raises:
        NoSuchEntityError
    """
    row = find_policy_row(connection, account_id, arn)
    if identity_rows.to_policy(row).account_id != account_id:
        raise NoSuchEntityError(EntityKind.POLICY, arn)
    return row


def _version(source: rows.Source, row: rows.Row, number: int) -> PolicyVersion:
    found = source.execute(statements.FIND_VERSION, (row[0], number)).fetchone()
    if found is None:
        raise NoSuchEntityError(EntityKind.POLICY_VERSION, f"v{number}")
    return identity_rows.to_version(found, default_version=identity_rows.to_policy(row).default_version)


def _newest(row: rows.Row) -> int:
    """Return the highest number that a version of the policy ever had."""
    return int(row[-2])
