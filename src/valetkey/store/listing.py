"""Listings: a range scan that skips over each delimiter group, so that a page costs what it shows."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bare_bucket
from valetkey.store.model import ListPage, UploadPage

Position = tuple[bytes, Any]
"""A key and, among entries for the same key, what to go on from; both inclusive."""

# No byte of UTF-8 is as high, so this stands behind every key.
_BEHIND_ALL_KEYS: Final = b"\xff"


def list_objects(
    connection: sqlite3.Connection, *, bucket: str, prefix: str, delimiter: str, after: str, limit: int
) -> ListPage:
    """Return up to `limit` keys and common prefixes that come after `after`.

    If `after` is a common prefix of this listing or lies in one, the whole group counts as shown.

    Raises:
        NoSuchBucketError
    """
    bucket_id = find_bare_bucket(connection, bucket).id
    scope, mark = prefix.encode(), delimiter.encode()
    end = behind(scope)

    def seek(position: Position) -> sqlite3.Cursor:
        return connection.execute(statements.SCAN_OBJECTS, (bucket_id, position[0], end))

    found = walk(seek, start=resume(after.encode(), scope, mark), scope=scope, mark=mark)
    items, is_truncated = take(found, limit)
    return ListPage(
        entries=tuple(rows.to_summary(item) for item in items if not isinstance(item, bytes)),
        common_prefixes=tuple(item.decode() for item in items if isinstance(item, bytes)),
        is_truncated=is_truncated,
        next_after=name(items[-1]) if is_truncated else None,
    )


def list_uploads(
    connection: sqlite3.Connection,
    *,
    bucket: str,
    prefix: str,
    delimiter: str,
    key_marker: str,
    upload_id_marker: str,
    limit: int,
) -> UploadPage:
    """Return up to `limit` open uploads and common prefixes, ordered by key and then by upload id.

    With `upload_id_marker` the uploads for `key_marker` itself go on after that id; without, they are skipped.

    Raises:
        NoSuchBucketError
    """
    bucket_id = find_bare_bucket(connection, bucket).id
    scope, mark = prefix.encode(), delimiter.encode()
    end = behind(scope)
    start = resume(key_marker.encode(), scope, mark)
    if upload_id_marker and is_resumed_in(key_marker.encode(), start, scope):
        # The least text behind the marker.
        start = (key_marker.encode(), upload_id_marker + "\0")

    def seek(position: Position) -> sqlite3.Cursor:
        return connection.execute(statements.SCAN_UPLOADS, (bucket_id, *position, end))

    items, is_truncated = take(walk(seek, start=start, scope=scope, mark=mark), limit)
    uploads = tuple(rows.to_upload(bucket, item) for item in items if not isinstance(item, bytes))
    ends_in_upload = is_truncated and not isinstance(items[-1], bytes)
    return UploadPage(
        uploads=uploads,
        common_prefixes=tuple(item.decode() for item in items if isinstance(item, bytes)),
        is_truncated=is_truncated,
        next_key_marker=name(items[-1]) if is_truncated else None,
        next_upload_id_marker=uploads[-1].id if ends_in_upload else None,
    )


def walk(
    seek: Callable[[Position], sqlite3.Cursor],
    *,
    start: Position,
    scope: bytes,
    mark: bytes,
    least: str | int = "",
) -> Iterator[rows.Row | bytes]:
    """Yield rows, and for each group of keys that share a common prefix that prefix instead.

    `seek` returns the rows from a position on, in order, the key first in each.
    """
    cursor = seek(start)
    if not mark:
        yield from cursor
        return
    row = next(cursor, None)
    is_each_alone = True
    past_scope, mark_size = len(scope), len(mark)
    while row is not None:
        # As in `group_of`; that all rows are in the scope is known here.
        found = row[0].find(mark, past_scope)
        if found < 0:
            yield row
            row = next(cursor, None)
            continue
        group = row[0][: found + mark_size]
        yield group
        end = behind(group)
        if is_each_alone:
            # A step costs a fifth of a search, and takes us out of a group of one.
            row = next(cursor, None)
            is_each_alone = row is None or row[0] >= end
        if not is_each_alone:
            # Closed first: a statement that is under way cannot be used again, and would be prepared anew.
            cursor.close()
            cursor = seek((end, least))
            row = next(cursor, None)


def take(found: Iterator[rows.Row | bytes], limit: int) -> tuple[list[rows.Row | bytes], bool]:
    """Return the first `limit` items, and whether there are more. A page of nothing is never truncated."""
    if limit <= 0:
        return [], False
    items = list(islice(found, limit + 1))
    return items[:limit], len(items) > limit


def resume(after: bytes, scope: bytes, mark: bytes, *, least: str | int = "") -> Position:
    """Return where a listing goes on behind a key or common prefix; `least` is what comes first for one key."""
    if not after:
        return scope, least
    group = group_of(after, scope, mark)
    # Appending a zero byte gives the next possible key.
    following = after + b"\0" if group is None else behind(group)
    return max(following, scope), least


def is_resumed_in(marker: bytes, start: Position, scope: bytes) -> bool:
    """Return whether a listing that begins behind the marker could begin among the entries for that very key."""
    return bool(marker) and marker.startswith(scope) and start[0] == marker + b"\0"


def group_of(key: bytes, scope: bytes, mark: bytes) -> bytes | None:
    """Return the common prefix that stands for the key, or None if it stands for itself."""
    if not mark or not key.startswith(scope):
        return None
    end = key.find(mark, len(scope))
    return None if end < 0 else key[: end + len(mark)]


def behind(prefix: bytes) -> bytes:
    """Return the least bytes that are behind every key with the prefix, which is UTF-8 and so never ends in FF."""
    if not prefix:
        return _BEHIND_ALL_KEYS
    return prefix[:-1] + bytes([prefix[-1] + 1])


def name(item: rows.Row | bytes) -> str:
    name: bytes = item if isinstance(item, bytes) else item[0]
    return name.decode()
