"""The commands that manage a store: what they ask for, what they print, and what they say of wrong input."""

import hashlib
import io
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.cli.fake_s3 import Failure, FakeS3, Seen

from valetkey.cli.main import main

SECRET = "hunter2-secret"
ACCOUNT = {"id": "a" * 64, "number": "1" * 12, "name": "n", "email": None, "active": True, "root": False}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake_s3: FakeS3) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "VALETKEY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VALETKEY_ACCESS_KEY", "VKTEST")
    monkeypatch.setenv("VALETKEY_SECRET_KEY", SECRET)
    monkeypatch.setenv("VALETKEY_ENDPOINT", fake_s3.endpoint)
    monkeypatch.chdir(tmp_path)


def answering(fake: FakeS3, *answers: object, status: int = 200) -> None:
    """Let the server answer so, one request after the other."""
    fake.failures += [
        Failure(when=lambda _: True, status=status, body=json.dumps(answer).encode()) for answer in answers
    ]


def has_body(seen: Seen, body: object) -> bool:
    return seen.sha256 == hashlib.sha256(json.dumps(body).encode()).hexdigest()


@pytest.mark.parametrize(
    ("words", "method", "target"),
    [
        ("accounts show n", "GET", "accounts/n"),
        ("accounts activate n", "POST", "accounts/n/activate"),
        ("accounts deactivate n", "POST", "accounts/n/deactivate"),
        ("accounts revoke-sessions n", "POST", "accounts/n/revoke-sessions"),
        ("accounts delete n", "DELETE", "accounts/n"),
        ("users show n", "GET", "users/n"),
        ("users revoke-sessions n --account a", "POST", "users/n/revoke-sessions?account=a"),
        ("users delete n", "DELETE", "users/n"),
        ("keys activate K", "POST", "keys/K/activate"),
        ("keys deactivate K", "POST", "keys/K/deactivate"),
        ("keys rotate K --account a", "POST", "keys/K/rotate?account=a"),
        ("keys delete K", "DELETE", "keys/K"),
        ("policies show p --user u", "GET", "policies/p?user=u"),
        ("policies attach p --group g", "POST", "policies/p/attach?group=g"),
        ("policies detach p --role r --account a", "POST", "policies/p/detach?account=a&role=r"),
        ("policies delete p", "DELETE", "policies/p"),
    ],
)
def test_a_command_is_one_request(
    words: str, method: str, target: str, fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(fake_s3, {})
    assert main(words.split()) == 0
    (seen,) = fake_s3.seen
    assert (seen.method, seen.target) == (method, f"/-/api/v1/{target}")
    assert seen.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=VKTEST/")
    assert seen.headers["x-amz-content-sha256"] == seen.sha256
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "target", "body"),
    [
        pytest.param(
            ["accounts", "create", "n", "--email", "e@x", "--access-key", "AK", "--secret-key", "SK"],
            "accounts",
            {"name": "n", "email": "e@x", "access_key": "AK", "secret_key": "SK"},
            id="account",
        ),
        pytest.param(
            ["users", "create", "n", "--path", "/p/"], "users", {"name": "n", "path": "/p/"}, id="user"
        ),
        pytest.param(["keys", "create", "--user", "u"], "keys", {"user": "u"}, id="key"),
        pytest.param(
            [
                "policies",
                "simulate",
                "--action",
                "a:B",
                "--resource",
                "s3://b/k",
                "--context",
                "x=1",
                "--context",
                "x=2=3",
                "--anonymous",
                "--policy",
                "document.json",
            ],
            "simulate",
            {
                "principal": "*",
                "actions": ["a:B"],
                "resources": ["arn:aws:s3:::b/k"],
                "policies": ["{}"],
                "context": {"x": ["1", "2=3"]},
            },
            id="simulation",
        ),
    ],
)
def test_what_is_given_is_sent_and_no_more(
    arguments: Sequence[str], target: str, body: object, fake_s3: FakeS3
) -> None:
    Path("document.json").write_text("{}")
    answering(fake_s3, {"results": []})
    assert main(list(arguments)) == 0
    (seen,) = fake_s3.seen
    assert (seen.method, seen.target) == ("POST", f"/-/api/v1/{target}")
    assert has_body(seen, body)


@pytest.mark.parametrize("name", ["a b", "ü", "a/b?c#d", "..", "%2e", "a+b"])
def test_a_name_is_one_part_of_the_path(name: str, fake_s3: FakeS3) -> None:
    answering(fake_s3, {})
    assert main(["users", "show", name]) == 0
    (seen,) = fake_s3.seen
    assert seen.path == f"/-/api/v1/users/{name}"
    assert seen.target.count("/") == 5


