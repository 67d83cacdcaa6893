"""Attacks that once went through, or nearly did. Each is made by somebody who holds a link and no credentials."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.raw.door import Door, open_door
from tests.raw.wire import connect, exchange, head, read_reply

from valetkey.testing.server import running_server

DELETE_ALLOWED = b"<Delete><Object><Key>allowed</Key></Object></Delete>"
DELETE_VICTIM = b"<Delete><Object><Key>victim</Key></Object></Delete>"


def md5_of(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def as_chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("names", ["host;a;a;a", "a;a;host", "host;;a", "", "host;a"])
def test_a_list_of_signed_headers_is_sorted_and_names_each_once(door: Door, names: str) -> None:
    # Repeated, one long header made a text to sign of gigabytes, before any signature was looked at.
    reply = door.presigned("GET", "any", changes={"X-Amz-SignedHeaders": names}, unsigned={"a": "x" * 1000})
    assert reply.refusal == (400, "AuthorizationQueryParametersError")
    assert len(reply.body) < 2000


def test_a_long_request_is_not_sent_back_many_times_over(door: Door) -> None:
    headers = {f"header-{number}": "x" * 6000 for number in range(10)}
    target = door.key.presign("GET", door.path("any"), headers=headers)
    reply = door.send("GET", target[:-1] + "x", headers=headers)
    assert reply.refusal == (403, "SignatureDoesNotMatch")
    assert "CanonicalRequest" not in reply.fault.details
    assert len(reply.body) < 8000


def test_the_session_token_is_not_sent_back(door: Door) -> None:
    reply = door.presigned("GET", "any", query=[("X-Amz-Security-Token", "the-token-itself")], changes={})
    target = door.key.presign("GET", door.path("any"), query=[("X-Amz-Security-Token", "the-token-itself")])
    altered = door.send("GET", target[:-1] + ("0" if target[-1] != "0" else "1"))
    assert altered.refusal == (403, "SignatureDoesNotMatch")
    for answer in (reply, altered):
        assert b"the-token-itself" not in answer.body
        assert b"the-token-itself".hex(" ").encode() not in answer.body


def test_a_signed_body_cannot_be_swapped_by_sending_it_in_chunks(door: Door) -> None:
    door.put("allowed", b"1")
    door.put("victim", b"2")
    headers = {
        "content-md5": md5_of(DELETE_ALLOWED),
        "x-amz-content-sha256": hashlib.sha256(DELETE_ALLOWED).hexdigest(),
    }
    payload = headers["x-amz-content-sha256"]
    target = door.key.presign(
        "POST", f"/{door.bucket}", query=[("delete", "")], headers=headers, payload=payload
    )
    reply = door.send(
        "POST",
        target,
        headers={**headers, "Transfer-Encoding": "chunked"},
        body=as_chunks(DELETE_VICTIM),
        has_length=False,
    )
    assert reply.refusal == (411, "MissingContentLength")
    assert door.content("victim") == b"2"


def test_a_hash_of_something_does_not_fit_no_body(door: Door) -> None:
    payload = hashlib.sha256(b"something").hexdigest()
    reply = door.signed("PUT", "/never-created", payload=payload, has_length=False)
    assert reply.refusal == (400, "XAmzContentSHA256Mismatch")


def test_a_digest_in_the_query_is_held_to(door: Door) -> None:
    target = door.key.presign("PUT", door.path("pinned"), query=[("Content-MD5", md5_of(b"the body"))])
    assert door.send("PUT", target, body=b"another").refusal == (400, "BadDigest")
    assert door.content("pinned") is None
    assert door.send("PUT", target, body=b"the body").status == 200


def test_the_end_of_a_signed_document_in_chunks_is_proved(door: Door) -> None:
    door.put("victim", b"2")
    headers = {
        "content-md5": md5_of(DELETE_VICTIM),
        "x-amz-decoded-content-length": str(len(DELETE_VICTIM)),
    }
    body = b"%x;chunk-signature=%b\r\n%b" % (len(DELETE_VICTIM) + 1, b"0" * 64, DELETE_VICTIM)
    reply = door.signed(
        "POST",
        f"/{door.bucket}",
        query=[("delete", "")],
        headers=headers,
        payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        body=body,
    )
    assert reply.status in (400, 403)
    assert door.content("victim") == b"2"


def test_headers_that_are_kept_have_an_end(door: Door) -> None:
    reply = door.presigned("PUT", "long", unsigned={"Content-Disposition": "x" * 9000}, body=b"1")
    assert reply.refusal == (400, "RequestHeaderSectionTooLarge")
    assert door.content("long") is None


def test_a_document_of_a_million_elements_is_refused_early(door: Door) -> None:
    body = b"<CompleteMultipartUpload>" + b"<Part/>" * 400_000 + b"</CompleteMultipartUpload>"
    created = door.presigned("POST", "parts", query=[("uploads", "")])
    upload_id = created.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    reply = door.presigned("POST", "parts", query=[("uploadId", upload_id)], body=body)
    assert reply.refusal == (400, "MalformedXML")


@pytest.mark.parametrize(
    "target",
    [
        "/b/k?a=1&amp;X-Amz-Signature=SECRETVALUE",
        "/b/k%3FX-Amz-Signature=SECRETVALUE",
        "/b/k?X-Amz-Signature%3DSECRETVALUE",
        "/b/k?u=http%3A%2F%2Fh%2Fk%3FX-Amz-Signature%3DSECRETVALUE%26x",
        "/b/k?X-Amz-Security-Token=SECRETVALUE",
        "/b/k?X-Amz-S%69gnature=SECRETVALUE",
    ],
)
def test_a_mangled_link_is_no_secret_less(tmp_path: Path, target: str) -> None:
    with running_server(tmp_path / "data") as server:
        exchange(server.port, "GET", target)
    log = server.log.read_text()
    assert "SECRETVALUE" not in log
    assert '"status":40' in log


def test_a_log_line_has_an_end(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        exchange(server.port, "GET", "/b/" + "k" * 20_000, headers={"User-Agent": "\xff" * 20_000})
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert len(lines) == 1
    assert len(lines[0]) < 8000 + 20_000  # the key itself is told whole; it is what the request was about
    assert len(json.loads(lines[0])["user_agent"]) == 256


@pytest.fixture(scope="module")
def crowded_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server with everything that lets a Host mean something."""
    options = ("--domain", "localhost", "--public-url", "https://files.example.com/store")
    with running_server(tmp_path_factory.mktemp("crowded") / "data", options=options) as server:
        for bucket in ("uploads", "secret", "store"):
            open_door(server, bucket).put("uploads/report.txt", bucket.encode())
        open_door(server, "uploads").put("report.txt", b"meant")
        yield open_door(server, "uploads")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_link_for_a_public_url_opens_no_bucket_that_the_host_names(crowded_door: Door, method: str) -> None:
    key = replace(crowded_door.key, host="files.example.com")
    signed = key.presign(method, "/store/uploads/report.txt").removeprefix("/store")
    port = crowded_door.server.port
    assert exchange(port, "GET", key.presign("GET", "/store/uploads/report.txt")[6:]).body == b"meant"
    reply = exchange(port, method, signed, host=f"secret.localhost:{port}")
    assert reply.refusal == (403, "SignatureDoesNotMatch")


