"""The access log tells each request once, and nothing that opens a door."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from tests.raw.door import Door, open_door
from tests.raw.signing import Signed
from tests.raw.wire import exchange

from valetkey.testing.server import RunningServer, running_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was sent to a server, and all that the server wrote."""

    sent: int
    secrets: tuple[str, ...]
    output: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


def signature_of(target: str) -> str:
    found = re.search(r"[?&](?:X-Amz-)?S(?:i|%69)gnature=([^&]+)", target, re.IGNORECASE)
    assert found is not None
    return unquote(found.group(1))


def send_all(server: RunningServer) -> tuple[int, list[str]]:
    """Send requests of every kind, right and wrong ones, and return how many, and what must not be logged."""
    door: Door = open_door(server, "logged")
    key, path = door.key, door.path("folder/ü")
    token = "a-session-token-that-nobody-may-see"
    targets = [
        ("PUT", key.presign("PUT", path)),
        ("GET", key.presign("GET", path)),
        ("HEAD", key.presign("HEAD", path)),
        ("GET", key.presign("GET", path, expires="0")),
        ("GET", key.presign("GET", path, query=[("X-Amz-Security-Token", token)])),
        ("GET", key.presign("GET", path)[:-1] + "g"),
        ("GET", key.presign_v2("GET", path)),
        ("GET", key.presign_v2("GET", path, expires="1")),
        ("GET", key.presign("GET", path).replace("X-Amz-Signature", "x-amz-signature")),
        ("GET", key.presign("GET", path).replace("X-Amz-Signature", "X-Amz-S%69gnature")),
        ("POST", key.presign("POST", path, query=[("uploads", "")])),
        ("OPTIONS", key.presign("PUT", path)),
        ("DELETE", key.presign("DELETE", path)),
    ]
    for method, target in targets:
        exchange(
            server.port,
            method,
            target,
            headers={"User-Agent": "log-test"},
            body=b"content" * (method == "PUT"),
        )
    in_header: list[Signed] = [
        key.authorize("GET", path),
        key.authorize("GET", path, headers={"x-amz-security-token": token}),
        key.authorize("GET", path, changes={"Signature": "f" * 63 + "0"}),
    ]
    for signed in in_header:
        exchange(server.port, "GET", path, headers={**signed.headers, "User-Agent": "log-test"})
    both = {"Authorization": "Bearer a-token-of-somebody-else", "User-Agent": "log-test"}
    exchange(server.port, "GET", targets[1][1], headers=both)
    signatures = [signature_of(target) for _, target in targets] + [signed.signature for signed in in_header]
    secrets = [server.secret_key, token, "a-token-of-somebody-else", *signatures]
    return len(targets) + len(in_header) + 1, secrets


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder: Path = tmp_path_factory.mktemp("logged") / "data"
    with running_server(folder, workers=2, environment={"VALETKEY_LOG_LEVEL": "debug"}) as server:
        sent, secrets = send_all(server)
        assert server.stop() == 0
        output = server.log.read_text("utf-8")
    return Story(sent=sent, secrets=tuple(secrets), output=output)


def test_each_request_has_one_line(story: Story) -> None:
    ours = [line for line in story.lines if line["user_agent"] == "log-test"]
    assert len(ours) == story.sent
    assert len({line["request_id"] for line in ours}) == story.sent


def test_a_line_tells_who_asked_for_what_and_how_it_ended(story: Story) -> None:
    opened = [line for line in story.lines if line["method"] == "GET" and line["status"] == 200]
    line = next(line for line in opened if "&X-Amz-Signature=" in line["target"])
    assert line["operation"] == "GetObject"
    assert (line["bucket"], line["key"]) == ("logged", "folder/ü")
    assert line["bytes_sent"] == len("content")
    assert line["auth_type"] == "REST-QUERY-STRING"
    assert line["access_key"] == "VKTESTROOTKEY0000001"
    assert line["remote"] == "127.0.0.1"
    assert line["error_code"] is None
    assert line["target"].endswith("X-Amz-Signature=REDACTED")
    assert line["duration_ms"] >= 0


def test_a_refusal_has_its_code(story: Story) -> None:
    codes = {line["error_code"] for line in story.lines}
    assert {"AccessDenied", "SignatureDoesNotMatch", "InvalidToken", "InvalidArgument", "BadRequest"} <= codes


def test_neither_a_signature_nor_a_secret_is_written(story: Story) -> None:
    assert story.secrets
    for secret in story.secrets:
        for spelling in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            assert spelling not in story.output, spelling
