"""Answers without a body say nothing of one: no type and, where HTTP has none, no length."""

from __future__ import annotations

import pytest
from tests.raw.door import Door
from tests.raw.form import upload
from tests.raw.wire import Reply

ABOUT_A_BODY = ("Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding")


def about_a_body(reply: Reply) -> dict[str, str]:
    return {name: value for name in ABOUT_A_BODY if (value := reply.header(name)) is not None}


def test_deletions_and_forms(door: Door) -> None:
    door.put("empty/a", b"content")
    replies = [
        door.presigned("DELETE", "empty/a"),
        door.presigned("DELETE", "empty/a"),
        upload(door, "empty/form"),
        door.signed("DELETE", f"/{door.bucket}", query=[("cors", "")]),
    ]
    for reply in replies:
        assert (reply.status, reply.body, about_a_body(reply)) == (204, b"", {})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_not_been_modified(door: Door, method: str) -> None:
    door.put("empty/kept", b"content", headers={"Content-Type": "text/plain", "Content-Encoding": "identity"})
    etag = door.presigned("HEAD", "empty/kept").header("ETag") or ""
    reply = door.presigned(method, "empty/kept", unsigned={"If-None-Match": etag})
    assert (reply.status, reply.body, reply.header("ETag")) == (304, b"", etag)
    assert about_a_body(reply) == {}


@pytest.mark.parametrize(
    ("name", "unsigned", "status"),
    [("empty/not-there", {}, 404), ("empty/kept", {"If-Match": '"other"'}, 412)],
    ids=["missing", "condition"],
)
def test_refusals_of_head(door: Door, name: str, unsigned: dict[str, str], status: int) -> None:
    door.put("empty/kept", b"content")
    reply = door.presigned("HEAD", name, unsigned=unsigned)
    assert (reply.status, reply.body) == (status, b"")


def test_an_upload_has_a_body_of_no_bytes(door: Door) -> None:
    reply = door.presigned("PUT", "empty/put", body=b"content")
    assert (reply.status, about_a_body(reply)) == (200, {"Content-Length": "0"})
