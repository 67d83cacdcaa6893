"""The only place where rows become values, and headers and tags become text in a row."""

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from valetkey.store.model import (
    NO_LOCK,
    Bucket,
    Checksum,
    Lock,
    ObjectPart,
    ObjectSummary,
    Part,
    Segment,
    StoredObject,
    Upload,
    VersionSummary,
)

Row = tuple[Any, ...]
"""What SQLite hands over; the column lists stand in `statements`."""

Source = sqlite3.Connection | sqlite3.Cursor
"""What a look-up of single rows reads from. A cursor that is kept saves a microsecond each time."""


def to_bucket(row: Row, settings: Mapping[str, str]) -> Bucket:
    bucket_id, name, created_ms, owner_id, versioning, is_lockable = row
    return Bucket(
        id=bucket_id,
        name=name,
        created_ms=created_ms,
        owner_id=owner_id,
        versioning=versioning,
        is_lockable=bool(is_lockable),
        settings=settings,
    )


def to_object(bucket: str, key: str, row: Row, content: bytes | tuple[Segment, ...]) -> StoredObject:
    (content_id, size, etag, modified_ms, version_id, algorithm, value, kind,
     headers, parts_count, tags, lock_mode, lock_until_ms, legal_hold, encryption, seal,
     owner_id, acl, _) = row  # fmt: skip
    return StoredObject(
        id=content_id,
        bucket=bucket,
        key=key,
        version_id=version_id,
        size=size,
        etag=etag,
        modified_ms=modified_ms,
        headers=to_map(headers),
        checksum=to_checksum(algorithm, value, kind),
        content=content,
        parts_count=parts_count,
        tags=to_map(tags),
        lock=to_lock(lock_mode, lock_until_ms, legal_hold),
        encryption=encryption,
        seal=seal,
        owner_id=owner_id,
        acl=acl,
    )


def to_summary(row: Row) -> ObjectSummary:
    return ObjectSummary(row[0].decode(), *row[1:])


def to_version(row: Row, *, is_latest: bool, tags: Mapping[str, str] | None) -> VersionSummary:
    (key, rank, version_id, size, etag, modified_ms, storage_class,
     algorithm, kind, owner_id, content_id) = row  # fmt: skip
    return VersionSummary(
        key=key.decode(),
        version_id=version_id,
        rank=rank,
        is_latest=is_latest,
        is_marker=content_id is None,
        size=size,
        etag=etag,
        modified_ms=modified_ms,
        checksum_algorithm=algorithm,
        checksum_type=kind,
        storage_class=storage_class,
        owner_id=owner_id,
        tags=tags,
    )


def to_lock(mode: str | None, until_ms: int | None, legal_hold: int | None) -> Lock:
    if mode is None and legal_hold is None:
        return NO_LOCK
    return Lock(mode=mode, until_ms=until_ms, legal_hold=None if legal_hold is None else bool(legal_hold))


def from_lock(lock: Lock) -> tuple[str | None, int | None, bool | None]:
    return lock.mode, lock.until_ms, lock.legal_hold


def to_segment(row: Row) -> Segment:
    return Segment._make(row)


def to_object_part(row: Row) -> ObjectPart:
    number, start, size, checksum_value = row
    return ObjectPart(number=number, start=start, size=size, checksum_value=checksum_value)


def to_upload(bucket: str, row: Row) -> Upload:
    (key, upload_id, created_ms, headers, algorithm, kind, tags,
     lock_mode, lock_until_ms, legal_hold, encryption, seal, owner_id, initiator_id, acl, begun_by) = row  # fmt: skip
    return Upload(
        id=upload_id,
        bucket=bucket,
        key=key.decode(),
        created_ms=created_ms,
        headers=to_map(headers),
        checksum_algorithm=algorithm,
        checksum_type=kind,
        tags=to_map(tags),
        lock=to_lock(lock_mode, lock_until_ms, legal_hold),
        encryption=encryption,
        seal=seal,
        owner_id=owner_id,
        initiator_id=initiator_id,
        acl=acl,
        begun_by=begun_by,
    )


def to_part(row: Row) -> Part:
    number, size, etag, modified_ms, algorithm, value, kind, crc64nvme = row
    return Part(
        number=number,
        size=size,
        etag=etag,
        checksum=to_checksum(algorithm, value, kind),
        modified_ms=modified_ms,
        crc64nvme=crc64nvme,
    )


def to_checksum(algorithm: str | None, value: str | None, kind: str | None) -> Checksum | None:
    if algorithm is None or value is None or kind is None:
        return None
    return Checksum(algorithm=algorithm, value=value, type=kind)


def from_checksum(checksum: Checksum | None) -> tuple[str | None, str | None, str | None]:
    if checksum is None:
        return None, None, None
    return checksum.algorithm, checksum.value, checksum.type


def to_map(text: str | None) -> dict[str, str]:
    return _decode_map(text).copy() if text else {}


# Most objects share their few headers with many others.
@lru_cache(maxsize=512)
def _decode_map(text: str) -> dict[str, str]:
    pairs: dict[str, str] = json.loads(text)
    return pairs


def from_map(pairs: Mapping[str, str]) -> str | None:
    return _encode_map(tuple(pairs.items())) if pairs else None


@lru_cache(maxsize=512)
def _encode_map(pairs: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))
