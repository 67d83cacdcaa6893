"""What this store does not do, it says: never a quiet success, never an object by mistake."""

from __future__ import annotations

import pytest
from tests.raw.door import Door
from tests.raw.signing import encode


def send(
    door: Door, method: str, path: str, sub_resource: str, *, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    query = [(sub_resource, "")] if sub_resource else []
    target = door.key.presign(method, path, query=query, headers=headers)
    return door.send(
        method, target, headers=headers or {}, body=b"<x/>" if method in ("PUT", "POST") else b""
    ).refusal


@pytest.mark.parametrize("sub_resource", ["replication", "website"])
def test_what_cannot_be_set_up_is_refused(door: Door, sub_resource: str) -> None:
    assert send(door, "PUT", f"/{door.bucket}", sub_resource) == (501, "NotImplemented")
    assert door.send("HEAD", door.key.presign("HEAD", f"/{door.bucket}")).status == 200


@pytest.mark.parametrize(
    ("method", "sub_resource"), [("GET", "torrent"), ("POST", "restore"), ("POST", "select")]
)
def test_object_sub_resources_are_not_implemented(door: Door, method: str, sub_resource: str) -> None:
    door.put("sub-resources", b"content")
    assert send(door, method, door.path("sub-resources"), sub_resource) == (501, "NotImplemented")
    assert door.content("sub-resources") == b"content"


@pytest.mark.parametrize("method", ["aws:kms", "aws:kms:dsse"])
def test_keys_of_kms_are_refused_with_a_word_on_what_works(door: Door, method: str) -> None:
    reply = door.presigned(
        "PUT", "options", headers={"x-amz-server-side-encryption": method}, body=b"content"
    )
    assert reply.refusal == (501, "NotImplemented")
    assert "SSE-S3" in reply.fault.message
    assert door.content("options") is None


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/raw-requests/a"), ("PUT", "/"), ("DELETE", "/")])
def test_a_method_without_a_meaning_is_not_allowed(door: Door, method: str, path: str) -> None:
    reply = door.send(method, door.key.presign(method, path), body=b"")
    assert reply.refusal == (405, "MethodNotAllowed")
    assert reply.fault.message == "The specified method is not allowed against this resource."
    assert reply.header("Allow")


@pytest.mark.parametrize(
    "version", [pytest.param("3HL4kqtJlcpXroDTDmJ", id="some"), pytest.param("null", id="null")]
)
def test_there_is_only_the_null_version(door: Door, version: str) -> None:
    door.put("version", b"content")
    reply = door.presigned("GET", "version", query=[("versionId", version)])
    if version == "null":
        assert reply.body == b"content"
    else:
        assert reply.refusal == (404, "NoSuchVersion")


@pytest.mark.parametrize("raw", [b"/raw-requests/%ff", b"/raw-requests/%zz", b"/raw-requests/%e4%b8"])
def test_a_path_that_is_no_utf_8_is_refused(door: Door, raw: bytes) -> None:
    reply = door.send("GET", door.key.presign("GET", raw.decode()))
    assert reply.status == 400
    assert reply.fault.code == "InvalidURI"


def test_the_health_page_needs_no_signature_and_tells_nothing(door: Door) -> None:
    reply = door.send("GET", "/-/health")
    assert (reply.status, reply.body) == (200, b'{"status":"ok"}')


def test_an_absolute_target_is_understood(door: Door) -> None:
    """Proxies send the whole URL as the target, and the signature covers its path."""
    door.put("absolute", b"content")
    target = f"http://{door.key.host}{door.key.presign('GET', door.path('absolute'))}"
    assert door.send("GET", target).body == b"content"


def test_unknown_names_in_a_signed_query_mean_nothing(door: Door) -> None:
    door.put("unknown-name", b"content")
    reply = door.presigned("GET", "unknown-name", query=[(encode("frobnicate"), "1")])
    assert reply.body == b"content"
