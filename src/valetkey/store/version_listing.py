"""Listing all versions, of which two tables hold some each."""

import sqlite3
from collections.abc import Iterator
from typing import Final

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bare_bucket
from valetkey.store.listing import Position, behind, is_resumed_in, name, resume, take, walk
from valetkey.store.model import VersionPage, VersionSummary
from valetkey.store.objects import find_tags
from valetkey.store.versions import NULL_ID

_LEAST_RANK: Final = -(2**63)


def list_versions(
    connection: sqlite3.Connection,
    *,
    bucket: str,
    prefix: str,
    delimiter: str,
    key_marker: str,
    version_id_marker: str,
    limit: int,
    with_tags: bool,
) -> VersionPage:
    """See `Store.list_versions`.

    Raises:
        NoSuchBucketError
    """
    bucket_id = find_bare_bucket(connection, bucket).id
    scope, mark = prefix.encode(), delimiter.encode()
    end = behind(scope)
    start = resume(key_marker.encode(), scope, mark, least=_LEAST_RANK)
    goes_on_in = None
    marker = key_marker.encode()
    if version_id_marker and is_resumed_in(marker, start, scope):
        start, goes_on_in = _resume_in_key(connection, bucket_id, marker, version_id_marker)

    def seek(position: Position) -> sqlite3.Cursor:
        return connection.execute(statements.SCAN_VERSIONS, (bucket_id, *position, end))

    found = walk(seek, start=start, scope=scope, mark=mark, least=_LEAST_RANK)
    items, is_truncated = take(found, limit)
    entries = tuple(_summarise(connection, items, goes_on_in, with_tags=with_tags))
    ends_in_version = is_truncated and not isinstance(items[-1], bytes)
    return VersionPage(
        entries=entries,
        common_prefixes=tuple(item.decode() for item in items if isinstance(item, bytes)),
        is_truncated=is_truncated,
        next_key_marker=name(items[-1]) if is_truncated else None,
        next_version_id_marker=(entries[-1].version_id or NULL_ID) if ends_in_version else None,
    )


def _resume_in_key(
    connection: sqlite3.Connection, bucket_id: int, key: bytes, version_id: str
) -> tuple[Position, bytes | None]:
    """Return where the versions of a key go on behind one of them, and the key if a newer one was shown already.

    If that one is gone since, the key begins anew: whoever deletes page by page must not miss what is left.
    """
    wanted = None if version_id == NULL_ID else version_id
    row = connection.execute(statements.FIND_RANK, (bucket_id, key, wanted)).fetchone()
    return ((key, _LEAST_RANK), None) if row is None else ((key, row[0] + 1), key)


def _summarise(
    connection: sqlite3.Connection, items: list[rows.Row | bytes], former: bytes | None, *, with_tags: bool
) -> Iterator[VersionSummary]:
    for item in items:
        if isinstance(item, bytes):
            continue
        content_id = item[-1]
        tags = find_tags(connection, content_id) if with_tags and content_id is not None else None
        yield rows.to_version(item, is_latest=item[0] != former, tags=tags)
        former = item[0]
