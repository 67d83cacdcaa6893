"""What the server's owner forbids whoever signs: kinds of signatures, their age, addresses, too many refusals."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import boto3
import pytest
from tests.raw.door import Door
from tests.raw.form import signed_v2, upload
from tests.raw.signing import key_of, now
from tests.raw.wire import exchange, fetch

from valetkey.testing.server import RunningServer, running_server

Start = Callable[[Mapping[str, str]], RunningServer]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts servers with settings, which end with the module."""
    with ExitStack() as servers:

        def run(settings: Mapping[str, str]) -> RunningServer:
            folder: Path = tmp_path_factory.mktemp("guarded")
            return servers.enter_context(running_server(folder / "data", environment=settings))

        yield run


def door_to(server: RunningServer) -> Door:
    """A bucket that was created by a header's signature, with an object in it."""
    door = Door(server=server, key=key_of(server), bucket="guarded")
    assert door.signed("PUT", "/guarded").status == 200
    assert door.signed("PUT", "/guarded/a", body=b"content").status == 200
    return door


def v2_header(door: Door, path: str) -> dict[str, str]:
    date = format_datetime(now(), usegmt=True)
    text = f"GET\n\n\n{date}\n{path}"
    digest = hmac.digest(door.key.secret_key.encode(), text.encode(), "sha1")
    signature = base64.b64encode(digest).decode()
    return {"Date": date, "Authorization": f"AWS {door.key.access_key}:{signature}"}


