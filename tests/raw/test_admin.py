"""The admin API lets in who signed in the headers and may; all others are refused, and nothing has happened."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import pytest
from tests.clients.admin import ask_admin
from tests.raw.door import Door
from tests.raw.signing import UNSIGNED, Query, canonical_query, now, sha256_of
from tests.raw.wire import Reply, connect, head, read_reply

from valetkey.testing.server import RunningServer

API: Final = "/-/api/v1/"
NEW_USER: Final = b'{"name": "intruder"}'

_COUNTER: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """Whoever is not the root account, each with a door of its own."""

    owner: Door
    """Another account."""
    user: Door
    """A user of that account, whom no policy allows anything."""
    session: Door
    """Temporary credentials of that account."""
    token: str


def door_of(door: Door, access_key: str, secret_key: str) -> Door:
    return replace(door, key=replace(door.key, access_key=access_key, secret_key=secret_key))


@pytest.fixture(scope="module")
def strangers(server: RunningServer, door: Door) -> Strangers:
    import boto3

    assert ask_admin(server, "POST", "accounts", {"name": "strangers"})[0] == 200
    account = ask_admin(server, "POST", "keys?account=strangers", {})[1]
    ask_admin(server, "POST", "users?account=strangers", {"name": "plain"})
    user = ask_admin(server, "POST", "keys?account=strangers", {"user": "plain"})[1]
    owner = door_of(door, account["access_key"], account["secret_key"])
    sts = boto3.client(
        "sts",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=account["access_key"],
        aws_secret_access_key=account["secret_key"],
    )
    session = sts.get_session_token()["Credentials"]
    sts.close()
    return Strangers(
        owner=owner,
        user=door_of(door, user["access_key"], user["secret_key"]),
        session=door_of(door, session["AccessKeyId"], session["SecretAccessKey"]),
        token=session["SessionToken"],
    )


def ask(
    door: Door,
    method: str = "POST",
    path: str = "users",
    body: bytes = b"",
    *,
    query: Query = (),
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Sign a request to the API as it should be, and send it."""
    return door.signed(method, API + path, query=query, headers=headers, payload=sha256_of(body), body=body)


def refusal(reply: Reply) -> tuple[int, str]:
    """Return status and code of what must be the API's own document."""
    assert reply.header("content-type") == "application/json"
    error: dict[str, Any] = json.loads(reply.body)["error"]
    assert error.keys() == {"code", "message", "request_id"}
    assert error["request_id"] == reply.header("x-amz-request-id")
    return reply.status, error["code"]


def users(server: RunningServer, query: str = "") -> list[str]:
    return [each["name"] for each in ask_admin(server, "GET", f"users{query}")[1]["users"]]


def v2_headers(door: Door, path: str, body: bytes) -> dict[str, str]:
    """Return the headers of a request signed by SigV2, which covers the digest of the body as well."""
    date, digest = format_datetime(now(), usegmt=True), sha256_of(body)
    text = f"POST\n\n\n{date}\nx-amz-content-sha256:{digest}\n{path}"
    mac = hmac.digest(door.key.secret_key.encode(), text.encode(), "sha1")
    return {
        "Date": date,
        "x-amz-content-sha256": digest,
        "Authorization": f"AWS {door.key.access_key}:{base64.b64encode(mac).decode()}",
    }


def test_what_can_be_asked_is_told_to_everybody(door: Door) -> None:
    reply = door.send("GET", f"{API}openapi.json")
    assert (reply.status, reply.header("content-type")) == (200, "application/json")
    assert json.loads(reply.body)["openapi"].startswith("3.1")


@pytest.mark.parametrize("path", ["users", "accounts", "nothing", "", "openapi.json"])
def test_nobody_is_told_anything_else_unsigned(door: Door, path: str) -> None:
    reply = door.send("POST", API + path, body=NEW_USER)
    assert refusal(reply) == (403, "MissingAuthenticationToken")


