"""The embedded object store: the one face of this room."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Final, Self

from valetkey.processes.marks import Stamp
from valetkey.store import deletions, listing, objects, version_listing
from valetkey.store.bucket_store import Buckets
from valetkey.store.buckets import WHOLE_BUCKET
from valetkey.store.content_reader import ContentReader
from valetkey.store.drafts import Draft
from valetkey.store.errors import StoreError
from valetkey.store.folder import DataFolder
from valetkey.store.identity_store import Identities
from valetkey.store.known_identities import IDENTITIES
from valetkey.store.model import (
    Deleted,
    Deletion,
    Encryption,
    InBucket,
    ListPage,
    NewObject,
    ObjectPart,
    StoredObject,
    SweepReport,
    VersionPage,
    WriteRule,
    name_of,
)
from valetkey.store.upload_store import Uploads
from valetkey.store.uploads import forget_completed
from valetkey.store.workings import Workings

INLINE_LIMIT_BYTES: Final = 64 * 1024

MINIMUM_PART_BYTES: Final = 5 * 1024 * 1024
"""Of every part but the last. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""

SPARED_AGE_S: Final = 3600.0
"""How old a file must be before a sweep looks at it."""

REMEMBERED_S: Final = 7 * 86_400.0
"""How long a completed upload may be completed again."""

ABANDONED_S: Final = 7 * 86_400.0
"""How long an upload that somebody began by something of ours, and not by themselves, waits for its next part."""

_BLOB_ID_BYTES: Final = 16


def _draw_blob_id() -> str:
    return secrets.token_hex(_BLOB_ID_BYTES)


