"""The bench runs, entry by entry in its smallest form. What it measures is no test's business."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]

COMPUTING: Final = (
    "sign",
    "sign-non-ascii",
    "sign-anew",
    "sign-many",
    "sign-many-non-ascii",
    "verify",
    "verify-put",
    "verify-post",
)
SERVING: Final = (
    "get-1kib",
    "get-1kib-new-urls",
    "get-1kib-2-workers",
    "get-64kib",
    "get-1mib",
    "get-100mib",
    "head-1kib",
    "head-64kib",
    "head-1mib",
    "head-100mib",
    "put-1kib",
    "put-64kib",
    "put-8mib",
    "put-1gib",
    "post-1kib",
    "mixed-1kib",
    "list-1000",
)
WITH_OTHERS: Final = ("get-1kib-new-urls", "put-8mib")
"""One for each of the two clients. Peers that are not installed are left out, as always."""
STARTING: Final = ("start", "import")
WATCHING: Final = ("get-1kib-watched",)
LINKS: Final = (
    "link-get",
    "link-get-counted",
    "link-get-million",
    "link-get-counted-million",
    "link-list",
    "link-list-label",
    "link-list-prefix",
    "link-bulk",
)
LISTING: Final = (
    "list-keys",
    "list-in-folder",
    "list-one-folder",
    "list-folders",
    "list-small-folders",
    "list-one-key",
    "list-nothing",
    "list-versions",
    "list-deleted",
    "list-markers",
)
SCALE: Final = (
    "scale-list-start",
    "scale-list-middle",
    "scale-list-end",
    "scale-list-in-folder",
    "scale-list-folders",
    "scale-get",
    "scale-put",
    "scale-delete",
    "scale-start",
    "scale-memory",
    "scale-file",
)


def run_bench(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=None if path is None else os.environ | {"PATH": path},
    )


def require_tables(names: Sequence[str], json_file: Path, *options: str) -> None:
    finished = run_bench(*names, "--quick", "--json", str(json_file), *options)
    assert finished.returncode == 0, finished.stderr
    assert "| What " in finished.stdout
    report = json.loads(json_file.read_bytes())
    assert [comparison["name"] for comparison in report["comparisons"]] == list(names)
    for comparison in report["comparisons"]:
        assert comparison["title"] in finished.stdout
        for side in comparison["sides"]:
            assert f"| {side['name']} " in finished.stdout
            assert side["median_rate"] > 0


def require_table(name: str, json_file: Path, *options: str) -> None:
    require_tables([name], json_file, *options)


@pytest.mark.parametrize("name", COMPUTING)
def test_computing_entry_prints_a_table(name: str, tmp_path: Path) -> None:
    require_table(name, tmp_path / "report.json")


@pytest.mark.parametrize("name", STARTING)
def test_starting_entry_prints_a_table(name: str, tmp_path: Path) -> None:
    require_table(name, tmp_path / "report.json")


@pytest.mark.parametrize("name", LISTING)
def test_listing_entry_prints_a_table(name: str, tmp_path: Path) -> None:
    require_table(name, tmp_path / "report.json")


def test_scale_entries_share_their_stores_and_print_tables(tmp_path: Path) -> None:
    require_tables(SCALE, tmp_path / "report.json")


@pytest.mark.needs_program("nginx", "wrk")
@pytest.mark.parametrize("name", [*SERVING, *WATCHING, *LINKS])
def test_serving_entry_prints_a_table(name: str, tmp_path: Path) -> None:
    require_table(name, tmp_path / "report.json", "--alone")


@pytest.mark.needs_program("nginx", "wrk")
@pytest.mark.parametrize("name", WITH_OTHERS)
def test_servers_of_others_take_part(name: str, tmp_path: Path) -> None:
    require_table(name, tmp_path / "report.json")
    sides = json.loads((tmp_path / "report.json").read_bytes())["comparisons"][0]["sides"]
    for side in sides:
        assert side["usage"]["cpu_s"] > 0
        assert side["usage"]["peak_bytes"] > 0


def test_every_entry_is_run_here() -> None:
    names = run_bench("--help").stdout.partition("names:\n")[2].partition("\n\n")[0]
    assert {line.split()[0] for line in names.splitlines()} == {
        *COMPUTING,
        *SERVING,
        *WATCHING,
        *LINKS,
        *LISTING,
        *SCALE,
        *STARTING,
    }


def test_unknown_name_is_refused() -> None:
    finished = run_bench("get-1-parsec")
    assert finished.returncode == 2
    assert "no such name: get-1-parsec" in finished.stderr


def test_missing_program_skips_with_a_sentence(tmp_path: Path) -> None:
    finished = run_bench("put-1kib", "--quick", path=str(tmp_path))
    assert finished.returncode == 1
    assert "put-1kib is skipped. wrk is not on PATH" in finished.stderr


def test_kept_run_is_shown_again(tmp_path: Path) -> None:
    measured = run_bench("verify", "--quick", "--json", str(tmp_path / "report.json"))
    shown = run_bench("--render", str(tmp_path / "report.json"))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == measured.stdout


def test_showing_a_kept_run_measures_nothing(tmp_path: Path) -> None:
    finished = run_bench("verify", "--render", str(tmp_path / "report.json"))
    assert finished.returncode == 2
    assert "--render takes no names" in finished.stderr
