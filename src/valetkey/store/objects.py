"""Finding, placing and removing objects in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bucket
from valetkey.store.contents import Effects, add_content, drop_content, list_segments
from valetkey.store.errors import (
    NoSuchBucketError,
    NoSuchKeyError,
    PreconditionFailedError,
    StorageFailedError,
)
from valetkey.store.model import NewObject, Segment, StoredObject, WriteRule

# S3's name for it; kept with the headers, and shown in listings.
_STORAGE_CLASS: Final = "x-amz-storage-class"
# Each try fails only if the object is replaced within microseconds.
_MOST_TRIES: Final = 16


def find_object(source: rows.Source, bucket: str, key: str) -> StoredObject:
    """Return the object with the content that belongs to it.

    Raises:
        NoSuchBucketError, NoSuchKeyError
    """
    for _ in range(_MOST_TRIES):
        row = source.execute(statements.FIND_OBJECT, (bucket, key.encode())).fetchone()
        if row is None:
            raise NoSuchBucketError(bucket)
        content_id, content = row[0], row[-1]
        if content_id is None:
            raise NoSuchKeyError(bucket, key)
        if content is None:
            content = list_segments(source, content_id)
        # Without segments it was replaced between the two statements; ids of contents never come back.
        if content != ():
            return rows.to_object(bucket, key, row, content)
    raise StorageFailedError(f"The object {key!r} in the bucket {bucket!r} has no content.")


def put_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    key: str,
    content: bytes | Segment,
    new: NewObject,
    now_ms: int,
    rule: WriteRule | None,
) -> StoredObject:
    placed = StoredObject(
        bucket=bucket,
        key=key,
        size=len(content) if isinstance(content, bytes) else content.size,
        etag=new.etag,
        modified_ms=now_ms,
        headers=new.headers,
        checksum=new.checksum,
        content=content if isinstance(content, bytes) else (content,),
        parts_count=None,
    )
    place(connection, effects, placed, rule=rule)
    return placed


def copy_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    source_bucket: str,
    source_key: str,
    bucket: str,
    key: str,
    now_ms: int,
    expected_etag: str | None,
    headers: Mapping[str, str] | None,
    rule: WriteRule | None,
) -> StoredObject:
    source = find_object(connection, source_bucket, source_key)
    if expected_etag is not None and source.etag != expected_etag:
        raise PreconditionFailedError("x-amz-copy-source-if-match")
    placed = replace(
        source,
        bucket=bucket,
        key=key,
        modified_ms=now_ms,
        headers=source.headers if headers is None else headers,
    )
    place(connection, effects, placed, rule=rule)
    return placed


def place(
    connection: sqlite3.Connection, effects: Effects, placed: StoredObject, *, rule: WriteRule | None
) -> None:
    """Put the object under its key, in place of what is there, if `rule` allows it.

    Raises:
        NoSuchBucketError, NoSuchKeyError, PreconditionFailedError
    """
    bucket_id = find_bucket(connection, placed.bucket).id
    key = placed.key.encode()
    current = connection.execute(statements.FIND_CURRENT, (bucket_id, key)).fetchone()
    _require_rule(rule, current, bucket=placed.bucket, key=placed.key)
    content_id = add_content(
        connection, headers=placed.headers, parts_count=placed.parts_count, content=placed.content
    )
    row = (
        bucket_id,
        key,
        placed.size,
        placed.etag,
        placed.modified_ms,
        placed.headers.get(_STORAGE_CLASS),
        *rows.from_checksum(placed.checksum),
        content_id,
    )
    connection.execute(statements.PUT_OBJECT, row)
    effects.keys.append((placed.bucket, placed.key))
    if current is not None:
        drop_content(connection, effects, content_id=current[0], is_inline=bool(current[2]))


def delete_object(
    connection: sqlite3.Connection, effects: Effects, *, bucket: str, key: str, rule: WriteRule | None
) -> bool:
    """Return whether there was such an object."""
    bucket_id = find_bucket(connection, bucket).id
    current = connection.execute(statements.FIND_CURRENT, (bucket_id, key.encode())).fetchone()
    _require_rule(rule, current, bucket=bucket, key=key)
    if current is None:
        return False
    connection.execute(statements.REMOVE_OBJECT, (bucket_id, key.encode()))
    effects.keys.append((bucket, key))
    drop_content(connection, effects, content_id=current[0], is_inline=bool(current[2]))
    return True


def delete_objects(
    connection: sqlite3.Connection, effects: Effects, *, bucket: str, keys: Sequence[str]
) -> None:
    for key in keys:
        delete_object(connection, effects, bucket=bucket, key=key, rule=None)


def _require_rule(rule: WriteRule | None, current: rows.Row | None, *, bucket: str, key: str) -> None:
    if rule is None:
        return
    if rule.create_only and current is not None:
        raise PreconditionFailedError("If-None-Match")
    if rule.etag is None:
        return
    if current is None:
        raise NoSuchKeyError(bucket, key)
    if rule.etag not in {"*", current[1]}:
        raise PreconditionFailedError("If-Match")
