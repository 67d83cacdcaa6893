"""Parts of multipart uploads in the catalog. Each part is one blob file until completion takes it over."""

import sqlite3

from valetkey.store import rows, statements
from valetkey.store.contents import Effects
from valetkey.store.errors import NoSuchUploadError
from valetkey.store.model import Checksum, Part, Segment


def put_part(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    upload_id: str,
    number: int,
    segment: Segment,
    etag: str,
    checksum: Checksum | None,
    now_ms: int,
) -> Part:
    """Keep a part, in place of the one that has its number."""
    if not connection.execute(statements.IS_UPLOAD, (upload_id,)).fetchone()[0]:
        raise NoSuchUploadError(upload_id)
    current = connection.execute(statements.FIND_PART_BLOB, (upload_id, number)).fetchone()
    if current is not None:
        effects.blob_ids.append(current[0])
    row = (
        upload_id,
        number,
        segment.size,
        etag,
        now_ms,
        *rows.from_checksum(checksum),
        segment.blob_id,
    )
    connection.execute(statements.PUT_PART, row)
    return Part(number=number, size=segment.size, etag=etag, checksum=checksum, modified_ms=now_ms)


def drop_upload(
    connection: sqlite3.Connection, effects: Effects, *, upload_id: str, keep: frozenset[str] = frozenset()
) -> None:
    """Remove an upload with its parts, except the blobs that an object has taken over."""
    for _, _, _, blob_id in connection.execute(statements.LIST_PART_BLOBS, (upload_id,)).fetchall():
        if blob_id not in keep:
            effects.blob_ids.append(blob_id)
    connection.execute(statements.REMOVE_PARTS, (upload_id,))
    connection.execute(statements.REMOVE_UPLOAD, (upload_id,))
