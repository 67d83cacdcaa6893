"""What the bench says of its goals, from results made up here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from bench.goals import Finding, findings
from bench.kept import Run, from_json, to_json
from bench.report import summary
from bench.rounds import AbsentSide, Beside, Outcome, Result
from bench.units import Unit


def outcome(name: str, rate: float, *, ratio: float | None = None, goal: float | None = None) -> Outcome:
    return Outcome(name=name, rates=(rate,), ratios=() if ratio is None else (ratio,), goal=goal)


def result(*outcomes: Outcome, name: str = "sign", unit: Unit = Unit.URLS) -> Result:
    return Result(name=name, title=name.title(), unit=unit, panel=None, outcomes=outcomes, notes=())


def limited(rate: float, limit: float) -> Outcome:
    return Outcome(name="ours", rates=(rate,), ratios=(), limit=limit)


def test_peers_of_one_goal_are_judged_by_the_fastest() -> None:
    one = result(outcome("ours", 4), outcome("a", 2, ratio=2, goal=2), outcome("b", 3, ratio=1.33, goal=2))
    assert findings([one]) == [
        Finding(what="Sign", goal="at least 2 times a and b", measured="1.33 (b)", is_met=False)
    ]


def test_limit_of_a_cost_is_the_most_and_of_a_rate_the_least() -> None:
    cost = result(limited(100_000, 12), unit=Unit.MICROSECONDS)
    rate = result(limited(100_000, 120_000))
    found = findings([cost, rate])
    assert [(each.goal, each.is_met) for each in found] == [
        ("ours: at most 12.00 µs each", True),
        ("ours: at least 120,000 URLs/s", False),
    ]


def test_goal_beside_another_entry_needs_that_entry() -> None:
    beside = Beside(entry="small", side="ours", least=0.8)
    large = result(Outcome(name="ours", rates=(85.0,), ratios=(), beside=beside), name="large")
    small = result(outcome("ours", 100), name="small")
    assert [each.is_met for each in findings([large])] == [None]
    assert [(each.measured, each.is_met) for each in findings([large, small])] == [("0.85", True)]


def test_goal_against_an_absent_peer_is_not_measured() -> None:
    one = Result(
        name="sign",
        title="Sign",
        unit=Unit.URLS,
        panel=None,
        outcomes=(outcome("ours", 4),),
        notes=(),
        absent=(AbsentSide(name="peer", reason="It is not installed.", goal=2),),
    )
    (found,) = findings([one])
    assert (found.measured, found.is_met) == ("not measured", None)


def test_run_is_the_same_after_json() -> None:
    absent = AbsentSide(name="peer", reason="It is not installed.", goal=2)
    beside = Outcome(
        name="b", rates=(1.0,), ratios=(2.0,), beside=Beside(entry="small", side="ours", least=0.8)
    )
    one = Result(
        name="sign",
        title="Sign",
        unit=Unit.MEBIBYTES,
        panel="Signing",
        outcomes=(limited(0.01, 80), beside),
        notes=("a note",),
        absent=(absent,),
    )
    run = Run(
        at=datetime(2026, 11, 28, tzinfo=UTC), machine="m", versions={"a": "1"}, rounds=7, results=(one,)
    )
    assert from_json(json.loads(json.dumps(to_json(run)))) == run


def test_later_run_of_an_entry_counts_and_each_run_says_what_it_measured() -> None:
    first = Run(
        at=datetime(2026, 11, 27, tzinfo=UTC),
        machine="first",
        versions={},
        rounds=7,
        results=(result(outcome("ours", 1111)), result(outcome("ours", 3333), name="other")),
    )
    second = Run(
        at=datetime(2026, 11, 28, tzinfo=UTC),
        machine="second",
        versions={},
        rounds=7,
        results=(result(outcome("ours", 2222)),),
    )
    text = summary([first, second])
    assert "2,222 URLs/s" in text
    assert "1,111 URLs/s" not in text
    assert "In this run: other." in text
    assert "In this run: sign." in text
