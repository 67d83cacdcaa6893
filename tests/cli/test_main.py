"""The command as a whole: exit codes, sentences, and what it loads."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.cli.fake_s3 import Failure, FakeS3

import valetkey
from valetkey.cli.main import main

KEYS = {"VALETKEY_ACCESS_KEY": "VKTEST", "VALETKEY_SECRET_KEY": "hunter2-secret"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "VALETKEY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "valetkey", *arguments],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_presign_prints_a_url_that_the_library_would_make() -> None:
    ended = run("presign", "GET", "s3://b/k", "--expires", "15m", environ=KEYS)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("http://127.0.0.1:9000/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "&X-Amz-Expires=900&" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [("presign", "GET", "s3://b/k"), ("explain", "http://127.0.0.1/b/k"), ("links", "list"), ("serve",)],
    ids=lambda arguments: arguments[0],
)
def test_a_misspelt_variable_is_named_once(arguments: tuple[str, ...]) -> None:
    strange = {"VALETKEY_SECRET_KYE_FILE": "x", "VALETKEY_WORKERS": "many"}
    ended = run(*arguments, environ=KEYS | strange)

    said = "valetkey: VALETKEY_SECRET_KYE_FILE is no setting; it is ignored."
    assert ended.stderr.splitlines().count(said) == 1
    assert "VALETKEY_WORKERS is no setting" not in ended.stderr


@pytest.mark.usefixtures("_keys")
def test_account_flags_reach_the_signature(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s\n")
    flags = (
        f"--access-key AK --secret-key-file {tmp_path}/secret --session-token T --region r-1 --json "
        "--endpoint https://h.example --addressing virtual --query x=y"
    )
    code = main(["presign", "PUT", "s3://bbb/k", "--header", "A: b", *flags.split()])

    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert code == 0
    assert answer["url"].startswith("https://bbb.h.example/k?")
    assert "X-Amz-Credential=AK%2F" in answer["url"]
    assert "%2Fr-1%2Fs3%2F" in answer["url"]
    assert "X-Amz-Security-Token=T" in answer["url"]
    assert "x=y" in answer["url"]
    assert answer["headers"] == {"a": "b"}
    assert "temporary credentials" in captured.err


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["presign", "GET", "b/k"], "no S3 address", id="no address"),
        pytest.param(["presign", "GET", "s3://b/k", "--expires", "8d"], "1 second to 7 days", id="too long"),
        pytest.param(["presign", "GET", "s3://b/k", "--endpoint", "nonsense"], "nonsense", id="no endpoint"),
        pytest.param(["presign", "PUT", "s3://b/k", "--header", "A: b\nc"], "", id="line break in a header"),
        pytest.param(
            ["presign", "GET", "s3://b/k", "--query", "X-Amz-Date=1"], "X-Amz-Date", id="own auth query"
        ),
        pytest.param(
            ["presign", "GET", "s3://b/k", "--profile", "none"], "no AWS profile 'none'", id="profile"
        ),
        pytest.param(
            ["presign", "GET", "s3://b/k", "--json", "--copy-as", "curl"], "not both", id="two forms"
        ),
        pytest.param(["share", "/nonexistent"], "No such file", id="no file"),
        pytest.param(
            ["share", "/a\x1b[2J\x9b\u202e\n"], r"cannot read /a\x1b[2J\x9b\u202e\n", id="ESC in a name"
        ),
        pytest.param(
            ["presign", "PUT", "s3://b/k", "--header", "A: b\x1b", "--copy-as", "curl"],
            "header a holds a control character",
            id="ESC in a recipe",
        ),
        pytest.param(["serve", "--listen", "nonsense"], "expected HOST:PORT", id="no address to listen on"),
        pytest.param(["demo", "--listen", "nonsense"], "expected HOST:PORT", id="no address for the demo"),
    ],
)
def test_bad_input_is_one_sentence_and_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)

    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("valetkey: ")
    assert captured.err.count("\n") == 1
    assert captured.err.removesuffix("\n").isprintable()
    assert words in captured.err
    assert "hunter2" not in captured.err


def test_no_credentials_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presign", "GET", "s3://b/k"]) == 2
    assert "no credentials found: set VALETKEY_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["presign"],
        ["presign", "GET", "s3://b/k", "--nonsense"],
        ["serve", "--workers", "x"],
        [],
    ],
    ids=" ".join,
)
def test_unknown_words_are_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Usage:" in "".join(capsys.readouterr())


@pytest.mark.usefixtures("_keys")
def test_refusal_by_the_server_is_1(
    fake_s3: FakeS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.txt").write_text("x")
    fake_s3.failures.append(Failure(when=lambda _: True, status=403, code="AccessDenied"))

    code = main(["share", str(tmp_path / "f.txt"), "--bucket", "b", "--endpoint", fake_s3.endpoint])

    assert code == 1
    assert capsys.readouterr().err == "valetkey: the server answered 403 AccessDenied: because\n"


@pytest.mark.usefixtures("_keys")
def test_share_prints_only_the_url(
    fake_s3: FakeS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.txt").write_text("x")
    base = ["share", str(tmp_path / "f.txt"), "--to", "s3://b/k.txt", "--endpoint", fake_s3.endpoint]

    assert main(base) == 0
    plain = capsys.readouterr()
    assert main([*base, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert main([*base, "--copy-as", "curl"]) == 0
    recipe = capsys.readouterr().out

    assert plain.err == ""
    assert plain.out.startswith(f"{fake_s3.endpoint}/b/k.txt?")
    assert plain.out.count("\n") == 1
    assert (answer["bucket"], answer["key"], answer["size_bytes"]) == ("b", "k.txt", 1)
    assert recipe.startswith("curl -f -o k.txt 'http")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"valetkey {valetkey.__version__}\n"


@pytest.mark.parametrize("command", [[], ["presign"], ["share"], ["serve"], ["demo"]], ids=" ".join)
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--help"]) == 0
    assert "Usage: valetkey" in capsys.readouterr().out


@pytest.mark.parametrize(
    "group",
    ["", "accounts", "users", "keys", "policies", "links", "links addresses"],
    ids=lambda name: name or "all",
)
def test_no_command_is_cut_short_in_a_list_of_80_columns(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*group.split(), "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


def test_presign_loads_neither_http_client_nor_server() -> None:
    program = (
        "import sys\nfrom valetkey.cli.main import main\n"
        "assert main(['presign', 'GET', 's3://b/k']) == 0\n"
        "heavy = {'urllib3', 'httptools', 'asyncio', 'rich.progress', 'pydantic', 'boto3'}\n"
        "heavy |= {'valetkey.server', 'valetkey.store'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **KEYS},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
