"""The versions of a key in the catalog: how a new one takes its place, and how one goes.

`objects` holds the current version unless that is a delete marker; `versions` holds all others and the markers.
"""

import sqlite3
from typing import Final, NamedTuple

from valetkey.store import rows, statements
from valetkey.store.contents import Effects, drop_content
from valetkey.store.errors import (
    NoSuchBucketError,
    NoSuchKeyError,
    ObjectLockedError,
    PreconditionFailedError,
)
from valetkey.store.model import Bucket, Deleted, Deletion, InBucket, WriteRule, name_of

NULL_ID: Final = "null"
"""What S3 calls the null version."""


class State(NamedTuple):
    """What a change has to know of the version that it touches."""

    rank: int
    version_id: str | None
    size: int
    etag: str
    modified_ms: int
    content_id: int | None
    """None: it is a delete marker."""
    is_inline: int
    lock_mode: str | None
    lock_until_ms: int | None
    legal_hold: int | None


class Place(NamedTuple):
    """Where an object is to be put, and what is there now."""

    bucket_id: int
    versioning: str | None
    current: State | None
    """The current version; None also if that is a delete marker."""


def find_place(source: rows.Source, bucket: InBucket, key: bytes) -> Place:
    """Return the place of a key.

    Raises:
        NoSuchBucketError: there is no such bucket, or it is another one of the same name.
    """
    name = name_of(bucket)
    row = source.execute(statements.FIND_PLACE, (name, key)).fetchone()
    if row is None or not (isinstance(bucket, str) or bucket.id == row[0]):
        raise NoSuchBucketError(name)
    return Place(row[0], row[1], None if row[2] is None else State._make(row[2:]))


def find_current(source: rows.Source, bucket_id: int, key: bytes) -> State | None:
    """Return the current version unless it is a delete marker."""
    row = source.execute(statements.FIND_CURRENT, (bucket_id, key)).fetchone()
    return None if row is None else State(*row)


def find_newest_other(source: rows.Source, bucket_id: int, key: bytes) -> State | None:
    """Return the newest version that is not in `objects`; without one there, it is a delete marker."""
    row = source.execute(statements.FIND_NEWEST_OTHER, (bucket_id, key)).fetchone()
    return None if row is None else State(*row)


def _find_other(source: rows.Source, bucket_id: int, key: bytes, version_id: str | None) -> State | None:
    row = source.execute(statements.FIND_OTHER, (bucket_id, key, version_id)).fetchone()
    return None if row is None else State(*row)


