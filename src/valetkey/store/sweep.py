"""Removing what crashes leave behind: files that no row names, and doomed contents."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from valetkey.processes.file_lock import FileLock
from valetkey.store import statements
from valetkey.store.blobs import BlobFolder, RemovedFiles
from valetkey.store.contents import list_doomed
from valetkey.store.folder import SHELVES, DataFolder
from valetkey.store.model import SweepReport
from valetkey.store.schema import open_reader

_BLOB_NAME: Final = re.compile(r"[0-9a-f]{32}")


def sweep(
    folder: DataFolder,
    blobs: BlobFolder,
    *,
    oldest_kept_s: float,
    forget: Callable[[Sequence[int]], Sequence[str]],
) -> SweepReport:
    """Remove blob files changed before `oldest_kept_s` (since the epoch) that no row names and nobody writes.

    `forget` is told the ids of doomed contents that nobody reads any more, and returns the blobs that it thereby
    left without a name. Only one process sweeps at a time: if another does, this one removes nothing. Nothing else
    in the folder is touched.
    """
    lock = FileLock(folder.sweep_lock)
    try:
        if not lock.take_at_once():
            return SweepReport(files_removed=0, bytes_removed=0)
        with closing(open_reader(folder)) as connection:
            removed = [
                *_remove_doomed(connection, blobs, forget),
                *_remove_unnamed(connection, folder, blobs, oldest_kept_s),
            ]
    finally:
        lock.close()
    return SweepReport(
        files_removed=sum(one.files for one in removed),
        bytes_removed=sum(one.size_bytes for one in removed),
    )


def _remove_doomed(
    connection: sqlite3.Connection, blobs: BlobFolder, forget: Callable[[Sequence[int]], Sequence[str]]
) -> Iterator[RemovedFiles]:
    doomed = list_doomed(connection)
    unread = [content.id for content in doomed if not blobs.is_read(content.first_blob_id)]
    if unread:
        yield from _remove_if_unnamed(connection, blobs, forget(unread))


def _remove_unnamed(
    connection: sqlite3.Connection, folder: DataFolder, blobs: BlobFolder, oldest_kept_s: float
) -> Iterator[RemovedFiles]:
    for name in SHELVES:
        yield from _remove_if_unnamed(connection, blobs, _list_old(folder.blobs / name, oldest_kept_s))


def _remove_if_unnamed(
    connection: sqlite3.Connection, blobs: BlobFolder, blob_ids: Iterable[str]
) -> Iterator[RemovedFiles]:
    def is_named(blob_id: str) -> bool:
        return bool(connection.execute(statements.IS_NAMED, (blob_id,)).fetchone()[0])

    for blob_id in blob_ids:
        # Asked first without the lock: nearly all files are named, and need not be opened.
        if is_named(blob_id):
            continue
        removed = blobs.remove_unless(blob_id, is_named)
        if removed is not None:
            yield removed


def _list_old(shelf: Path, oldest_kept_s: float) -> list[str]:
    """Return the ids of the blobs in one fan-out folder that were last written before the instant."""
    old = []
    with os.scandir(shelf) as entries:
        for entry in entries:
            is_blob = _BLOB_NAME.fullmatch(entry.name) and entry.name.startswith(shelf.name)
            if is_blob and _is_old_file(entry, oldest_kept_s):
                old.append(entry.name)
    return old


def _is_old_file(entry: os.DirEntry[str], oldest_kept_s: float) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and (
            entry.stat(follow_symlinks=False).st_mtime < oldest_kept_s
        )
    except FileNotFoundError:
        return False