def test_a_presigned_url_opens_nothing(door: Door, server: RunningServer) -> None:
    for method, body in (("GET", b""), ("POST", NEW_USER)):
        digest = sha256_of(body)
        covering = door.key.presign(
            method, f"{API}users", query=[("X-Amz-Content-Sha256", digest)], payload=digest
        )
        for target in (covering, door.key.presign(method, f"{API}users")):
            assert refusal(door.send(method, target, body=body)) == (403, "MissingAuthenticationToken")
    assert "intruder" not in users(server)


@pytest.mark.parametrize(
    ("access_key", "secret_key", "expected"),
    [
        pytest.param("VKAKNOBODY", None, (403, "InvalidClientTokenId"), id="unknown-key"),
        pytest.param(None, "not the secret", (403, "SignatureDoesNotMatch"), id="wrong-secret"),
    ],
)
def test_a_wrong_key_opens_nothing(
    door: Door, access_key: str | None, secret_key: str | None, expected: tuple[int, str]
) -> None:
    key = door.key
    stranger = door_of(door, access_key or key.access_key, secret_key or key.secret_key)
    assert refusal(ask(stranger, body=NEW_USER)) == expected


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_counts_for_a_quarter_of_an_hour(door: Door, minutes: int) -> None:
    at = now() + timedelta(minutes=minutes)
    signed = door.key.authorize("POST", f"{API}users", at=at, payload=sha256_of(NEW_USER))
    reply = door.send("POST", f"{API}users", headers=signed.headers, body=NEW_USER)
    assert refusal(reply) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        pytest.param(sha256_of(b'{"name": "somebody"}'), NEW_USER, id="another-body"),
        pytest.param(sha256_of(b""), NEW_USER, id="a-body-where-none-was"),
        pytest.param(sha256_of(NEW_USER), b"", id="no-body"),
        pytest.param(UNSIGNED, NEW_USER, id="unsigned"),
    ],
)
def test_a_body_is_what_was_signed(door: Door, server: RunningServer, payload: str, sent: bytes) -> None:
    reply = door.signed("POST", f"{API}users", payload=payload, body=sent)
    assert refusal(reply) == (403, "SignatureDoesNotMatch")
    assert "intruder" not in users(server)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        pytest.param("PUT", f"{API}users", id="method"),
        pytest.param("POST", f"{API}keys", id="path"),
        pytest.param("POST", f"{API}users?account=root", id="query"),
    ],
)
def test_a_request_that_was_altered_is_refused(door: Door, method: str, target: str) -> None:
    signed = door.key.authorize("POST", f"{API}users", payload=sha256_of(NEW_USER))
    reply = door.send(method, target, headers=signed.headers, body=NEW_USER)
    assert refusal(reply) == (403, "SignatureDoesNotMatch")


def test_the_older_signature_is_not_taken(door: Door, server: RunningServer) -> None:
    """It leaves most of the query out, and so would let others choose the account."""
    path = f"{API}users"
    reply = door.send("POST", path, headers=v2_headers(door, path, NEW_USER), body=NEW_USER)
    assert refusal(reply) == (400, "IncompleteSignature")
    assert "intruder" not in users(server)


ORDINARY: Final = [
    ("GET", "users", b""),
    ("POST", "users", NEW_USER),
    ("GET", "users/plain", b""),
    ("DELETE", "users/plain", b""),
    ("POST", "users/plain/revoke-sessions", b""),
    ("GET", "keys", b""),
    ("POST", "keys", b""),
    ("POST", "keys", b'{"user": "plain"}'),
    ("GET", "policies", b""),
    ("GET", "policies/AdministratorAccess", b""),
    ("PUT", "policies/mine", b'{"document": {"Version": "2012-10-17", "Statement": []}}'),
    ("POST", "simulate", b'{"actions": ["s3:GetObject"], "resources": ["*"]}'),
]


