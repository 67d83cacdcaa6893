"""The ratios as a picture: one bar for each peer, from 1 to what was measured, on one scale of powers of ten.

Plain SVG, whose colours follow the reader's light or dark page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as ET

from bench.rounds import Outcome, Result

_WIDTH: Final = 900
_NAMES: Final = 330
"""Where the bars begin; the names stand before."""
_BARS: Final = 490
_ROW: Final = 20
_BAR: Final = 12
_EDGE: Final = 18

_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.panel { font-size: 16px; font-weight: 700 }
.entry { font-weight: 600 }
.number, .tick { font-size: 12px; fill: #57606a }
.tick, .name { text-anchor: end }
.tick { text-anchor: middle }
.grid { stroke: #d0d7de }
.even { stroke: #57606a }
.ahead { fill: #1a7f6b }
.behind { fill: #c2571a }
.goal { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .number, .tick { fill: #9da7b3 }
  .grid { stroke: #30363d }
  .even { stroke: #9da7b3 }
  .ahead { fill: #3fb79d }
  .behind { fill: #f0883e }
  .goal { stroke: #e6edf3 }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From ratios to places."""

    lowest: int
    """The power of ten at the left."""
    highest: int

    def x(self, ratio: float) -> float:
        span = self.highest - self.lowest
        return _NAMES + _BARS * (math.log10(ratio) - self.lowest) / span


def drawn(results: Sequence[Result]) -> list[Result]:
    """Return the results that have a place in the picture, by panel in order of appearance."""
    shown = [result for result in results if result.panel is not None and _bars(result)]
    panels = list(dict.fromkeys(result.panel for result in shown))
    return sorted(shown, key=lambda result: panels.index(result.panel))


def plot(results: Sequence[Result]) -> str:
    """Return the picture of all results that have a panel, as the text of an SVG file.

    Raises:
        ValueError: there is nothing to draw.
    """
    shown = drawn(results)
    bars = [bar for result in shown for bar in _bars(result)]
    if not bars:
        raise ValueError("None of the results is drawn.")
    amounts = [1.0, *(ratio for _, ratio in bars), *(outcome.goal or 1.0 for outcome, _ in bars)]
    scale = _Scale(
        lowest=min(math.floor(math.log10(min(amounts))), -1), highest=math.ceil(math.log10(max(amounts)))
    )
    body, y = ET.Element("g"), 62.0
    top = y
    for panel, group in groupby(shown, key=lambda result: result.panel):
        y += 28
        _text(body, str(panel), x=_EDGE, y=y, kind="panel")
        for result in group:
            y = _draw_entry(body, result, scale, y=y + 24)
    return _document(body, scale, top=top, bottom=y + 4)


def _bars(result: Result) -> list[tuple[Outcome, float]]:
    return [(outcome, outcome.ratio) for outcome in result.outcomes if outcome.ratio]


def _draw_entry(body: ET.Element, result: Result, scale: _Scale, *, y: float) -> float:
    """Draw one entry from `y` on, and return where its last row ends."""
    _text(body, result.title, x=_EDGE, y=y, kind="entry")
    for outcome, ratio in _bars(result):
        y += _ROW
        begin, end = sorted((scale.x(1), scale.x(ratio)))
        _text(body, outcome.name, x=_NAMES - 14, y=y, kind="name")
        bar = {"x": begin, "y": y - _BAR + 1, "width": max(end - begin, 1), "height": _BAR, "rx": 2}
        _add(body, "rect", bar, kind="ahead" if ratio >= 1 else "behind")
        # A goal of 1 is the upright line of the scale already.
        if outcome.goal is not None and outcome.goal != 1:
            place = scale.x(outcome.goal)
            _add(body, "line", {"x1": place, "x2": place, "y1": y - _BAR - 2, "y2": y + 4}, kind="goal")
        _text(body, _number(ratio), x=max(end, scale.x(outcome.goal or ratio)) + 7, y=y, kind="number")
    return y


def _number(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _document(body: ET.Element, scale: _Scale, *, top: float, bottom: float) -> str:
    height = round(bottom + 30)
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "width": str(_WIDTH),
            "height": str(height),
            "role": "img",
        },
    )
    ET.SubElement(svg, "title").text = "How many times as fast as each peer Valetkey is"
    ET.SubElement(svg, "style").text = _STYLE
    _text(svg, "How many times as fast as each peer", x=_EDGE, y=28, kind="panel")
    _text(
        svg, "Right of 1, Valetkey is faster. The upright stroke is the goal.", x=_EDGE, y=49, kind="number"
    )
    for power, label in _ticks(scale):
        place = scale.x(10.0**power)
        line = {"x1": place, "x2": place, "y1": top, "y2": bottom + 6}
        _add(svg, "line", line, kind="even" if power == 0 else "grid")
        _text(svg, label, x=place, y=bottom + 22, kind="tick")
    svg.append(body)
    ET.indent(svg, space=" ")
    return ET.tostring(svg, encoding="unicode") + "\n"


def _ticks(scale: _Scale) -> Iterator[tuple[int, str]]:
    for power in range(scale.lowest, scale.highest + 1):
        yield power, f"{10.0**power:g}"


def _text(parent: ET.Element, text: str, *, x: float, y: float, kind: str) -> None:
    _add(parent, "text", {"x": x, "y": y}, kind=kind).text = text


def _add(parent: ET.Element, name: str, numbers: dict[str, float], *, kind: str) -> ET.Element:
    attributes = {key: f"{number:g}" if number < 100 else f"{number:.1f}" for key, number in numbers.items()}
    return ET.SubElement(parent, name, {"class": kind} | attributes)