def test_the_prefix_of_a_public_url_is_no_bucket(crowded_door: Door) -> None:
    key = replace(crowded_door.key, host="files.example.com")
    signed = key.presign("GET", "/store/uploads/report.txt")
    reply = exchange(crowded_door.server.port, "GET", signed, host="files.example.com")
    assert reply.refusal == (403, "SignatureDoesNotMatch")


def test_our_own_paths_are_keys_in_a_bucket_that_the_host_names(crowded_door: Door) -> None:
    port = crowded_door.server.port
    host = f"uploads.localhost:{port}"
    key = replace(crowded_door.key, host=host)
    assert exchange(port, "PUT", key.presign("PUT", "/-/health"), host=host, body=b"a key").status == 200
    assert exchange(port, "GET", key.presign("GET", "/-/health"), host=host).body == b"a key"
    assert exchange(port, "GET", "/-/health").status == 200


def test_a_body_that_trickles_is_given_up(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", environment={"VALETKEY_BODY_TIMEOUT_S": "1"}) as server:
        door = open_door(server, "trickle")
        target = door.key.presign("PUT", door.path("slow"))
        pairs = [("Host", f"127.0.0.1:{server.port}"), ("Content-Length", "100000")]
        with connect(server.port) as connection:
            connection.sendall(head("PUT", target, pairs))
            connection.settimeout(0.4)
            for _ in range(20):
                try:
                    connection.sendall(b"x")
                    reply = read_reply(connection, "PUT")
                    break
                except TimeoutError:
                    continue
            else:
                raise AssertionError("the server waited on")
        assert reply.refusal == (400, "RequestTimeout")


def test_two_thousand_silent_connections_keep_nobody_out(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        silent = [connect(server.port) for _ in range(2300)]
        try:
            assert exchange(server.port, "GET", "/-/health").status == 200
        finally:
            for connection in silent:
                connection.close()