@pytest.mark.parametrize(("method", "path", "body"), ORDINARY)
def test_a_user_may_do_nothing_that_no_policy_allows(
    strangers: Strangers, method: str, path: str, body: bytes
) -> None:
    query = [("user", "plain")] if path == "policies/mine" else []
    if query:
        statement = b'{"Effect": "Allow", "Action": "*", "Resource": "*"}'
        body = body.replace(b"[]", b"[%b]" % statement)
    assert refusal(ask(strangers.user, method, path, body, query=query)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users/nobody", b""),
        ("DELETE", "users/nobody", b""),
        ("GET", "keys?user=nobody", b""),
        ("POST", "keys", b'{"user": "nobody"}'),
        ("DELETE", "keys/VKAKNEVERMADE", b""),
        ("GET", "policies/nothing", b""),
        ("DELETE", "policies/nothing", b""),
        ("GET", "policies?group=nobody", b""),
        ("POST", "policies/nothing/attach?role=nobody", b""),
        ("POST", "simulate", b'{"user": "nobody", "actions": ["s3:GetObject"], "resources": ["*"]}'),
        ("POST", "simulate", b'{"role": "nobody", "actions": ["s3:GetObject"], "resources": ["*"]}'),
    ],
)
def test_a_user_hears_not_even_what_there_is(
    strangers: Strangers, method: str, path: str, body: bytes
) -> None:
    path, _, query = path.partition("?")
    reply = ask(strangers.user, method, path, body, query=parse_qsl(query))
    assert refusal(reply) == (403, "AccessDenied")


def test_a_user_can_do_nothing_to_a_key(strangers: Strangers) -> None:
    own, owners = strangers.user.key.access_key, strangers.owner.key.access_key
    for key in (own, owners):
        for method, path in (
            ("POST", f"keys/{key}/deactivate"),
            ("POST", f"keys/{key}/activate"),
            ("POST", f"keys/{key}/rotate"),
            ("DELETE", f"keys/{key}"),
        ):
            assert refusal(ask(strangers.user, method, path)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "accounts", b""),
        ("POST", "accounts", b'{"name": "of-my-own"}'),
        ("GET", "accounts/root", b""),
        ("GET", "accounts/no-such-account", b""),
        ("POST", "accounts/root/deactivate", b""),
        ("POST", "accounts/strangers/revoke-sessions", b""),
        ("DELETE", "accounts/strangers", b""),
    ],
)
def test_only_the_root_account_manages_accounts(
    strangers: Strangers, method: str, path: str, body: bytes
) -> None:
    for door in (strangers.owner, strangers.user):
        assert refusal(ask(door, method, path, body)) == (403, "AccessDenied")


@pytest.mark.parametrize("account", ["root", "no-such-account", "0" * 64, "000000000000"])
def test_no_account_works_in_another(strangers: Strangers, server: RunningServer, account: str) -> None:
    reply = ask(strangers.owner, body=NEW_USER, query=[("account", account)])
    assert refusal(reply) == (403, "AccessDenied")
    assert "intruder" not in users(server)


def test_what_is_anothers_is_not_there(strangers: Strangers, server: RunningServer) -> None:
    name = f"roots-{next(_COUNTER)}"
    ask_admin(server, "POST", "users", {"name": name})
    key = ask_admin(server, "POST", "keys", {"user": name})[1]["access_key"]
    missing = (404, "NoSuchEntity")
    assert refusal(ask(strangers.owner, "GET", f"users/{name}")) == missing
    assert refusal(ask(strangers.owner, "DELETE", f"keys/{key}")) == missing
    assert refusal(ask(strangers.owner, "POST", f"keys/{key}/deactivate")) == missing
    assert refusal(ask(strangers.owner, "POST", f"keys/{server.access_key}/deactivate")) == missing
    (kept,) = ask_admin(server, "GET", f"keys?user={name}")[1]["keys"]
    assert kept["active"]


def test_an_account_may_name_itself(strangers: Strangers) -> None:
    reply = ask(strangers.owner, "GET", query=[("account", "strangers")])
    assert [each["name"] for each in json.loads(reply.body)["users"]] == ["plain"]


def test_temporary_credentials_manage_nothing(strangers: Strangers) -> None:
    headers = {"x-amz-security-token": strangers.token}
    reply = ask(strangers.session, body=NEW_USER, headers=headers)
    assert refusal(reply) == (403, "AccessDenied")


