"""`valetkey share` against a live server: it gives out a link, which `valetkey links` knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "März.txt"
    path.write_text("report")
    return path


def run(server: RunningServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "VALETKEY_ENDPOINT": server.endpoint,
        "VALETKEY_ACCESS_KEY": server.access_key,
        "VALETKEY_SECRET_KEY": server.secret_key,
    }
    return subprocess.run(
        [sys.executable, "-m", "valetkey", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def shared(server: RunningServer, *arguments: str) -> dict[str, Any]:
    finished = run(server, "share", *arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return dict(json.loads(finished.stdout))


def test_a_file_is_given_out_by_a_link(server: RunningServer, report: Path) -> None:
    made = shared(server, str(report), "--uses", "1", "--expires", "30d", "--filename", "Bericht.txt")
    reply = fetch(made["url"])
    assert reply.body == b"report"
    assert 'filename="Bericht.txt"' in (reply.header("content-disposition") or "")
    assert fetch(made["url"]).fault.code == "LinkUsedUp"
    shown = run(server, "links", "show", made["url"], "--json")
    assert json.loads(shown.stdout)["uses"] == 1


def test_a_link_is_taken_back(server: RunningServer, report: Path) -> None:
    made = shared(server, str(report))
    assert fetch(made["url"]).status == 200
    assert run(server, "links", "revoke", made["url"]).returncode == 0
    assert fetch(made["url"]).fault.code == "LinkRevoked"


def test_a_plain_url_is_signed_here(server: RunningServer, report: Path) -> None:
    made = shared(server, str(report), "--plain")
    assert server.access_key in made["url"]
    assert fetch(made["url"]).status == 200
    for more in (["--expires", "8d"], ["--uses", "1"]):
        finished = run(server, "share", str(report), "--plain", *more)
        assert (finished.returncode, "Traceback" in finished.stderr) == (2, False)
        assert "managed link" in finished.stderr
