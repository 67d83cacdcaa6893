"""Saying in the log that what waits to be written is lost: once when it begins, and once when it is over."""

from __future__ import annotations

import logging
from typing import Final

_LOG: Final = logging.getLogger("valetkey")


class Losses:
    """Follows a count of what was lost."""

    def __init__(self, what: str) -> None:
        """`what` cannot be written; it begins the sentence."""
        self._what = what
        self._before = 0
        """What had been lost when all was well."""
        self._last = 0

    def tell(self, lost: int, *, has_more: bool) -> None:
        """Look at how many are lost by now; `has_more`: something was to be written."""
        if self._last == self._before and lost > self._last:
            _LOG.error("%s cannot be written fast enough, or at all; what is lost is counted.", self._what)
        elif self._last > self._before and lost == self._last and has_more:
            _LOG.warning("%s is written again; %d entries are missing.", self._what, lost - self._before)
            self._before = lost
        self._last = lost
