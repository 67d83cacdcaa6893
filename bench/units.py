"""Units of the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Unit(Enum):
    """How a rate is shown. What costs something is measured as a rate too: one divided by the cost."""

    URLS = "URLs/s"
    REQUESTS = "requests/s"
    MEGABYTES = "MB/s"
    MICROSECONDS = "µs each"
    MILLISECONDS = "ms each"
    SECONDS = "s each"
    MEBIBYTES = "MiB"
    CPU_SECONDS = "CPU s per 10,000"
    MEBIBYTES_PER_10_000 = "MiB per 10,000"

    @property
    def is_cost(self) -> bool:
        """Whether less is better."""
        return self in _COSTS

    def amount(self, rate: float) -> float:
        """Return `rate` in this unit, which is what a limit is compared with."""
        return _COSTS[self] / rate if self.is_cost else rate

    def show(self, rate: float) -> str:
        """Return `rate` as text with the unit."""
        return self.text(self.amount(rate))

    def text(self, amount: float) -> str:
        """Return an amount of this unit as text with the unit."""
        is_fine = self.is_cost and (amount < 10 or self is Unit.MICROSECONDS)
        return f"{amount:,.{2 if is_fine else 0}f} {self.value}"


_COSTS: Final[Mapping[Unit, float]] = {
    Unit.MICROSECONDS: 1e6,
    Unit.MILLISECONDS: 1e3,
    Unit.SECONDS: 1.0,
    Unit.MEBIBYTES: 1.0,
    Unit.CPU_SECONDS: 1e4,
    Unit.MEBIBYTES_PER_10_000: 1e4,
}
"""How much is bought: a rate of 50 starts a second is 1000 / 50 ms each; one of 0.02 workers per MiB is 50 MiB."""
