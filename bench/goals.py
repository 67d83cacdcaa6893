"""What was promised, what was measured, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.rounds import AbsentSide, Beside, Outcome, Result

GOAL_LOADED_MIB: Final = 150
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One goal beside what a run says of it."""

    what: str
    """The title of the entry."""
    goal: str
    measured: str
    is_met: bool | None
    """None: it was not measured."""


def findings(results: Sequence[Result]) -> list[Finding]:
    """Return every goal of the entries in `results`, in their order."""
    return [
        *(each for result in results for each in _of_one(result, results)),
        *_of_memory(results),
    ]


def _of_one(result: Result, results: Sequence[Result]) -> Iterator[Finding]:
    # Peers that share a goal are one promise, which the fastest of them decides.
    goals = [outcome.goal for outcome in result.outcomes if outcome.goal is not None]
    for goal in dict.fromkeys(goals):
        yield _ratio(result, goal, [each for each in result.outcomes if each.goal == goal])
    for absent in result.absent:
        if absent.goal is not None:
            yield _absent(result, absent, absent.goal)
    for outcome in result.outcomes:
        if outcome.limit is not None:
            yield _limit(result, outcome, outcome.limit)
        if outcome.beside is not None:
            yield _beside(result, outcome, outcome.beside, results)


def _ratio(result: Result, goal: float, outcomes: Sequence[Outcome]) -> Finding:
    ratio, nearest = min((outcome.ratio or 0.0, outcome.name) for outcome in outcomes)
    names = [outcome.name for outcome in outcomes]
    return Finding(
        what=result.title,
        goal=f"{_at_least(goal)} {_list(names)}",
        measured=f"{ratio:.2f}" if len(names) == 1 else f"{ratio:.2f} ({nearest})",
        is_met=ratio >= goal,
    )


def _absent(result: Result, absent: AbsentSide, goal: float) -> Finding:
    return Finding(
        what=result.title, goal=f"{_at_least(goal)} {absent.name}", measured="not measured", is_met=None
    )


def _limit(result: Result, outcome: Outcome, limit: float) -> Finding:
    amount = result.unit.amount(outcome.rate)
    word = "at most" if result.unit.is_cost else "at least"
    return Finding(
        what=result.title,
        goal=f"{outcome.name}: {word} {result.unit.text(limit)}",
        measured=result.unit.text(amount),
        is_met=amount <= limit if result.unit.is_cost else amount >= limit,
    )


def _beside(result: Result, outcome: Outcome, beside: Beside, results: Sequence[Result]) -> Finding:
    other = next(
        (
            (each.title, side)
            for each in results
            if each.name == beside.entry
            for side in each.outcomes
            if side.name == beside.side
        ),
        None,
    )
    title, side = other or (beside.entry, None)
    ratio = None if side is None else outcome.rate / side.rate
    return Finding(
        what=result.title,
        goal=f"{outcome.name}: {_at_least(beside.least)} {beside.side} of “{title}”",
        measured="not measured" if ratio is None else f"{ratio:.2f}",
        is_met=None if ratio is None else ratio >= beside.least,
    )


def _of_memory(results: Sequence[Result]) -> Iterator[Finding]:
    """Yield what all entries together say of the memory of our workers while they are loaded."""
    peaks = [
        (outcome.usage.peak_bytes / _MIB / outcome.usage.workers, result.name)
        for result in results
        for outcome in result.outcomes[:1]
        if outcome.usage is not None
    ]
    if peaks:
        most, name = max(peaks)
        yield Finding(
            what="Memory under any of these loads",
            goal=f"{results[0].outcomes[0].name}: below {GOAL_LOADED_MIB} MiB a worker",
            measured=f"{most:.0f} MiB ({name})",
            is_met=most < GOAL_LOADED_MIB,
        )


def goal_text(result: Result, outcome: Outcome) -> str:
    """Return the goal of one side in the few words that fit into a table's column."""
    texts = []
    if outcome.goal is not None:
        texts.append(f"{outcome.goal:.3g}")
    if outcome.limit is not None:
        texts.append(f"{'≤' if result.unit.is_cost else '≥'} {result.unit.text(outcome.limit)}")
    if outcome.beside is not None:
        texts.append(f"{outcome.beside.least:.3g} of {outcome.beside.entry}")
    return "; ".join(texts)


def _at_least(goal: float) -> str:
    if goal == 1:
        return "at least as fast as"
    return f"at least {goal:.3g} times" if goal > 1 else f"at least {goal:.3g} of"


def _list(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
