"""The search for secrets in the output of servers finds them; `conftest.py` runs it at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.leaks import SIGNATURES, find_leaks

from valetkey.testing.server import SECRET_KEY

MADE = "0123456789abcdef" * 4
HARMLESS = [
    "GET /a?X-Amz-Signature=REDACTED&x=1",
    "GET /a?X-Amz-Security-Token=REDACTED",
    "Signature= is missing",
    "f" * 64,
    '"error_code":"SignatureDoesNotMatch"',
]
LEAKS = {
    "a signature that a test made": f"something {MADE} or other",
    "a signature in a URL": "GET /a?X-Amz-Signature=" + "e" * 64,
    "a signature by SigV2 in a URL": "GET /a?Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D",
    "a signature in a URL that was encoded once more": "GET /a%3FX-Amz-Signature%3D" + "e" * 64,
    "a signature by SigV2 in a header": "AWS VKTESTROOTKEY0000001:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "a token": "x-amz-security-token=IQoJb3JpZ2luX2VjEXAMPLE",
    "the root key of the tests": f"Traceback: Secret({SECRET_KEY!r})",
    "a root key": "oh: 0ne-that-was-drawn-at-random",
    "a master key": "key " + "ab" * 32,
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    data = tmp_path / "test_something0" / "data"
    data.mkdir(parents=True)
    (data / "credentials").write_text("[default]\naws_secret_access_key = 0ne-that-was-drawn-at-random\n")
    (data / "master.key").write_text("ab" * 32 + "\n")
    SIGNATURES.add(MADE)
    return data.with_name("data.log")


@pytest.mark.parametrize("line", LEAKS.values(), ids=LEAKS)
def test_a_secret_in_the_output_is_found(log: Path, line: str) -> None:
    log.write_text(f"harmless\n{line}\n")
    leaks = find_leaks(log.parents[1])
    assert leaks
    for leak in leaks:  # under each name that it is known by
        assert f"{log}:2 holds" in leak
        assert "0ne-that" not in leak
        assert SECRET_KEY not in leak
    log.write_text("")  # else the end of this run would find it


def test_what_is_no_secret_is_not(log: Path) -> None:
    log.write_text("\n".join(HARMLESS))
    assert find_leaks(log.parents[1]) == []


def test_other_logs_are_not_ours(log: Path) -> None:
    log.with_name("other.log").write_text(MADE)
    assert find_leaks(log.parents[1]) == []
