"""Content rows: the bytes of small objects, and the names of the blobs that hold the others."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from valetkey.store import rows, statements
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import ObjectPart, Segment, StoredObject


@dataclass(frozen=True, slots=True)
class DoomedContent:
    """A content of several segments that no object has any more, but that may still be read by somebody."""

    id: int
    first_blob_id: str
    """Whoever reads the content has this one locked."""


@dataclass(slots=True)
class Effects:
    """What a change means beyond its rows: files to remove once it is committed, and keys it touches."""

    blob_ids: list[str] = field(default_factory=list)
    doomed: list[DoomedContent] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Bucket and key of each object that is there no more as it was; an empty key means the bucket itself."""

    @property
    def leaves_files(self) -> bool:
        """True if there is something to remove."""
        return bool(self.blob_ids or self.doomed)


def add_content(connection: sqlite3.Connection, obj: StoredObject) -> int:
    """Return the id of a new content row for the object, with its segments if it has any."""
    content = obj.content
    row = (
        rows.from_map(obj.headers),
        obj.parts_count,
        rows.from_map(obj.tags),
        *rows.from_lock(obj.lock),
        obj.encryption,
        obj.seal,
        obj.acl,
        content if isinstance(content, bytes) else None,
    )
    content_id = connection.execute(statements.ADD_CONTENT, row).lastrowid
    assert content_id is not None
    if not isinstance(content, bytes):
        _add_segments(connection, content_id, content)
    return content_id


def add_part_content(connection: sqlite3.Connection, segments: Sequence[Segment]) -> int:
    """Return the id of a new content row for a part of an upload, which is bytes and nothing else."""
    content_id = connection.execute(statements.ADD_CONTENT, (None,) * 10).lastrowid
    assert content_id is not None
    _add_segments(connection, content_id, segments)
    return content_id


def _add_segments(connection: sqlite3.Connection, content_id: int, segments: Sequence[Segment]) -> None:
    numbered = (
        (content_id, number, segment.blob_id, segment.start, segment.size, segment.seal)
        for number, segment in enumerate(segments, start=1)
    )
    connection.executemany(statements.ADD_SEGMENT, numbered)


def add_object_parts(connection: sqlite3.Connection, content_id: int, parts: Iterable[ObjectPart]) -> None:
    numbered = ((content_id, part.number, part.start, part.size, part.checksum_value) for part in parts)
    connection.executemany(statements.ADD_CONTENT_PART, numbered)


def drop_content(
    connection: sqlite3.Connection, effects: Effects, *, content_id: int, is_inline: bool
) -> None:
    """Remove a content that its object gives up, and note the blobs that nobody names then."""
    if is_inline:
        # Nothing else hangs on it: parts lie in blobs.
        connection.execute(statements.REMOVE_CONTENT, (content_id,))
        return
    segments = list_segments(connection, content_id)
    if len(segments) > 1:
        # Somebody may be between two of its files: the rows stay until it is known that nobody is.
        connection.execute(statements.DOOM_CONTENT, (content_id,))
        effects.doomed.append(DoomedContent(content_id, segments[0].blob_id))
        return
    _forget(connection, effects, content_id, segments)


def forget_content(connection: sqlite3.Connection, effects: Effects, *, content_id: int) -> None:
    """Remove a content that nobody can be reading, and note the blobs that nobody names then."""
    _forget(connection, effects, content_id, list_segments(connection, content_id))


def forget_doomed(connection: sqlite3.Connection, effects: Effects, *, content_id: int) -> None:
    """Remove the rows of a doomed content that nobody reads, and note the blobs that nobody names then."""
    forget_content(connection, effects, content_id=content_id)
    connection.execute(statements.FORGET_DOOMED, (content_id,))


def _forget(
    connection: sqlite3.Connection, effects: Effects, content_id: int, segments: Sequence[Segment]
) -> None:
    if segments:
        connection.execute(statements.REMOVE_SEGMENTS, (content_id,))
    connection.execute(statements.REMOVE_CONTENT_PARTS, (content_id,))
    connection.execute(statements.REMOVE_CONTENT, (content_id,))
    # Copies share blobs, whole or in pieces; the last one to go takes them along.
    for blob_id in dict.fromkeys(segment.blob_id for segment in segments):
        if not connection.execute(statements.IS_NAMED, (blob_id,)).fetchone()[0]:
            effects.blob_ids.append(blob_id)


def require_live(source: rows.Source, content_id: int) -> None:
    """Return if some version still has this content, so that its blobs may be named once more, or read.

    Raises:
        ContentGoneError: none has.
    """
    if not source.execute(statements.IS_LIVE, (content_id,)).fetchone()[0]:
        raise ContentGoneError


def list_segments(source: rows.Source, content_id: int) -> tuple[Segment, ...]:
    return tuple(map(rows.to_segment, source.execute(statements.LIST_SEGMENTS, (content_id,))))


def cut_segments(segments: Sequence[Segment], *, start: int, end: int) -> tuple[Segment, ...]:
    """Return the pieces of a content that hold its bytes from `start` to before `end`.

    There is always one, if need be of no bytes: content without a piece is content that is gone.
    """
    pieces = []
    offset = 0
    for segment in segments:
        first, last = max(start - offset, 0), min(end - offset, segment.size)
        if first < last:
            pieces.append(
                Segment(
                    blob_id=segment.blob_id,
                    start=segment.start + first,
                    size=last - first,
                    seal=segment.seal,
                )
            )
        offset += segment.size
    return tuple(pieces) or (segments[0]._replace(size=0),)


def list_doomed(connection: sqlite3.Connection) -> list[DoomedContent]:
    ids = [row[0] for row in connection.execute(statements.LIST_DOOMED)]
    return [
        DoomedContent(content_id, segments[0].blob_id)
        for content_id in ids
        if (segments := list_segments(connection, content_id))
    ]
