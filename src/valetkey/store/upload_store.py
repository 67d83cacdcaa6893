"""The face of the store that knows multipart uploads."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from valetkey.store import listing, parts, uploads
from valetkey.store.drafts import Draft
from valetkey.store.model import (
    NO_LOCK,
    Checksum,
    CompletedUpload,
    Encryption,
    InBucket,
    Lock,
    NewObject,
    Part,
    PartPage,
    Segment,
    StoredObject,
    Upload,
    UploadPage,
    WriteRule,
    name_of,
)
from valetkey.store.workings import Workings

_SEGMENT_ROW_BYTES: Final = 512

_MOST_ENDED: Final = 8
"""At once: each may have ten thousand parts, and others want to write."""


class Uploads:
    """Multipart uploads. See `Store` for what all functions may raise."""

    def __init__(self, workings: Workings, *, minimum_part_bytes: int) -> None:
        """Use `Store.open`."""
        self._workings: Final = workings
        self._minimum_part_bytes = minimum_part_bytes

    async def create(
        self,
        bucket: InBucket,
        key: str,
        *,
        upload_id: str,
        headers: Mapping[str, str],
        checksum_algorithm: str | None = None,
        checksum_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        lock: Lock = NO_LOCK,
        encryption: Encryption | None = None,
        owner_id: str | None = None,
        initiator_id: str | None = None,
        acl: str | None = None,
        begun_by: str | None = None,
        now_ms: int,
    ) -> Upload:
        """Begin an upload under an id that the caller has drawn at random.

        Raises:
            NoSuchBucketError
        """
        upload = Upload(
            id=upload_id,
            bucket=name_of(bucket),
            key=key,
            created_ms=now_ms,
            headers=headers,
            checksum_algorithm=checksum_algorithm,
            checksum_type=checksum_type,
            tags=tags or {},
            lock=lock,
            encryption=encryption.kind if encryption else None,
            seal=self._workings.keyring.new_seal(encryption)[1] if encryption else None,
            owner_id=owner_id,
            initiator_id=initiator_id,
            acl=acl,
            begun_by=begun_by,
        )
        return await self._workings.write(partial(uploads.create_upload, upload=upload), within=bucket)

    async def keep_newest(self, begun_by: str, most: int) -> None:
        """End all open uploads that were begun by this but the newest `most`."""
        if self._workings.look(partial(uploads.count_older, begun_by=begun_by, most=most)):
            await self._workings.free(partial(uploads.end_older, begun_by=begun_by, most=most))

    async def end_abandoned(self, *, before_ms: int) -> None:
        """End all open uploads that were begun by something, and neither began nor got a part since `before_ms`."""
        end = partial(uploads.end_abandoned, before_ms=before_ms, most=_MOST_ENDED)
        while await self._workings.free(end) == _MOST_ENDED:
            pass

    def find(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises NoSuchBucketError, or NoSuchUploadError also if the upload is for another key."""
        return self._workings.look(partial(uploads.find_upload, bucket=bucket, key=key, upload_id=upload_id))

    def find_completed(self, bucket: str, key: str, upload_id: str) -> CompletedUpload:
        """Return what became of an upload that was completed in the last days.

        Raises:
            NoSuchBucketError, NoSuchUploadError
        """
        return self._workings.look(
            partial(uploads.find_completed, bucket=bucket, key=key, upload_id=upload_id)
        )

    def require_key(self, upload: Upload, customer_key: bytes | None) -> None:
        """Return if this is the key that an encrypted upload began with.

        Raises:
            WrongKeyError
        """
        if upload.seal is not None:
            self._workings.keyring.open_seal(upload.seal, customer_key)

    async def put_part(
        self,
        upload_id: str,
        number: int,
        draft: Draft,
        etag: str,
        checksum: Checksum | None,
        now_ms: int,
        *,
        crc64nvme: str | None = None,
        most_bytes: int | None = None,
    ) -> Part:
        """Keep the draft as the part with this number, in place of the one that has it.

        With `crc64nvme` the object gets its checksum of that, and not of `checksum`.

        Raises:
            NoSuchUploadError
            PartsTooLargeError: with it, the upload's parts would have more than `most_bytes`.
        """
        await self._workings.intake.spill(draft)
        segment = draft.content
        assert isinstance(segment, Segment)
        change = partial(
            parts.put_part,
            upload_id=upload_id,
            number=number,
            segments=(segment,),
            etag=etag,
            checksum=checksum,
            now_ms=now_ms,
            crc64nvme=crc64nvme,
            most_bytes=most_bytes,
        )
        return await self._workings.write(change, draft=draft)

    async def copy_part(
        self,
        upload_id: str,
        number: int,
        source: StoredObject,
        *,
        start: int,
        end: int,
        etag: str,
        checksum: Checksum | None,
        now_ms: int,
    ) -> Part:
        """Keep the bytes of `source` from `start` to before `end` as a part; both share them.

        The source's content must lie in blobs, and be encrypted as the upload is.

        Raises:
            NoSuchUploadError
            ContentGoneError: the source was replaced or deleted since it was found. Find it again.
        """
        change = partial(
            parts.copy_part,
            upload_id=upload_id,
            number=number,
            source=source,
            start=start,
            end=end,
            etag=etag,
            checksum=checksum,
            now_ms=now_ms,
        )
        return await self._workings.write(change, room_bytes=len(source.content) * _SEGMENT_ROW_BYTES)

    async def list_parts(
        self, bucket: InBucket, key: str, upload_id: str, *, after_number: int = 0, limit: int = 1000
    ) -> PartPage:
        """Return up to `limit` parts with numbers above `after_number`.

        Raises:
            NoSuchBucketError, NoSuchUploadError
        """
        read = partial(uploads.list_parts, bucket=name_of(bucket), key=key, upload_id=upload_id)
        return await self._workings.read(partial(read, after_number=after_number, limit=limit), within=bucket)

    async def list(
        self,
        bucket: InBucket,
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
        read = partial(
            listing.list_uploads, bucket=name_of(bucket), prefix=prefix, delimiter=delimiter, limit=limit
        )
        return await self._workings.read(
            partial(read, key_marker=key_marker, upload_id_marker=upload_id_marker), within=bucket
        )

    async def complete(
        self,
        bucket: InBucket,
        key: str,
        upload_id: str,
        *,
        parts: Sequence[tuple[int, str]],
        new: NewObject,
        version_id: str = "",
        now_ms: int,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Make the object of the parts with these numbers and ETags, and end the upload.

        `version_id`, which nobody can guess, is used if the bucket has versions.

        Raises:
            NoSuchBucketError, NoSuchUploadError
            InvalidPartOrderError: the numbers do not ascend.
            InvalidPartError: a part is missing, or has another ETag.
            PartTooSmallError: one before the last has less than 5 MiB.
            PreconditionFailedError, NoSuchKeyError: `rule` does not hold; the upload stays open.
        """
        change = partial(
            uploads.complete_upload,
            bucket=name_of(bucket),
            key=key,
            upload_id=upload_id,
            parts=tuple(parts),
            new=new,
            version_id=version_id,
            now_ms=now_ms,
            rule=rule,
            minimum_part_bytes=self._minimum_part_bytes,
        )
        return await self._workings.write(change, within=bucket, room_bytes=len(parts) * _SEGMENT_ROW_BYTES)

    async def abort(self, bucket: InBucket, key: str, upload_id: str) -> None:
        """End an upload and remove its parts.

        Raises:
            NoSuchBucketError, NoSuchUploadError
        """
        await self._workings.free(
            partial(uploads.abort_upload, bucket=name_of(bucket), key=key, upload_id=upload_id), within=bucket
        )
