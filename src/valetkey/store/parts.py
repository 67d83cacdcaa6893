"""Parts of multipart uploads in the catalog, until completion makes an object of them."""

import sqlite3
from collections.abc import Sequence

from valetkey.store import rows, statements
from valetkey.store.contents import Effects, add_part_content, cut_segments, forget_content, require_live
from valetkey.store.errors import NoSuchUploadError, PartsTooLargeError
from valetkey.store.model import Checksum, Part, Segment, StoredObject


def put_part(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    upload_id: str,
    number: int,
    segments: Sequence[Segment],
    etag: str,
    checksum: Checksum | None,
    now_ms: int,
    crc64nvme: str | None = None,
    most_bytes: int | None = None,
) -> Part:
    """Keep a part, in place of the one that has its number."""
    if not connection.execute(statements.IS_UPLOAD, (upload_id,)).fetchone()[0]:
        raise NoSuchUploadError(upload_id)
    size = sum(segment.size for segment in segments)
    if most_bytes is not None:
        (others,) = connection.execute(statements.SUM_OTHER_PARTS, (upload_id, number)).fetchone()
        if others + size > most_bytes:
            raise PartsTooLargeError(others + size, most_bytes)
    content_id = add_part_content(connection, segments)
    current = connection.execute(statements.FIND_PART_CONTENT, (upload_id, number)).fetchone()
    if current is not None:
        forget_content(connection, effects, content_id=current[0])
    row = (upload_id, number, size, etag, now_ms, *rows.from_checksum(checksum), crc64nvme, content_id)
    connection.execute(statements.PUT_PART, row)
    return Part(
        number=number, size=size, etag=etag, checksum=checksum, modified_ms=now_ms, crc64nvme=crc64nvme
    )


def copy_part(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    upload_id: str,
    number: int,
    source: StoredObject,
    start: int,
    end: int,
    etag: str,
    checksum: Checksum | None,
    now_ms: int,
) -> Part:
    """Keep a stretch of an object as a part. Both share the bytes."""
    require_live(connection, source.id)
    assert not isinstance(source.content, bytes)
    return put_part(
        connection,
        effects,
        upload_id=upload_id,
        number=number,
        segments=cut_segments(source.content, start=start, end=end),
        etag=etag,
        checksum=checksum,
        now_ms=now_ms,
    )


def drop_upload(connection: sqlite3.Connection, effects: Effects, *, upload_id: str) -> None:
    """Remove an upload with its parts. What an object has taken over by then stays."""
    contents = connection.execute(statements.LIST_PART_CONTENTS, (upload_id,)).fetchall()
    connection.execute(statements.REMOVE_PARTS, (upload_id,))
    connection.execute(statements.REMOVE_UPLOAD, (upload_id,))
    for row in contents:
        forget_content(connection, effects, content_id=row[-1])