def test_nobody_slips_past_a_statement_by_another_case(strangers: Strangers, server: RunningServer) -> None:
    """Names are the same in any case, and policies tell them apart."""
    number = ask_admin(server, "GET", "accounts/strangers")[1]["number"]
    guarded = f"arn:aws:iam::{number}:user/Guarded"
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:*", "Resource": guarded},
        ],
    }
    in_account = "account=strangers"
    for name in ("Guarded", "helper"):
        ask_admin(server, "POST", f"users?{in_account}", {"name": name})
    ask_admin(server, "PUT", f"policies/p?{in_account}&user=helper", {"document": document})
    pair = ask_admin(server, "POST", f"keys?{in_account}", {"user": "helper"})[1]
    helper = door_of(strangers.owner, pair["access_key"], pair["secret_key"])
    assert ask(helper, "GET", "users/helper").status == 200
    inline = json.dumps({"document": document}).encode()
    asked = b'{"actions": ["s3:GetObject"], "resources": ["*"], "user": "%b"}'
    for name in ("Guarded", "guarded", "GUARDED"):
        of_user = [("user", name)]
        for reply in (
            ask(helper, "GET", f"users/{name}"),
            ask(helper, "GET", "keys", query=of_user),
            ask(helper, "POST", "keys", b'{"user": "%b"}' % name.encode()),
            ask(helper, "PUT", "policies/p", inline, query=of_user),
            ask(helper, "POST", "policies/AdministratorAccess/attach", query=of_user),
            ask(helper, "POST", "simulate", asked % name.encode()),
            ask(helper, "DELETE", f"users/{name}"),
        ):
            assert refusal(reply) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", "MalformedInput", id="unfinished"),
        pytest.param(b"[]", "MalformedInput", id="list"),
        pytest.param(b'"text"', "MalformedInput", id="text"),
        pytest.param(b"name=x", "MalformedInput", id="form"),
        pytest.param(b"\xff\xfe", "MalformedInput", id="no-unicode"),
        pytest.param(b'{"name": "\\ud800"}', "MalformedInput", id="half-a-surrogate-pair"),
        pytest.param(b"[" * 100_000, "MalformedInput", id="deep"),
        pytest.param(b'{"a":' * 50_000, "MalformedInput", id="deep-object"),
        pytest.param(b"", "ValidationError", id="no-name"),
        pytest.param(b'{"name": null}', "ValidationError", id="null"),
        pytest.param(b'{"name": 7}', "ValidationError", id="number"),
        pytest.param(b'{"name": ["x"]}', "ValidationError", id="list-of-names"),
        pytest.param(b'{"name": ""}', "ValidationError", id="empty"),
        pytest.param(b'{"name": "a b"}', "ValidationError", id="space"),
        pytest.param(b'{"name": "%b"}' % (b"a" * 65), "ValidationError", id="long"),
        pytest.param(b'{"name": "intruder", "pth": "/"}', "ValidationError", id="unknown-member"),
    ],
)
def test_a_body_that_cannot_be_is_refused(door: Door, server: RunningServer, body: bytes, code: str) -> None:
    assert refusal(ask(door, body=body)) == (400, code)
    assert "intruder" not in users(server)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param([("acount", "root")], id="unknown"),
        pytest.param([("account", "root"), ("account", "strangers")], id="twice"),
        pytest.param([("limit", "0")], id="zero"),
        pytest.param([("limit", "1001")], id="too-many"),
        pytest.param([("limit", "-1")], id="negative"),
        pytest.param([("limit", "١")], id="another-script"),
        pytest.param([("path_prefix", "no-slash")], id="prefix"),
    ],
)
def test_a_query_that_cannot_be_is_refused(door: Door, query: Query) -> None:
    assert refusal(ask(door, "GET", query=query)) == (400, "ValidationError")


@pytest.mark.parametrize(
    "member",
    [
        pytest.param({"actions": []}, id="no-action"),
        pytest.param({"actions": "s3:GetObject"}, id="text-for-a-list"),
        pytest.param({"resources": [1]}, id="number"),
        pytest.param({"actions": ["s3:GetObject"] * 1001}, id="too-many-cases"),
        pytest.param({"resources": ["*"] * 1001}, id="too-many-resources"),
        pytest.param({"policies": {}}, id="object-for-a-list"),
        pytest.param({"context": []}, id="list-for-an-object"),
        pytest.param({"user": "a", "role": "b"}, id="two-who-ask"),
    ],
)
def test_a_simulation_that_cannot_be_is_refused(door: Door, member: Mapping[str, object]) -> None:
    body = json.dumps({"actions": ["s3:GetObject"], "resources": ["*"], **member}).encode()
    assert refusal(ask(door, "POST", "simulate", body)) == (400, "ValidationError")


