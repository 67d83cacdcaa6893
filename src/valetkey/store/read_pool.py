"""Reads that may take a while, such as listings: a few threads, each with a connection of its own."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from valetkey.store import statements
from valetkey.store.errors import StoreClosedError
from valetkey.store.folder import DataFolder
from valetkey.store.schema import open_reader
from valetkey.store.space import Room

T = TypeVar("T")

_THREADS: Final = 2


class ReadPool:
    def __init__(self, folder: DataFolder, room: Room) -> None:
        self._folder = folder
        self._room = room
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="valetkey-reader")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `read` makes of one state of the catalog, from a thread."""
        try:
            result = asyncio.get_running_loop().run_in_executor(self._executor, self._read, read)
        except RuntimeError as error:
            raise StoreClosedError from error
        return await result

    def close(self) -> None:
        """Wait for what runs, and close the connections."""
        self._executor.shutdown()
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._take()
            try:
                connection.execute(statements.BEGIN_READ)
                try:
                    return read(connection)
                finally:
                    connection.execute(statements.COMMIT)
            finally:
                self._idle.put(connection)
        except sqlite3.Error as error:
            raise self._room.explain(error) from error

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return open_reader(self._folder)