def require_rule(rule: WriteRule | None, state: State | None, *, bucket: str, key: str) -> None:
    """Return if the rule holds for the version, which is None if there is no object.

    Raises:
        NoSuchKeyError, PreconditionFailedError
    """
    if rule is None:
        return
    if rule.create_only:
        if state is not None:
            raise PreconditionFailedError("If-None-Match")
        return
    if rule.other_than is not None:
        if state is not None and state.etag == rule.other_than:
            raise PreconditionFailedError("If-None-Match")
        return
    if state is None:
        raise NoSuchKeyError(bucket, key)
    for condition, wanted, found in (
        ("If-Match", None if rule.etag == "*" else rule.etag, state.etag),
        ("x-amz-if-match-last-modified-time", rule.modified_second, state.modified_ms // 1000),
        ("x-amz-if-match-size", rule.size, state.size),
        ("rank", rule.rank, state.rank),
    ):
        if wanted is not None and wanted != found:
            raise PreconditionFailedError(condition)


def make_way(
    connection: sqlite3.Connection, effects: Effects, place: Place, key: bytes, *, now_ms: int
) -> int:
    """Take away what is in the place of a new version, or keep it elsewhere, and return the new one's rank.

    Only the row in `objects` stays: another takes its place, or the caller removes it.
    """
    bucket_id, versioning, current = place
    if versioning is None:
        if current is not None and current.content_id is not None:
            _require_unlocked(current, key, now_ms=now_ms)
            drop_content(
                connection, effects, content_id=current.content_id, is_inline=bool(current.is_inline)
            )
        return _next_rank(current, now_ms=now_ms)
    newest = current or find_newest_other(connection, bucket_id, key)
    if current is not None:
        connection.execute(statements.RETIRE_OBJECT, (bucket_id, key))
    if versioning != "Enabled":
        # There is one null version at most, and the new one is it.
        former = _find_other(connection, bucket_id, key, None)
        if former is not None:
            _require_unlocked(former, key, now_ms=now_ms)
            _remove_other(connection, effects, bucket_id, key, former)
    return _next_rank(newest, now_ms=now_ms)


def _require_unlocked(state: State, key: bytes, *, now_ms: int, may_bypass: bool = False) -> None:
    """Return if the version may be removed.

    Raises:
        ObjectLockedError
    """
    lock = rows.to_lock(state.lock_mode, state.lock_until_ms, state.legal_hold)
    if lock.protects(now_ms=now_ms, may_bypass=may_bypass):
        raise ObjectLockedError(key.decode(), state.version_id or NULL_ID)


def _next_rank(newest: State | None, *, now_ms: int) -> int:
    """Return a rank before that of the newest version, and before those that had been and are gone."""
    # Taken from the clock: counted from what is there, a rank would come back after the newest was deleted.
    return -now_ms if newest is None else min(-now_ms, newest.rank - 1)


def delete(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: Bucket,
    deletion: Deletion,
    marker_id: str,
    now_ms: int,
) -> Deleted:
    """Remove what is named, or hide it behind a delete marker, whose id is `marker_id` if it gets one.

    Raises:
        NoSuchKeyError, PreconditionFailedError: the rule does not hold.
        ObjectLockedError: the version has to stay.
    """
    effects.keys.append((bucket.name, deletion.key))
    if deletion.version_id is not None:
        return _delete_version(connection, effects, bucket, deletion, deletion.version_id, now_ms=now_ms)
    key = deletion.key.encode()
    current = find_current(connection, bucket.id, key)
    _require_deletable(connection, bucket, deletion, current)
    rank = make_way(connection, effects, Place(bucket.id, bucket.versioning, current), key, now_ms=now_ms)
    if current is not None:
        connection.execute(statements.REMOVE_OBJECT, (bucket.id, key))
    if bucket.versioning is None:
        return Deleted(key=deletion.key, version_id=None, marker_id=None, is_versioned=False)
    version_id = marker_id if bucket.versioning == "Enabled" else None
    connection.execute(statements.ADD_MARKER, (bucket.id, key, rank, version_id, now_ms))
    return Deleted(key=deletion.key, version_id=None, marker_id=version_id or NULL_ID, is_versioned=True)


def _require_deletable(
    connection: sqlite3.Connection, bucket: Bucket, deletion: Deletion, current: State | None
) -> None:
    """Return if the deletion's rule holds for what is there now.

    What is gone already is no obstacle to a rule about time or size alone: then there is nothing to lose.
    """
    rule = deletion.rule
    state = current
    if current is None and rule is not None and rule.etag is None and rule.rank is None:
        state = find_newest_other(connection, bucket.id, deletion.key.encode())
        if state is None:
            return
    require_rule(rule, state, bucket=bucket.name, key=deletion.key)
    _require_tags(connection, rule, state)


def _require_tags(connection: sqlite3.Connection, rule: WriteRule | None, state: State | None) -> None:
    if rule is None or rule.tags is None or state is None or state.content_id is None:
        return
    (text,) = connection.execute(statements.LIST_TAGS, (state.content_id,)).fetchone()
    if rows.to_map(text) != rule.tags:
        raise PreconditionFailedError("tags")


def _delete_version(
    connection: sqlite3.Connection,
    effects: Effects,
    bucket: Bucket,
    deletion: Deletion,
    version_id: str,
    *,
    now_ms: int,
) -> Deleted:
    key, wanted = deletion.key.encode(), None if version_id == NULL_ID else version_id
    is_versioned = bucket.versioning is not None
    current = find_current(connection, bucket.id, key)
    is_current = current is not None and current.version_id == wanted
    state = current if is_current else _find_other(connection, bucket.id, key, wanted)
    if state is None:
        return Deleted(key=deletion.key, version_id=version_id, marker_id=None, is_versioned=is_versioned)
    require_rule(deletion.rule, state, bucket=bucket.name, key=deletion.key)
    _require_tags(connection, deletion.rule, state)
    if deletion.rule is not None and deletion.rule.is_superseded:
        _require_superseded(state, current or find_newest_other(connection, bucket.id, key))
    _require_unlocked(state, key, now_ms=now_ms, may_bypass=deletion.may_bypass)
    if is_current and state.content_id is not None:
        connection.execute(statements.REMOVE_OBJECT, (bucket.id, key))
        drop_content(connection, effects, content_id=state.content_id, is_inline=bool(state.is_inline))
    else:
        _remove_other(connection, effects, bucket.id, key, state)
    if is_current or current is None:
        _promote_newest(connection, bucket.id, key)
    is_marker = state.content_id is None
    return Deleted(
        key=deletion.key,
        version_id=version_id,
        marker_id=version_id if is_marker else None,
        is_versioned=is_versioned,
    )


def _require_superseded(state: State, newest: State | None) -> None:
    if newest is None or state.rank == newest.rank:
        raise PreconditionFailedError("superseded")


def _remove_other(
    connection: sqlite3.Connection, effects: Effects, bucket_id: int, key: bytes, state: State
) -> None:
    connection.execute(statements.REMOVE_VERSION, (bucket_id, key, state.rank))
    if state.content_id is not None:
        drop_content(connection, effects, content_id=state.content_id, is_inline=bool(state.is_inline))


def _promote_newest(connection: sqlite3.Connection, bucket_id: int, key: bytes) -> None:
    """Make the newest version current again, unless it is a delete marker."""
    newest = find_newest_other(connection, bucket_id, key)
    if newest is not None and newest.content_id is not None:
        connection.execute(statements.PROMOTE_VERSION, (bucket_id, key, newest.rank))
        connection.execute(statements.REMOVE_VERSION, (bucket_id, key, newest.rank))
