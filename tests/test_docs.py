"""The documentation says what the program does: generated sections, links, and blocks that run.

A fenced block below `<!-- run -->` runs, in the order of its document, in one folder and with one environment,
against a live server. Lines of a console block that are no command must appear in what it prints.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from valetkey.testing.server import RunningServer, running_server

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENTS: Final = ("README.md", "docs/guide.md", "docs/identities.md", "docs/links.md")
WRITTEN_ENDPOINT: Final = "http://127.0.0.1:9000"
NODE_MODULES: Final = ROOT / "tests/clients/js/node_modules"

MARKED_BLOCK: Final = re.compile(r"^<!-- run -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE_SPAN: Final = re.compile(r"`[^`\n]*`")
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block that is to run."""

    language: str
    text: str
    place: str
    """File and line, for whoever reads a failure."""


def blocks_of(document: str) -> list[Block]:
    text = (ROOT / document).read_text("utf-8")
    return [
        Block(
            language=found[1], text=found[2], place=f"{document}:{text.count(chr(10), 0, found.start()) + 1}"
        )
        for found in MARKED_BLOCK.finditer(text)
    ]


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def anchors_of(page: Path) -> set[str]:
    """The names that a rendered page gives its headings."""
    headings = HEADING.findall(FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_broken(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    return not path.exists() or bool(anchor and anchor not in anchors_of(path))


class Reader:
    """Somebody who types what a document shows, in a folder where a store runs on `data`."""

    def __init__(self, server: RunningServer) -> None:
        self.folder = server.data.parent
        self._server = server
        programs = self.folder / "programs"
        programs.mkdir()
        command = programs / "valetkey"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m valetkey "$@"\n')
        command.chmod(0o755)
        activate = self.folder / ".venv/bin/activate"
        activate.parent.mkdir(parents=True)
        path = f"{programs}{os.pathsep}{Path(sys.executable).parent}"
        activate.write_text(f"PATH={shlex.quote(path)}:$PATH\n")
        (self.folder / "report.pdf").write_bytes(b"%PDF-1.7\n" + bytes(200_000))
        (self.folder / "node_modules").symlink_to(NODE_MODULES)
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("VALETKEY_", "AWS_"))
        } | {"HOME": str(self.folder), "VALETKEY_ENDPOINT": server.endpoint}

    def run(self, block: Block) -> None:
        text = block.text.replace(WRITTEN_ENDPOINT, self._server.endpoint)
        if block.language == "console":
            self._run_console(text, block.place)
        elif block.language == "python":
            self._run_file("block.py", text, [sys.executable], block.place)
        else:
            assert block.language == "javascript", block.place
            self._run_file("block.mjs", text, ["node"], block.place)

    def _run_console(self, text: str, place: str) -> None:
        lines = text.splitlines()
        commands = "\n".join(line[2:] for line in lines if line.startswith("$ "))
        after = self.folder / "environment"
        script = f"set -euo pipefail\nset -a\n{commands}\nenv -0 > {shlex.quote(str(after))}\n"
        printed = self._run(["bash", "-c", script], place)
        for line in lines:
            if not line.startswith("$ "):
                assert line in printed, f"{place}: {line!r} is not in\n{printed}"
        pairs = (pair.partition("=") for pair in after.read_text("utf-8").split("\0") if pair)
        self._environment = {name: value for name, _, value in pairs}

    def _run_file(self, name: str, text: str, command: list[str], place: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        self._run([*command, name], place)

    def _run(self, command: list[str], place: str) -> str:
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert ended.returncode == 0, f"{place}: exit code {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


@pytest.fixture
def docs_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server as `make run` starts it: it makes its own credentials, and holds the sample."""
    own_credentials = {"VALETKEY_ACCESS_KEY": "", "VALETKEY_SECRET_KEY": ""}
    with running_server(tmp_path / "data", environment=own_credentials) as server:
        yield server


@pytest.fixture
def reader(docs_server: RunningServer) -> Reader:
    someone = Reader(docs_server)
    sample = """
$ source .venv/bin/activate
$ export VALETKEY_DATA=$PWD/data
$ curl -sf -X PUT "$(valetkey presign PUT s3://demo)"
$ echo '<h1>hello</h1>' > hello.html
$ valetkey share hello.html --to s3://demo/hello.html
$ unset VALETKEY_DATA
"""
    someone.run(Block(language="console", text=sample.strip(), place="the sample"))
    return someone


def test_generated_sections_are_fresh() -> None:
    check = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_links_between_pages_resolve() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in LINK.findall(CODE_SPAN.sub("", FENCED.sub("", page.read_text("utf-8"))))
        if not target.startswith(("http://", "https://", "mailto:")) and is_broken(page, target)
    ]
    assert broken == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = LINK.findall((folder / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_the_compatibility_page_names_every_test_that_does_not_pass() -> None:
    """By area, as many as the table of areas leaves, and none twice."""
    page = (ROOT / "docs/compatibility.md").read_text("utf-8")
    section = page.partition("\n## The public compatibility suite\n")[2].partition("\n## ")[0]
    areas, _, reasons = section.partition("\n### ")
    counts = re.findall(r"^\| (\w+) \| .* \| (\d+) \| (\d+) \|$", areas, re.MULTILINE)
    named = [
        (area, name, int(cases or 1))
        for area, tests in re.findall(r"^\| (\w+) \| ([^|]*`test_[^|]*) \|", reasons, re.MULTILINE)
        for name, cases in re.findall(r"`(test_[^`]+)`(?: \((\d+) cases\))?", tests)
    ]
    assert counts
    assert len({name for _, name, _ in named}) == len(named)
    assert {area: int(tests) - int(passes) for area, tests, passes in counts} == {
        area: sum(cases for place, _, cases in named if place == area) for area, _, _ in counts
    }
    assert {area for area, _, _ in named} <= {area for area, _, _ in counts}


@pytest.mark.needs_program("bash", "curl", "aws")
# Dozens of commands, each of which starts an interpreter.
@pytest.mark.timeout(400)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_marked_blocks_run(reader: Reader, document: str) -> None:
    blocks = [block for block in blocks_of(document) if block.language != "javascript"]
    assert blocks
    for block in blocks:
        reader.run(block)


@pytest.mark.needs_program("bash", "curl", "node")
@pytest.mark.skipif(
    not NODE_MODULES.is_dir(), reason="the JavaScript SDK is not installed; `make test` does that"
)
def test_javascript_of_the_readme_runs(reader: Reader) -> None:
    found = [block for block in blocks_of("README.md") if block.language == "javascript"]
    assert found
    settings = """
$ export AWS_SHARED_CREDENTIALS_FILE=$PWD/data/credentials
"""
    reader.run(Block(language="console", text=settings.strip(), place="the settings"))
    for block in found:
        reader.run(block)


def test_the_guide_names_each_field_of_the_access_log(docs_server: RunningServer) -> None:
    first_cells = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs/guide.md").read_text("utf-8"), re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    probe = (
        f"import urllib.request as u\ntry: u.urlopen('{docs_server.endpoint}/demo')\nexcept u.HTTPError: pass"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
    docs_server.stop()
    lines = [line for line in docs_server.log.read_text("utf-8").splitlines() if line.startswith("{")]
    fields = {name for line in lines for name in json.loads(line)}
    assert fields
    assert fields - named == set()
