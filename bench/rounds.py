"""How two sides are compared: in the same run, by turns, over several rounds after a warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from bench.units import Unit as Unit
from bench.usage import Usage


class MissingPeerError(Exception):
    """What a measurement needs is not installed. The text is a sentence that says how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A goal that is stated against a side of another entry."""

    entry: str
    """Its name."""
    side: str
    least: float
    """What the rate of the side that has this goal, divided by that side's, should reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those that are compared."""

    name: str
    measure: Callable[[float], float]
    """Works for about so many seconds and returns how much was done per second (or per MiB: see `Unit`)."""
    goal: float | None = None
    """What our rate divided by this side's should reach; None where nothing is promised."""
    limit: float | None = None
    """What this side itself should keep to, in the unit of the entry: the most of what costs, else the least."""
    beside: Beside | None = None
    usage: Callable[[], Usage] | None = None
    """Returns what all its turns took, once they are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentSide:
    """One that could not take part, and what was promised against it."""

    name: str
    reason: str
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to measure."""

    rounds: int
    cpu_slice_s: float
    """One turn of a side that computes, in seconds of the processor."""
    load_slice_s: float
    """One turn of a side that serves, in seconds of the clock."""
    share: float
    """How much of the usual sample data is made, above 0 and at most 1."""
    is_warmed_up: bool = True
    is_alone: bool = False
    """Servers of others are left out."""


FULL = Plan(rounds=3, cpu_slice_s=0.4, load_slice_s=3.0, share=1.0)
QUICK = Plan(rounds=1, cpu_slice_s=0.02, load_slice_s=1.0, share=0.1, is_warmed_up=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The sides of one comparison, ready to be measured. The first is ours."""

    sides: Sequence[Side]
    slice_s: float
    notes: Sequence[str] = ()
    """Sentences about what was measured, or on what."""
    absent: Sequence[AbsentSide] = ()
    rounds: int | None = None
    """At most so many, whatever the plan says."""
    is_warmed_up: bool = True
    """Half a turn goes before the first round, and counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One entry of the bench."""

    name: str
    title: str
    unit: Unit
    prepare: Callable[[Plan], AbstractContextManager[Field]]
    """Sets everything up, and takes it down again. Raises MissingPeerError."""
    panel: str | None = None
    """The part of the plot in which the ratios are drawn; None: they are not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one side did."""

    name: str
    rates: tuple[float, ...]
    """One per round."""
    ratios: tuple[float, ...]
    """Our rate divided by this side's, one per round; empty for our own side."""
    goal: float | None = None
    limit: float | None = None
    beside: Beside | None = None
    usage: Usage | None = None

    @property
    def rate(self) -> float:
        """The median of the rounds."""
        return median(self.rates)

    @property
    def spread(self) -> float:
        """The distance from the slowest to the fastest round, as a part of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate

    @property
    def ratio(self) -> float | None:
        """The median of the ratios; None for our own side."""
        return median(self.ratios) if self.ratios else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one comparison found."""

    name: str
    title: str
    unit: Unit
    panel: str | None
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    absent: tuple[AbsentSide, ...] = ()


def run(comparison: Comparison, plan: Plan) -> Result:
    """Measure every side of `comparison` and return what came out.

    The order turns round after each round, so that neither side always comes first, and each round has a
    ratio of its own: a machine that slows down between two rounds changes the rates and not the ratio.

    Raises:
        MissingPeerError: nothing can be compared, because a program or a package is missing.
    """
    with comparison.prepare(plan) as field:
        rates: dict[str, list[float]] = {side.name: [] for side in field.sides}
        for side in field.sides if plan.is_warmed_up and field.is_warmed_up else ():
            side.measure(field.slice_s / 2)
        for number in range(min(plan.rounds, field.rounds or plan.rounds)):
            for side in field.sides if number % 2 == 0 else reversed(field.sides):
                rates[side.name].append(side.measure(field.slice_s))
        ours = rates[field.sides[0].name]
        outcomes = tuple(_outcome(side, rates[side.name], ours) for side in field.sides)
        return Result(
            name=comparison.name,
            title=comparison.title,
            unit=comparison.unit,
            panel=comparison.panel,
            outcomes=outcomes,
            notes=tuple(field.notes),
            absent=tuple(field.absent),
        )


def _outcome(side: Side, rates: Sequence[float], ours: Sequence[float]) -> Outcome:
    is_ours = rates is ours
    ratios = () if is_ours else tuple(our / their for our, their in zip(ours, rates, strict=True))
    return Outcome(
        name=side.name,
        rates=tuple(rates),
        ratios=ratios,
        goal=side.goal,
        limit=side.limit,
        beside=side.beside,
        usage=None if side.usage is None else side.usage(),
    )


def cpu_rate(work: Callable[[], int]) -> Callable[[float], float]:
    """Return a `measure` that calls `work`, which returns how many things it did, until the time is over.

    It counts seconds of the processor, not of the clock: what other programs take is not charged to us.
    """

    def measure(seconds: float) -> float:
        done = 0
        started = time.process_time()
        while (spent := time.process_time() - started) < seconds:
            done += work()
        return done / spent

    return measure
