"""The answers that S3 gives as XML, as values. `xml/writer.py` turns them into bytes.

Keys, prefixes and names are plain text, tags are unquoted, instants are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class ChecksumValue(Protocol):
    """A checksum as it is kept: any value with these three attributes will do."""

    @property
    def algorithm(self) -> str:
        """`CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`."""

    @property
    def value(self) -> str:
        """In base64; a composite one with `-` and the number of parts behind it."""

    @property
    def type(self) -> str:
        """`FULL_OBJECT` or `COMPOSITE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose a bucket, an object or an upload is."""

    id: str
    display_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketEntry:
    """A bucket in a listing."""

    name: str
    created_ms: int
    region: str | None = None
    """Shown only if ListBuckets was asked with one of its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBuckets:
    """Answer to ListBuckets."""

    owner: Owner
    buckets: Sequence[BucketEntry]
    prefix: str | None = None
    """As asked for; None if it was not."""
    continuation_token: str | None = None
    """What continues the listing; None if this is its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Answer to GetBucketLocation."""

    region: str | None
    """None stands for us-east-1."""


class ObjectEntry(Protocol):
    """An object in a listing: any value with these attributes will do. A page has a thousand of them."""

    @property
    def key(self) -> str: ...

    @property
    def modified_ms(self) -> int: ...

    @property
    def etag(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def storage_class(self) -> str | None:
        """None stands for STANDARD."""

    @property
    def checksum_algorithm(self) -> str | None: ...

    @property
    def checksum_type(self) -> str | None: ...

    @property
    def owner_id(self) -> str | None:
        """None stands for the owner of the bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListObjectsV1:
    """Answer to ListObjects."""

    bucket: str
    prefix: str
    delimiter: str
    """Empty for none."""
    marker: str
    max_keys: int
    encoding_type: str | None
    """As asked for: anything but None has keys and prefixes percent-encoded."""
    is_truncated: bool
    next_marker: str | None
    """S3 gives it only where there is a delimiter and the page is truncated."""
    entries: Sequence[ObjectEntry]
    owner: Owner | None
    """Of all entries but those of `owners`; None: it is not told."""
    common_prefixes: Sequence[str]
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """Other accounts that own entries, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListObjectsV2:
    """Answer to ListObjectsV2."""

    bucket: str
    prefix: str
    delimiter: str
    """Empty for none."""
    start_after: str
    """Empty for none."""
    continuation_token: str | None
    """As asked with."""
    next_continuation_token: str | None
    max_keys: int
    key_count: int
    """Objects and common prefixes on this page."""
    encoding_type: str | None
    """As asked for: anything but None has keys and prefixes percent-encoded."""
    is_truncated: bool
    entries: Sequence[ObjectEntry]
    owner: Owner | None
    """Of all entries but those of `owners`; None: it is not told."""
    common_prefixes: Sequence[str]
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """Other accounts that own entries, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    """Answer to CopyObject."""

    etag: str
    modified_ms: int
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatedUpload:
    """Answer to CreateMultipartUpload."""

    bucket: str
    key: str
    upload_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedUpload:
    """Answer to CompleteMultipartUpload."""

    location: str
    """The object's URL."""
    bucket: str
    key: str
    etag: str
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEntry:
    """A part in a listing."""

    number: int
    modified_ms: int
    etag: str
    size: int
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListParts:
    """Answer to ListParts."""

    bucket: str
    key: str
    upload_id: str
    initiator: Owner | None
    owner: Owner | None
    """None: it is not told."""
    storage_class: str
    part_number_marker: int
    next_part_number_marker: int
    """Number of the page's last part; 0 if there is none."""
    max_parts: int
    is_truncated: bool
    checksum_algorithm: str | None
    checksum_type: str | None
    parts: Sequence[PartEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadEntry:
    """An upload in progress, in a listing."""

    key: str
    upload_id: str
    initiated_ms: int
    initiator: Owner
    owner: Owner
    storage_class: str = "STANDARD"
    checksum_algorithm: str | None = None
    checksum_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUploads:
    """Answer to ListMultipartUploads."""

    bucket: str
    prefix: str
    delimiter: str
    """Empty for none."""
    key_marker: str
    upload_id_marker: str
    next_key_marker: str | None
    next_upload_id_marker: str | None
    max_uploads: int
    encoding_type: str | None
    """As asked for: anything but None has keys and prefixes percent-encoded."""
    is_truncated: bool
    uploads: Sequence[UploadEntry]
    common_prefixes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedEntry:
    """A key that DeleteObjects has deleted, or that was not there."""

    key: str
    version_id: str | None = None
    """As the request named it."""
    is_delete_marker: bool = False
    """True: a delete marker was left, or was itself deleted."""
    delete_marker_version_id: str | None = None
    """Of that marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFailure:
    """A key that DeleteObjects has not deleted."""

    key: str
    code: str
    """S3's name of the error."""
    message: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResult:
    """Answer to DeleteObjects."""

    deleted: Sequence[DeletedEntry]
    """Empty if the request wanted quiet."""
    errors: Sequence[DeleteFailure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal."""

    code: str
    """S3's name of the error."""
    message: str
    details: Mapping[str, str]
    """Further elements, in order."""
    request_id: str
    host_id: str
    is_wrapped: bool = False
    """True: as S3 Control has it, within another element."""
