"""Finding, placing and amending objects in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bare_bucket
from valetkey.store.contents import (
    Effects,
    add_content,
    add_object_parts,
    list_segments,
    require_live,
)
from valetkey.store.errors import (
    ContentGoneError,
    DeleteMarkerError,
    NoSuchBucketError,
    NoSuchKeyError,
    NoSuchVersionError,
    StorageFailedError,
)
from valetkey.store.model import (
    Bucket,
    InBucket,
    NewObject,
    ObjectPart,
    Segment,
    StoredObject,
    WriteRule,
    name_of,
)
from valetkey.store.versions import (
    NULL_ID,
    find_current,
    find_newest_other,
    find_place,
    make_way,
    require_rule,
)

# S3's name for it; kept with the headers, and shown in listings.
_STORAGE_CLASS: Final = "x-amz-storage-class"
# Each try fails only if the object is replaced within microseconds.
_MOST_TRIES: Final = 16
# Until the catalog has given it one.
_NO_ID: Final = 0


def find_object(source: rows.Source, bucket: str, key: str) -> StoredObject:
    """Return the current version with the content that belongs to it.

    Raises:
        NoSuchBucketError, NoSuchKeyError
    """
    for _ in range(_MOST_TRIES):
        row = source.execute(statements.FIND_OBJECT, (bucket, key.encode())).fetchone()
        if row is None:
            raise NoSuchBucketError(bucket)
        if row[0] is None:
            raise _no_such_key(source, bucket, key)
        found = _with_content(source, bucket, key, row)
        if found is not None:
            return found
    raise _without_content(bucket, key)


def find_version(source: rows.Source, bucket: str, key: str, version_id: str) -> StoredObject:
    """Return the version with this id, or the null version for "null".

    Raises:
        NoSuchBucketError, NoSuchVersionError, DeleteMarkerError
    """
    place = (find_bare_bucket(source, bucket).id, key.encode(), None if version_id == NULL_ID else version_id)
    for _ in range(_MOST_TRIES):
        # It may move from one table to the other in between, but never back.
        row = (
            source.execute(statements.FIND_CURRENT_VERSION, place).fetchone()
            or source.execute(statements.FIND_OTHER_VERSION, place).fetchone()
            or source.execute(statements.FIND_CURRENT_VERSION, place).fetchone()
        )
        if row is None:
            raise NoSuchVersionError(key, version_id)
        if row[0] is None:
            raise DeleteMarkerError(key, version_id, row[3])
        found = _with_content(source, bucket, key, row)
        if found is not None:
            return found
    raise _without_content(bucket, key)


def _with_content(source: rows.Source, bucket: str, key: str, row: rows.Row) -> StoredObject | None:
    content = row[-1]
    if content is None:
        content = list_segments(source, row[0])
    # Without segments it was replaced between the two statements; ids of contents never come back.
    return None if content == () else rows.to_object(bucket, key, row, content)


def _no_such_key(source: rows.Source, bucket: str, key: str) -> NoSuchKeyError:
    marker = find_newest_other(source, find_bare_bucket(source, bucket).id, key.encode())
    if marker is None or marker.content_id is not None:
        # It came back in between.
        return NoSuchKeyError(bucket, key)
    return NoSuchKeyError(bucket, key, marker_id=marker.version_id or NULL_ID)


def _without_content(bucket: str, key: str) -> StorageFailedError:
    return StorageFailedError(f"The object {key!r} in the bucket {bucket!r} has no content.")


def find_any(source: rows.Source, bucket: str, key: str, version_id: str | None) -> StoredObject:
    """Return the version with the id, or the current one if that is None."""
    if version_id is None:
        return find_object(source, bucket, key)
    return find_version(source, bucket, key, version_id)


def find_object_part(source: rows.Source, obj: StoredObject, number: int) -> ObjectPart | None:
    if not 1 <= number <= (obj.parts_count or 0):
        return None
    row = source.execute(statements.LIST_CONTENT_PARTS, (obj.id, number - 1, 1)).fetchone()
    if row is None:
        raise ContentGoneError
    return rows.to_object_part(row)


def list_object_parts(
    connection: sqlite3.Connection, *, obj: StoredObject, after_number: int, limit: int
) -> tuple[list[ObjectPart], bool]:
    """Return up to `limit` parts with numbers above `after_number`, and whether there are more.

    Raises:
        ContentGoneError: the object was replaced or deleted since it was found.
    """
    require_live(connection, obj.id)
    found = connection.execute(statements.LIST_CONTENT_PARTS, (obj.id, after_number, limit + 1)).fetchall()
    return [rows.to_object_part(row) for row in found[:limit]], limit > 0 and len(found) > limit


def put_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: InBucket,
    key: str,
    content: bytes | Segment,
    seal: bytes | None,
    encryption: str | None,
    size: int,
    new: NewObject,
    version_id: str,
    now_ms: int,
    rule: WriteRule | None,
) -> StoredObject:
    placed = StoredObject(
        id=_NO_ID,
        bucket=name_of(bucket),
        key=key,
        version_id=version_id,
        size=size,
        etag=new.etag,
        modified_ms=now_ms,
        headers=new.headers,
        checksum=new.checksum,
        content=content if isinstance(content, bytes) else (content,),
        parts_count=None,
        tags=new.tags,
        lock=new.lock,
        encryption=encryption,
        seal=seal,
        owner_id=new.owner_id,
        acl=new.acl,
    )
    return place(connection, effects, placed, rule=rule, bucket=None if isinstance(bucket, str) else bucket)


def copy_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    source: StoredObject,
    bucket: str,
    key: str,
    new: NewObject,
    version_id: str,
    now_ms: int,
    rule: WriteRule | None,
) -> StoredObject:
    require_live(connection, source.id)
    placed = replace(
        source,
        bucket=bucket,
        key=key,
        version_id=version_id,
        modified_ms=now_ms,
        etag=new.etag,
        headers=new.headers,
        checksum=new.checksum,
        tags=new.tags,
        lock=new.lock,
        owner_id=new.owner_id,
        acl=new.acl,
    )
    return place(connection, effects, placed, rule=rule, parts_of=source.id)


def place(
    connection: sqlite3.Connection,
    effects: Effects,
    placed: StoredObject,
    *,
    rule: WriteRule | None,
    bucket: Bucket | None = None,
    parts: Sequence[ObjectPart] = (),
    parts_of: int | None = None,
) -> StoredObject:
    """Make the object the current version of its key, if `rule` allows it, and return it as it stands there.

    Its `version_id` is what it gets if the bucket has versions now; elsewhere it becomes the null version. `bucket`
    is the very bucket that it is for, and no other of its name.

    Raises:
        NoSuchBucketError, NoSuchKeyError, PreconditionFailedError
    """
    key = placed.key.encode()
    there = find_place(connection, placed.bucket if bucket is None else bucket, key)
    require_rule(rule, there.current, bucket=placed.bucket, key=placed.key)
    # Before what is there goes: a copy onto itself names the same blobs.
    content_id = add_content(connection, placed)
    if parts:
        add_object_parts(connection, content_id, parts)
    if parts_of is not None:
        connection.execute(statements.COPY_CONTENT_PARTS, (content_id, parts_of))
    rank = make_way(connection, effects, there, key, now_ms=placed.modified_ms)
    version_id = placed.version_id if there.versioning == "Enabled" else None
    row = (
        there.bucket_id,
        key,
        rank,
        version_id,
        placed.size,
        placed.etag,
        placed.modified_ms,
        placed.headers.get(_STORAGE_CLASS),
        *rows.from_checksum(placed.checksum),
        content_id,
        placed.owner_id,
    )
    connection.execute(statements.PUT_OBJECT, row)
    effects.keys.append((placed.bucket, placed.key))
    return _settled(placed, content_id=content_id, version_id=version_id)


def _settled(placed: StoredObject, *, content_id: int, version_id: str | None) -> StoredObject:
    """Return the object with what the catalog gave it. `replace` takes three times as long, for each PUT."""
    return StoredObject(
        id=content_id,
        bucket=placed.bucket,
        key=placed.key,
        version_id=version_id,
        size=placed.size,
        etag=placed.etag,
        modified_ms=placed.modified_ms,
        headers=placed.headers,
        checksum=placed.checksum,
        content=placed.content,
        parts_count=placed.parts_count,
        tags=placed.tags,
        lock=placed.lock,
        encryption=placed.encryption,
        seal=placed.seal,
        owner_id=placed.owner_id,
        acl=placed.acl,
    )


def require_now(source: rows.Source, *, bucket: str, key: str, rule: WriteRule) -> None:
    """Return if the rule holds for the current version. It is decided again when something is placed there."""
    bucket_id = find_bare_bucket(source, bucket).id
    require_rule(rule, find_current(source, bucket_id, key.encode()), bucket=bucket, key=key)


def amend_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    key: str,
    version_id: str | None,
    amend: Callable[[StoredObject], StoredObject],
) -> StoredObject:
    found = find_any(connection, bucket, key, version_id)
    amended = amend(found)
    row = (rows.from_map(amended.tags), *rows.from_lock(amended.lock), amended.acl, found.id)
    connection.execute(statements.AMEND_CONTENT, row)
    effects.keys.append((bucket, key))
    return replace(found, tags=amended.tags, lock=amended.lock, acl=amended.acl)


def find_tags(source: rows.Source, content_id: int) -> Mapping[str, str]:
    row = source.execute(statements.LIST_TAGS, (content_id,)).fetchone()
    return rows.to_map(row[0]) if row is not None else {}
