"""How much the holder of a link may keep in uploads that are not completed."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.clients.admin_links import Link, new_link, refusal
from tests.clients.boto import S3Client
from tests.raw.wire import Reply, connect, fetch, head, read_reply

from valetkey.testing.server import RunningServer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Make = Callable[..., Link]


@pytest.fixture
def make(server: RunningServer, plain_bucket: str) -> Make:
    def make_link(**stated: Any) -> Link:
        return new_link(server, plain_bucket, ["MULTIPART", "PUT"], **stated)

    return make_link


def begin(link: Link, key: str = "") -> str:
    created = fetch(link.with_query("uploads", key), "POST")
    assert created.status == 200, created
    return created.body.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()


def part_url(link: Link, upload_id: str, number: int = 1, key: str = "") -> str:
    return link.with_query(f"partNumber={number}&uploadId={upload_id}", key)


def completing(link: Link, upload_id: str) -> bytes:
    """Upload one part, and return the body that completes the upload."""
    etag = fetch(part_url(link, upload_id), "PUT", body=b"x").header("etag")
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    return f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()


def send(link: Link, upload_id: str, key: str = "") -> tuple[int, str]:
    reply = fetch(part_url(link, upload_id, key=key), "PUT", body=b"x")
    return (200, "") if reply.status == 200 else refusal(reply)


@contextlib.contextmanager
def held(method: str, url: str, size: int) -> Iterator[socket.socket]:
    """Make a request as far as its body, which the server asks for when nothing is left that would refuse it."""
    parts = urlsplit(url)
    headers = [("Host", parts.netloc), ("Content-Length", str(size)), ("Expect", "100-continue")]
    with connect(parts.port or 0) as connection, connection.makefile("rb") as answer:
        connection.sendall(head(method, f"{parts.path}?{parts.query}", headers))
        assert answer.read(len(CONTINUE)) == CONTINUE
        yield connection


def test_as_many_uploads_are_open_as_the_link_has_uses_left(make: Make) -> None:
    link = make(prefix="up/", max_uses=3)
    assert fetch(link.to("whole"), "PUT", body=b"x").status == 200
    uploads = [begin(link, key) for key in "abc"]
    assert send(link, uploads[0], "a") == (404, "NoSuchUpload"), "the oldest made room for the newest"
    assert [send(link, upload, key) for upload, key in zip(uploads[1:], "bc", strict=True)] == [(200, "")] * 2


def test_who_did_not_hear_that_an_upload_is_complete_asks_again_for_nothing(make: Make) -> None:
    link = make(key="up", max_uses=1)
    upload = begin(link)
    body = completing(link, upload)
    first, again = (fetch(link.with_query(f"uploadId={upload}"), "POST", body=body) for _ in range(2))
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    shown = link.shown()
    assert (shown["uses"], shown["objects"]) == (1, 1)
    other = fetch(link.with_query("uploadId=another"), "POST", body=body)
    assert refusal(other) == (403, "LinkUsedUp")


def test_who_completes_an_upload_twice_at_once_has_stored_one_object(make: Make) -> None:
    link = make(key="up", max_uses=5)
    upload = begin(link)
    body = completing(link, upload)
    url = link.with_query(f"uploadId={upload}")
    with held("POST", url, len(body)) as connection:
        first = fetch(url, "POST", body=body)
        connection.sendall(body)
        second = read_reply(connection, "POST")
    assert (first.status, second.status, second.body) == (200, 200, first.body)
    shown = link.shown()
    assert (shown["uses"], shown["objects"]) == (1, 1)


def test_as_many_uploads_are_open_as_the_link_may_store_objects(make: Make) -> None:
    link = make(prefix="up/", max_objects=1)
    first, second = begin(link, "a"), begin(link, "b")
    assert send(link, first, "a") == (404, "NoSuchUpload")
    assert send(link, second, "b") == (200, "")


def test_a_link_to_one_key_has_few_uploads_open(make: Make, plain_s3: S3Client, plain_bucket: str) -> None:
    link = make(key="up")
    own = plain_s3.create_multipart_upload(Bucket=plain_bucket, Key="up")["UploadId"]
    for _ in range(13):
        begin(link)
    found = plain_s3.list_multipart_uploads(Bucket=plain_bucket)["Uploads"]
    assert len(found) == 11
    assert own in [upload["UploadId"] for upload in found], "what others began stays"


def test_links_to_a_folder_without_limits_have_any_number_open(
    make: Make, plain_s3: S3Client, plain_bucket: str
) -> None:
    link = make(prefix="up/")
    for number in range(12):
        begin(link, str(number))
    assert len(plain_s3.list_multipart_uploads(Bucket=plain_bucket)["Uploads"]) == 12


def test_parts_that_come_at_once_are_together_as_large_as_the_link_allows(make: Make) -> None:
    link = make(key="up", max_size=10)
    upload = begin(link)
    with contextlib.ExitStack() as stack:
        waiting = [
            stack.enter_context(held("PUT", part_url(link, upload, number), 6)) for number in range(1, 4)
        ]
        replies: list[Reply] = []
        for connection in waiting:
            connection.sendall(b"x" * 6)
            replies.append(read_reply(connection, "PUT"))
    assert replies[0].status == 200
    assert [refusal(reply) for reply in replies[1:]] == [(400, "EntityTooLarge")] * 2
