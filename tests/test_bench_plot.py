"""The picture that the bench draws of its ratios."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bench.plot import drawn, plot
from bench.rounds import Outcome, Result
from bench.units import Unit

SVG = "{http://www.w3.org/2000/svg}"


def result(name: str, *ratios: float, panel: str | None = "Signing", goal: float | None = None) -> Result:
    ours = Outcome(name="ours", rates=(1.0,), ratios=())
    peers = [Outcome(name=f"peer {each}", rates=(1.0,), ratios=(each,), goal=goal) for each in ratios]
    return Result(
        name=name, title=name, unit=Unit.URLS, panel=panel, outcomes=(ours, *peers), notes=(), absent=()
    )


def parts(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}{tag}"))


def test_each_peer_has_a_bar_that_begins_or_ends_at_one() -> None:
    svg = plot([result("sign & seal", 40.0, 0.5, 2.0)])
    faster, slower, _ = parts(svg, "rect")
    one = float(faster.attrib["x"])
    assert float(slower.attrib["x"]) + float(slower.attrib["width"]) == pytest.approx(one, abs=0.2)
    assert (faster.attrib["class"], slower.attrib["class"]) == ("ahead", "behind")
    assert "sign & seal" in [text.text for text in parts(svg, "text")]


def test_bar_that_meets_its_goal_reaches_the_goals_stroke() -> None:
    svg = plot([result("sign", 80.0, goal=40.0), result("many", 20.0, goal=40.0)])
    met, missed = parts(svg, "rect")
    goals = [float(line.attrib["x1"]) for line in parts(svg, "line") if line.attrib["class"] == "goal"]
    ends = [float(bar.attrib["x"]) + float(bar.attrib["width"]) for bar in (met, missed)]
    assert ends[0] > goals[0]
    assert ends[1] < goals[1]


def test_entries_of_one_panel_stand_together_and_those_of_none_are_left_out() -> None:
    results = [
        result("a", 2.0),
        result("b", 2.0, panel="Serving"),
        result("c", 2.0),
        result("d", 2.0, panel=None),
    ]
    assert [each.name for each in drawn(results)] == ["a", "c", "b"]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="None of the results"):
        plot([result("a", panel=None)])
