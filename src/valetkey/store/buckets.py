"""Buckets in the catalog. The changes run inside the writer's transaction."""

import sqlite3

from valetkey.store import rows, statements
from valetkey.store.contents import Effects
from valetkey.store.errors import BucketExistsError, BucketNotEmptyError, NoSuchBucketError
from valetkey.store.model import Bucket
from valetkey.store.parts import drop_upload


def find_bucket(source: rows.Source, name: str) -> Bucket:
    """Raises NoSuchBucketError."""
    row = source.execute(statements.FIND_BUCKET, (name,)).fetchone()
    if row is None:
        raise NoSuchBucketError(name)
    return rows.to_bucket(row)


def list_buckets(connection: sqlite3.Connection) -> list[Bucket]:
    return [rows.to_bucket(row) for row in connection.execute(statements.LIST_BUCKETS)]


def create_bucket(connection: sqlite3.Connection, effects: Effects, *, name: str, now_ms: int) -> Bucket:
    if connection.execute(statements.FIND_BUCKET, (name,)).fetchone() is not None:
        raise BucketExistsError(name)
    connection.execute(statements.ADD_BUCKET, (name, now_ms))
    return find_bucket(connection, name)


def delete_bucket(connection: sqlite3.Connection, effects: Effects, *, name: str) -> None:
    """Remove an empty bucket; uploads that are open in it end with it."""
    bucket_id = find_bucket(connection, name).id
    if connection.execute(statements.HAS_OBJECTS, (bucket_id,)).fetchone()[0]:
        raise BucketNotEmptyError(name)
    for (upload_id,) in connection.execute(statements.LIST_UPLOAD_IDS, (bucket_id,)).fetchall():
        drop_upload(connection, effects, upload_id=upload_id)
    connection.execute(statements.REMOVE_BUCKET, (bucket_id,))
