"""The embedded object store: the one face of this room."""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

from valetkey.store import buckets, listing, objects, parts, uploads
from valetkey.store.content_reader import ContentReader
from valetkey.store.drafts import Draft
from valetkey.store.folder import DataFolder
from valetkey.store.model import (
    Bucket,
    Checksum,
    ListPage,
    NewObject,
    Part,
    PartPage,
    Segment,
    StoredObject,
    SweepReport,
    Upload,
    UploadPage,
    WriteRule,
)
from valetkey.store.workings import Workings
from valetkey.store.writer import Change

T = TypeVar("T")

INLINE_LIMIT_BYTES: Final = 64 * 1024

MINIMUM_PART_BYTES: Final = 5 * 1024 * 1024
"""Of every part but the last. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""

SPARED_AGE_S: Final = 3600.0
"""How old a file must be before a sweep looks at it."""

_BLOB_ID_BYTES: Final = 16
_SEGMENT_ROW_BYTES: Final = 256


def _draw_blob_id() -> str:
    return secrets.token_hex(_BLOB_ID_BYTES)


class Store:
    """One process's door to a data folder. Several processes may open the same folder at once.

    Every change that is acknowledged is durable; one whose caller was cancelled happens wholly or not at all.
    The plain functions answer in microseconds, and belong to one thread at a time: that of the event loop.
    Instants are milliseconds since the epoch, sizes are bytes.

    Besides what each function names, all may raise OutOfSpaceError (but not deletes), StorageFailedError (the
    disk or the catalog fails) and StoreClosedError.
    """

    def __init__(self, workings: Workings, *, inline_limit_bytes: int, minimum_part_bytes: int) -> None:
        """Use `Store.open`."""
        self._workings = workings
        self._inline_limit_bytes = inline_limit_bytes
        self._minimum_part_bytes = minimum_part_bytes

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        inline_limit_bytes: int = INLINE_LIMIT_BYTES,
        minimum_part_bytes: int = MINIMUM_PART_BYTES,
        new_blob_id: Callable[[], str] = _draw_blob_id,
    ) -> Self:
        """Open the store in `folder`, which is made if it is missing and brought to the newest format.

        Objects of up to `inline_limit_bytes` live in the catalog. `new_blob_id` returns 32 random hex digits.

        Raises:
            NewerVersionError: a later program wrote the folder.
        """
        workings = Workings.open(
            DataFolder(folder), inline_limit_bytes=inline_limit_bytes, new_blob_id=new_blob_id
        )
        return cls(workings, inline_limit_bytes=inline_limit_bytes, minimum_part_bytes=minimum_part_bytes)

    async def close(self) -> None:
        """Finish what is under way and close the folder. What is called later raises StoreClosedError."""
        await self._workings.close()

    # Buckets

    def find_bucket(self, name: str) -> Bucket:
        """Raises NoSuchBucketError."""
        return self._workings.look(partial(buckets.find_bucket, name=name))

    async def list_buckets(self) -> list[Bucket]:
        """Return all buckets, ordered by name."""
        return await self._workings.reads.run(buckets.list_buckets)

    async def create_bucket(self, name: str, *, now_ms: int) -> Bucket:
        """Raises BucketExistsError."""
        return await self._write(partial(buckets.create_bucket, name=name, now_ms=now_ms))

    async def delete_bucket(self, name: str) -> None:
        """Remove a bucket without objects; its open uploads end with it.

        Raises:
            NoSuchBucketError, BucketNotEmptyError
        """
        await self._free(partial(buckets.delete_bucket, name=name))

    # Objects

    def find_object(self, bucket: str, key: str) -> StoredObject:
        """Return the object as it is now.

        Raises:
            NoSuchBucketError, NoSuchKeyError
        """
        return self._workings.find_object(bucket, key)

    async def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> ListPage:
        """Return up to `limit` keys and common prefixes with the prefix, in byte order, that come after `after`.

        If `after` is a common prefix of this listing or lies in one, the whole group counts as shown.

        Raises:
            NoSuchBucketError
        """
        read = partial(
            listing.list_objects, bucket=bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )
        return await self._workings.reads.run(read)

    async def receive(
        self, chunks: AsyncIterator[bytes], *, size_hint: int | None, observe: Callable[[bytes], None]
    ) -> Draft:
        """Return a draft of the bytes of `chunks`: durable, or in memory if they are few.

        `observe` is shown all bytes once and in order, though not cut as they came; those of large bodies in a
        thread. If it or `chunks` raises, or the task is cancelled, nothing remains. Memory stays flat.
        With a `size_hint` in bytes a body that cannot fit is refused before it is read.
        """
        return await self._workings.intake.receive(chunks, size_hint=size_hint, observe=observe)

    async def put_object(
        self,
        bucket: str,
        key: str,
        draft: Draft,
        new: NewObject,
        *,
        now_ms: int,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Make the draft the object under the key, in place of what is there.

        Raises:
            NoSuchBucketError
            PreconditionFailedError: `rule` does not hold.
            NoSuchKeyError: `rule` asks for an ETag, and there is no object.
        """
        content = draft.content
        change = partial(
            objects.put_object, bucket=bucket, key=key, content=content, new=new, now_ms=now_ms, rule=rule
        )
        return await self._write(change, draft=draft)

    async def delete_object(self, bucket: str, key: str, *, rule: WriteRule | None = None) -> bool:
        """Remove the object, and return whether there was one.

        Raises:
            NoSuchBucketError, PreconditionFailedError
            NoSuchKeyError: `rule` asks for an ETag, and there is no object.
        """
        return await self._free(partial(objects.delete_object, bucket=bucket, key=key, rule=rule))

    async def delete_objects(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove all these objects at once; keys without an object are passed over.

        Raises:
            NoSuchBucketError
        """
        await self._free(partial(objects.delete_objects, bucket=bucket, keys=tuple(keys)))

    async def copy_object(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        now_ms: int,
        expected_etag: str | None = None,
        headers: Mapping[str, str] | None = None,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Put the source's content under the key without rewriting a byte. The ETag stays the source's.

        `headers` replace the source's; None keeps them. `expected_etag` is the ETag that the
        source had when it was looked at; `rule` is about the key that is written.

        Raises:
            NoSuchBucketError, NoSuchKeyError
            PreconditionFailedError: the source has another ETag, or `rule` does not hold.
        """
        change = partial(
            objects.copy_object,
            source_bucket=source_bucket,
            source_key=source_key,
            bucket=bucket,
            key=key,
            now_ms=now_ms,
            expected_etag=expected_etag,
            headers=headers,
            rule=rule,
        )
        return await self._write(change, room_bytes=self._inline_limit_bytes)

    def open_content(self, obj: StoredObject, start: int, end: int) -> ContentReader:
        """Open the bytes of a found object from `start` to before `end`; then they stay readable. Close it.

        Raises:
            ContentGoneError: it was replaced or deleted since it was found. Find it again.
        """
        try:
            return ContentReader.open(
                obj.content, start=start, end=end, blobs=self._workings.blobs, executor=self._workings.disk
            )
        except OSError as error:
            raise self._workings.explain(error) from error

    # Multipart uploads

    async def create_upload(
        self,
        bucket: str,
        key: str,
        *,
        upload_id: str,
        headers: Mapping[str, str],
        checksum_algorithm: str | None = None,
        checksum_type: str | None = None,
        now_ms: int,
    ) -> Upload:
        """Begin an upload under an id that the caller has drawn at random.

        Raises:
            NoSuchBucketError
        """
        change = partial(
            uploads.create_upload,
            bucket=bucket,
            key=key,
            upload_id=upload_id,
            headers=headers,
            checksum_algorithm=checksum_algorithm,
            checksum_type=checksum_type,
            now_ms=now_ms,
        )
        return await self._write(change)

    def find_upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises NoSuchBucketError, or NoSuchUploadError also if the upload is for another key."""
        return self._workings.look(partial(uploads.find_upload, bucket=bucket, key=key, upload_id=upload_id))

    async def put_part(
        self, upload_id: str, number: int, draft: Draft, etag: str, checksum: Checksum | None, now_ms: int
    ) -> Part:
        """Keep the draft as the part with this number, in place of the one that has it.

        Raises:
            NoSuchUploadError
        """
        await self._workings.intake.spill(draft)
        segment = draft.content
        assert isinstance(segment, Segment)
        change = partial(
            parts.put_part,
            upload_id=upload_id,
            number=number,
            segment=segment,
            etag=etag,
            checksum=checksum,
            now_ms=now_ms,
        )
        return await self._write(change, draft=draft)

    async def list_parts(
        self, bucket: str, key: str, upload_id: str, *, after_number: int = 0, limit: int = 1000
    ) -> PartPage:
        """Return up to `limit` parts with numbers above `after_number`.

        Raises:
            NoSuchBucketError, NoSuchUploadError
        """
        read = partial(uploads.list_parts, bucket=bucket, key=key, upload_id=upload_id)
        return await self._workings.reads.run(partial(read, after_number=after_number, limit=limit))

    async def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        limit: int = 1000,
    ) -> UploadPage:
        """Return up to `limit` open uploads and common prefixes, ordered by key and then by upload id.

        With `upload_id_marker` the uploads for `key_marker` itself go on after that id; without, they are
        skipped.

        Raises:
            NoSuchBucketError
        """
        read = partial(listing.list_uploads, bucket=bucket, prefix=prefix, delimiter=delimiter, limit=limit)
        return await self._workings.reads.run(
            partial(read, key_marker=key_marker, upload_id_marker=upload_id_marker)
        )

    async def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        *,
        parts: Sequence[tuple[int, str]],
        new: NewObject,
        now_ms: int,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Make the object of the parts with these numbers and ETags, and end the upload.

        Raises:
            NoSuchBucketError, NoSuchUploadError
            InvalidPartOrderError: the numbers do not ascend.
            InvalidPartError: a part is missing, or has another ETag.
            PartTooSmallError: one before the last has less than 5 MiB.
            PreconditionFailedError, NoSuchKeyError: `rule` does not hold; the upload stays open.
        """
        change = partial(
            uploads.complete_upload,
            bucket=bucket,
            key=key,
            upload_id=upload_id,
            parts=tuple(parts),
            new=new,
            now_ms=now_ms,
            rule=rule,
            minimum_part_bytes=self._minimum_part_bytes,
        )
        return await self._write(change, room_bytes=len(parts) * _SEGMENT_ROW_BYTES)

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        """End an upload and remove its parts.

        Raises:
            NoSuchBucketError, NoSuchUploadError
        """
        await self._free(partial(uploads.abort_upload, bucket=bucket, key=key, upload_id=upload_id))

    # Housekeeping

    async def sweep(self, *, now_s: float, min_age_s: float = SPARED_AGE_S) -> SweepReport:
        """Remove blob files that no row names and that were last written `min_age_s` before `now_s`, or earlier.

        `now_s` is seconds since the epoch. Safe beside writers and readers of any process; if another process
        sweeps just now, this one removes nothing.
        """
        return await self._workings.sweep(oldest_kept_s=now_s - min_age_s)

    async def _write(self, change: Change[T], *, room_bytes: int = 0, draft: Draft | None = None) -> T:
        """Return what a change returns that adds to the catalog, once it is durable."""
        if draft is None:
            return await self._workings.writer.submit(change, room_bytes=room_bytes)
        size = 0 if draft.blob is not None else draft.size
        durable = self._workings.writer.submit(change, room_bytes=size, blob=draft.blob)
        draft.spend()
        return await durable

    async def _free(self, change: Change[T]) -> T:
        """Return what a change returns that makes room, once it is durable. It goes through on a full disk."""
        return await self._workings.writer.submit(change, room_bytes=None)
