"""Buckets in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from valetkey.store import rows, statements
from valetkey.store.contents import Effects
from valetkey.store.errors import (
    BucketExistsError,
    BucketNotEmptyError,
    LockableBucketError,
    NoSuchBucketError,
)
from valetkey.store.model import Bucket
from valetkey.store.parts import drop_upload

WHOLE_BUCKET: Final = ""
"""Stands for the key where it is the bucket itself that changes."""


def find_bucket(source: rows.Source, name: str) -> Bucket:
    """Raises NoSuchBucketError."""
    row = source.execute(statements.FIND_BUCKET, (name,)).fetchone()
    if row is None:
        raise NoSuchBucketError(name)
    return rows.to_bucket(row, dict(source.execute(statements.LIST_SETTINGS, (row[0],)).fetchall()))


def find_bare_bucket(source: rows.Source, name: str) -> Bucket:
    """Return the bucket without its settings.

    Raises:
        NoSuchBucketError
    """
    row = source.execute(statements.FIND_BUCKET, (name,)).fetchone()
    if row is None:
        raise NoSuchBucketError(name)
    return rows.to_bucket(row, {})


def list_buckets(connection: sqlite3.Connection) -> list[Bucket]:
    """Return all buckets without their settings."""
    return [rows.to_bucket(row, {}) for row in connection.execute(statements.LIST_BUCKETS)]


def create_bucket(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    name: str,
    owner_id: str | None,
    is_lockable: bool,
    settings: Mapping[str, str],
    now_ms: int,
) -> Bucket:
    found = connection.execute(statements.FIND_BUCKET, (name,)).fetchone()
    if found is not None:
        raise BucketExistsError(name, owner_id=rows.to_bucket(found, {}).owner_id)
    versioning = "Enabled" if is_lockable else None
    row = (name, now_ms, owner_id, versioning, is_lockable)
    bucket_id = connection.execute(statements.ADD_BUCKET, row).lastrowid
    for setting, document in settings.items():
        connection.execute(statements.PUT_SETTING, (bucket_id, setting, document))
    effects.keys.append((name, WHOLE_BUCKET))
    return find_bucket(connection, name)


def set_versioning(connection: sqlite3.Connection, effects: Effects, *, name: str, status: str) -> None:
    bucket = find_bare_bucket(connection, name)
    if bucket.is_lockable and status != "Enabled":
        raise LockableBucketError(name)
    connection.execute(statements.SET_VERSIONING, (status, bucket.id))
    effects.keys.append((name, WHOLE_BUCKET))


def allow_locks(connection: sqlite3.Connection, effects: Effects, *, name: str) -> None:
    bucket = find_bare_bucket(connection, name)
    if bucket.versioning != "Enabled":
        raise LockableBucketError(name)
    connection.execute(statements.ALLOW_LOCKS, (bucket.id,))
    effects.keys.append((name, WHOLE_BUCKET))


def put_setting(
    connection: sqlite3.Connection, effects: Effects, *, bucket: str, name: str, document: str | None
) -> None:
    bucket_id = find_bare_bucket(connection, bucket).id
    if document is None:
        connection.execute(statements.REMOVE_SETTING, (bucket_id, name))
    else:
        connection.execute(statements.PUT_SETTING, (bucket_id, name, document))
    effects.keys.append((bucket, WHOLE_BUCKET))


def delete_bucket(connection: sqlite3.Connection, effects: Effects, *, name: str) -> None:
    """Remove an empty bucket; uploads that are open in it end with it."""
    bucket_id = find_bare_bucket(connection, name).id
    if connection.execute(statements.HAS_OBJECTS, (bucket_id,)).fetchone()[0]:
        raise BucketNotEmptyError(name)
    for (upload_id,) in connection.execute(statements.LIST_UPLOAD_IDS, (bucket_id,)).fetchall():
        drop_upload(connection, effects, upload_id=upload_id)
    connection.execute(statements.REMOVE_SETTINGS, (bucket_id,))
    connection.execute(statements.REMOVE_BUCKET, (bucket_id,))
    effects.keys.append((name, WHOLE_BUCKET))
