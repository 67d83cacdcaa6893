"""Each answer of the admin API is what its OpenAPI document says, and so is each request that it took."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import pytest
from tests.clients.admin import ask_admin
from tests.console.described import require_described
from tests.raw.door import Door
from tests.raw.wire import fetch

from valetkey import Signer
from valetkey.testing.server import RunningServer

_LONG_S: Final = 20.0
_LINES: Final = "application/x-ndjson"

DOCUMENT: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
}

PUBLIC: Final = {
    "Version": "2012-10-17",
    "Statement": {
        "Sid": "All",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
    },
}


def body_of(bucket: str) -> dict[str, object]:
    """Return the question whether an object may be read."""
    return {"actions": ["s3:GetObject"], "resources": [f"arn:aws:s3:::{bucket}/k"]}


class Asker:
    """Asks, and compares what is asked and answered with the document that the server itself hands out."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self.document: Any = json.loads(fetch(f"{server.endpoint}/-/api/v1/openapi.json").body)
        self.asked: set[str] = set()

    def __call__(self, method: str, target: str, body: object = None, *, status: int = 200) -> Any:
        path, _, query = target.partition("?")
        operation = self._operation(method, path)
        known = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
        for name, value in parse_qsl(query):
            require_described(value, known[name]["schema"], self.document)
        if body is not None:
            self._require(body, operation["requestBody"])
        answered, value = ask_admin(self._server, method, target, body)
        assert answered == status, value
        responses = operation["responses"]
        self._require(value, responses["200"] if status == 200 else responses["default"])
        self.asked.add(operation["operationId"])
        return value

    def lines(self, path: str, objects: Sequence[object]) -> list[Any]:
        """Ask with an object a line, and return what each line of the answer says."""
        operation = self._operation("POST", path)
        server, body = self._server, b"\n".join(json.dumps(each).encode() for each in objects)
        signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
        url = f"{server.endpoint}/-/api/v1/{path}"
        reply = fetch(url, "POST", headers=signer.sign_headers("POST", url, {}, body=body), body=body)
        assert (reply.status, reply.header("content-type")) == (200, _LINES)
        answers = [json.loads(line) for line in reply.body.splitlines()]
        for answer in answers:
            schema = operation["responses"]["200"]["content"][_LINES]["schema"]
            require_described(answer, schema, self.document)
        self.asked.add(operation["operationId"])
        return answers

    def _operation(self, method: str, path: str) -> Any:
        for template, item in self.document["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if method.lower() in item and re.fullmatch(pattern, f"/{path}"):
                return item[method.lower()]
        raise AssertionError(f"{method} {path} is not described.")

    def _require(self, value: object, holder: Any) -> None:
        require_described(value, holder["content"]["application/json"]["schema"], self.document)


@pytest.fixture
def ask(server: RunningServer) -> Iterator[Asker]:
    asker = Asker(server)
    yield asker
    for account in ("described", "d" * 64):
        ask_admin(server, "DELETE", f"accounts/{account}")


def accounts_and_users(ask: Asker) -> None:
    ask("POST", "accounts", {"name": "described", "email": "d@x.example"})
    given = {
        "name": "Given, M. D.",
        "id": "d" * 64,
        "access_key": "GIVENKEY1",
        "secret_key": "a given secret",
    }
    assert given.items() <= ask("POST", "accounts", given).items()
    assert ask("GET", "accounts/described")["email"] == "d@x.example"
    first = ask("GET", "accounts?limit=1")
    assert (
        first["accounts"] + ask("GET", f"accounts?after={quote(first['next'])}")["accounts"]
        == ask("GET", "accounts")["accounts"]
    )
    assert not ask("POST", "accounts/Given,%20M.%20D./deactivate")["active"]
    assert ask("POST", f"accounts/{'d' * 64}/activate")["active"]
    ask("POST", f"accounts/{'d' * 64}/revoke-sessions")
    ask("POST", "users?account=described", {"name": "u", "path": "/deep/"})
    ask("POST", "users?account=described", {"name": "v"})
    assert len(ask("GET", "users?account=described&path_prefix=/deep/")["users"]) == 1
    ask("POST", "users/u/revoke-sessions?account=described")


def keys(ask: Asker) -> None:
    made = ask("POST", "keys?account=described", {"user": "u"})["access_key"]
    following = ask("POST", f"keys/{made}/rotate?account=described")
    assert following["replaces"] == made
    assert not ask("POST", f"keys/{made}/deactivate?account=described")["active"]
    assert ask("POST", f"keys/{made}/activate?account=described")["active"]
    page = ask("GET", "keys?account=described&user=u&limit=1")
    assert page["next"] == page["keys"][0]["access_key"]
    assert len(ask("GET", "keys?account=described&user=u")["keys"]) == 2
    for key in (made, following["access_key"]):
        ask("DELETE", f"keys/{key}?account=described")


def policies(ask: Asker) -> None:
    in_account = "account=described"
    assert ask("PUT", f"policies/p?{in_account}", {"document": DOCUMENT})["version"] == "v1"
    for number in range(2, 8):
        put = ask("PUT", f"policies/p?{in_account}", {"document": json.dumps(DOCUMENT)})
        assert put["version"] == f"v{number}"
    ask("PUT", f"policies/own?{in_account}&user=u", {"document": DOCUMENT})
    assert ask("GET", f"policies/p?{in_account}")["document"] == DOCUMENT
    assert ask("GET", f"policies/own?{in_account}&user=u")["document"] == DOCUMENT
    assert ask("GET", f"policies/ReadOnlyAccess?{in_account}")["provided"]
    ask("GET", f"policies?{in_account}&limit=2")
    assert ask("GET", f"policies?{in_account}&user=u")["policies"] == [{"name": "own", "user": "u"}]
    ask("POST", f"policies/p/attach?{in_account}&user=u")
    shown = ask("GET", f"users/u?{in_account}")
    assert (shown["policies"], len(shown["attached"])) == (["own"], 1)
    (result,) = ask("POST", f"simulate?{in_account}", {"user": "u", **body_of("b")})["results"]
    assert result["statement"]["policy"] in ("user/u/own", shown["attached"][0])
    supposed = {"principal": "*", "bucket_policy": PUBLIC, "context": {"aws:SourceIp": ["::1"]}}
    (result,) = ask("POST", f"simulate?{in_account}", {**body_of("b"), **supposed})["results"]
    assert (result["allowed"], result["statement"]["sid"]) == (True, "All")
    ask("DELETE", f"policies/p?{in_account}", status=409)
    ask("POST", f"policies/p/detach?{in_account}&user=u")
    ask("DELETE", f"policies/p?{in_account}")
    ask("DELETE", f"policies/own?{in_account}&user=u")


def attempts(ask: Asker, door: Door) -> None:
    beginning = ask("GET", "history/new")["next"]
    assert door.presigned("GET", "described").status == 404
    of_bucket = f"bucket={door.bucket}&prefix=described"
    deadline = time.monotonic() + _LONG_S
    while not (news := ask("GET", f"history/new?after={beginning}&{of_bucket}&refused=true")["attempts"]):
        assert time.monotonic() < deadline
    shown = ask("GET", f"history?limit=1&status=404&since=2026-01-01T00:00Z&{of_bucket}")["attempts"]
    assert shown == news


def links(ask: Asker, door: Door) -> None:
    place = {"operations": ["GET"], "bucket": door.bucket}
    one = ask("POST", "links", {**place, "key": "described", "max_uses": 2, "tags": {"a": "b"}})
    assert fetch(one["url"]).status == 404
    assert ask("POST", f"links/{one['id']}", {"max_uses": None, "label": "described"})["max_uses"] is None
    shown = ask("GET", f"links/{one['id']}")
    assert (shown["label"], shown["issuer"]["user"]) == ("described", None)
    assert [each["id"] for each in ask("GET", "links?label=described")["links"]] == [one["id"]]
    for action, state in (("pause", "paused"), ("resume", "active"), ("revoke", "revoked")):
        assert ask("POST", f"links/{one['id']}/{action}")["state"] == state
    short = ask("POST", f"links/{one['id']}/addresses", {"name": "described.short"})
    assert ask("GET", f"links/{one['id']}/addresses")["addresses"] == [short]
    assert ask("POST", f"addresses/{short['id']}", {"paused": True})["paused"]
    ask("DELETE", f"addresses/{short['id']}")
    other = ask("POST", "links", {**place, "operations": "PUT", "prefix": "in/", "label": "other"})
    for action in ("pause", "resume", "revoke"):
        assert ask("POST", f"links/{action}", {"label": "other", "bucket": door.bucket}) == {"count": 1}
    ask("POST", "links/revoke", {}, status=400)
    lines = [{**place, "key": "described"}, {**place, "kee": "described"}]
    made, refused = ask.lines("links/bulk", lines)
    assert refused["error"]["code"] == "ValidationError"
    ask("GET", "webhooks", status=404)
    for link in (one, other, made):
        ask("DELETE", f"links/{link['id']}")


def revocations(ask: Asker, door: Door) -> None:
    url = f"{door.server.endpoint}{door.key.presign('GET', door.path('described'))}"
    assert ask("POST", "revocations", {"url": url}) == {"access_key": door.key.access_key}
    link = ask("POST", "links", {"operations": "GET", "bucket": door.bucket, "key": "described"})
    assert ask("POST", "revocations", {"url": link["url"]}) == {"link": link["id"]}
    made = ask(
        "POST", "revocations", {"bucket": door.bucket, "prefix": "old/", "before": "2026-01-01T00:00:00Z"}
    )
    assert made in ask("GET", "revocations")["revocations"]
    ask("DELETE", f"revocations/{made['id']}")


def explanations(ask: Asker, door: Door) -> None:
    url = f"{door.server.endpoint}{door.key.presign('GET', door.path('described'))}&a=b"
    assert fetch(url).status == 403
    last = ask("GET", "refusals?limit=1")["refusals"][0]
    assert ask("GET", f"refusals/{last['request_id']}")["refusal"] == last
    more = {"method": "GET", "headers": ["Accept: */*"], "hosts": ["example.com"], "body_sha256": "0" * 64}
    found = ask("POST", "explain", {"text": url, **more})["explanation"]["findings"]
    assert found[0]["cause"] == "extra-parameter"
    ask("GET", "refusals/0", status=404)


def ends(ask: Asker) -> None:
    ask("DELETE", "accounts/described", status=409)
    for user in ("u", "v"):
        ask("DELETE", f"users/{user}?account=described")
    ask("GET", "users/u?account=described", status=404)
    ask("DELETE", "accounts/described")
    ask("DELETE", f"accounts/{'d' * 64}")


def test_all_that_is_asked_and_answered_is_described(ask: Asker, door: Door) -> None:
    for part in (accounts_and_users, keys, policies, ends):
        part(ask)
    for part_of_links in (attempts, links, revocations, explanations):
        part_of_links(ask, door)
    described = {each["operationId"] for item in ask.document["paths"].values() for each in item.values()}
    assert ask.asked == described
