"""`valetkey explain` at the prompt: what it reads, whose keys it knows, and how it answers."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from valetkey import Signer
from valetkey.cli.main import main
from valetkey.cli.recipes import Form

KEY, SECRET = "VKHERE", "the+secret/of here"
OTHER, OTHER_SECRET = "VKTHERE", "the secret of there"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home folder with two profiles, and no variables."""
    for name in (
        "VALETKEY_ACCESS_KEY",
        "VALETKEY_SECRET_KEY",
        "VALETKEY_DATA",
        "VALETKEY_ENDPOINT",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    profile = "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\n"
    (tmp_path / "keys").write_text(
        profile.format("default", KEY, SECRET) + profile.format("there", OTHER, OTHER_SECRET)
    )
    return tmp_path


def presigned(key: str = KEY, secret: str = SECRET, endpoint: str = "https://files.example.com") -> str:
    return Signer(key, secret, endpoint=endpoint).presign("GET", "photos", "cat.jpg").url


def paste(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_good_url_is_told_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", presigned()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "GetObject  s3://photos/cat.jpg  (SigV4)"
    assert lines[1] == "  signed by   VKHERE, region us-east-1"
    assert lines[-2:] == ["The signature fits.", "Nothing is wrong that can be seen from here."]
    assert len(lines) <= 10


def test_standard_input_is_read_where_no_url_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["explain", "--json"], ["explain", "-", "--json"]):
        paste(monkeypatch, f"curl '{presigned()}'")
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["signature"] == "matches"


@pytest.mark.parametrize("form", [form.value for form in Form])
def test_what_presign_prints_is_understood(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ["presign", "PUT", "s3://photos/cat.jpg", "--content-type", "image/jpeg", "--copy-as", form]
    assert main([*wish, "--endpoint", "https://files.example.com"]) == 0
    paste(monkeypatch, capsys.readouterr().out)
    header = ["--header", "Content-Type: image/jpeg"] if form == "url" else []
    assert main(["explain", "--json", *header]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["signature"], found["request"]["method"]) == ("matches", "PUT")
    assert found["findings"] == []


def test_the_keys_of_all_profiles_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", presigned(OTHER, OTHER_SECRET)]) == 0
    assert "The signature fits." in capsys.readouterr().out
    assert main(["explain", presigned(KEY, OTHER_SECRET)]) == 0
    shown = capsys.readouterr().out
    assert "It names VKHERE, and was signed with the secret of VKTHERE (profile there)." in shown
    assert OTHER_SECRET not in shown


def test_a_key_may_be_named_by_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("elsewhere\n")
    flags = ["--access-key", "VKELSE", "--secret-key-file", str(tmp_path / "secret")]
    assert main(["explain", presigned("VKELSE", "elsewhere"), *flags]) == 0
    assert "The signature fits." in capsys.readouterr().out
    assert main(["explain", presigned(), "--access-key", "VKELSE"]) == 2
    assert main(["explain", presigned(), "--profile", "nowhere"]) == 2


def test_without_keys_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys").unlink()
    assert main(["explain", presigned()]) == 0
    assert "not checked: the secret of VKHERE is not known here" in capsys.readouterr().out


def test_hosts_and_headers_may_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    url = presigned(endpoint="http://store.intern:8000").replace(
        "http://store.intern:8000", "https://files.example.com"
    )
    assert main(["explain", url, "--host", "store.intern:8000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"][0]["cause"] == "host"
    assert main(["explain", url, "--header", "Host: store.intern:8000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signature"] == "matches"
    assert main(["explain", url, "--header", "X-Forwarded-Host: store.intern:8000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"][0]["cause"] == "host"
    assert main(["explain", presigned(), "--method", "put", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"][0]["cause"] == "method"


@pytest.mark.parametrize(
    "arguments",
    [
        ["hello"],
        ["s3://photos/cat.jpg"],
        [presigned(), "--method", "G E T"],
        [presigned(), "--header", "nothing"],
        [presigned(), "--body-sha256", "abc"],
        [presigned(), "--last"],
    ],
    ids=["no-url", "address", "method", "header", "hash", "last"],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert capsys.readouterr().err.startswith("valetkey: ")


def test_what_nothing_mends_is_shown_as_it_would_be_signed(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["explain", presigned().replace("photos", "fotos").replace("cat", "dog").replace("files", "mail")]
        )
        == 0
    )
    shown = capsys.readouterr().out
    assert "none of the changes" in shown
    assert "   host:mail.example.com\n" in shown


def test_nothing_in_the_answer_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", presigned().replace("cat", "c%1b[31m%0aat%e2%80%ae") + "&a%1b]0;x%07=1"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
