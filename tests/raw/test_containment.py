"""Answers on presigned URLs keep URL and content from spreading; other answers, and Amazon's, do not speak of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.raw.door import Door, open_door
from tests.raw.wire import Reply

from valetkey.testing.server import running_server

NAMES = ("referrer-policy", "x-content-type-options", "content-security-policy", "cache-control")
ACTIVE = [
    "text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml",
    "application/xml", "application/rss+xml", "multipart/x-mixed-replace; boundary=x", "text/plain, text/html",
    "text/javascript",
]  # fmt: skip
PASSIVE = [
    "text/plain",
    "image/png",
    "application/pdf",
    "video/mp4",
    "application/json",
    "binary/octet-stream",
]


def told(reply: Reply) -> dict[str, str]:
    return {name: value for name in NAMES if (value := reply.header(name)) is not None}


@pytest.mark.parametrize("content_type", ACTIVE)
def test_active_content_runs_nothing(door: Door, content_type: str) -> None:
    door.put("active", b"<script>", headers={"Content-Type": content_type})
    reply = door.presigned("GET", "active")
    assert reply.header("content-type") == content_type
    policy = reply.header("content-security-policy") or ""
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script" not in policy
    assert "allow" not in policy


@pytest.mark.parametrize("content_type", PASSIVE)
def test_passive_content_is_left_as_it_is(door: Door, content_type: str) -> None:
    door.put("passive", b"content", headers={"Content-Type": content_type})
    for method in ("GET", "HEAD"):
        assert told(door.presigned(method, "passive")) == {
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "cache-control": "private",
        }


def test_the_type_that_the_url_gives_counts(door: Door) -> None:
    door.put("typed", b"content", headers={"Content-Type": "text/plain"})
    reply = door.presigned("GET", "typed", query=[("response-content-type", "text/html")])
    assert reply.header("content-security-policy")
    door.put("typed", b"content", headers={"Content-Type": "text/html"})
    reply = door.presigned("GET", "typed", query=[("response-content-type", "text/plain")])
    assert reply.header("content-security-policy") is None


def test_whoever_issued_the_url_says_what_caches_may_do(door: Door) -> None:
    door.put("cached", b"content", headers={"Cache-Control": "public, max-age=60"})
    assert door.presigned("GET", "cached").header("cache-control") == "public, max-age=60"
    query = [("response-cache-control", "no-store")]
    assert door.presigned("GET", "cached", query=query).header("cache-control") == "no-store"
    door.put("cached", b"content")
    assert door.presigned("GET", "cached", query=query).header("cache-control") == "no-store"


def test_a_part_is_as_private_and_what_is_not_modified_stays_so(door: Door) -> None:
    door.put("part", b"content")
    part = door.presigned("GET", "part", unsigned={"Range": "bytes=0-1"})
    assert (part.status, part.header("cache-control")) == (206, "private")
    unchanged = door.presigned("GET", "part", unsigned={"If-None-Match": part.header("etag") or ""})
    assert (unchanged.status, unchanged.header("cache-control")) == (304, None)


def test_a_refusal_after_the_signature_is_contained_too(door: Door) -> None:
    reply = door.presigned("GET", "nothing-here")
    assert reply.refusal == (404, "NoSuchKey")
    assert reply.header("referrer-policy") == "no-referrer"
    assert (reply.header("content-security-policy") or "").startswith("sandbox")
    assert reply.header("cache-control") is None


def test_a_link_by_sigv2_is_one(door: Door) -> None:
    door.put("v2", b"content")
    assert told(door.send("GET", door.key.presign_v2("GET", door.path("v2"))))["cache-control"] == "private"


def test_a_request_that_signs_in_its_headers_is_no_link(door: Door) -> None:
    door.put("page", b"content", headers={"Content-Type": "text/html"})
    assert told(door.signed("GET", door.path("page"))) == {}


def test_amazon_does_none_of_it_and_neither_does_strict(strict_door: Door) -> None:
    strict_door.put("page", b"content", headers={"Content-Type": "text/html"})
    assert told(strict_door.presigned("GET", "page")) == {}


@pytest.fixture(scope="module")
def uncontained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    environment = {"VALETKEY_CONTAIN_LINKS": "false"}
    with running_server(tmp_path_factory.mktemp("uncontained") / "data", environment=environment) as server:
        yield open_door(server, "uncontained")


def test_it_can_be_turned_off(uncontained: Door) -> None:
    uncontained.put("page", b"content", headers={"Content-Type": "text/html"})
    assert told(uncontained.presigned("GET", "page")) == {}
