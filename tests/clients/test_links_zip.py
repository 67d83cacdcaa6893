"""All that is under a link's prefix as one ZIP file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.admin import ask_admin
from tests.clients.admin_links import Link, new_link, refusal
from tests.clients.boto import S3Client
from tests.clients.identities import allow, new_user, policy, root_of
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer

KEYS = {
    "dir/a.txt": b"a",
    "dir/sub/b ü.bin": bytes(300_000),
    "dir/empty": b"",
    "dir/folder/": b"",
    "dir/../../etc/passwd": b"evil",
    "dir//a.txt": b"twice",
    "dirs": b"outside",
}

Make = Callable[..., Link]


@pytest.fixture
def make(server: RunningServer, plain_s3: S3Client, plain_bucket: str) -> Make:
    for key, content in KEYS.items():
        plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=content)
    plain_s3.put_object(
        Bucket=plain_bucket,
        Key="dir/sealed",
        Body=b"sealed",
        SSECustomerKey="k" * 32,
        SSECustomerAlgorithm="AES256",
    )

    def make_link(operations: list[str] | None = None, **stated: Any) -> Link:
        return new_link(server, plain_bucket, operations or ["GET", "LIST"], prefix="dir/", **stated)

    return make_link


def contents(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_holds_what_is_under_the_prefix(make: Make) -> None:
    link = make()
    reply = fetch(f"{link.url}&zip")
    assert reply.header("content-type") == "application/zip"
    assert reply.header("content-disposition") == 'attachment; filename="dir.zip"'
    assert reply.header("content-length") == str(len(reply.body))
    assert fetch(f"{link.url}&zip", "HEAD").header("content-length") == str(len(reply.body))
    assert contents(reply.body) == {
        "a.txt": b"twice",
        "a (2).txt": b"a",
        "sub/b ü.bin": bytes(300_000),
        "empty": b"",
        "etc/passwd": b"evil",
    }


def test_an_archive_is_one_use_and_its_bytes_count(make: Make) -> None:
    link = make(max_uses=1)
    body = fetch(f"{link.url}&zip").body
    assert refusal(fetch(f"{link.url}&zip")) == (403, "LinkUsedUp")
    shown = link.shown()
    assert (shown["uses"], shown["bytes_sent"]) == (1, len(body))
    small = make(max_bytes=len(body) - 1)
    assert refusal(fetch(f"{small.url}&zip")) == (403, "LinkBytesUsedUp")


@pytest.mark.parametrize("operations", [["GET"], ["LIST"], ["LIST", "PUT"]])
def test_an_archive_takes_reading_and_listing(make: Make, operations: list[str]) -> None:
    assert refusal(fetch(f"{make(operations).url}&zip")) == (403, "OperationNotAllowed")


def test_a_short_address_gives_the_archive_too(make: Make, server: RunningServer) -> None:
    link = make(filename="Alles.zip")
    url = ask_admin(server, "POST", f"links/{link.id}/addresses", {})[1]["url"]
    reply = fetch(f"{url}?zip")
    assert reply.header("content-disposition") == 'attachment; filename="Alles.zip"'
    assert "sub/b ü.bin" in contents(reply.body)
    sent_on = fetch(f"{url}?zip", headers={"Accept": "text/html"})
    assert len(contents(fetch(sent_on.header("location") or "").body)) == 5


def test_what_the_issuer_may_not_read_is_left_out(
    make: Make, server: RunningServer, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    make()
    arn = f"arn:aws:s3:::{plain_bucket}"
    rights = policy(allow("s3:ListBucket", arn), allow("s3:GetObject", f"{arn}/dir/sub/*"))
    user = new_user(root_of(server), new_name("reader"), rights)
    key = (user.access_key, user.secret_key)
    link = new_link(server, plain_bucket, ["GET", "LIST"], prefix="dir/", signed_by=key)
    assert list(contents(fetch(f"{link.to('sub/')}&zip").body)) == ["b ü.bin"]
    assert refusal(fetch(f"{link.url}&zip")) == (404, "NoSuchKey"), "no right to the folder itself"


def test_an_issuer_who_may_not_list_gives_no_archive(
    make: Make, server: RunningServer, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    make()
    rights = json.loads(policy(allow("s3:GetObject", f"arn:aws:s3:::{plain_bucket}/*")))
    user = new_user(root_of(server), new_name("blind"), json.dumps(rights))
    link = new_link(
        server, plain_bucket, ["GET", "LIST"], prefix="dir/", signed_by=(user.access_key, user.secret_key)
    )
    assert refusal(fetch(f"{link.url}&zip")) == (403, "AccessDenied")
