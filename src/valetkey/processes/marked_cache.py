"""What this process has looked up, kept while no process changes it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from valetkey.processes.marks import Marks, slot_of

T = TypeVar("T")


class _Kept(NamedTuple, Generic[T]):
    found: T
    slot: int
    mark: int
    """What the counter stood at, which was even."""
    weight_bytes: int


class MarkedCache(Generic[T]):
    """The objects, or buckets, used last. For one thread: that of the event loop."""

    def __init__(
        self, marks: Marks, *, most_bytes: int, weigh: Callable[[T], int], slot: int | None = None
    ) -> None:
        """With a `slot` all entries hang on that one counter; without, each on that of its own key."""
        self._counts = marks.counts
        self._slot = slot
        self._most_bytes = most_bytes
        self._weigh = weigh
        self._weight_bytes = 0
        self._kept: OrderedDict[tuple[str, str], _Kept[T]] = OrderedDict()

    def known(self, place: tuple[str, str]) -> T | None:
        """Return what is kept of a place, if that is what is there now.

        Whoever asks on each request asks here first: to make the `look` that `find` wants takes as long as this.
        """
        kept = self._kept.get(place)
        if kept is None or self._counts[kept.slot] != kept.mark:
            return None
        self._kept.move_to_end(place)
        return kept.found

    def find(self, bucket: str, key: str, look: Callable[[], T]) -> T:
        """Return what is there now, by `look` unless it is kept. What `look` raises goes up."""
        place = (bucket, key)
        known = self.known(place)
        if known is not None:
            return known
        self._drop(place)
        slot = slot_of(bucket, key) if self._slot is None else self._slot
        # Before the look: a change in between leaves an entry that is never used, and not one that is wrong.
        mark = self._counts[slot]
        found = look()
        if not mark & 1:
            self._keep(place, _Kept(found, slot, mark, self._weigh(found)))
        return found

    def _keep(self, place: tuple[str, str], kept: _Kept[T]) -> None:
        self._kept[place] = kept
        self._weight_bytes += kept.weight_bytes
        while self._weight_bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._weight_bytes -= oldest.weight_bytes

    def _drop(self, place: tuple[str, str]) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self._weight_bytes -= kept.weight_bytes
