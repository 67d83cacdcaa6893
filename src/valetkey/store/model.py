"""The values that cross the store's border.

Instants are whole milliseconds since the epoch, sizes are bytes, ETags carry no quotation marks, and keys are
text without surrogates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    id: int
    """Never used again after the bucket is gone."""
    name: str
    created_ms: int
    owner_id: str | None
    """Canonical user id of the account that owns it; None: the root account, from before there were others."""
    versioning: str | None
    """"Enabled" or "Suspended"; None: it never was enabled."""
    is_lockable: bool
    """Its versions may be locked against deletion."""
    settings: Mapping[str, str]
    """What clients have configured: documents by the name of their sub-resource. The store does not read them."""


InBucket = str | Bucket
"""A bucket by its name, whichever that is by then; or the very bucket that was found, and no other of its name."""


def name_of(bucket: InBucket) -> str:
    return bucket if isinstance(bucket, str) else bucket.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    algorithm: str
    """In S3's spelling, such as "CRC64NVME"."""
    value: str
    """Base64, with "-N" behind it if composite."""
    type: str
    """"FULL_OBJECT" or "COMPOSITE"."""


class Segment(NamedTuple):
    """A piece of a content: a stretch of the bytes that one blob file holds.

    An object may have ten thousand of them, and tuples are made in a third of the time.
    """

    blob_id: str
    start: int
    """Where in the blob's bytes it begins; 0 unless it was copied out of the middle."""
    size: int
    seal: bytes | None = None
    """The blob's own key, under another key; None: the blob is not encrypted."""

    def __repr__(self) -> str:
        return f"Segment(blob_id={self.blob_id!r}, start={self.start}, size={self.size})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How content is to be encrypted."""

    kind: str
    """"AES256": under the store's master key. "SSE-C": under a key that the client keeps."""
    customer_key: bytes | None = field(default=None, repr=False)
    """32 bytes; for "SSE-C" only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What protects a version from being deleted."""

    mode: str | None = None
    """"GOVERNANCE" or "COMPLIANCE"; None where no retention was set."""
    until_ms: int | None = None
    """When the retention ends; None exactly where `mode` is."""
    legal_hold: bool | None = None
    """None: nobody ever said."""

    def protects(self, *, now_ms: int, may_bypass: bool) -> bool:
        """Return whether the version has to stay. `may_bypass`: retention in the mode GOVERNANCE does not count."""
        if self.legal_hold:
            return True
        if self.until_ms is None or self.until_ms <= now_ms:
            return False
        return not (may_bypass and self.mode == "GOVERNANCE")


NO_LOCK: Final = Lock()


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class StoredObject:
    """A version of an object, with the content that belongs to it."""

    id: int
    """Of this very content; never used again."""
    bucket: str
    key: str
    version_id: str | None
    """None: the null version, the only one where there is no versioning."""
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
    tags: Mapping[str, str]
    lock: Lock
    encryption: str | None
    """The kind of encryption; None: none."""
    seal: bytes | None = field(repr=False)
    """For small encrypted content: its key, under another key."""
    owner_id: str | None = None
    """Canonical user id of the account that owns it; None: the bucket's owner does."""
    acl: str | None = None
    """The access control list, as a document that the store does not read; None: it grants nothing to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPart:
    """One of the parts that an object was uploaded in."""

    number: int
    """1 for the first, whatever number it was uploaded under."""
    start: int
    """Offset of its first byte."""
    size: int
    checksum_value: str | None
    """Of the object's algorithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObject:
    """What a writer says about the bytes that it stores."""

    etag: str
    headers: Mapping[str, str]
    checksum: Checksum | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    lock: Lock = NO_LOCK
    owner_id: str | None = None
    acl: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRule:
    """On what state of the key, or of the version that is named, a change may go ahead.

    Decided in the same transaction as the change.
    """

    create_only: bool = False
    """Only if there is no object under the key."""
    etag: str | None = None
    """Only if it has this ETag; "*" means any."""
    other_than: str | None = None
    """Not if it has this ETag."""
    modified_second: int | None = None
    """Only if it was modified in this second since the epoch."""
    size: int | None = None
    """Only if it has this size."""
    rank: int | None = None
    """Only if it is this very version, by the rank that a listing of versions showed."""
    tags: Mapping[str, str] | None = None
    """Only if it has these tags; on a deletion alone."""
    is_superseded: bool = False
    """Only if a newer version or delete marker of the key is there. For deletions that name a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What one deletion names."""

    key: str
    version_id: str | None = None
    """A version's id, or "null"; None: the current version, which goes or gets a delete marker before it."""
    rule: WriteRule | None = None
    may_bypass: bool = False
    """Retention in the mode GOVERNANCE does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion came to."""

    key: str
    version_id: str | None
    """The version that is gone ("null" for the null version); None: none is."""
    marker_id: str | None
    """The delete marker that is new or gone ("null" for the null version); None: none is."""
    is_versioned: bool
    """The bucket has, or had, versions, so that ids mean something."""


class ObjectSummary(NamedTuple):
    """An object as a listing shows it, in the order of the columns that are read. A page has a thousand of them."""

    key: str
    size: int
    etag: str
    modified_ms: int
    storage_class: str | None
    """None is STANDARD."""
    checksum_algorithm: str | None
    checksum_type: str | None
    owner_id: str | None = None
    """None: the bucket's owner."""


class VersionSummary(NamedTuple):
    """A version or a delete marker as a listing shows it."""

    key: str
    version_id: str | None
    rank: int
    """Tells versions of one key apart, also null versions that came one after another; the newest has the least."""
    is_latest: bool
    is_marker: bool
    size: int
    etag: str
    modified_ms: int
    checksum_algorithm: str | None
    checksum_type: str | None
    storage_class: str | None
    owner_id: str | None = None
    tags: Mapping[str, str] | None = None
    """None: they were not asked for, or it is a marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    entries: tuple[VersionSummary, ...]
    """By key, and for one key the newest first."""
    common_prefixes: tuple[str, ...]
    is_truncated: bool
    next_key_marker: str | None
    next_version_id_marker: str | None
    """"null" for the null version; None also if the page ends in a common prefix."""


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
    tags: Mapping[str, str]
    lock: Lock
    encryption: str | None
    seal: bytes | None = field(repr=False)
    """Tells whether a key is the one that the upload began with; seals no content."""
    owner_id: str | None = None
    """Of the object that it is to become; None: the bucket's owner."""
    initiator_id: str | None = None
    """Who began it; None: the bucket's owner."""
    acl: str | None = None
    begun_by: str | None = None
    """What they began it by, if that bounds how many may be open; the store does not read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedUpload:
    """What became of an upload, remembered for a while so that a client may ask again."""

    etag: str
    checksum: Checksum | None
    version_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    number: int
    size: int
    etag: str
    checksum: Checksum | None
    modified_ms: int
    crc64nvme: str | None = None
    """Where it came with another checksum that its upload did not name: this one, in base64."""


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
