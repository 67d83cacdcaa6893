"""Removing the files that a committed change left behind, in a thread of its own: large files take their time."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from valetkey.store.blobs import BlobFolder, NewBlob
from valetkey.store.contents import DoomedContent, Effects

_MOST_WAITING: Final = 1000


class Remover:
    """Removes files in the order in which it is told. What it cannot remove is left to the sweep."""

    def __init__(self, blobs: BlobFolder, *, forget: Callable[[int], None]) -> None:
        """`forget` is told the id of each doomed content that nobody reads."""
        self._blobs = blobs
        self._forget = forget
        self._waiting: deque[DoomedContent] = deque(maxlen=_MOST_WAITING)
        """Contents that somebody was reading. Beyond the most they are left to the sweep."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="valetkey-remover")

    def take(self, effects: Effects) -> None:
        """Remove what the change has left."""
        try:
            self._executor.submit(self._remove, effects)
        except RuntimeError:
            # The last changes at the end: there is no other thread left.
            self._remove(effects)

    def abandon(self, blob: NewBlob) -> None:
        self._executor.submit(blob.abandon)

    def wait(self) -> None:
        """Wait until what was told so far is removed."""
        self._executor.submit(_nothing).result()

    def close(self) -> None:
        self._executor.shutdown()

    def _remove(self, effects: Effects) -> None:
        self._blobs.remove(effects.blob_ids)
        self._waiting.extend(effects.doomed)
        for _ in range(len(self._waiting)):
            content = self._waiting.popleft()
            if self._blobs.is_read(content.first_blob_id):
                self._waiting.append(content)
            else:
                self._forget(content.id)


def _nothing() -> None:
    """Stands in the queue, to be waited for."""
