"""Behind a proxy: signatures for the endpoints that clients know, beside the Host as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.raw.door import Door, open_door
from tests.raw.form import CONTENT_TYPE, encoded_form, signed_v4
from tests.raw.wire import Reply, exchange

from valetkey.testing.server import running_server


@pytest.fixture(scope="module")
def proxied_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    options = (
        *("--public-url", "https://files.example.com", "--public-url", "https://example.com:8443/s3"),
        *("--domain", "files.example.com"),
    )
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


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("files.example.com", "https://files.example.com"),
        ("example.com:8443", "https://example.com:8443/s3"),
        ("other.example.com", "http://other.example.com"),
        ("proxied.files.example.com", "https://proxied.files.example.com"),
    ],
)
def test_locations_are_those_that_clients_know(proxied_door: Door, host: str, origin: str) -> None:
    bucket = "" if host.startswith(proxied_door.bucket) else f"/{proxied_door.bucket}"
    signed = signed_v4(proxied_door.key, [{"bucket": proxied_door.bucket}, {"key": "a/b"}])
    body = encoded_form({"key": "a/b", **signed}, b"content")
    headers = {"Content-Type": CONTENT_TYPE}
    port = proxied_door.server.port
    reply = exchange(port, "POST", bucket or "/", host=host, headers=headers, body=body)
    assert reply.status == 204, reply.body
    assert reply.header("Location") == f"{origin}{bucket}/a%2Fb"


def test_the_location_of_an_object_in_parts_too(proxied_door: Door) -> None:
    key = replace(proxied_door.key, host="example.com:8443")
    path = proxied_door.path("a/parts")

    def send(method: str, query: list[tuple[str, str]], body: bytes = b"") -> Reply:
        target = key.presign(method, "/s3" + path, query=query).removeprefix("/s3")
        return exchange(proxied_door.server.port, method, target, host=key.host, body=body)

    upload_id = send("POST", [("uploads", "")]).body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    etag = send("PUT", [("partNumber", "1"), ("uploadId", upload_id)], b"content").header("ETag")
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    reply = send("POST", [("uploadId", upload_id)], document)
    assert f"<Location>https://example.com:8443/s3{path}</Location>".encode() in reply.body
