"""Secrets of keys and sessions are told once, to whom they are made for: no log, no file and no other answer has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.clients.admin import ask_admin
from tests.raw.door import Door, open_door
from tests.raw.signing import sha256_of
from tests.raw.wire import Reply, fetch

from valetkey.testing.server import RunningServer, running_server

GIVEN = "given-secret-that-nobody-may-see"
MISTYPED = "mistyped-secret-that-nobody-may-see"


@dataclass
class Told:
    """What opens doors, and what the server answered beside."""

    server: RunningServer
    secrets: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the admin API for what must not tell a secret."""
        _, answer = ask_admin(self.server, method, path, body)
        self.answers.append(json.dumps(answer))
        return answer

    def make(self, path: str, body: object) -> tuple[str, str]:
        """Make a key, whose secret is told this once."""
        status, made = ask_admin(self.server, "POST", path, body)
        assert status == 200, made
        self.secrets.append(made["secret_key"])
        return made["access_key"], made["secret_key"]

    def keep(self, reply: Reply) -> None:
        self.answers.append(f"{reply.headers} {reply.body.decode()}")


def client(server: RunningServer, service: str, pair: tuple[str, str], token: str | None = None) -> Any:
    session: Any = boto3.session.Session(*pair, token, region_name=server.region)
    return session.client(service, endpoint_url=server.endpoint)


def lend(told: Told, pair: tuple[str, str]) -> None:
    """Let STS make credentials, and use and misuse them."""
    sts = client(told.server, "sts", pair)
    for lent in (
        sts.get_session_token()["Credentials"],
        sts.get_federation_token(Name="guest")["Credentials"],
    ):
        own, token = (lent["AccessKeyId"], lent["SecretAccessKey"]), lent["SessionToken"]
        told.secrets += [own[1], token]
        for s3 in (
            client(told.server, "s3", own, token),
            client(told.server, "s3", own, token[:-6] + "AAAAAA"),
        ):
            url = s3.generate_presigned_url("get_object", Params={"Bucket": "secretive", "Key": "k"})
            told.secrets.append(url)
            told.keep(fetch(url))
            told.keep(fetch(url + "0"))
            with pytest.raises(ClientError) as error:
                s3.head_object(Bucket="nothing", Key="k")
            told.answers.append(str(error.value.response))
        iam = client(told.server, "iam", own, token)
        with pytest.raises(ClientError) as error:
            iam.list_users()
        told.answers.append(str(error.value.response))


def err(told: Told, door: Door) -> None:
    """Send secrets where they do not belong."""
    for body in (
        {"secret_key": MISTYPED},
        {"access_key": "AK", "secret_key": MISTYPED + "\n"},
        {"access_key": "a/b", "secret_key": MISTYPED},
        {"access_key": told.server.access_key, "secret_key": MISTYPED},
        {"access_key": "NEVERMADE", "secretkey": MISTYPED},
        {"access_key": "NEVERMADE", "secret_key": [MISTYPED]},
        {"user": "nobody", "access_key": "NEVERMADE", "secret_key": MISTYPED},
    ):
        assert "error" in told.ask("POST", "keys", body)
    assert "error" in told.ask("POST", f"keys?secret_key={MISTYPED}", {})
    unfinished = b'{"secret_key": "%b"' % MISTYPED.encode()
    told.keep(door.signed("POST", "/-/api/v1/keys", payload=sha256_of(unfinished), body=unfinished))
    forged = replace(door, key=replace(door.key, secret_key=MISTYPED))
    told.keep(forged.signed("GET", "/-/api/v1/users", payload=sha256_of(b"")))
    told.keep(door.send("POST", "/-/api/v1/keys", body=unfinished))
    told.secrets.append(MISTYPED)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("secretive") / "data"
    with running_server(folder, workers=2, environment={"VALETKEY_LOG_LEVEL": "debug"}) as server:
        told = Told(server)
        door = open_door(server, "secretive")
        door.put("k", b"content")
        told.secrets += [GIVEN, server.secret_key]
        told.make("accounts", {"name": "given", "access_key": "GIVEN1", "secret_key": GIVEN})
        told.make("accounts", {"name": "made"})
        told.ask("POST", "users", {"name": "u"})
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        told.ask(
            "PUT", "policies/p?user=u", {"document": {"Version": "2012-10-17", "Statement": [everything]}}
        )
        pair = told.make("keys", {"user": "u"})
        told.make(f"keys/{pair[0]}/rotate", {})
        made = client(server, "iam", pair).create_access_key(UserName="u")["AccessKey"]
        told.secrets.append(made["SecretAccessKey"])
        for path in ("accounts", "accounts/given", "users", "users/u", "keys?user=u", "keys?account=given"):
            assert "error" not in told.ask("GET", path)
        told.answers.append(str(client(server, "iam", pair).list_access_keys(UserName="u")))
        told.ask("POST", f"keys/{pair[0]}/deactivate")
        told.ask("POST", f"keys/{pair[0]}/activate")
        lend(told, pair)
        err(told, door)
        assert server.stop() == 0
        yield told


def forms_of(secret: str) -> set[str]:
    """Return how a secret may be written; of a URL it is the signature that opens."""
    found = re.search(r"[?&](?:X-Amz-)?Signature=([^&]+)", secret)
    text = secret if found is None else found[1]
    return {text, quote(text, safe=""), json.dumps(text)[1:-1]}


def test_secrets_are_in_no_log(told: Told) -> None:
    log = told.server.log.read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    operations = {line["operation"] for line in lines}
    assert {"POST keys", "POST accounts", "CreateAccessKey", "GetSessionToken"} <= operations
    for secret in told.secrets:
        assert not [form for form in forms_of(secret) if form in log]


def test_secrets_are_in_no_file(told: Told) -> None:
    files = [path for path in told.server.data.rglob("*") if path.is_file()]
    assert any(path.name == "catalog.sqlite" for path in files)
    for path in files:
        content = path.read_bytes()
        for secret in told.secrets:
            assert not [form for form in forms_of(secret) if form.encode() in content], path.name


def test_secrets_are_in_no_answer_but_their_own(told: Told) -> None:
    assert len(told.answers) > 30
    given = {told.secrets[0], told.server.secret_key, MISTYPED}
    assert given < set(told.secrets)
    answers = "\n".join(told.answers)
    for secret in told.secrets:
        # A URL's own signature is shown to whoever sent it, as Amazon does.
        if "Signature=" not in secret:
            assert not [form for form in forms_of(secret) if form in answers]