@pytest.mark.parametrize("action", ["s3:NoSuchThing", "s3:Get*", "*", "nonsense", ""])
def test_what_is_no_action_is_not_simulated(door: Door, action: str) -> None:
    body = json.dumps({"actions": [action], "resources": ["*"]}).encode()
    assert refusal(ask(door, "POST", "simulate", body)) == (400, "InvalidInput")


def test_a_body_beyond_a_mebibyte_is_refused(door: Door) -> None:
    body = b'{"name": "%b"}' % (b"a" * 1024 * 1024)
    assert refusal(ask(door, body=body)) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("path", ["users", "links/bulk"])
def test_a_stranger_is_refused_before_a_body_is_read(door: Door, path: str) -> None:
    """Else whoever can connect could have the server hold what they send in memory."""
    headers = {"Host": door.key.host, "Content-Length": str(60 * 1024 * 1024)}
    with connect(door.server.port) as connection:
        connection.sendall(head("POST", API + path, headers))
        reply = read_reply(connection, "POST")
    assert refusal(reply) == (403, "MissingAuthenticationToken")


def test_what_is_no_operation_is_refused(door: Door) -> None:
    for method, path in (("PATCH", "users"), ("GET", "nothing"), ("GET", "users/a/b"), ("GET", "users/")):
        assert refusal(ask(door, method, path)) == (400, "InvalidAction")


def test_the_root_account_stays_open(door: Door, server: RunningServer) -> None:
    assert refusal(ask(door, "POST", "accounts/root/deactivate")) == (409, "DeleteConflict")
    assert refusal(ask(door, "DELETE", "accounts/root")) == (409, "DeleteConflict")
    for action in ("deactivate", "rotate"):
        path = f"keys/{server.access_key}/{action}"
        assert refusal(ask(door, "POST", path)) == (400, "InvalidInput")


def test_an_account_that_cannot_have_its_key_is_not_made(door: Door, server: RunningServer) -> None:
    name = f"keyless-{next(_COUNTER)}"
    taken = ask_admin(server, "POST", "keys", {})[1]["access_key"]
    assert ask_admin(server, "POST", f"keys/{taken}/deactivate")[0] == 200
    for access_key in (taken, server.access_key):
        body = json.dumps({"name": name, "access_key": access_key, "secret_key": "x" * 20}).encode()
        assert refusal(ask(door, "POST", "accounts", body)) == (409, "EntityAlreadyExists")
    assert refusal(ask(door, "GET", f"accounts/{name}")) == (404, "NoSuchEntity")


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param({"access_key": "HALFAPAIR"}, id="no-secret"),
        pytest.param({"secret_key": "x" * 20}, id="no-id"),
        pytest.param({"access_key": "VKTSFORGED", "secret_key": "x" * 20}, id="like-a-session"),
        pytest.param({"access_key": "a/b", "secret_key": "x" * 20}, id="slash"),
        pytest.param({"access_key": "SHORT", "secret_key": "x"}, id="short-secret"),
        pytest.param({"access_key": "BREAK", "secret_key": "x" * 20 + "\n"}, id="line-break"),
    ],
)
def test_a_pair_that_cannot_be_is_refused_without_its_secret(door: Door, pair: Mapping[str, str]) -> None:
    reply = ask(door, "POST", "keys", json.dumps(pair).encode())
    assert refusal(reply) == (400, "ValidationError")
    assert b"xxx" not in reply.body


def test_a_head_tells_nothing(door: Door) -> None:
    target = f"{API}users?{canonical_query([])}".rstrip("?")
    assert (door.send("HEAD", target).status, door.send("HEAD", target).body) == (403, b"")
