"""Removing the files that a committed change left behind, in a thread of its own: large files take their time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from valetkey.store.blobs import BlobFolder, NewBlob
from valetkey.store.contents import Effects


class Remover:
    """Removes files in the order in which it is told. What it cannot remove is left to the sweep."""

    def __init__(self, blobs: BlobFolder, *, forget: Callable[[int], None]) -> None:
        """`forget` is told the id of each doomed content whose files are gone."""
        self._blobs = blobs
        self._forget = forget
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="valetkey-remover")

    def take(self, effects: Effects) -> None:
        self._executor.submit(self._remove, effects)

    def abandon(self, blob: NewBlob) -> None:
        self._executor.submit(blob.abandon)

    def wait(self) -> None:
        """Wait until what was told so far is removed."""
        self._executor.submit(_nothing).result()

    def close(self) -> None:
        self._executor.shutdown()

    def _remove(self, effects: Effects) -> None:
        self._blobs.remove(effects.blob_ids)
        for content in effects.doomed:
            if self._blobs.remove_unread(content.blob_ids) is not None:
                self._forget(content.id)


def _nothing() -> None:
    """Stands in the queue, to be waited for."""
