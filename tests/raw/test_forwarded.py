"""What a trusted proxy tells decides, on a live server; what anybody else tells does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from tests.raw.door import Door, open_door
from tests.raw.wire import Reply, exchange

from valetkey.testing.server import running_server

PROXY = "127.0.0.2"
STRANGER = "127.0.0.1"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server that trusts one loopback address; a bucket whose objects all may read that come from a network."""
    options = (
        "--trusted-proxy", PROXY, "--domain", "s3.example.com",
        "--public-url", "https://example.com/store", "--public-url", "https://files.example.com",
    )  # fmt: skip
    with running_server(tmp_path_factory.mktemp("forwarded") / "data", options=options) as server:
        door = open_door(server, "forwarded")
        door.put("secret", b"content")
        door.put("near", b"content")
        door.put("tls", b"content")
        conditions = {
            "near": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
            "tls": {"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        }
        statements = [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::forwarded/{name}",
                "Condition": condition,
            }
            for name, condition in conditions.items()
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
        door.signed("DELETE", "/forwarded", query=[("publicAccessBlock", "")])
        reply = door.signed("PUT", "/forwarded", query=[("policy", "")], body=policy)
        assert reply.status == 204, reply.body
        yield door


def get(
    door: Door, target: str, headers: Mapping[str, str], *, source: str = PROXY, host: str | None = None
) -> Reply:
    return exchange(door.server.port, "GET", target, headers=headers, source=source, host=host)


def test_the_address_that_a_trusted_proxy_tells_is_that_of_policies(door: Door) -> None:
    path = door.path("near")
    assert get(door, path, {"X-Forwarded-For": "203.0.113.7"}).body == b"content"
    assert get(door, path, {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}).status == 403
    assert get(door, path, {"X-Forwarded-For": "203.0.113.7, what"}).status == 403
    assert get(door, path, {}).status == 403


def test_a_client_forges_neither_address_nor_scheme(door: Door) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=203.0.113.7;proto=https",
        "X-Real-IP": "203.0.113.7",
    }
    assert get(door, door.path("near"), forged, source=STRANGER).status == 403
    assert get(door, door.path("tls"), forged, source=STRANGER).status == 403
    # Nor does it through the proxy, which puts the address that it saw behind.
    forged["X-Forwarded-For"] += ", 198.51.100.1"
    assert get(door, door.path("near"), forged).status == 403


def test_tls_that_ended_at_the_proxy_is_tls(door: Door) -> None:
    told = {"X-Forwarded-For": "203.0.113.7"}
    assert get(door, door.path("tls"), told).status == 403
    assert get(door, door.path("tls"), told | {"X-Forwarded-Proto": "http"}).status == 403
    assert get(door, door.path("tls"), told | {"X-Forwarded-Proto": "https"}).body == b"content"


def test_the_host_that_a_trusted_proxy_tells_may_be_the_signed_one(door: Door) -> None:
    key = replace(door.key, host="cdn.example.net:8443")
    target = key.presign("GET", door.path("secret"))
    told = {"X-Forwarded-Host": "cdn.example.net:8443"}
    assert get(door, target, told).body == b"content"
    assert (
        get(door, target, {"X-Forwarded-Host": "cdn.example.net", "X-Forwarded-Port": "8443"}).status == 200
    )
    assert get(door, target, {"X-Forwarded-Host": "cdn.example.net"}).status == 403
    assert get(door, target, told, source=STRANGER).status == 403
    # Neither was it remembered.
    assert get(door, target, {}).status == 403


def test_the_host_received_and_the_public_ones_count_beside_it(door: Door) -> None:
    told = {"X-Forwarded-Host": "cdn.example.net"}
    assert get(door, door.key.presign("GET", door.path("secret")), told).status == 200
    public = replace(door.key, host="files.example.com").presign("GET", door.path("secret"))
    assert get(door, public, told).status == 200


def test_a_public_host_with_a_prefix_is_never_one_without(door: Door) -> None:
    told = {"X-Forwarded-Host": "example.com"}
    key = replace(door.key, host="example.com")
    assert get(door, key.presign("GET", door.path("secret")), told).status == 403
    prefixed = key.presign("GET", "/store" + door.path("secret"))
    assert get(door, prefixed.removeprefix("/store"), told).status == 200


def test_a_bucket_in_the_forwarded_host_is_the_bucket(door: Door) -> None:
    key = replace(door.key, host="forwarded.s3.example.com")
    told = {"X-Forwarded-Host": "forwarded.s3.example.com"}
    assert get(door, key.presign("GET", "/secret"), told, host="internal:9000").body == b"content"
    assert (
        get(door, key.presign_v2("GET", "/forwarded/secret").removeprefix("/forwarded"), told).status == 200
    )
    assert get(door, key.presign("GET", "/secret"), told, source=STRANGER).status == 403


def test_a_link_into_one_bucket_opens_none_of_another(door: Door) -> None:
    """Signed for key `forwarded/secret` of another bucket, in its Host: not for `secret` of `forwarded`."""
    key = replace(door.key, host="other.s3.example.com")
    target = key.presign("GET", "/forwarded/secret")
    for hosts in ("s3.example.com, other.s3.example.com", "other.s3.example.com, s3.example.com"):
        assert get(door, target, {"X-Forwarded-Host": hosts}, host="internal:9000").status in (403, 404)
    # Nor the other way round: signed for a path, sent with a Host that names a bucket.
    path_style = replace(door.key, host="internal:9000").presign("GET", "/other/secret")
    told = {"X-Forwarded-Host": "forwarded.s3.example.com"}
    assert get(door, path_style.replace("/other", "", 1), told, host="internal:9000").status == 403
    assert get(door, path_style, told, host="internal:9000").status == 403


def test_the_log_tells_the_client_and_not_the_proxy(door: Door) -> None:
    get(door, "/forwarded/logged", {"X-Forwarded-For": "203.0.113.99"})
    get(door, "/forwarded/logged", {"X-Forwarded-For": "203.0.113.98"}, source=STRANGER)
    assert door.server.stop() == 0
    lines = [json.loads(line) for line in door.server.log.read_text("utf-8").splitlines() if line[:1] == "{"]
    assert [line["remote"] for line in lines if line["target"] == "/forwarded/logged"] == [
        "203.0.113.99",
        STRANGER,
    ]
