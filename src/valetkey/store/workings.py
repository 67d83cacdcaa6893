"""What works behind the store's face: threads, connections and locks, and their opening and closing."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Self, TypeVar

from valetkey.store import objects
from valetkey.store.blobs import BlobFolder, NewBlob
from valetkey.store.contents import forget_doomed
from valetkey.store.drafts import Intake
from valetkey.store.errors import StorageFailedError, StoreClosedError, StoreError
from valetkey.store.folder import DataFolder, FileLock, make_private_folder
from valetkey.store.marks import Marks
from valetkey.store.model import StoredObject, SweepReport
from valetkey.store.object_cache import CACHE_BYTES, ObjectCache
from valetkey.store.read_pool import ReadPool
from valetkey.store.remover import Remover
from valetkey.store.schema import migrate, open_reader, open_writer
from valetkey.store.space import Room
from valetkey.store.sweep import sweep
from valetkey.store.writer import Writer

T = TypeVar("T")

_DISK_THREADS: Final = 8


class Workings:
    def __init__(
        self, folder: DataFolder, *, inline_limit_bytes: int, new_blob_id: Callable[[], str]
    ) -> None:
        """Use `Workings.open`."""
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
        self._marks = Marks(folder.marks)
        self._cache = ObjectCache(self._marks, most_bytes=CACHE_BYTES)
        self.writer: Final = Writer(
            self._write_connection, self._write_lock, self._room, self._remover, self._marks
        )
        self.intake: Final = Intake(
            executor=self.disk,
            room=self._room,
            new_blob=lambda: NewBlob(self.blobs, self._room, new_blob_id=new_blob_id),
            inline_limit_bytes=inline_limit_bytes,
        )
        self.is_closed = False

    @classmethod
    def open(cls, folder: DataFolder, *, inline_limit_bytes: int, new_blob_id: Callable[[], str]) -> Self:
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
            return cls(folder, inline_limit_bytes=inline_limit_bytes, new_blob_id=new_blob_id)
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
        return self._cache.find(
            bucket, key, lambda: self.look(lambda cursor: objects.find_object(cursor, bucket, key))
        )

    def explain(self, error: sqlite3.Error | OSError) -> StoreError:
        return StoreClosedError() if self.is_closed else self._room.explain(error)

    async def sweep(self, *, oldest_kept_s: float) -> SweepReport:
        try:
            report = asyncio.get_running_loop().run_in_executor(self.disk, self._sweep, oldest_kept_s)
        except RuntimeError as error:
            raise StoreClosedError from error
        return await report

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
        self._remover.close()
        self.writer.stop()
        self._reader.close()
        self._write_connection.close()
        self._write_lock.close()
        self._marks.close()

    def _sweep(self, oldest_kept_s: float) -> SweepReport:
        self._remover.wait()
        try:
            return sweep(self._folder, self.blobs, oldest_kept_s=oldest_kept_s, forget=self._forget)
        except (sqlite3.Error, OSError) as error:
            raise self.explain(error) from error

    def _forget(self, content_id: int) -> None:
        self.writer.post(partial(forget_doomed, content_id=content_id))
