"""The findings as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.goals import Finding, findings, goal_text
from bench.kept import Run
from bench.rounds import Outcome, Result

STEADY_SPREAD: Final = 0.15
"""Rounds of an undisturbed machine lie closer together than this."""

_MIB: Final = 1024 * 1024
_BEGIN: Final = "<!-- latest run -->"
_END: Final = "<!-- end of the latest run -->"
_HEADINGS: Final = ("What", "Who", "Median", "Spread", "Ratio", "Goal")
_GOAL_HEADINGS: Final = ("What", "Goal", "Measured", "Met")
_USAGE_HEADINGS: Final = (
    "What",
    "Who",
    "CPU s per 10,000",
    "Memory at most",
    "Grown per 10,000",
    "Processes",
    "Threads",
)
_MET: Final = {True: "yes", False: "**no**", None: "not measured"}


def summary(runs: Sequence[Run], *, plot: str = "") -> str:
    """Return the goals, the plot (Markdown that shows it) and the table, with what was measured on, with and when.

    Of an entry that several runs measured, the last one counts.
    """
    results = latest(runs)
    parts = ["\n".join(_head(run, runs) for run in runs), *_remarks(results)]
    found = findings(results)
    if found:
        parts.append(_grid(_GOAL_HEADINGS, [_goal_row(each) for each in found]))
    if plot:
        parts.append(plot)
    parts.append(_grid(_HEADINGS, [row for result in results for row in _rows(result)]))
    costs = [row for result in results for row in _usage_rows(result)]
    if costs:
        parts.append(_grid(_USAGE_HEADINGS, costs))
    notes = [f"- `{result.name}`: {note}" for result in results for note in result.notes]
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def latest(runs: Sequence[Run]) -> list[Result]:
    """Return the results of all runs, the later one of an entry's two in the place of the first."""
    by_name: dict[str, Result] = {}
    for run in runs:
        by_name |= {result.name: result for result in run.results}
    return list(by_name.values())


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


def _head(run: Run, runs: Sequence[Run]) -> str:
    software = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    rounds = f"{run.rounds} round{'s' if run.rounds > 1 else ''}"
    lines = [f"{run.machine}.", f"{software}.", f"{run.at:%Y-%m-%d %H:%M} UTC, {rounds}."]
    if len(runs) > 1:
        later = {result.name for other in runs[runs.index(run) + 1 :] for result in other.results}
        names = [result.name for result in run.results if result.name not in later]
        lines.append(f"In this run: {', '.join(names)}.")
    return "\n".join(lines)


def _remarks(results: Sequence[Result]) -> Iterator[str]:
    spreads = [(outcome.spread, result.name) for result in results for outcome in result.outcomes]
    restless = sorted({name for spread, name in spreads if spread > STEADY_SPREAD})
    if restless:
        yield (
            f"No steady measurement, with a spread of up to {max(spreads)[0]:.0%}: {', '.join(restless)}. "
            "Something else was running too, or the thing itself is not steady."
        )


def _goal_row(finding: Finding) -> tuple[str, ...]:
    return (finding.what, finding.goal, finding.measured, _MET[finding.is_met])


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that also reads well in a terminal."""
    every = [headings, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(row, widths) for row in (headings, rule, *rows))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"


def _rows(result: Result) -> Iterator[tuple[str, ...]]:
    title = result.title
    for outcome in result.outcomes:
        yield (
            title,
            outcome.name,
            result.unit.show(outcome.rate),
            f"{outcome.spread:.0%}",
            _ratio(outcome),
            goal_text(result, outcome),
        )
        title = ""
    for absent in result.absent:
        yield (
            title,
            absent.name,
            "not measured",
            "",
            "",
            "" if absent.goal is None else f"{absent.goal:.3g}",
        )


def _usage_rows(result: Result) -> Iterator[tuple[str, ...]]:
    title = result.title
    for outcome in result.outcomes:
        usage = outcome.usage
        if usage is not None:
            yield (
                title,
                outcome.name,
                f"{usage.cpu_s:.3g}",
                f"{usage.peak_bytes / _MIB:,.0f} MiB",
                "" if usage.grown_bytes is None else f"{usage.grown_bytes / _MIB:,.1f} MiB",
                f"{usage.processes}",
                f"{usage.threads}",
            )
            title = ""


def _ratio(outcome: Outcome) -> str:
    if outcome.ratio is None:
        return ""
    return f"{outcome.ratio:.2f} ({min(outcome.ratios):.2f} to {max(outcome.ratios):.2f})"
