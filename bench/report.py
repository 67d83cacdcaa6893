"""The findings as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.rounds import Outcome, Plan, Result

STEADY_SPREAD: Final = 0.15
"""Rounds of an undisturbed machine lie closer together than this."""

_BEGIN: Final = "<!-- latest run -->"
_END: Final = "<!-- end of the latest run -->"
_HEADINGS: Final = ("What", "Who", "Median", "Spread", "Ratio", "Goal")


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table that also reads well in a terminal."""
    rows = [_HEADINGS, *(row for result in results for row in _rows(result))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(row, widths) for row in (rows[0], rule, *rows[1:]))


def summary(
    results: Sequence[Result], plan: Plan, *, machine: str, versions: Mapping[str, str], at: datetime
) -> str:
    """Return the table with what it was measured on, with and when."""
    software = ", ".join(f"{name} {number}" for name, number in versions.items())
    rounds = f"{plan.rounds} round{'s' if plan.rounds > 1 else ''}"
    lines = [f"{machine}.", f"{software}.", f"{at:%Y-%m-%d %H:%M} UTC, {rounds}."]
    widest = max((outcome.spread for result in results for outcome in result.outcomes), default=0.0)
    if widest > STEADY_SPREAD:
        lines.append(f"Something else was running too: a spread of {widest:.0%} is no steady measurement.")
    return "\n".join(lines) + f"\n\n{table(results)}"


def replace_latest(file: Path, text: str) -> None:
    """Put `text` between the two marks of the latest run in `file`.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = file.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{file} does not hold {_BEGIN} and {_END}.")
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"


def _rows(result: Result) -> Iterator[tuple[str, ...]]:
    title = result.comparison.title
    for outcome in result.outcomes:
        yield (
            title,
            outcome.name,
            result.comparison.unit.show(outcome.rate),
            f"{outcome.spread:.0%}",
            _ratio(outcome),
            "" if outcome.goal is None else f"{outcome.goal:g}",
        )
        title = ""


def _ratio(outcome: Outcome) -> str:
    if outcome.ratio is None:
        return ""
    return f"{outcome.ratio:.2f} ({min(outcome.ratios):.2f} to {max(outcome.ratios):.2f})"


def as_json(
    results: Sequence[Result], plan: Plan, *, machine: str, versions: Mapping[str, str], at: datetime
) -> dict[str, object]:
    """Return everything that was measured, as values that JSON can hold. Rates count per second."""
    return {
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": machine,
        "versions": dict(versions),
        "rounds": plan.rounds,
        "comparisons": [
            {
                "name": result.comparison.name,
                "title": result.comparison.title,
                "notes": list(result.notes),
                "sides": [_side(outcome) for outcome in result.outcomes],
            }
            for result in results
        ],
    }


def _side(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.name,
        "rates": list(outcome.rates),
        "median_rate": outcome.rate,
        "spread": outcome.spread,
        "ratio": outcome.ratio,
        "ratios": list(outcome.ratios),
        "goal": outcome.goal,
    }
