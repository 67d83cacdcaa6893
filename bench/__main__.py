"""`python -m bench`: measure, print a table, and keep the numbers."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import footprint, links, listing, scale, serving, signing, startup, uploading, verifying, watching
from bench.kept import Run, from_json, to_json
from bench.machine import machine, versions
from bench.plot import drawn, plot
from bench.report import latest, replace_latest, summary
from bench.rounds import FULL, QUICK, Comparison, MissingPeerError, Plan, Result, run

DOCS: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
PLOT: Final = DOCS.with_suffix(".svg")

COMPARISONS: Final = {
    comparison.name: comparison
    for comparison in (
        *signing.COMPARISONS,
        *verifying.COMPARISONS,
        *serving.COMPARISONS,
        *uploading.COMPARISONS,
        *watching.COMPARISONS,
        *links.COMPARISONS,
        *listing.COMPARISONS,
        *scale.COMPARISONS,
        *footprint.COMPARISONS,
        *startup.COMPARISONS,
    )
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for."""

    comparisons: tuple[Comparison, ...]
    plan: Plan
    json_file: Path | None
    is_for_docs: bool
    """Put the table into the documentation too."""
    kept: tuple[Path, ...]
    """Reports of earlier runs to show, instead of measuring."""


def _parse(arguments: Sequence[str]) -> Wish:
    names = "\n".join(f"  {name:20} {comparison.title}" for name, comparison in COMPARISONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Valetkey beside its peers, by turns in the same run.",
        epilog=f"names:\n{names}\n\nratio: our rate divided by theirs, so above 1 is faster.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; everything if left out")
    parser.add_argument("--json", type=Path, metavar="FILE", dest="json_file", help="keep every number here")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it runs, no more")
    parser.add_argument("--alone", action="store_true", help="start no servers but ours")
    parser.add_argument("--docs", action="store_true", help=f"put tables and plot into {DOCS.name} too")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds after the warm-up ({FULL.rounds})")
    parser.add_argument(
        "--render", type=Path, nargs="+", metavar="FILE", dest="kept", default=(),
        help="measure nothing: show what --json kept; of an entry in several files the last counts",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in COMPARISONS]
    if unknown:
        parser.error(f"no such name: {', '.join(unknown)}; --help lists them")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if given.kept and (given.names or given.json_file):
        parser.error("--render takes no names, and nothing to keep")
    plan = QUICK if given.quick else FULL
    return Wish(
        comparisons=tuple(COMPARISONS[name] for name in given.names or COMPARISONS),
        plan=dataclasses.replace(plan, rounds=given.rounds or plan.rounds, is_alone=given.alone),
        json_file=given.json_file,
        is_for_docs=given.docs,
        kept=tuple(given.kept),
    )


def _measure(wish: Wish) -> list[Result]:
    results = []
    for comparison in wish.comparisons:
        print(f"Measuring {comparison.name} …", file=sys.stderr, flush=True)
        try:
            result = run(comparison, wish.plan)
        except MissingPeerError as error:
            print(f"{comparison.name} is skipped. {error}", file=sys.stderr)
            continue
        for note in result.notes:
            print(f"{comparison.name}: {note}", file=sys.stderr)
        results.append(result)
    return results


def _measured_run(wish: Wish) -> Run:
    started_at = datetime.now(UTC)
    results = _measure(wish)
    return Run(
        at=started_at,
        machine=machine(),
        versions=versions(),
        rounds=wish.plan.rounds,
        results=tuple(results),
    )


def _write_docs(runs: Sequence[Run]) -> None:
    results = latest(runs)
    shown = ""
    if drawn(results):
        PLOT.write_text(plot(results), "utf-8")
        shown = f"![How many times as fast as each peer Valetkey is]({PLOT.name})"
    replace_latest(DOCS, summary(runs, plot=shown))


def main(arguments: Sequence[str]) -> int:
    """Run the bench and return the exit code: 1 if nothing could be measured."""
    # Whoever installs the program has it compiled. Where it must not be, every start would compile it anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    wish = _parse(arguments)
    runs = [from_json(json.loads(file.read_bytes())) for file in wish.kept] or [_measured_run(wish)]
    print(f"\n{summary(runs)}")
    if wish.is_for_docs:
        _write_docs(runs)
    if wish.json_file is not None:
        wish.json_file.write_text(json.dumps(to_json(runs[0]), indent=2) + "\n", "utf-8")
    return 0 if latest(runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
