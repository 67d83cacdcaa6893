"""Content rows: the bytes of small objects, and the names of the blobs that hold the others."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from valetkey.store import rows, statements
from valetkey.store.model import Segment


@dataclass(frozen=True, slots=True)
class DoomedContent:
    """A content of several segments that no object has any more."""

    id: int
    blob_ids: tuple[str, ...]


@dataclass(slots=True)
class Effects:
    """What a change means beyond its rows: files to remove once it is committed, and keys it touches."""

    blob_ids: list[str] = field(default_factory=list)
    doomed: list[DoomedContent] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Bucket and key of each object that is there no more as it was."""

    @property
    def leaves_files(self) -> bool:
        """True if there is something to remove."""
        return bool(self.blob_ids or self.doomed)


def add_content(
    connection: sqlite3.Connection,
    *,
    headers: Mapping[str, str],
    parts_count: int | None,
    content: bytes | tuple[Segment, ...],
) -> int:
    """Return the id of a new content row, with its segments if it has any."""
    inline = content if isinstance(content, bytes) else None
    row = (rows.from_headers(headers), parts_count, inline)
    content_id = connection.execute(statements.ADD_CONTENT, row).lastrowid
    assert content_id is not None
    if not isinstance(content, bytes):
        numbered = (
            (content_id, number, segment.blob_id, segment.size)
            for number, segment in enumerate(content, start=1)
        )
        connection.executemany(statements.ADD_SEGMENT, numbered)
    return content_id


def drop_content(
    connection: sqlite3.Connection, effects: Effects, *, content_id: int, is_inline: bool
) -> None:
    """Remove a content that its object gives up, and note the blobs that nobody names then.

    Copies share the blobs of a content all together, so the first blob speaks for the others.
    """
    blob_ids = (
        () if is_inline else tuple(segment.blob_id for segment in list_segments(connection, content_id))
    )
    if blob_ids and not connection.execute(statements.IS_SHARED, (blob_ids[0], content_id)).fetchone()[0]:
        if len(blob_ids) > 1:
            # Somebody may be between two of its files: the rows stay until the files could be removed.
            connection.execute(statements.DOOM_CONTENT, (content_id,))
            effects.doomed.append(DoomedContent(content_id, blob_ids))
            return
        effects.blob_ids.extend(blob_ids)
    forget_content(connection, content_id)


def forget_content(connection: sqlite3.Connection, content_id: int) -> None:
    connection.execute(statements.REMOVE_SEGMENTS, (content_id,))
    connection.execute(statements.REMOVE_CONTENT, (content_id,))


def forget_doomed(connection: sqlite3.Connection, effects: Effects, *, content_id: int) -> None:
    """Remove the rows of a doomed content, after its files."""
    forget_content(connection, content_id)
    connection.execute(statements.FORGET_DOOMED, (content_id,))


def list_segments(source: rows.Source, content_id: int) -> tuple[Segment, ...]:
    return tuple(map(rows.to_segment, source.execute(statements.LIST_SEGMENTS, (content_id,))))


def list_doomed(connection: sqlite3.Connection) -> list[DoomedContent]:
    ids = [row[0] for row in connection.execute(statements.LIST_DOOMED)]
    return [
        DoomedContent(content_id, tuple(segment.blob_id for segment in segments))
        for content_id in ids
        if (segments := list_segments(connection, content_id))
    ]
