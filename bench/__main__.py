"""`python -m bench`: measure, print a table, and keep the numbers."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import links, listing, serving, signing, startup, verifying, watching
from bench.machine import machine, versions
from bench.report import as_json, replace_latest, summary
from bench.rounds import FULL, QUICK, Comparison, MissingPeerError, Plan, Result, run

DOCS: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

COMPARISONS: Final = {
    comparison.name: comparison
    for comparison in (
        *signing.COMPARISONS,
        *verifying.COMPARISONS,
        *serving.COMPARISONS,
        *watching.COMPARISONS,
        *links.COMPARISONS,
        *listing.COMPARISONS,
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
    parser.add_argument("--docs", action="store_true", help=f"put the table into {DOCS.name} too")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds after the warm-up ({FULL.rounds})")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in COMPARISONS]
    if unknown:
        parser.error(f"no such name: {', '.join(unknown)}; --help lists them")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds must be 1 or more")
    plan = QUICK if given.quick else FULL
    return Wish(
        comparisons=tuple(COMPARISONS[name] for name in given.names or COMPARISONS),
        plan=dataclasses.replace(plan, rounds=given.rounds or plan.rounds),
        json_file=given.json_file,
        is_for_docs=given.docs,
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


def main(arguments: Sequence[str]) -> int:
    """Run the bench and return the exit code: 1 if nothing could be measured."""
    wish = _parse(arguments)
    started_at = datetime.now(UTC)
    results = _measure(wish)
    found, here = versions(), machine()
    text = summary(results, wish.plan, machine=here, versions=found, at=started_at)
    print(f"\n{text}")
    if wish.is_for_docs:
        replace_latest(DOCS, text)
    if wish.json_file is not None:
        report = as_json(results, wish.plan, machine=here, versions=found, at=started_at)
        wish.json_file.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
