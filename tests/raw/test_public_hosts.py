"""Behind a proxy: signatures for the endpoints that clients know, beside the Host as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.raw.door import Door, open_door

from valetkey.testing.server import running_server


@pytest.fixture(scope="module")
def proxied_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    options = ("--public-url", "https://files.example.com", "--public-url", "https://example.com:8443/s3")
    with running_server(tmp_path_factory.mktemp("proxied") / "data", options=options) as server:
        door = open_door(server, "proxied")
        door.put("folder/a b", b"content")
        yield door


def test_a_url_for_a_public_endpoint_opens_behind_the_proxy(proxied_door: Door) -> None:
    key = replace(proxied_door.key, host="files.example.com")
    target = key.presign("GET", proxied_door.path("folder/a b"))
    assert proxied_door.send("GET", target).body == b"content"


def test_a_path_prefix_that_the_proxy_takes_away_is_signed(proxied_door: Door) -> None:
    key = replace(proxied_door.key, host="example.com:8443")
    signed = key.presign("GET", "/s3" + proxied_door.path("folder/a b"))
    assert proxied_door.send("GET", signed.removeprefix("/s3")).body == b"content"
    bare = key.presign("GET", proxied_door.path("folder/a b"))
    assert proxied_door.send("GET", bare).refusal == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("host", ["example.com", "files.example.com:8443", "other.example.com", "localhost"])
def test_another_host_is_refused(proxied_door: Door, host: str) -> None:
    key = replace(proxied_door.key, host=host)
    target = key.presign("GET", proxied_door.path("folder/a b"))
    assert proxied_door.send("GET", target).refusal == (403, "SignatureDoesNotMatch")


def test_the_host_as_it_arrives_still_counts(proxied_door: Door) -> None:
    assert proxied_door.content("folder/a b") == b"content"
