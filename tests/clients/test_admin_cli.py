"""`valetkey accounts|users|keys|policies` as the people who run a store use them, and what becomes of links."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import boto3
import pytest
from tests.clients.boto import S3Client
from tests.clients.identities import allow, policy
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer, running_server

# Each command starts an interpreter.
pytestmark = pytest.mark.timeout(300)

READ_ONLY = "AmazonS3ReadOnlyAccess"


class Command(Protocol):
    def __call__(self, words: str, variables: Mapping[str, str] = ..., *, status: int = 0) -> str: ...


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of two workers that made its root credentials itself, and keeps them in its data folder."""
    no_credentials = {"VALETKEY_ACCESS_KEY": "", "VALETKEY_SECRET_KEY": ""}
    folder = tmp_path_factory.mktemp("admin") / "data"
    with running_server(folder, workers=2, environment=no_credentials) as server:
        yield server


@pytest.fixture
def valetkey(own_server: RunningServer, tmp_path: Path) -> Command:
    """Run a command in a folder of its own, told where the server and its folder are, and return its output."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME")}

    def run(words: str, variables: Mapping[str, str] = MappingProxyType({}), *, status: int = 0) -> str:
        place = {"VALETKEY_ENDPOINT": own_server.endpoint, "VALETKEY_DATA": str(own_server.data)}
        ended = subprocess.run(
            [sys.executable, "-m", "valetkey", *words.split()],
            cwd=tmp_path, env={**inherited, **place, **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == status, ended.stdout + ended.stderr
        if status:
            assert (ended.stdout, ended.stderr.count("\n")) == ("", 1), ended.stderr
        return ended.stdout + ended.stderr

    return run


@pytest.fixture
def as_json(valetkey: Command) -> Callable[..., Any]:
    return lambda words, variables=MappingProxyType({}): json.loads(valetkey(f"{words} --json", variables))


@pytest.fixture(scope="module")
def s3(own_server: RunningServer) -> Iterator[S3Client]:
    """The root account, with a bucket `own` and an object `k` in it."""
    root: dict[str, Any] = dict(
        line.split(" = ") for line in (own_server.data / "credentials").read_text().splitlines()[1:]
    )
    session = boto3.session.Session(**root, region_name=own_server.region)
    client = session.client("s3", endpoint_url=own_server.endpoint)
    client.create_bucket(Bucket="own")
    client.put_object(Bucket="own", Key="k", Body=b"content")
    yield client
    client.close()


_COUNTER = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"name-{next(_COUNTER)}"


def signing(key: dict[str, str]) -> dict[str, str]:
    """Return the variables by which a command signs with a key."""
    return {"VALETKEY_ACCESS_KEY": key["access_key"], "VALETKEY_SECRET_KEY": key["secret_key"]}


def keep_policy(tmp_path: Path, document: str) -> str:
    (tmp_path / "policy.json").write_text(document)
    return "policy.json"


def test_an_account_with_a_fixed_pair_works_at_once(
    own_server: RunningServer, as_json: Callable[..., Any], name: str
) -> None:
    flags = f"--email {name}@example.com --access-key FIXEDKEY-{name} --secret-key a-fixed-secret"
    made = as_json(f"accounts create {name} {flags}")
    assert (made["name"], made["email"]) == (name, f"{name}@example.com")
    assert (made["access_key"], made["secret_key"]) == (f"FIXEDKEY-{name}", "a-fixed-secret")
    assert len(made["id"]) == 64
    session = boto3.session.Session(made["access_key"], made["secret_key"], region_name="us-east-1")
    client = session.client("s3", endpoint_url=own_server.endpoint)
    client.create_bucket(Bucket=f"bucket-of-{name}")
    assert client.list_buckets()["Owner"]["ID"] == made["id"]
    client.close()
    assert [each["id"] for each in as_json("accounts list") if each["name"] == name] == [made["id"]]
    assert as_json(f"accounts show {made['number']}") == as_json(f"accounts show {made['id']}")


def test_a_link_lives_as_long_as_its_key_counts(
    valetkey: Command, as_json: Callable[..., Any], s3: S3Client, name: str, tmp_path: Path
) -> None:
    valetkey(f"users create {name}")
    first = as_json(f"keys create --user {name}")
    link = valetkey("presign GET s3://own/k", signing(first)).strip()
    assert fetch(link).refusal == (403, "AccessDenied")
    document = keep_policy(tmp_path, policy(allow("s3:GetObject", "arn:aws:s3:::own/*")))
    valetkey(f"policies put read {document} --user {name}")
    assert fetch(link).body == b"content"

    valetkey(f"keys deactivate {first['access_key']}")
    assert fetch(link).refusal == (403, "InvalidAccessKeyId")
    valetkey(f"keys activate {first['access_key']}")
    assert fetch(link).body == b"content"

    second = as_json(f"keys rotate {first['access_key']}")
    assert (second["replaces"], second["user"]) == (first["access_key"], name)
    following = valetkey("presign GET s3://own/k", signing(second)).strip()
    assert fetch(link).body == fetch(following).body == b"content"
    valetkey(f"keys delete {first['access_key']}")
    assert fetch(link).refusal == (403, "InvalidAccessKeyId")
    assert fetch(following).body == b"content"

    valetkey(f"policies delete read --user {name}")
    assert fetch(following).refusal == (403, "AccessDenied")


def test_a_key_tells_when_it_was_used_and_never_its_secret(
    valetkey: Command, as_json: Callable[..., Any], s3: S3Client, name: str
) -> None:
    valetkey(f"users create {name}")
    key = as_json(f"keys create --user {name}")
    assert as_json(f"keys list --user {name}")[0]["last_used"] is None
    fetch(valetkey("presign GET s3://own/k", signing(key)).strip())
    # It is written down beside the requests, and nobody waits for it.
    listings = (as_json(f"keys list --user {name}")[0] for _ in range(50))
    listed = next(each for each in listings if each["last_used"] is not None)
    assert listed["last_used"] >= listed["created"]
    printed = [
        valetkey(f"keys list --user {name}"),
        valetkey(f"keys list --user {name} --json"),
        valetkey(f"users show {name} --json"),
        valetkey(f"keys deactivate {key['access_key']} --json"),
    ]
    assert key["secret_key"] not in "".join(printed)
    assert "secret" not in "".join(printed)


def test_a_policy_is_attached_found_and_explained(
    valetkey: Command, as_json: Callable[..., Any], s3: S3Client, name: str, tmp_path: Path
) -> None:
    valetkey(f"users create {name}")
    valetkey(f"policies attach {READ_ONLY} --user {name}")
    denied = {"Sid": "NoSecrets", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::own/secret*"}
    valetkey(f"policies put {name} {keep_policy(tmp_path, policy(denied))}")
    valetkey(f"policies attach {name} --user {name}")
    asked = f"policies simulate --user {name} --action s3:GetObject --resource"
    assert valetkey(f"{asked} s3://own/k").startswith("allowed: s3:GetObject on arn:aws:s3:::own/k: ")
    assert valetkey(f"{asked} s3://own/secret").rstrip().endswith(f"policy/{name}, statement 0 (NoSecrets)")
    (result,) = as_json(f"{asked} s3://own/secret")["results"]
    assert (result["decision"], result["statement"]["sid"]) == ("explicitDeny", "NoSecrets")
    (result,) = as_json(f"{asked.replace('Get', 'Put')} s3://own/k")["results"]
    assert (result["decision"], result["statement"]) == ("implicitDeny", None)

    shown = as_json(f"users show {name}")
    assert [arn.rpartition("/")[2] for arn in shown["attached"]] == [name, READ_ONLY]
    assert as_json(f"policies show {name}")["document"]["Statement"] == [denied]
    assert "DeleteConflict" in valetkey(f"users delete {name}", status=1)
    for each in (name, READ_ONLY):
        valetkey(f"policies detach {each} --user {name}")
    valetkey(f"policies delete {name}")
    valetkey(f"users delete {name}")
    assert name not in valetkey("users list")


def test_the_bucket_policy_counts_in_a_simulation(
    valetkey: Command, s3: S3Client, name: str, tmp_path: Path
) -> None:
    everybody = {"Sid": "Open", **allow("s3:GetObject", "arn:aws:s3:::own/*"), "Principal": "*"}
    asked = "policies simulate --anonymous --action s3:GetObject --resource s3://own/k"
    assert valetkey(asked).startswith("implicitDeny: ")
    supposed = f"--bucket-policy {keep_policy(tmp_path, policy(everybody))}"
    assert valetkey(f"{asked} {supposed}").rstrip().endswith("bucket policy, statement 0 (Open)")


def test_sessions_are_ended_and_links_with_them(
    own_server: RunningServer, valetkey: Command, as_json: Callable[..., Any], s3: S3Client, name: str
) -> None:
    valetkey(f"users create {name}")
    valetkey(f"policies attach {READ_ONLY} --user {name}")
    key = as_json(f"keys create --user {name}")
    session = boto3.session.Session(key["access_key"], key["secret_key"], region_name="us-east-1")
    sts = session.client("sts", endpoint_url=own_server.endpoint)

    def link() -> str:
        lent = sts.get_session_token()["Credentials"]
        pair = {"AWS_ACCESS_KEY_ID": lent["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": lent["SecretAccessKey"]}
        with_token = {**pair, "AWS_SESSION_TOKEN": lent["SessionToken"], "VALETKEY_DATA": ""}
        return valetkey("presign GET s3://own/k", with_token).partition("\n")[0]

    before = link()
    assert fetch(before).body == b"content"
    valetkey(f"users revoke-sessions {name}")
    assert fetch(before).refusal == (400, "InvalidToken")
    after = link()
    assert fetch(after).body == b"content"
    valetkey("accounts revoke-sessions root")
    assert fetch(after).refusal == (400, "InvalidToken")
    sts.close()


def test_an_account_that_is_deactivated_counts_no_more(
    valetkey: Command, as_json: Callable[..., Any], name: str
) -> None:
    made = as_json(f"accounts create {name}")
    own = signing(made)
    valetkey(f"users create helper --account {name}")
    assert [each["name"] for each in as_json("users list", own)] == ["helper"]
    valetkey(f"accounts deactivate {name}")
    assert "InvalidClientTokenId" in valetkey("users list", own, status=1)
    valetkey(f"accounts activate {name}")
    assert "DeleteConflict" in valetkey(f"accounts delete {name}", status=1)
    valetkey("users delete helper", own)
    assert "Only the root account" in valetkey(f"accounts delete {name}", own, status=1)
    valetkey(f"accounts delete {name}")
    assert "InvalidClientTokenId" in valetkey("users list", own, status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("accounts show nobody", "404 NoSuchEntity"),
        ("accounts create root", "409 EntityAlreadyExists"),
        ("accounts create a/b", "400 ValidationError"),
        ("accounts create x --access-key HALF", "400 ValidationError"),
        ("accounts create x --email nonsense", "400 ValidationError"),
        ("accounts deactivate root", "409 DeleteConflict"),
        ("users show ../accounts", "404 NoSuchEntity"),
        ("users list --account nobody", "404 NoSuchEntity"),
        ("keys deactivate NOSUCHKEY", "404 NoSuchEntity"),
        ("keys create --user nobody", "404 NoSuchEntity"),
        ("policies show nothing", "404 NoSuchEntity"),
        ("policies attach AmazonS3ReadOnlyAccess", "400 ValidationError"),
        ("policies delete AmazonS3ReadOnlyAccess", "404 NoSuchEntity"),
        ("policies simulate --action s3:Nonsense --resource s3://b/k", "400 InvalidInput"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(valetkey: Command, words: str, said: str) -> None:
    printed = valetkey(words, status=1)
    assert printed.startswith(f"valetkey: the server answered {said}: ")


def test_wrong_credentials_are_said_in_one_sentence(valetkey: Command) -> None:
    wrong = {"VALETKEY_ACCESS_KEY": "NOBODY", "VALETKEY_SECRET_KEY": "wrong"}
    printed = valetkey("users list", wrong, status=1)
    assert printed.startswith("valetkey: the server answered 403 InvalidClientTokenId: ")
    assert "wrong" not in printed
