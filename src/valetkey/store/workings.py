"""What works behind the store's face: threads, connections and locks, and their opening and closing."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final, Self, TypeVar

from valetkey.processes.file_lock import FileLock
from valetkey.processes.marked_cache import MarkedCache
from valetkey.processes.marks import Marks
from valetkey.store import objects
from valetkey.store.blobs import BlobFolder, NewBlob
from valetkey.store.buckets import WHOLE_BUCKET, find_bare_bucket, find_bucket
from valetkey.store.content_reader import ContentReader
from valetkey.store.contents import Effects, forget_doomed, require_live
from valetkey.store.drafts import Draft, Intake
from valetkey.store.errors import NoSuchBucketError, StorageFailedError, StoreClosedError, StoreError
from valetkey.store.folder import DataFolder, make_private_folder
from valetkey.store.jobs import Change
from valetkey.store.model import Bucket, InBucket, StoredObject, SweepReport
from valetkey.store.object_cache import (
    BUCKET_CACHE_BYTES,
    CACHE_BYTES,
    bucket_weight,
    object_weight,
)
from valetkey.store.read_pool import ReadPool
from valetkey.store.remover import Remover
from valetkey.store.schema import migrate, open_reader, open_writer
from valetkey.store.seal import Keyring
from valetkey.store.space import Room
from valetkey.store.sweep import sweep
from valetkey.store.writer import Writer

T = TypeVar("T")

_DISK_THREADS: Final = 8


class Workings:
    def __init__(
        self,
        folder: DataFolder,
        *,
        inline_limit_bytes: int,
        new_blob_id: Callable[[], str],
        master_key: bytes | None,
    ) -> None:
        """Use `Workings.open`."""
        self.keyring: Final = Keyring(master_key)
        self.blobs: Final = BlobFolder(folder.blobs)
        self.disk: Final = ThreadPoolExecutor(_DISK_THREADS, thread_name_prefix="valetkey-disk")
        self._folder = folder
        self._remover = Remover(self.blobs, forget=self._forget)
        self._room = Room(folder, relieve=self._remover.wait)
        self._reader = open_reader(folder)
        self._cursor = self._reader.cursor()
        self._write_lock = FileLock(folder.write_lock)
        self._write_connection = open_writer(folder)
        self.reads: Final = ReadPool(folder, self._room)
        self.marks: Final = Marks(folder.marks)
        self._objects = MarkedCache(self.marks, most_bytes=CACHE_BYTES, weigh=object_weight)
        self._buckets = MarkedCache(self.marks, most_bytes=BUCKET_CACHE_BYTES, weigh=bucket_weight)
        self.writer: Final = Writer(
            self._write_connection, self._write_lock, self._room, self._remover, self.marks
        )
        self.intake: Final = Intake(
            executor=self.disk,
            room=self._room,
            new_blob=lambda: NewBlob(self.blobs, self._room, new_blob_id=new_blob_id),
            inline_limit_bytes=inline_limit_bytes,
            keyring=self.keyring,
        )
        self.is_closed = False

    @classmethod
    def open(
        cls,
        folder: DataFolder,
        *,
        inline_limit_bytes: int,
        new_blob_id: Callable[[], str],
        master_key: bytes | None,
    ) -> Self:
        """Make or migrate the folder under the write lock, and start the threads.

        Raises:
            NewerVersionError, StorageFailedError
        """
        try:
            make_private_folder(folder.path)
            lock = FileLock(folder.write_lock)
            try:
                with lock.hold():
                    folder.prepare()
                    migrate(folder)
            finally:
                lock.close()
            return cls(
                folder,
                inline_limit_bytes=inline_limit_bytes,
                new_blob_id=new_blob_id,
                master_key=master_key,
            )
        except (OSError, sqlite3.Error) as error:
            raise StorageFailedError(f"The data folder {folder.path} cannot be opened: {error}") from error

    def look(self, read: Callable[[sqlite3.Cursor], T]) -> T:
        """Return what a look-up of single rows finds, at once and in this thread."""
        try:
            return read(self._cursor)
        except sqlite3.Error as error:
            raise self.explain(error) from error

    def find_object(self, bucket: str, key: str) -> StoredObject:
        """Return the object as it is now, from memory if it is known to have stayed the same."""
        if self.is_closed:
            raise StoreClosedError
        return self._objects.known((bucket, key)) or self._look_for_object(bucket, key)

    def _look_for_object(self, bucket: str, key: str) -> StoredObject:
        return self._objects.find(
            bucket, key, lambda: self.look(lambda cursor: objects.find_object(cursor, bucket, key))
        )

    def find_bucket(self, name: str) -> Bucket:
        """Return the bucket as it is now, likewise."""
        if self.is_closed:
            raise StoreClosedError
        return self._buckets.known((name, WHOLE_BUCKET)) or self._look_for_bucket(name)

    def _look_for_bucket(self, name: str) -> Bucket:
        return self._buckets.find(
            name, WHOLE_BUCKET, lambda: self.look(lambda cursor: find_bucket(cursor, name))
        )

    async def write(
        self,
        change: Change[T],
        *,
        within: InBucket | None = None,
        room_bytes: int = 0,
        draft: Draft | None = None,
    ) -> T:
        """Return what a change returns that adds to the catalog, once it is durable.

        Raises:
            NoSuchBucketError: `within` is a bucket that is gone, even if another has its name now.
        """
        change = _bound(change, within)
        if draft is None:
            return await self.writer.submit(change, room_bytes=room_bytes)
        content = draft.content
        room_bytes = len(content) if isinstance(content, bytes) else 0
        durable = self.writer.submit(change, room_bytes=room_bytes, blob=draft.blob)
        draft.spend()
        return await durable

    async def free(self, change: Change[T], *, within: InBucket | None = None) -> T:
        """Return what a change returns that makes room, once it is durable. It goes through on a full disk.

        Raises:
            NoSuchBucketError: as `write` does.
        """
        return await self.writer.submit(_bound(change, within), room_bytes=None)

    async def read(self, look: Callable[[sqlite3.Connection], T], *, within: InBucket) -> T:
        """Return what a longer look into the catalog finds.

        Raises:
            NoSuchBucketError: as `write` does.
        """
        if isinstance(within, str):
            return await self.reads.run(look)
        return await self.reads.run(partial(_look_within, bucket=within, look=look))

    def open_content(
        self, obj: StoredObject, start: int, end: int, customer_key: bytes | None
    ) -> ContentReader:
        """See `Store.open_content`."""
        try:
            reader = ContentReader.open(
                obj.content,
                start=start,
                end=end,
                blobs=self.blobs,
                executor=self.disk,
                keyring=self.keyring,
                seal=obj.seal,
                customer_key=customer_key,
            )
        except OSError as error:
            raise self.explain(error) from error
        if len(obj.content) > 1 and not isinstance(obj.content, bytes):
            # Now that it is locked. The file alone tells nothing: another content may keep it.
            try:
                self.look(partial(require_live, content_id=obj.id))
            except StoreError:
                reader.close()
                raise
        return reader

    def explain(self, error: sqlite3.Error | OSError) -> StoreError:
        return StoreClosedError() if self.is_closed else self._room.explain(error)

    async def sweep(self, *, oldest_kept_s: float) -> SweepReport:
        try:
            report = asyncio.get_running_loop().run_in_executor(self.disk, self._sweep, oldest_kept_s)
        except RuntimeError as error:
            raise StoreClosedError from error
        return await report

    @contextmanager
    def hold_lifecycle(self) -> Iterator[bool]:
        """See `Store.hold_lifecycle`."""
        if self.is_closed:
            raise StoreClosedError
        try:
            lock = FileLock(self._folder.lifecycle_lock)
        except OSError as error:
            raise self.explain(error) from error
        try:
            yield lock.take_at_once()
        finally:
            lock.close()

    async def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self.writer.refuse_more()
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self.disk.shutdown()
        self.reads.close()
        # What the writer still has may leave files to remove, and removing them may leave rows to forget.
        self.writer.settle()
        self._remover.wait()
        self.writer.settle()
        self._remover.close()
        self.writer.stop()
        self._reader.close()
        self._write_connection.close()
        self._write_lock.close()
        self.marks.close()

    def _sweep(self, oldest_kept_s: float) -> SweepReport:
        self._remover.wait()
        try:
            return sweep(self._folder, self.blobs, oldest_kept_s=oldest_kept_s, forget=self._forget_now)
        except (sqlite3.Error, OSError) as error:
            raise self.explain(error) from error

    def _forget(self, content_id: int) -> None:
        self.writer.post(partial(forget_doomed, content_id=content_id))

    def _forget_now(self, content_ids: Sequence[int]) -> Sequence[str]:
        """Forget doomed contents, and return the blobs that nobody names then, if it could be done."""
        left: list[str] = []

        def forget(connection: sqlite3.Connection, effects: Effects) -> None:
            kept_back = Effects()
            for content_id in content_ids:
                forget_doomed(connection, kept_back, content_id=content_id)
            left[:] = kept_back.blob_ids

        self.writer.post(forget)
        self.writer.settle()
        # What it forgot by itself shortly before is gone then, too.
        self._remover.wait()
        return left


def _bound(change: Change[T], within: InBucket | None) -> Change[T]:
    """Return the change, bound to the very bucket that `within` is.

    Whoever was allowed to do something in a bucket is not allowed it in another that has taken its name meanwhile.
    """
    if within is None or isinstance(within, str):
        return change
    return partial(_change_within, bucket=within, change=change)


def _change_within(
    connection: sqlite3.Connection, effects: Effects, *, bucket: Bucket, change: Change[T]
) -> T:
    _require_same(connection, bucket)
    return change(connection, effects)


def _look_within(
    connection: sqlite3.Connection, *, bucket: Bucket, look: Callable[[sqlite3.Connection], T]
) -> T:
    _require_same(connection, bucket)
    return look(connection)


def _require_same(connection: sqlite3.Connection, bucket: Bucket) -> None:
    if find_bare_bucket(connection, bucket.name).id != bucket.id:
        raise NoSuchBucketError(bucket.name)
