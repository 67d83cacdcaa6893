"""Multipart uploads in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import pairwise

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bucket
from valetkey.store.contents import Effects
from valetkey.store.errors import (
    InvalidPartError,
    InvalidPartOrderError,
    NoSuchUploadError,
    PartTooSmallError,
)
from valetkey.store.model import NewObject, PartPage, Segment, StoredObject, Upload, WriteRule
from valetkey.store.objects import place
from valetkey.store.parts import drop_upload


def create_upload(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    headers: Mapping[str, str],
    checksum_algorithm: str | None,
    checksum_type: str | None,
    now_ms: int,
) -> Upload:
    bucket_id = find_bucket(connection, bucket).id
    row = (
        upload_id,
        bucket_id,
        key.encode(),
        now_ms,
        rows.from_headers(headers),
        checksum_algorithm,
        checksum_type,
    )
    connection.execute(statements.ADD_UPLOAD, row)
    return find_upload(connection, bucket=bucket, key=key, upload_id=upload_id)


def find_upload(source: rows.Source, *, bucket: str, key: str, upload_id: str) -> Upload:
    """Raises NoSuchBucketError, or NoSuchUploadError also if the upload is for another key."""
    bucket_id = find_bucket(source, bucket).id
    row = source.execute(statements.FIND_UPLOAD, (upload_id, bucket_id, key.encode())).fetchone()
    if row is None:
        raise NoSuchUploadError(upload_id)
    return rows.to_upload(bucket, row)


def list_parts(
    connection: sqlite3.Connection, *, bucket: str, key: str, upload_id: str, after_number: int, limit: int
) -> PartPage:
    upload = find_upload(connection, bucket=bucket, key=key, upload_id=upload_id)
    found = connection.execute(statements.LIST_PARTS, (upload_id, after_number, limit + 1)).fetchall()
    parts = tuple(map(rows.to_part, found[:limit]))
    is_truncated = limit > 0 and len(found) > limit
    return PartPage(
        upload=upload,
        parts=parts,
        is_truncated=is_truncated,
        next_after_number=parts[-1].number if is_truncated else None,
    )


def abort_upload(
    connection: sqlite3.Connection, effects: Effects, *, bucket: str, key: str, upload_id: str
) -> None:
    find_upload(connection, bucket=bucket, key=key, upload_id=upload_id)
    drop_upload(connection, effects, upload_id=upload_id)


def complete_upload(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    parts: Sequence[tuple[int, str]],
    new: NewObject,
    now_ms: int,
    rule: WriteRule | None,
    minimum_part_bytes: int,
) -> StoredObject:
    """Make the object of the named parts, in their order, without touching their bytes."""
    find_upload(connection, bucket=bucket, key=key, upload_id=upload_id)
    segments = _choose_segments(
        connection, upload_id=upload_id, parts=parts, minimum_part_bytes=minimum_part_bytes
    )
    placed = StoredObject(
        bucket=bucket,
        key=key,
        size=sum(segment.size for segment in segments),
        etag=new.etag,
        modified_ms=now_ms,
        headers=new.headers,
        checksum=new.checksum,
        content=segments,
        parts_count=len(segments),
    )
    place(connection, effects, placed, rule=rule)
    taken = frozenset(segment.blob_id for segment in segments)
    drop_upload(connection, effects, upload_id=upload_id, keep=taken)
    return placed


def _choose_segments(
    connection: sqlite3.Connection,
    *,
    upload_id: str,
    parts: Sequence[tuple[int, str]],
    minimum_part_bytes: int,
) -> tuple[Segment, ...]:
    """Raises InvalidPartOrderError, InvalidPartError, PartTooSmallError, in this order."""
    if not parts:
        raise InvalidPartError(0)
    if any(second <= first for (first, _), (second, _) in pairwise(parts)):
        raise InvalidPartOrderError
    stored = {row[0]: row for row in connection.execute(statements.LIST_PART_BLOBS, (upload_id,))}
    segments = []
    for number, etag in parts:
        if number not in stored or stored[number][2] != etag:
            raise InvalidPartError(number)
        _, size, _, blob_id = stored[number]
        segments.append(Segment(blob_id=blob_id, size=size))
    for (number, _), segment in zip(parts[:-1], segments[:-1], strict=True):
        if segment.size < minimum_part_bytes:
            raise PartTooSmallError(number, segment.size, minimum_part_bytes)
    return tuple(segments)
