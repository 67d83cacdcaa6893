"""The only place where rows become values, and headers become text in a row."""

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from valetkey.store.model import Bucket, Checksum, ObjectSummary, Part, Segment, StoredObject, Upload

Row = tuple[Any, ...]
"""What SQLite hands over; the column lists stand in `statements`."""

Source = sqlite3.Connection | sqlite3.Cursor
"""What a look-up of single rows reads from. A cursor that is kept saves a microsecond each time."""


def to_bucket(row: Row) -> Bucket:
    bucket_id, name, created_ms = row
    return Bucket(id=bucket_id, name=name, created_ms=created_ms)


def to_object(bucket: str, key: str, row: Row, content: bytes | tuple[Segment, ...]) -> StoredObject:
    _, size, etag, modified_ms, algorithm, value, kind, headers, parts_count, _ = row
    return StoredObject(
        bucket=bucket,
        key=key,
        size=size,
        etag=etag,
        modified_ms=modified_ms,
        headers=to_headers(headers),
        checksum=to_checksum(algorithm, value, kind),
        content=content,
        parts_count=parts_count,
    )


def to_summary(row: Row) -> ObjectSummary:
    key, size, etag, modified_ms, storage_class, algorithm, value, kind = row
    return ObjectSummary(
        key=key.decode(),
        size=size,
        etag=etag,
        modified_ms=modified_ms,
        checksum=to_checksum(algorithm, value, kind),
        storage_class=storage_class,
    )


def to_segment(row: Row) -> Segment:
    blob_id, size = row
    return Segment(blob_id=blob_id, size=size)


def to_upload(bucket: str, row: Row) -> Upload:
    key, upload_id, created_ms, headers, algorithm, kind = row
    return Upload(
        id=upload_id,
        bucket=bucket,
        key=key.decode(),
        created_ms=created_ms,
        headers=to_headers(headers),
        checksum_algorithm=algorithm,
        checksum_type=kind,
    )


def to_part(row: Row) -> Part:
    number, size, etag, modified_ms, algorithm, value, kind = row
    return Part(
        number=number,
        size=size,
        etag=etag,
        checksum=to_checksum(algorithm, value, kind),
        modified_ms=modified_ms,
    )


def to_checksum(algorithm: str | None, value: str | None, kind: str | None) -> Checksum | None:
    if algorithm is None or value is None or kind is None:
        return None
    return Checksum(algorithm=algorithm, value=value, type=kind)


def from_checksum(checksum: Checksum | None) -> tuple[str | None, str | None, str | None]:
    if checksum is None:
        return None, None, None
    return checksum.algorithm, checksum.value, checksum.type


def to_headers(text: str | None) -> dict[str, str]:
    return _decode_headers(text).copy() if text else {}


# Most objects share their few headers with many others.
@lru_cache(maxsize=512)
def _decode_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = json.loads(text)
    return headers


def from_headers(headers: Mapping[str, str]) -> str | None:
    return json.dumps(dict(headers), ensure_ascii=False, separators=(",", ":")) if headers else None