def test_a_secret_may_come_from_a_file(fake_s3: FakeS3) -> None:
    Path("secret").write_text("the secret\r\n")
    answering(fake_s3, {})
    assert main(["keys", "create", "--access-key", "AK", "--secret-key-file", "secret"]) == 0
    assert has_body(fake_s3.seen[0], {"access_key": "AK", "secret_key": "the secret"})


def test_a_document_may_come_from_standard_input(fake_s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": "\xc3\xbc"}')))
    answering(fake_s3, {"name": "p"})
    assert main(["policies", "put", "p", "-"]) == 0
    assert has_body(fake_s3.seen[0], {"document": '{"a": "ü"}'})


def test_a_listing_goes_on_to_its_last_page(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    pages: list[object] = [
        {"users": [{"name": "a"}, {"name": "b"}], "next": "b+&"},
        {"users": [{"name": "c"}], "next": None},
    ]
    answering(fake_s3, *pages)
    assert main(["users", "list", "--account", "x", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["a", "b", "c"]
    assert [seen.query for seen in fake_s3.seen] == [{"account": "x"}, {"account": "x", "after": "b+&"}]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("accounts list", "accounts"),
        ("users list", "users"),
        ("keys list", "keys"),
        ("policies list", "policies"),
    ],
)
def test_an_empty_listing_is_empty(
    words: str, name: str, fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(fake_s3, *[{name: [], "next": None}] * 2)
    assert main(words.split()) == 0
    assert capsys.readouterr().out == ""
    assert main([*words.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_listing_is_a_table(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    key = {"access_key": "AK", "user": None, "active": False, "created": "2026", "last_used": None}
    answering(
        fake_s3, {"keys": [key, {**key, "access_key": "LONGER", "user": "ü", "active": True}], "next": None}
    )
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ACCESS KEY  USER  ACTIVE  CREATED  LAST USED",
        "AK          -     no      2026     -",
        "LONGER      ü     yes     2026     -",
    ]


def test_one_thing_is_shown_by_its_members(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {"name": "p", "description": "", "tags": {}, "groups": ["g", "h"], "document": {"a": "\u202e"}}
    answering(fake_s3, shown, shown)
    assert main(["policies", "show", "p"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name         p",
        "groups       g, h",
        'document     {"a": "\\u202e"}',
    ]
    assert main(["policies", "show", "p", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == shown


def test_a_new_account_is_one_json_object(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    made = {**ACCOUNT, "access_key": "AK", "secret_key": "SK"}
    answering(fake_s3, made)
    assert main(["accounts", "create", "n", "--json"]) == 0
    captured = capsys.readouterr()
    assert (json.loads(captured.out), captured.err) == (made, "")


def simulated(**more: object) -> dict[str, Any]:
    result = {"action": "a:B", "resource": "r\x1b", "decision": "allowed", "reason": "so it is"}
    return {"results": [{**result, "statement": None, **more}]}


@pytest.mark.parametrize(
    ("statement", "printed"),
    [
        (None, "so it is"),
        ({"policy": "user/u/p", "index": 1, "sid": None}, "so it is: user/u/p, statement 1"),
        ({"policy": "arn", "index": 0, "sid": "Read"}, "so it is: arn, statement 0 (Read)"),
    ],
)
def test_a_simulation_names_the_statement(
    statement: object, printed: str, fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(fake_s3, simulated(statement=statement))
    assert main(["policies", "simulate", "--action", "a:B", "--resource", "r"]) == 0
    assert capsys.readouterr().out == f"allowed: a:B on r\\x1b: {printed}\n"


BAD: list[tuple[list[str], str]] = [
    (["users", "show", ""], "a name must not be empty"),
    (["policies", "put", "p", "missing.json"], "there is no file missing.json"),
    (["policies", "put", "p", "bad.json"], "bad.json is no JSON"),
    (["policies", "put", "p", "deep.json"], "deep.json is no JSON"),
    (["policies", "put", "p", "latin.json"], "latin.json is not UTF-8 text"),
    (["policies", "put", "p", "-"], "standard input is not UTF-8 text"),
    (["policies", "list", "--user", "u", "--role", "r"], "give --user or --role, not both"),
    (["policies", "simulate", "--action", "a", "--resource", "r", "--context", "x"], "KEY=VALUE, not 'x'"),
    (["policies", "simulate", "--action", "a", "--resource", "r", "--policy", "x"], "there is no file x"),
    (["keys", "create", "--access-key", "A", "--secret-key-file", "missing"], "there is no file missing"),
    (["keys", "create", "--secret-key", SECRET, "--secret-key-file", "bad.json"], "not both"),
    (["users", "list", "--endpoint", "nonsense"], "not an endpoint: 'nonsense'"),
    (["users", "list", "--profile", "none"], "no AWS profile 'none'"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_is_one_sentence_and_2(
    arguments: list[str],
    words: str,
    fake_s3: FakeS3,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("bad.json").write_text("{")
    Path("deep.json").write_text("[" * 100_000)
    Path("latin.json").write_bytes(b'"\xfc"')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("valetkey: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert SECRET not in captured.err
    assert fake_s3.seen == []


@pytest.mark.parametrize("group", ["accounts", "users", "keys", "policies"])
def test_unknown_words_are_a_usage_error(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([group], [group, "nonsense"], [group, "list", "--nonsense"], [group, "delete"]):
        assert main(arguments) == 2
        assert "Usage:" in "".join(capsys.readouterr())


def test_a_refusal_is_its_sentence_and_1(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    answering(fake_s3, {"error": {"code": "NoSuchEntity", "message": "It \x1b is not there."}}, status=404)
    assert main(["users", "show", "n"]) == 1
    assert capsys.readouterr().err == (
        "valetkey: the server answered 404 NoSuchEntity: It \\x1b is not there.\n"
    )


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"<Error><Code>AccessDenied</Code></Error>", "403, and no JSON: is it a Valetkey?"),
        (200, b"", "200, and no JSON: is it a Valetkey?"),
        (200, b"\xff", "200, and no JSON: is it a Valetkey?"),
        (200, b"[]", "200: no reason given"),
        (200, b"[" * 100_000, "200, and no JSON: is it a Valetkey?"),
        (404, b'{"error": "not found"}', "404: not found"),
        (301, b"{}", "301: no reason given"),
        (500, b"null", "500: no reason given"),
    ],
)
def test_another_server_is_noticed(
    status: int, body: bytes, words: str, fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_s3.failures.append(Failure(when=lambda _: True, status=status, body=body))
    assert main(["users", "list"]) == 1
    assert capsys.readouterr().err == f"valetkey: the server answered {words}\n"


@pytest.mark.parametrize("answer", [{}, {"users": None}, {"users": ["u"]}], ids=str)
def test_an_answer_without_its_entries_is_noticed(
    answer: object, fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(fake_s3, answer)
    assert main(["users", "list"]) == 1
    assert capsys.readouterr().err == (
        "valetkey: the server answered, but without users: is it a Valetkey?\n"
    )


def test_no_server_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert main(["users", "list", "--endpoint", endpoint]) == 1
    assert capsys.readouterr().err == f"valetkey: cannot reach {endpoint}: Connection refused\n"


def test_a_connection_that_is_cut_is_a_sentence(fake_s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    fake_s3.failures.append(Failure(when=lambda _: True, status=0))
    assert main(["users", "list"]) == 1
    captured = capsys.readouterr().err
    assert captured.startswith(f"valetkey: cannot reach {fake_s3.endpoint}: ")
    assert captured.count("\n") == 1


def test_no_credentials_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VALETKEY_ACCESS_KEY")
    monkeypatch.delenv("VALETKEY_SECRET_KEY")
    assert main(["users", "list"]) == 2
    assert "no credentials found: set VALETKEY_DATA" in capsys.readouterr().err


def test_credentials_of_aws_need_an_endpoint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VALETKEY_ACCESS_KEY", "VALETKEY_SECRET_KEY", "VALETKEY_ENDPOINT"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert main(["users", "list"]) == 2
    assert "set VALETKEY_ENDPOINT to where the server is" in capsys.readouterr().err


def test_credentials_are_found_where_presign_finds_them(
    fake_s3: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the order of precedence, each place taking over from the one before."""
    section = "[default]\naws_access_key_id = {}\naws_secret_access_key = s\naws_session_token = token\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "data/credentials").write_text(section.format("IN-DATA"))
    (tmp_path / "aws").write_text(section.format("IN-PROFILE"))
    monkeypatch.setenv("VALETKEY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AWS-VARIABLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws"))
    for names, expected in (
        ((), "VKTEST"),
        (("VALETKEY_ACCESS_KEY", "VALETKEY_SECRET_KEY"), "IN-DATA"),
        (("VALETKEY_DATA",), "AWS-VARIABLE"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "IN-PROFILE"),
    ):
        for name in names:
            monkeypatch.delenv(name)
        answering(fake_s3, {})
        assert main(["users", "show", "n"]) == 0
        assert f"Credential={expected}/" in fake_s3.seen[-1].headers["authorization"]
    assert fake_s3.seen[-1].headers["x-amz-security-token"] == "token"
