"""Multipart uploads in the catalog. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Sequence
from itertools import pairwise

from valetkey.store import rows, statements
from valetkey.store.buckets import find_bare_bucket
from valetkey.store.contents import Effects
from valetkey.store.errors import (
    ConflictingChangeError,
    InvalidPartError,
    InvalidPartOrderError,
    NoSuchUploadError,
    PartTooSmallError,
)
from valetkey.store.model import (
    CompletedUpload,
    NewObject,
    ObjectPart,
    PartPage,
    Segment,
    StoredObject,
    Upload,
    WriteRule,
)
from valetkey.store.objects import place
from valetkey.store.parts import drop_upload
from valetkey.store.versions import State, find_current, require_rule


def create_upload(connection: sqlite3.Connection, effects: Effects, *, upload: Upload) -> Upload:
    bucket_id = find_bare_bucket(connection, upload.bucket).id
    row = (
        bucket_id,
        upload.key.encode(),
        upload.id,
        upload.created_ms,
        rows.from_map(upload.headers),
        upload.checksum_algorithm,
        upload.checksum_type,
        rows.from_map(upload.tags),
        *rows.from_lock(upload.lock),
        upload.encryption,
        upload.seal,
        upload.owner_id,
        upload.initiator_id,
        upload.acl,
        upload.begun_by,
        _rank_of(find_current(connection, bucket_id, upload.key.encode())),
    )
    connection.execute(statements.ADD_UPLOAD, row)
    return upload


def find_upload(source: rows.Source, *, bucket: str, key: str, upload_id: str) -> Upload:
    """Raises NoSuchBucketError, or NoSuchUploadError also if the upload is for another key."""
    bucket_id = find_bare_bucket(source, bucket).id
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


def count_older(source: rows.Source, *, begun_by: str, most: int) -> int:
    """Return how many uploads were begun by something before the newest `most`."""
    return len(source.execute(statements.LIST_OLDER, (begun_by, most)).fetchall())


def end_older(connection: sqlite3.Connection, effects: Effects, *, begun_by: str, most: int) -> None:
    for (upload_id,) in connection.execute(statements.LIST_OLDER, (begun_by, most)).fetchall():
        drop_upload(connection, effects, upload_id=upload_id)


def end_abandoned(connection: sqlite3.Connection, effects: Effects, *, before_ms: int, most: int) -> int:
    """End up to `most` uploads begun by something that got no part since, and return how many those were."""
    values = {"before_ms": before_ms, "most": most}
    found = connection.execute(statements.LIST_ABANDONED, values).fetchall()
    for (upload_id,) in found:
        drop_upload(connection, effects, upload_id=upload_id)
    return len(found)


def complete_upload(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    parts: Sequence[tuple[int, str]],
    new: NewObject,
    version_id: str,
    now_ms: int,
    rule: WriteRule | None,
    minimum_part_bytes: int,
) -> StoredObject:
    """Make the object of the named parts, in their order, without touching their bytes."""
    upload = find_upload(connection, bucket=bucket, key=key, upload_id=upload_id)
    bucket_id = find_bare_bucket(connection, bucket).id
    chosen = _choose_parts(
        connection, upload_id=upload_id, parts=parts, minimum_part_bytes=minimum_part_bytes
    )
    segments: dict[int, list[Segment]] = {}
    for number, *row in connection.execute(statements.LIST_PART_SEGMENTS, (upload_id,)):
        segments.setdefault(number, []).append(rows.to_segment(tuple(row)))
    placed = StoredObject(
        id=0,
        bucket=bucket,
        key=key,
        version_id=version_id,
        size=sum(part.size for part in chosen),
        etag=new.etag,
        modified_ms=now_ms,
        headers=new.headers,
        checksum=new.checksum,
        content=tuple(segment for number, _ in parts for segment in segments[number]),
        parts_count=len(chosen),
        tags=new.tags,
        lock=new.lock,
        encryption=upload.encryption,
        seal=None,
        owner_id=new.owner_id,
        acl=new.acl,
    )
    if rule is not None:
        _require_undisturbed(connection, bucket_id, upload, rule)
    placed = place(connection, effects, placed, rule=rule, parts=chosen)
    drop_upload(connection, effects, upload_id=upload_id)
    row = (upload_id, bucket_id, key.encode(), now_ms, new.etag, placed.version_id)
    connection.execute(statements.REMEMBER_COMPLETED, (*row, *rows.from_checksum(new.checksum)))
    return placed


def _require_undisturbed(
    connection: sqlite3.Connection, bucket_id: int, upload: Upload, rule: WriteRule
) -> None:
    """Return if nobody wrote or deleted the object since the upload began. A rule that does not hold comes first.

    Raises:
        NoSuchKeyError, PreconditionFailedError, ConflictingChangeError
    """
    current = find_current(connection, bucket_id, upload.key.encode())
    require_rule(rule, current, bucket=upload.bucket, key=upload.key)
    (seen_rank,) = connection.execute(statements.FIND_SEEN_RANK, (upload.id,)).fetchone()
    if seen_rank not in (None, _rank_of(current)):
        raise ConflictingChangeError("If-Match" if rule.etag is not None else "If-None-Match", upload.key)


def _rank_of(state: State | None) -> int:
    # Ranks are below zero.
    return 0 if state is None else state.rank


def find_completed(source: rows.Source, *, bucket: str, key: str, upload_id: str) -> CompletedUpload:
    """Raises NoSuchBucketError, NoSuchUploadError."""
    bucket_id = find_bare_bucket(source, bucket).id
    row = source.execute(statements.FIND_COMPLETED, (upload_id, bucket_id, key.encode())).fetchone()
    if row is None:
        raise NoSuchUploadError(upload_id)
    etag, version_id, *checksum = row
    return CompletedUpload(etag=etag, version_id=version_id, checksum=rows.to_checksum(*checksum))


def forget_completed(connection: sqlite3.Connection, effects: Effects, *, before_ms: int) -> None:
    connection.execute(statements.FORGET_COMPLETED, (before_ms,))


def _choose_parts(
    connection: sqlite3.Connection,
    *,
    upload_id: str,
    parts: Sequence[tuple[int, str]],
    minimum_part_bytes: int,
) -> list[ObjectPart]:
    """Return the parts as those of an object.

    Raises:
        InvalidPartOrderError, InvalidPartError, PartTooSmallError, in this order
    """
    if not parts:
        raise InvalidPartError(0)
    if any(second <= first for (first, _), (second, _) in pairwise(parts)):
        raise InvalidPartOrderError
    stored = {row[0]: row for row in connection.execute(statements.LIST_PART_CONTENTS, (upload_id,))}
    chosen = []
    start = 0
    for place_number, (number, etag) in enumerate(parts, start=1):
        if number not in stored or stored[number][2] != etag:
            raise InvalidPartError(number)
        _, size, _, checksum_value, _ = stored[number]
        chosen.append(ObjectPart(number=place_number, start=start, size=size, checksum_value=checksum_value))
        start += size
    for (number, _), part in zip(parts[:-1], chosen[:-1], strict=True):
        if part.size < minimum_part_bytes:
            raise PartTooSmallError(number, part.size, minimum_part_bytes)
    return chosen
