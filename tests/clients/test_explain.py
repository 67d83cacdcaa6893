"""`valetkey explain` names the cause, whichever way people broke a presigned URL."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clients import explain_ways as explain_ways  # fills WAYS
from tests.clients.boto import S3Client
from tests.clients.explain_box import OTHER_SECRET, WAYS, Box, Pasted, Way

from valetkey.cli.main import main
from valetkey.testing.server import RunningServer

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/explain.md"

pytestmark = pytest.mark.needs_program("bash", "curl", "nginx", "node")


@pytest.fixture
def box(server: RunningServer, plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> Box:
    for key in ("k", "folder/a report.pdf"):
        plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=b"content")
    return Box(server=server, bucket=plain_bucket, folder=tmp_path)


@pytest.fixture
def ask(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Ask `valetkey explain` with the server's key, and that of another profile, at hand."""
    profiles = tmp_path / "credentials"
    profiles.write_text(f"[other]\naws_access_key_id = VKOTHER\naws_secret_access_key = {OTHER_SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    monkeypatch.setenv("VALETKEY_ENDPOINT", server.endpoint)

    def run(pasted: Pasted | str, *flags: str, knows_secret: bool = True) -> str:
        if knows_secret:
            monkeypatch.setenv("VALETKEY_ACCESS_KEY", server.access_key)
            monkeypatch.setenv("VALETKEY_SECRET_KEY", server.secret_key)
        asked = Pasted(text=pasted) if isinstance(pasted, str) else pasted
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(asked.text.encode())))
        assert main(["explain", *asked.flags, *flags]) == 0
        shown = capsys.readouterr().out
        assert server.secret_key not in shown
        assert OTHER_SECRET not in shown
        assert re.search(r"[0-9a-f]{64}", re.sub(r"UNSIGNED|e3b0c442\w+", "", shown)) is None, shown
        return shown

    return run


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_cause_is_named(way: Way, box: Box, ask: Callable[..., str]) -> None:
    found: Any = json.loads(ask(way.run(box), "--json"))
    assert not found["ok"]
    assert found["findings"][0]["cause"] == way.cause.value, found


def test_the_page_lists_the_ways() -> None:
    section = DOCUMENT.read_text("utf-8").partition("\n## Ways to break a link\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([^|`]+)` \|$", section, re.MULTILINE)
    assert rows == [(way.title, way.made_by, way.cause.value) for way in WAYS.values()]
    assert len(rows) >= 30
