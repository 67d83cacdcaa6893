"""Rules that hold for the tree as a whole, whoever adds to it."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
MAX_FILE_LINES: Final = 400
MAX_FUNCTION_LINES: Final = 60

# Each host is written in parts, so that this file keeps the rule that it checks.
REGISTRY_HOSTS: Final = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("proxy", "golang", "org"),
    )
)
MACHINE_FOLDERS: Final = ("work", "root", "home")
MACHINE_PATH: Final = re.compile(rf"(?<![\w.~+=%/-])(?://)?/(?:{'|'.join(MACHINE_FOLDERS)})/[\w.]")

PROBE_IMPORT: Final = """
import json, sys
before = set(sys.modules)
import valetkey
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def tracked_files() -> list[Path]:
    """Every file that git keeps or would keep: what is ignored is left out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def tracked_texts() -> Iterator[tuple[str, str]]:
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8", "replace")


def source_files() -> list[Path]:
    return sorted(path for folder in ("src", "bench") for path in (ROOT / folder).rglob("*.py"))


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def test_no_source_file_is_above_the_wall() -> None:
    lengths = {path: len(path.read_bytes().splitlines()) for path in source_files()}
    too_long = [
        f"{path.relative_to(ROOT)}: {count}" for path, count in lengths.items() if count > MAX_FILE_LINES
    ]
    assert lengths
    assert too_long == []


def test_no_function_is_above_the_wall() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {lines_of(function)}"
        for path in source_files()
        for function in functions_of(path)
        if lines_of(function) > MAX_FUNCTION_LINES
    ]
    assert too_long == []


@pytest.mark.needs_program("git")
def test_no_file_names_a_package_registry() -> None:
    found = [f"{name}: {host}" for name, text in tracked_texts() for host in REGISTRY_HOSTS if host in text]
    assert found == []


@pytest.mark.needs_program("git")
def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{name}: {match.group()}" for name, text in tracked_texts() for match in MACHINE_PATH.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        pytest.param(f"cd /{MACHINE_FOLDERS[0]}/main", True, id="folder"),
        pytest.param(f"file:///{MACHINE_FOLDERS[2]}/ann", True, id="file-url"),
        pytest.param(f"https://example.com/{MACHINE_FOLDERS[2]}/ann", False, id="path-of-a-url"),
        pytest.param(f"docs/{MACHINE_FOLDERS[0]}/main", False, id="relative-path"),
        pytest.param(f"'/{MACHINE_FOLDERS[1]}/.cache'", True, id="hidden-name"),
    ],
)
def test_machine_paths_are_told_from_other_text(text: str, is_found: bool) -> None:
    assert (MACHINE_PATH.search(text) is not None) == is_found


def test_import_valetkey_loads_the_signing_room_only() -> None:
    probe = subprocess.run(
        [sys.executable, "-c", PROBE_IMPORT], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded: set[str] = set(json.loads(probe.stdout))
    rooms = {name.split(".")[1] for name in loaded if name.startswith("valetkey.")}
    heavy = {"asyncio", "email", "http", "logging", "socket", "sqlite3", "ssl", "subprocess"}
    assert rooms == {"sigv4"}
    assert loaded & heavy == set()


def test_imports_between_rooms_go_one_way() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-cache", "--no-logo"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command",
    [("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",)],
    ids=["format", "lint", "types"],
)
def test_the_tools_find_nothing(command: tuple[str, ...]) -> None:
    tool = Path(sys.executable).with_name(command[0])
    result = subprocess.run([str(tool), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