class Store:
    """One process's door to a data folder. Several processes may open the same folder at once.

    Every change that is acknowledged is durable; one whose caller was cancelled happens wholly or not at all.
    The plain functions answer in microseconds, and belong to one thread at a time: that of the event loop.
    Instants are milliseconds since the epoch, sizes are bytes.

    A bucket may be named, or given as it was found: then what happens happens in that very bucket, or
    NoSuchBucketError is raised, also if another has its name by then.

    Besides what each function names, all may raise OutOfSpaceError (but not deletes), StorageFailedError (the
    disk or the catalog fails) and StoreClosedError.
    """

    def __init__(self, workings: Workings, *, inline_limit_bytes: int, minimum_part_bytes: int) -> None:
        """Use `Store.open`."""
        self.buckets: Final = Buckets(workings)
        self.identities: Final = Identities(workings)
        self.uploads: Final = Uploads(workings, minimum_part_bytes=minimum_part_bytes)
        self._workings = workings
        self._inline_limit_bytes = inline_limit_bytes

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        inline_limit_bytes: int = INLINE_LIMIT_BYTES,
        minimum_part_bytes: int = MINIMUM_PART_BYTES,
        master_key: bytes | None = None,
        new_blob_id: Callable[[], str] = _draw_blob_id,
    ) -> Self:
        """Open the store in `folder`, which is made if it is missing and brought to the newest format.

        Objects of up to `inline_limit_bytes` live in the catalog. `new_blob_id` returns 32 random hex digits.
        Encryption that is not under a client's key needs the `master_key`, 32 bytes.

        Raises:
            NewerVersionError: a later program wrote the folder.
        """
        workings = Workings.open(
            DataFolder(folder),
            inline_limit_bytes=inline_limit_bytes,
            new_blob_id=new_blob_id,
            master_key=master_key,
        )
        return cls(workings, inline_limit_bytes=inline_limit_bytes, minimum_part_bytes=minimum_part_bytes)

    async def close(self) -> None:
        """Finish what is under way and close the folder. What is called later raises StoreClosedError."""
        await self._workings.close()

    # Objects

    def find_object(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """Return a version as it is now: that with the id ("null": the null version), or the current one.

        Raises:
            NoSuchBucketError
            NoSuchKeyError: there is no current version, or it is a delete marker.
            NoSuchVersionError, DeleteMarkerError: of the version that was named.
        """
        if version_id is None:
            return self._workings.find_object(bucket, key)
        return self._workings.look(lambda cursor: objects.find_version(cursor, bucket, key, version_id))

    def stamp(self, bucket: str) -> Stamp | None:
        """Return what holds as long as neither the bucket itself nor any identity changes; None while one does."""
        return self._workings.marks.stamp(IDENTITIES, (bucket, WHOLE_BUCKET))

    async def list_objects(
        self, bucket: InBucket, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> ListPage:
        """Return up to `limit` keys and common prefixes with the prefix, in byte order, that come after `after`.

        If `after` is a common prefix of this listing or lies in one, the whole group counts as shown.

        Raises:
            NoSuchBucketError
        """
        read = partial(
            listing.list_objects,
            bucket=name_of(bucket),
            prefix=prefix,
            delimiter=delimiter,
            after=after,
            limit=limit,
        )
        return await self._workings.read(read, within=bucket)

    async def list_versions(
        self,
        bucket: InBucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        version_id_marker: str = "",
        limit: int = 1000,
        with_tags: bool = False,
    ) -> VersionPage:
        """Return up to `limit` versions, delete markers and common prefixes, by key and then the newest first.

        With `version_id_marker` those of `key_marker` itself go on after that id; without, they are skipped.

        Raises:
            NoSuchBucketError
        """
        read = partial(
            version_listing.list_versions,
            bucket=name_of(bucket),
            prefix=prefix,
            delimiter=delimiter,
            key_marker=key_marker,
            version_id_marker=version_id_marker,
            limit=limit,
            with_tags=with_tags,
        )
        return await self._workings.read(read, within=bucket)

    def require_now(self, bucket: str, key: str, rule: WriteRule) -> None:
        """Return if `rule` would let an object be put at this moment; a large body need not be sent in vain.

        Raises:
            NoSuchBucketError, NoSuchKeyError, PreconditionFailedError
        """
        self._workings.look(partial(objects.require_now, bucket=bucket, key=key, rule=rule))

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        *,
        size_hint: int | None,
        observe: Callable[[bytes], None],
        encryption: Encryption | None = None,
    ) -> Draft:
        """Return a draft of the bytes of `chunks`: durable, or in memory if they are few.

        `observe` is shown all bytes once and in order, though not cut as they came; those of large bodies in a
        thread. If it or `chunks` raises, or the task is cancelled, nothing remains. Memory stays flat.
        With a `size_hint` in bytes a body that cannot fit is refused before it is read.
        """
        return await self._workings.intake.receive(
            chunks, size_hint=size_hint, observe=observe, encryption=encryption
        )

    async def put_object(
        self,
        bucket: InBucket,
        key: str,
        draft: Draft,
        new: NewObject,
        *,
        version_id: str = "",
        now_ms: int,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Make the draft the current version of the key.

        `version_id`, which nobody can guess, is used if the bucket has versions. Otherwise the draft takes the
        place of the null version.

        Raises:
            NoSuchBucketError
            PreconditionFailedError: `rule` does not hold.
            NoSuchKeyError: `rule` is about an object, and there is none.
        """
        change = partial(
            objects.put_object,
            bucket=bucket,
            key=key,
            content=draft.content,
            seal=draft.seal,
            encryption=draft.encryption,
            size=draft.size,
            new=new,
            version_id=version_id,
            now_ms=now_ms,
            rule=rule,
        )
        return await self._workings.write(change, draft=draft)

    async def copy_object(
        self,
        source: StoredObject,
        bucket: InBucket,
        key: str,
        new: NewObject,
        *,
        version_id: str = "",
        now_ms: int,
        rule: WriteRule | None = None,
    ) -> StoredObject:
        """Make the content of a found object the current version of the key, without rewriting a byte.

        `version_id` and `rule` are about the key that is written.

        Raises:
            NoSuchBucketError, NoSuchKeyError, PreconditionFailedError
            ContentGoneError: the source was replaced or deleted since it was found. Find it again.
        """
        change = partial(
            objects.copy_object,
            source=source,
            bucket=name_of(bucket),
            key=key,
            new=new,
            version_id=version_id,
            now_ms=now_ms,
            rule=rule,
        )
        return await self._workings.write(change, within=bucket, room_bytes=self._inline_limit_bytes)

    async def amend_object(
        self,
        bucket: InBucket,
        key: str,
        version_id: str | None,
        amend: Callable[[StoredObject], StoredObject],
    ) -> StoredObject:
        """Change tags, lock or access control list of a version to those of what `amend` returns for it, and return the version.

        `amend` decides in the transaction, in a thread; what it raises goes up, and nothing is changed.

        Raises:
            As `find_object` does.
        """
        change = partial(
            objects.amend_object, bucket=name_of(bucket), key=key, version_id=version_id, amend=amend
        )
        return await self._workings.write(change, within=bucket)

    async def delete_object(
        self,
        bucket: InBucket,
        deletion: Deletion,
        *,
        marker_id: str = "",
        now_ms: int,
    ) -> Deleted:
        """Remove a version, or hide the current one behind a delete marker if the bucket has versions.

        `marker_id`, which nobody can guess, is for such a marker.

        Raises:
            NoSuchBucketError, PreconditionFailedError, ObjectLockedError
            NoSuchKeyError: the deletion's rule is about an object, and there is none.
        """
        change = partial(
            deletions.delete_object,
            bucket=name_of(bucket),
            deletion=deletion,
            marker_id=marker_id,
            now_ms=now_ms,
        )
        return await self._workings.free(change, within=bucket)

    async def delete_objects(
        self,
        bucket: InBucket,
        wanted: Sequence[Deletion],
        *,
        new_marker_id: Callable[[], str] = str,
        now_ms: int,
    ) -> Sequence[Deleted | StoreError]:
        """Do all deletions in one transaction, and return what each came to, in the same order.

        Raises:
            NoSuchBucketError
        """
        change = partial(
            deletions.delete_objects,
            bucket=name_of(bucket),
            wanted=tuple((deletion, new_marker_id()) for deletion in wanted),
            now_ms=now_ms,
        )
        return await self._workings.free(change, within=bucket)

    def find_object_part(self, obj: StoredObject, number: int) -> ObjectPart | None:
        """Return where a part lies in a found object that was uploaded in parts; None if it has no such part.

        Raises:
            ContentGoneError: it was replaced or deleted since it was found. Find it again.
        """
        return self._workings.look(lambda cursor: objects.find_object_part(cursor, obj, number))

    async def list_object_parts(
        self, obj: StoredObject, *, after_number: int = 0, limit: int = 1000
    ) -> tuple[Sequence[ObjectPart], bool]:
        """Return up to `limit` parts with numbers above `after_number`, and whether there are more.

        Raises:
            ContentGoneError: the object was replaced or deleted since it was found. Find it again.
        """
        read = partial(objects.list_object_parts, obj=obj, after_number=after_number, limit=limit)
        return await self._workings.reads.run(read)

    def open_content(
        self, obj: StoredObject, start: int, end: int, *, customer_key: bytes | None = None
    ) -> ContentReader:
        """Open the bytes of a found object from `start` to before `end`; then they stay readable. Close it.

        Raises:
            ContentGoneError: it was replaced or deleted since it was found. Find it again.
            WrongKeyError: it is encrypted under another customer's key.
        """
        return self._workings.open_content(obj, start, end, customer_key)

    def require_key(self, obj: StoredObject, customer_key: bytes | None) -> None:
        """Return if an encrypted object can be read with this customer's key, or without one.

        Raises:
            WrongKeyError
        """
        seal = obj.seal if isinstance(obj.content, bytes) else obj.content[0].seal
        if seal is not None:
            self._workings.keyring.open_seal(seal, customer_key)

    # Housekeeping

    def hold_lifecycle(self) -> AbstractContextManager[bool]:
        """Hold the right to let objects expire, until the block ends; False: somebody else holds it.

        It is one for all processes that opened the folder, and ends with the process that has it.
        """
        return self._workings.hold_lifecycle()

    async def sweep(self, *, now_s: float, min_age_s: float = SPARED_AGE_S) -> SweepReport:
        """Remove blob files that no row names and that were last written `min_age_s` before `now_s`, or earlier.

        `now_s` is seconds since the epoch. Safe beside writers and readers of any process; if another process
        sweeps just now, this one removes nothing. Completed uploads of long ago are forgotten too, and abandoned ones
        end.
        """
        before_ms = int((now_s - REMEMBERED_S) * 1000)
        await self._workings.free(partial(forget_completed, before_ms=before_ms))
        await self.uploads.end_abandoned(before_ms=int((now_s - ABANDONED_S) * 1000))
        return await self._workings.sweep(oldest_kept_s=now_s - min_age_s)
