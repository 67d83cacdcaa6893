"""A link's webhook is told what happens to it: signed, tried again, and only where it may go."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.admin import ask_admin
from tests.clients.receiver import Message, Receiver, running_receiver
from tests.raw.door import Door, open_door
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer, running_server


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def environment_of(receiver: Receiver) -> dict[str, str]:
    return {
        "VALETKEY_WEBHOOK_HOSTS": f"http://127.0.0.1:{receiver.port}",
        "VALETKEY_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "VALETKEY_WEBHOOK_REFUSALS": "3",
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("webhooks") / "data"
    with running_server(folder, workers=2, environment=environment_of(receiver)) as server:
        yield open_door(server, "hooked")


def make_link(server: RunningServer, operation: str, key: str, webhook: str, **more: Any) -> dict[str, Any]:
    grant = {"operations": [operation], "bucket": "hooked", "key": key, "webhook": webhook, **more}
    status, link = ask_admin(server, "POST", "links", grant)
    assert status == 200, link
    made: dict[str, Any] = link
    return made


def require_signed(server: RunningServer, message: Message) -> None:
    """Check the signature as the documentation says, with the secret that the admin API shows."""
    status, webhooks = ask_admin(server, "GET", "webhooks")
    assert status == 200, webhooks
    parts = dict(part.split("=", 1) for part in message.headers["Valetkey-Signature"].split(","))
    signed = parts["t"].encode() + b"." + message.body
    expected = hmac.new(webhooks["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert abs(int(parts["t"]) - time.time()) < 120


def test_the_first_use_and_the_last_are_told(told: Door, receiver: Receiver) -> None:
    told.put("download", b"content")
    link = make_link(told.server, "GET", "download", receiver.url("/uses?x=y"), max_uses=2, label="for Ann")
    assert link["webhook"] == receiver.url("/uses?x=y")
    for agent in ("one", "two"):
        assert fetch(link["url"], headers={"User-Agent": agent}).status == 200
    messages = receiver.wait(2, path="/uses?x=y")
    first, last = sorted((one.told for one in messages), key=lambda one: str(one["event"]))
    assert first["event"] == "link.first_use"
    assert last["event"] == "link.used_up"
    for message in messages:
        require_signed(told.server, message)
        assert message.headers["Host"] == f"127.0.0.1:{receiver.port}"
        assert message.headers["Content-Type"] == "application/json"
        assert message.told["link"] == link["id"]
        assert message.told["label"] == "for Ann"
        assert (message.told["bucket"], message.told["key"]) == ("hooked", "download")
        assert message.told["bytes_sent"] == 7
        assert b"Signature" not in message.body


def test_each_upload_is_told(told: Door, receiver: Receiver) -> None:
    link = make_link(told.server, "PUT", "upload", receiver.url("/uploads"))
    for content in (b"one", b"second"):
        assert fetch(link["url"], "PUT", body=content).status == 200
    messages = receiver.wait(3, path="/uploads")
    sizes = [one.told["bytes_received"] for one in messages if one.told["event"] == "link.upload_finished"]
    assert sorted(sizes) == [3, 6]
    assert [one.told["event"] for one in messages].count("link.first_use") == 1


def test_many_refusals_are_told_once(told: Door, receiver: Receiver) -> None:
    link = make_link(told.server, "GET", "download", receiver.url("/refused"), addresses=["192.0.2.0/24"])
    for _ in range(12):
        assert fetch(link["url"]).refusal == (403, "AddressNotAllowed")
    (message,) = receiver.wait(1, path="/refused")
    assert message.told["event"] == "link.refused"
    assert message.told["error_code"] == "AddressNotAllowed"
    assert message.told["refusals"] > 3


def test_what_fails_is_tried_again_with_the_same_body(told: Door, receiver: Receiver) -> None:
    receiver.answers += [503]
    link = make_link(told.server, "PUT", "again", receiver.url("/again"))
    assert fetch(link["url"], "PUT", body=b"x").status == 200
    first, *_, last = receiver.wait(3, path="/again")
    assert first.body in {one.body for one in receiver.wait(3, path="/again")[1:]}
    require_signed(told.server, last)


def test_no_redirect_is_followed(told: Door, receiver: Receiver) -> None:
    receiver.answers += [302, 302]
    receiver.location = receiver.url("/elsewhere")
    link = make_link(told.server, "PUT", "moved", receiver.url("/moved"))
    assert fetch(link["url"], "PUT", body=b"x").status == 200
    receiver.wait(4, path="/moved")
    assert [one for one in receiver.messages if one.path == "/elsewhere"] == []


def test_a_link_without_a_webhook_is_not_told(told: Door, receiver: Receiver) -> None:
    grant = {"operations": ["GET"], "bucket": "hooked", "key": "silent"}
    told.put("silent", b"x")
    _, link = ask_admin(told.server, "POST", "links", grant)
    assert fetch(link["url"]).status == 200
    loud = make_link(told.server, "GET", "silent", receiver.url("/loud"))
    assert fetch(loud["url"]).status == 200
    receiver.wait(1, path="/loud")
    assert link["id"] not in {one.told["link"] for one in receiver.messages}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://example.com/", "http://localhost/", "file:///etc/passwd", "x"]
)
def test_a_host_that_is_not_allowed_is_refused_when_the_link_is_made(told: Door, url: str) -> None:
    grant = {"operations": ["GET"], "bucket": "hooked", "key": "x", "webhook": url}
    status, answer = ask_admin(told.server, "POST", "links", grant)
    assert (status, answer["error"]["code"]) == (400, "ValidationError")


def test_a_webhook_can_be_added_and_taken_away(told: Door, receiver: Receiver) -> None:
    link = make_link(told.server, "GET", "download", receiver.url("/altered"))
    status, altered = ask_admin(told.server, "POST", f"links/{link['id']}", {"webhook": None})
    assert (status, altered["webhook"]) == (200, None)
    status, _ = ask_admin(told.server, "POST", f"links/{link['id']}", {"webhook": "https://evil.example/"})
    assert status == 400


def test_only_the_accounts_root_learns_the_secret(told: Door) -> None:
    ask_admin(told.server, "POST", "users", {"name": "curious"})
    _, key = ask_admin(told.server, "POST", "keys", {"user": "curious"})
    pair = (key["access_key"], key["secret_key"])
    status, answer = ask_admin(told.server, "GET", "webhooks", key=pair)
    assert (status, answer["error"]["code"]) == (403, "AccessDenied")
    _, own = ask_admin(told.server, "GET", "webhooks")
    ask_admin(told.server, "POST", "accounts", {"name": "another"})
    _, other = ask_admin(told.server, "GET", "webhooks?account=another")
    assert len(own["secret"]) == 64
    assert own["secret"] != other["secret"]


def test_loopback_is_refused_unless_a_setting_allows_it(tmp_path: Path, receiver: Receiver) -> None:
    environment = environment_of(receiver)
    del environment["VALETKEY_WEBHOOK_NETWORKS"]
    with running_server(tmp_path / "data", environment=environment) as server:
        door = open_door(server, "hooked")
        link = make_link(server, "PUT", "upload", receiver.url("/private"))
        assert fetch(link["url"], "PUT", body=b"x").status == 200
        assert server.stop() == 0
    assert [one for one in receiver.messages if one.path == "/private"] == []
    # It was kept, and is told once it may be: a restart goes on with what waits.
    with running_server(tmp_path / "data", environment=environment_of(receiver)):
        messages = receiver.wait(2, path="/private")
    assert {one.told["event"] for one in messages} == {"link.first_use", "link.upload_finished"}
    assert door.bucket == "hooked"


def test_without_allowed_hosts_there_are_no_webhooks(server: RunningServer) -> None:
    open_door(server, "hooked")
    status, answer = ask_admin(server, "GET", "webhooks")
    assert (status, answer["error"]["code"]) == (404, "NoSuchEntity")
    grant = {"operations": ["GET"], "bucket": "hooked", "key": "x", "webhook": "https://example.com/"}
    assert ask_admin(server, "POST", "links", grant)[0] == 400