def test_presigned_urls_and_forms_can_be_turned_off(start: Start) -> None:
    door = door_to(start({"VALETKEY_PRESIGNED_URLS": "false"}))
    reply = door.presigned("GET", "a")
    assert reply.refusal == (403, "AccessDenied")
    assert "turned off" in reply.fault.message
    assert door.send("GET", door.key.presign_v2("GET", "/guarded/a")).refusal == (403, "AccessDenied")
    assert upload(door, "form").refusal == (403, "AccessDenied")
    assert door.signed("GET", "/guarded/a").body == b"content"
    # Nobody learns of it whose signature is wrong.
    altered = door.key.presign("GET", "/guarded/a")[:-4] + "0000"
    assert door.send("GET", altered).refusal == (403, "SignatureDoesNotMatch")
    sts = boto3.client(
        "sts",
        endpoint_url=door.server.endpoint,
        region_name=door.server.region,
        aws_access_key_id=door.server.access_key,
        aws_secret_access_key=door.server.secret_key,
    )
    assert sts.get_caller_identity()["Account"]
    assert fetch(sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")).status == 403
    sts.close()


def test_sigv2_can_be_turned_off(start: Start) -> None:
    server = start({"VALETKEY_SIGV2": "false"})
    door = door_to(server)
    assert door.send("GET", door.key.presign_v2("GET", "/guarded/a")).refusal == (403, "AccessDenied")
    assert door.send("GET", "/guarded/a", headers=v2_header(door, "/guarded/a")).refusal == (
        403,
        "AccessDenied",
    )
    assert upload(door, "form", sign=signed_v2).refusal == (403, "AccessDenied")
    assert door.presigned("GET", "a").body == b"content"
    assert upload(door, "form").status == 204


def test_sigv2_is_taken_otherwise(door: Door) -> None:
    door.put("guards-v2-header", b"content")
    path = door.path("guards-v2-header")
    assert door.send("GET", path, headers=v2_header(door, path)).body == b"content"


def test_an_old_signature_is_refused_however_long_it_lasts(start: Start) -> None:
    door = door_to(start({"VALETKEY_LARGEST_SIGNATURE_AGE_S": "600"}))
    young = door.key.presign("GET", "/guarded/a", at=now() - timedelta(seconds=540), expires="604800")
    old = door.key.presign("GET", "/guarded/a", at=now() - timedelta(seconds=660), expires="604800")
    assert door.send("GET", young).body == b"content"
    reply = door.send("GET", old)
    assert reply.refusal == (403, "AccessDenied")
    assert "600 seconds" in reply.fault.message
    assert door.send("GET", door.key.presign_v2("GET", "/guarded/a")).refusal == (403, "AccessDenied")
    assert upload(door, "form").status == 204
    assert upload(door, "form", sign=signed_v2).refusal == (403, "AccessDenied")


def test_a_signature_grows_too_old_while_it_is_remembered(start: Start) -> None:
    door = door_to(start({"VALETKEY_LARGEST_SIGNATURE_AGE_S": "600"}))
    target = door.key.presign("GET", "/guarded/a", at=now() - timedelta(seconds=597), expires="604800")
    statuses = {door.send("GET", target).status}
    deadline = time.monotonic() + 60
    while 403 not in statuses:
        assert time.monotonic() < deadline
        statuses.add(door.send("GET", target).status)
    assert statuses <= {200, 403}


def test_only_allowed_addresses_are_heard(start: Start) -> None:
    server = start({"VALETKEY_ALLOWED_NETWORKS": "127.0.0.1, 2001:db8::/32"})
    door = door_to(server)
    target = door.key.presign("GET", "/guarded/a")
    assert door.send("GET", target).body == b"content"
    for method, path in (
        ("GET", target),
        ("GET", "/"),
        ("GET", "/-/api/v1/users"),
        ("GET", "/-/metrics"),
        ("OPTIONS", "/guarded/a"),
    ):
        reply = exchange(server.port, method, path, source="127.0.0.2")
        assert reply.refusal == (403, "AccessDenied"), path
    assert exchange(server.port, "GET", "/-/health", source="127.0.0.2").status == 200


def test_a_proxy_that_is_trusted_cannot_be_used_to_get_around_it(start: Start) -> None:
    settings = {
        "VALETKEY_ALLOWED_NETWORKS": "127.0.0.1 203.0.113.0/24",
        "VALETKEY_TRUSTED_PROXIES": "127.0.0.2",
    }
    server = start(settings)
    target = door_to(server).key.presign("GET", "/guarded/a")

    def status(told: str, *, source: str) -> int:
        return exchange(server.port, "GET", target, headers={"X-Forwarded-For": told}, source=source).status

    assert status("203.0.113.7", source="127.0.0.2") == 200
    assert status("203.0.113.7, 198.51.100.1", source="127.0.0.2") == 403
    assert status("203.0.113.7, nobody", source="127.0.0.2") == 403
    assert status("203.0.113.7", source="127.0.0.3") == 403


def test_whoever_is_refused_too_often_has_to_wait(start: Start) -> None:
    server = start({"VALETKEY_REFUSALS_PER_MINUTE": "3"})
    door = door_to(server)
    altered = door.key.presign("GET", "/guarded/a")[:-4] + "0000"
    statuses = [door.send("GET", altered).status for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
    reply = door.presigned("PUT", "b", body=b"never read")
    assert reply.refusal == (429, "SlowDown")
    assert 1 <= int(reply.header("retry-after") or "") <= 20
    assert door.send("HEAD", altered).status == 429
    # Others are served.
    right = door.key.presign("GET", "/guarded/a")
    assert exchange(server.port, "GET", right, source="127.0.0.2").body == b"content"
    assert exchange(server.port, "GET", "/-/health").status == 200


def test_a_page_of_another_origin_learns_that_it_has_to_wait(start: Start) -> None:
    server = start({"VALETKEY_REFUSALS_PER_MINUTE": "1"})
    door = door_to(server)
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    refused = door.send("GET", door.path("a"), headers=asked)
    waiting = door.send("GET", door.path("a"), headers=asked)
    assert (refused.status, waiting.status) == (403, 429)
    for reply in (refused, waiting):
        assert reply.header("Access-Control-Allow-Origin") == "*"
        assert reply.header("Access-Control-Expose-Headers") == "*"
    # Else its browser would not send what is then answered so.
    assert door.send("OPTIONS", door.path("a"), headers=asked).status == 200
    assert door.send("GET", "/-/links", headers=asked).header("Access-Control-Allow-Origin") is None
