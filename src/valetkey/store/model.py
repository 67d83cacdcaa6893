"""The values that cross the store's border.

Instants are whole milliseconds since the epoch, sizes are bytes, ETags carry no quotation marks, and keys are
text without surrogates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    id: int
    """Never used again after the bucket is gone."""
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    algorithm: str
    """In S3's spelling, such as "CRC64NVME"."""
    value: str
    """Base64, with "-N" behind it if composite."""
    type: str
    """"FULL_OBJECT" or "COMPOSITE"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a content: one whole blob file."""

    blob_id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    bucket: str
    key: str
    size: int
    etag: str
    modified_ms: int
    headers: Mapping[str, str]
    """What is kept with the object: lower-case wire names and their values."""
    checksum: Checksum | None
    content: bytes | tuple[Segment, ...] = field(repr=False)
    """The bytes themselves if the object is small, else the blobs that hold them, in order."""
    parts_count: int | None
    """How many parts it was uploaded in; None if it came in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObject:
    """What a writer says about the bytes that it stores."""

    etag: str
    headers: Mapping[str, str]
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRule:
    """On what state of the key a write may go ahead; decided in the same transaction as the write."""

    create_only: bool = False
    """Only if there is no object under the key."""
    etag: str | None = None
    """Only if the object under the key has this ETag; "*" means any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """An object as a listing shows it."""

    key: str
    size: int
    etag: str
    modified_ms: int
    checksum: Checksum | None
    storage_class: str | None
    """None is STANDARD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    entries: tuple[ObjectSummary, ...]
    common_prefixes: tuple[str, ...]
    is_truncated: bool
    next_after: str | None
    """Where the next page goes on: the last key or common prefix of this one; None on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A multipart upload that is neither completed nor aborted."""

    id: str
    bucket: str
    key: str
    created_ms: int
    headers: Mapping[str, str]
    checksum_algorithm: str | None
    checksum_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int
    size: int
    etag: str
    checksum: Checksum | None
    modified_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPage:
    upload: Upload
    parts: tuple[Part, ...]
    is_truncated: bool
    next_after_number: int | None
    """The last number of this page; None on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPage:
    uploads: tuple[Upload, ...]
    common_prefixes: tuple[str, ...]
    is_truncated: bool
    next_key_marker: str | None
    next_upload_id_marker: str | None
    """None also if the page ends in a common prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    files_removed: int
    bytes_removed: int
