"""A plugin of pytest that writes down each test with its marks. It runs in the suite's own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

OPTION: Final = "--marks-file"


def pytest_addoption(parser: Any) -> None:  # noqa: ANN401 - pytest is imported by nobody here
    parser.addoption(OPTION, type=Path, required=True, help="JSON: node id to list of marks")


def pytest_collection_finish(session: Any) -> None:  # noqa: ANN401 - the same
    marks = {item.nodeid: sorted({mark.name for mark in item.iter_markers()}) for item in session.items}
    session.config.getoption(OPTION).write_text(json.dumps(marks), encoding="utf-8")
