"""A run of the bench, kept as JSON with every number, and read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.rounds import AbsentSide, Beside, Outcome, Result
from bench.units import Unit
from bench.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was measured at one time on one machine."""

    at: datetime
    machine: str
    versions: Mapping[str, str]
    rounds: int
    results: tuple[Result, ...]


def to_json(run: Run) -> dict[str, object]:
    """Return everything that was measured, as values that JSON can hold. Rates count per second, or per MiB."""
    return {
        "measured_at": run.at.isoformat(timespec="seconds"),
        "machine": run.machine,
        "versions": dict(run.versions),
        "rounds": run.rounds,
        "comparisons": [
            {
                "name": result.name,
                "title": result.title,
                "unit": result.unit.value,
                "panel": result.panel,
                "notes": list(result.notes),
                "sides": [_side(outcome) for outcome in result.outcomes],
                "absent": [dataclasses.asdict(absent) for absent in result.absent],
            }
            for result in run.results
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
        "limit": outcome.limit,
        "beside": None if outcome.beside is None else dataclasses.asdict(outcome.beside),
        "usage": None if outcome.usage is None else dataclasses.asdict(outcome.usage),
    }


def from_json(report: Mapping[str, Any]) -> Run:
    """Return the run that `to_json` wrote down.

    Raises:
        KeyError, TypeError, ValueError: it is no such report.
    """
    return Run(
        at=datetime.fromisoformat(report["measured_at"]),
        machine=report["machine"],
        versions=report["versions"],
        rounds=report["rounds"],
        results=tuple(_result(each) for each in report["comparisons"]),
    )


def _result(each: Mapping[str, Any]) -> Result:
    return Result(
        name=each["name"],
        title=each["title"],
        unit=Unit(each["unit"]),
        panel=each["panel"],
        outcomes=tuple(_outcome(side) for side in each["sides"]),
        notes=tuple(each["notes"]),
        absent=tuple(AbsentSide(**absent) for absent in each["absent"]),
    )


def _outcome(side: Mapping[str, Any]) -> Outcome:
    return Outcome(
        name=side["name"],
        rates=tuple(side["rates"]),
        ratios=tuple(side["ratios"]),
        goal=side["goal"],
        limit=side["limit"],
        beside=None if side["beside"] is None else Beside(**side["beside"]),
        usage=None if side["usage"] is None else Usage(**side["usage"]),
    )
