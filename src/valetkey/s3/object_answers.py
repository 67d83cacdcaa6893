"""The answers about versions, attributes and copied parts, as values. `xml/writer.py` turns them into bytes.

Keys and prefixes are plain text, tags are unquoted, instants are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from valetkey.s3.answers import ChecksumValue, ObjectEntry, Owner


class VersionEntry(ObjectEntry, Protocol):
    """A version in a listing, or the marker that a deletion has left: any value with these attributes."""

    @property
    def version_id(self) -> str | None:
        """None stands for the null version."""

    @property
    def is_latest(self) -> bool: ...

    @property
    def is_marker(self) -> bool:
        """True: ETag, size, storage class and checksum are not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersions:
    """Answer to ListObjectVersions."""

    bucket: str
    prefix: str
    delimiter: str
    """Empty for none."""
    key_marker: str
    version_id_marker: str
    """Empty for none."""
    next_key_marker: str | None
    """None at the end of the listing."""
    next_version_id_marker: str | None
    """None at the end of the listing, and where the page ends with a common prefix."""
    max_keys: int
    encoding_type: str | None
    """As asked for: anything but None has keys and prefixes percent-encoded."""
    is_truncated: bool
    entries: Sequence[VersionEntry]
    owner: Owner | None
    """Of all entries but those of `owners`; None: it is not told."""
    common_prefixes: Sequence[str]
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """Other accounts that own entries, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPartResult:
    """Answer to UploadPartCopy."""

    etag: str
    modified_ms: int
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAttribute:
    """A part of an object that was uploaded in parts."""

    number: int
    size: int
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsPage:
    """Some of the parts of an object."""

    part_number_marker: int
    next_part_number_marker: int
    """Number of the page's last part; 0 if there is none."""
    max_parts: int
    is_truncated: bool
    parts: Sequence[PartAttribute]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsAttribute:
    """What GetObjectAttributes tells of the parts."""

    count: int
    """All that the object was made of."""
    page: PartsPage | None
    """None where the parts have no checksums: then S3 tells how many there are, and nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAttributes:
    """Answer to GetObjectAttributes. None stands for what was not asked for, or is not there."""

    etag: str | None = None
    checksum: ChecksumValue | None = None
    parts: PartsAttribute | None = None
    storage_class: str | None = None
    size: int | None = None


ObjectDocument = ListVersions | CopyPartResult | ObjectAttributes
"""Every answer of this module."""
