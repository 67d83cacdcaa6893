"""The rules of managed links, each through HTTP against a server with two workers."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any, Final

import pytest
from tests.clients.admin import ask_admin
from tests.clients.admin_links import UPLOAD, Link, body_of, new_link, refusal
from tests.clients.boto import S3Client
from tests.clients.identities import EVERYTHING_IN_S3, new_user, root_of
from tests.raw.wire import fetch

from valetkey import Signer
from valetkey.testing.server import RunningServer, running_server

PLAIN: Final = b"hello, holder of a link"
_TAKEN_BACK: Final = (403, "LinkRevoked")

Make = Callable[..., Link]


@pytest.fixture
def make(server: RunningServer, plain_s3: S3Client, plain_bucket: str) -> Make:
    """Makes links into a bucket that holds `doc.txt`."""
    plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=PLAIN, ContentType="text/html")

    def make_link(operations: list[str] | str = "GET", **stated: Any) -> Link:
        if "prefix" not in stated:
            stated.setdefault("key", "doc.txt")
        return new_link(server, plain_bucket, operations, **stated)

    return make_link


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


# What


def test_a_link_reads_its_key_and_tells_of_it(make: Make) -> None:
    link = make()
    assert body_of(link.url) == PLAIN
    assert fetch(link.url, "HEAD").status == 200
    assert fetch(link.url, headers={"Range": "bytes=0-4"}).body == PLAIN[:5]


def test_a_link_does_what_it_grants_and_nothing_else(make: Make) -> None:
    link = make(["GET", "PUT"])
    assert fetch(link.url, "PUT", body=b"new").status == 200
    assert body_of(link.url) == b"new"
    assert refusal(fetch(link.url, "DELETE")) == (403, "OperationNotAllowed")
    only_head = make("HEAD")
    assert fetch(only_head.url, "HEAD").status == 200
    assert refusal(fetch(only_head.url)) == (403, "OperationNotAllowed")
    deleting = make("DELETE")
    assert fetch(deleting.url, "DELETE").status == 204
    assert refusal(fetch(link.url)) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    "query", ["acl", "tagging", "versionId=null", "attributes", "response-content-type=a/b", "x=y"]
)
def test_nothing_can_be_added_to_a_link(make: Make, query: str) -> None:
    link = make(["GET", "PUT", "DELETE"])
    assert refusal(fetch(link.with_query(query))) == (403, "SignatureDoesNotMatch")
    assert refusal(fetch(f"{link.url}&{query}")) == (403, "SignatureDoesNotMatch")


def test_a_header_that_is_not_signed_is_refused(make: Make) -> None:
    link = make("PUT")
    copy = {"x-amz-copy-source": "/somebody/elses"}
    assert refusal(fetch(link.url, "PUT", headers=copy)) == (403, "AccessDenied")


def test_a_link_to_a_prefix_reaches_the_keys_below_it(
    make: Make, plain_s3: S3Client, plain_bucket: str
) -> None:
    for key in ("dir/a b+ü.txt", "dir/sub/c", "dirs", "other/d"):
        plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=key.encode())
    link = make(["GET", "PUT"], prefix="dir/")
    assert body_of(link.to("a%20b%2B%C3%BC.txt")) == "dir/a b+ü.txt".encode()
    assert body_of(link.to("sub/c")) == b"dir/sub/c"
    assert fetch(link.to("new"), "PUT", body=b"x").status == 200
    place = link.url.partition("/dir/")[0]
    query = link.url.partition("?")[2]
    for path in ("/dirs", "/other/d", "/doc.txt", "/dir", "/dir%2Fa"):
        reply = fetch(f"{place}{path}?{query}")
        # `%2F` is a slash in a key as well as any other, but the path is then of another spelling.
        assert refusal(reply) == ((404, "NoSuchKey") if "%2F" in path else (403, "KeyNotAllowed"))


def test_a_path_with_dots_leads_out_of_no_prefix(make: Make, plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="secret", Body=b"s")
    link = make(prefix="dir/")
    for path in ("../secret", "..%2Fsecret", "%2e%2e/secret", "/../secret"):
        assert fetch(link.to(path)).status == 404


def test_listing_below_a_prefix_is_a_permission_of_its_own(
    make: Make, plain_s3: S3Client, plain_bucket: str
) -> None:
    for key in ("dir/a", "dir/b", "other"):
        plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=b"")
    listing, reading = make(["LIST"], prefix="dir/"), make(["GET"], prefix="dir/")

    def ask(link: Link, query: str) -> Any:
        place, _, signed = link.url.partition("/dir/?")
        return fetch(f"{place}?{query}&{signed}")

    found = ask(listing, "list-type=2&prefix=dir%2F")
    assert (found.status, found.body.count(b"<Key>")) == (200, 2)
    assert ask(listing, "list-type=2&prefix=dir%2Fb").body.count(b"<Key>") == 1
    assert refusal(ask(listing, "list-type=2&prefix=")) == (403, "KeyNotAllowed")
    assert refusal(ask(listing, "list-type=2")) == (403, "KeyNotAllowed")
    assert refusal(ask(listing, "prefix=dir%2F")) == (403, "OperationNotAllowed")
    assert ask(listing, "list-type=2&prefix=dir%2F&fetch-owner=true").status == 403
    assert ask(reading, "list-type=2&prefix=dir%2F").status == 403


def test_a_multipart_upload_is_one_grant(make: Make, plain_s3: S3Client, plain_bucket: str) -> None:
    link = make(["MULTIPART"], key="big.bin", max_uses=1)
    created = fetch(link.with_query("uploads"), "POST")
    assert created.status == 200
    upload_id = created.body.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()
    parts = [b"x" * 5 * 2**20, b"tail"]
    etags = []
    for number, part in enumerate(parts, 1):
        sent = fetch(link.with_query(f"partNumber={number}&uploadId={upload_id}"), "PUT", body=part)
        assert sent.status == 200, sent
        etags.append(sent.header("etag"))
    assert fetch(link.with_query(f"uploadId={upload_id}")).body.count(b"<Part>") == 2
    document = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    body = f"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>".encode()
    assert fetch(link.with_query(f"uploadId={upload_id}"), "POST", body=body).status == 200
    assert plain_s3.head_object(Bucket=plain_bucket, Key="big.bin")["ContentLength"] == 5 * 2**20 + 4
    assert link.shown()["objects"] == 1
    assert refusal(fetch(link.with_query("uploads"), "POST")) == (403, "LinkUsedUp")
    assert refusal(fetch(link.url, "PUT", body=b"x")) == (403, "OperationNotAllowed")


def test_an_upload_in_parts_can_be_aborted(make: Make) -> None:
    link = make(["MULTIPART"], key="big.bin")
    created = fetch(link.with_query("uploads"), "POST")
    upload_id = created.body.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()
    assert fetch(link.with_query(f"uploadId={upload_id}"), "DELETE").status == 204


# When


def test_a_link_holds_longer_than_a_week(make: Make) -> None:
    link = make(expires_in=365 * 86_400)
    assert "X-Amz-Expires=31536000&" in link.url
    assert body_of(link.url) == PLAIN


def test_a_link_begins_and_ends(make: Make) -> None:
    early = make(starts=in_seconds(60), ends=in_seconds(120))
    assert refusal(fetch(early.url)) == (403, "LinkNotYetValid")
    early.alter(starts=in_seconds(-60))
    assert body_of(early.url) == PLAIN
    early.alter(ends=in_seconds(-1))
    assert refusal(fetch(early.url)) == (403, "LinkExpired")
    # Whoever issued it may think better of it: the URL is the same.
    early.alter(ends=in_seconds(60))
    assert body_of(early.url) == PLAIN


def test_the_end_in_the_url_cannot_be_moved(make: Make) -> None:
    link = make(expires_in=60)
    assert refusal(fetch(link.url.replace("X-Amz-Expires=60&", "X-Amz-Expires=99&"))) == (
        403,
        "SignatureDoesNotMatch",
    )


# How much


def test_a_use_is_a_download_and_nothing_less(make: Make) -> None:
    link = make(max_uses=2)
    etag = fetch(link.url, "HEAD").header("etag") or ""
    assert fetch(link.url, headers={"If-None-Match": etag}).status == 304
    assert fetch(link.url, headers={"If-Match": '"x"'}).status == 412
    assert fetch(link.url, headers={"Range": "bytes=999-"}).status == 416
    assert fetch(link.url, "DELETE").status == 403
    assert link.shown()["uses"] == 0
    assert body_of(link.url) == PLAIN
    assert body_of(link.url) == PLAIN
    assert refusal(fetch(link.url)) == (403, "LinkUsedUp")
    assert fetch(link.url, "HEAD").status == 200
    shown = link.shown()
    assert (shown["uses"], shown["uses_left"], shown["state"], shown["bytes_sent"]) == (
        2,
        0,
        "used up",
        2 * len(PLAIN),
    )


def test_the_same_client_goes_on_by_ranges(make: Make) -> None:
    link = make(max_uses=1)
    ours = {"User-Agent": "ours/1"}
    assert fetch(link.url, headers={**ours, "Range": "bytes=0-9"}).status == 206
    assert fetch(link.url, headers={**ours, "Range": "bytes=10-"}).status == 206
    assert fetch(link.url, headers={**ours, "Range": "bytes=0-"}).status == 206
    # Twice the object is what one use may carry.
    assert refusal(fetch(link.url, headers={**ours, "Range": "bytes=0-"})) == (403, "LinkUsedUp")
    assert refusal(fetch(link.url, headers={"Range": "bytes=0-1", "User-Agent": "theirs"})) == (
        403,
        "LinkUsedUp",
    )
    assert refusal(fetch(link.url, headers=ours)) == (403, "LinkUsedUp")


def test_bytes_are_limited(make: Make) -> None:
    link = make(max_bytes=len(PLAIN) + 5)
    assert body_of(link.url) == PLAIN
    assert refusal(fetch(link.url)) == (403, "LinkBytesUsedUp")
    assert fetch(link.url, headers={"Range": "bytes=0-4"}).status == 206
    assert refusal(fetch(link.url, headers={"Range": "bytes=0-0"})) == (403, "LinkBytesUsedUp")


def test_an_upload_is_as_large_as_the_link_allows(make: Make, plain_s3: S3Client, plain_bucket: str) -> None:
    link = make(["PUT"], key="up", min_size=3, max_size=5, max_uses=9)
    assert refusal(fetch(link.url, "PUT", body=b"xx")) == (400, "EntityTooSmall")
    assert refusal(fetch(link.url, "PUT", body=b"x" * 6)) == (400, "EntityTooLarge")
    assert refusal(
        fetch(
            link.url,
            "PUT",
            headers={"Transfer-Encoding": "chunked"},
            body=b"4\r\nxxxx\r\n0\r\n\r\n",
            has_length=False,
        )
    ) == (
        411,
        "MissingContentLength",
    )
    assert "Contents" not in plain_s3.list_objects_v2(Bucket=plain_bucket, Prefix="up")
    assert fetch(link.url, "PUT", body=b"x" * 5).status == 200
    # A link with uses without end counts them a moment after its answer.
    deadline = time.monotonic() + 10
    while (uses := link.shown()["uses"]) != 1:
        assert time.monotonic() < deadline, uses


def test_a_body_that_is_too_large_is_refused_before_it_is_read(make: Make) -> None:
    link = make(["PUT"], key="up", max_size=10)
    reply = fetch(link.url, "PUT", headers={"Content-Length": str(5 * 2**30), "Expect": "100-continue"})
    assert refusal(reply) == (400, "EntityTooLarge")


def test_parts_together_are_as_large_as_the_link_allows(make: Make) -> None:
    link = make(["MULTIPART"], key="up", min_size=8, max_size=10)
    created = fetch(link.with_query("uploads"), "POST")
    upload_id = created.body.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()

    def put(number: int, size: int) -> Any:
        return fetch(link.with_query(f"partNumber={number}&uploadId={upload_id}"), "PUT", body=b"x" * size)

    first = put(1, 6)
    assert first.status == 200
    assert refusal(put(2, 5)) == (400, "EntityTooLarge")
    assert put(1, 7).status == 200, "a part that is sent again takes the place of the first"
    etag = put(1, 6).header("etag")
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    done = fetch(link.with_query(f"uploadId={upload_id}"), "POST", body=body.encode())
    assert refusal(done) == (400, "EntityTooSmall")


def test_uploads_have_the_types_that_the_link_allows(make: Make) -> None:
    link = make(UPLOAD, prefix="up/", content_types=["image/*"])
    png = {"Content-Type": "image/png"}
    assert fetch(link.to("a.png"), "PUT", headers=png, body=b"x").status == 200
    for headers in ({"Content-Type": "text/html"}, {}):
        assert refusal(fetch(link.to("a.html"), "PUT", headers=headers, body=b"x")) == (
            403,
            "ContentTypeNotAllowed",
        )
    assert refusal(fetch(link.with_query("uploads", "b"), "POST")) == (403, "ContentTypeNotAllowed")
    assert fetch(link.with_query("uploads", "b"), "POST", headers=png).status == 200


def test_an_upload_may_have_to_be_the_first(make: Make) -> None:
    link = make(["PUT"], prefix="up/", create_only=True)
    assert fetch(link.to("a"), "PUT", body=b"one").status == 200
    assert refusal(fetch(link.to("a"), "PUT", body=b"two")) == (412, "PreconditionFailed")
    assert fetch(link.to("b"), "PUT", body=b"two").status == 200


def test_objects_are_counted_as_they_are_stored(make: Make) -> None:
    link = make(["PUT"], prefix="up/", max_objects=2, max_size=10)
    assert fetch(link.to("a"), "PUT", body=b"x" * 11).status == 400
    md5 = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert fetch(link.to("a"), "PUT", headers=md5, body=b"x").status in (400, 403)
    for key in ("a", "b"):
        assert fetch(link.to(key), "PUT", body=b"x").status == 200
    assert refusal(fetch(link.to("c"), "PUT", body=b"x")) == (403, "LinkUsedUp")
    assert link.shown()["objects"] == 2


# Who


def test_a_link_holds_for_its_networks(make: Make) -> None:
    assert body_of(make(addresses=["127.0.0.0/8"]).url) == PLAIN
    elsewhere = make(addresses=["10.0.0.0/8", "2001:db8::/32"])
    forged = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
    assert refusal(fetch(elsewhere.url, headers=forged)) == (403, "AddressNotAllowed")


# How it is answered


def test_the_issuer_says_how_a_download_is_answered(make: Make) -> None:
    link = make(filename="Grüße.txt", content_type="text/plain", cache_control="max-age=5")
    reply = fetch(link.url)
    assert reply.header("content-type") == "text/plain"
    assert reply.header("cache-control") == "max-age=5"
    assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt" in (reply.header("content-disposition") or "")


def test_a_link_follows_its_key_or_stays_with_what_was_there(
    make: Make, server: RunningServer, plain_s3: S3Client, plain_bucket: str
) -> None:
    etag = plain_s3.head_object(Bucket=plain_bucket, Key="doc.txt")["ETag"].strip('"')
    following, bound = make(), make(etag=etag)
    assert body_of(bound.url) == PLAIN
    plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=b"replaced")
    assert body_of(following.url) == b"replaced"
    assert refusal(fetch(bound.url)) == (403, "LinkVersionReplaced")
    assert fetch(bound.url, "HEAD").status == 403
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    version = plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=b"kept")["VersionId"]
    kept = make(version=version)
    plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=b"after")
    assert (body_of(kept.url), body_of(following.url)) == (b"kept", b"after")


# By whose rights


def test_a_link_is_bounded_by_what_its_issuer_may_do_now(
    server: RunningServer, plain_s3: S3Client, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="doc.txt", Body=PLAIN)
    name, root = new_name("issuer"), root_of(server)
    user, iam = new_user(root, name, EVERYTHING_IN_S3), root.client("iam")
    key = (user.access_key, user.secret_key)
    link = new_link(server, plain_bucket, ["GET", "PUT"], key="doc.txt", signed_by=key)
    assert body_of(link.url) == PLAIN
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{plain_bucket}/*",
    }
    plain_s3.put_bucket_policy(
        Bucket=plain_bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    assert refusal(fetch(link.url, "PUT", body=b"x")) == (403, "AccessDenied")
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    assert refusal(fetch(link.url)) == (403, "AccessDenied")
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=EVERYTHING_IN_S3)
    assert body_of(link.url) == PLAIN
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Inactive")
    assert refusal(fetch(link.url)) == (403, "LinkIssuerInactive")
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Active")
    assert body_of(link.url) == PLAIN
    iam.delete_access_key(UserName=name, AccessKeyId=user.access_key)
    assert refusal(fetch(link.url)) == (403, "LinkIssuerInactive")


def test_a_user_sees_and_takes_back_its_own_links_alone(
    server: RunningServer, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    root = root_of(server)
    users = [new_user(root, new_name("owner"), EVERYTHING_IN_S3) for _ in range(2)]
    first, second = ((user.access_key, user.secret_key) for user in users)
    link = new_link(server, plain_bucket, key="k", signed_by=first)
    assert ask_admin(server, "GET", f"links/{link.id}", key=first)[0] == 200
    for method, path in (
        ("GET", f"links/{link.id}"),
        ("POST", f"links/{link.id}/revoke"),
        ("POST", f"links/{link.id}"),
        ("DELETE", f"links/{link.id}"),
    ):
        assert ask_admin(server, method, path, {} if method == "POST" else None, key=second)[0] == 404
    assert ask_admin(server, "POST", "links/revoke", {"all": True}, key=second)[1] == {"count": 0}
    assert link.id in [
        each["id"] for each in ask_admin(server, "GET", f"links?bucket={plain_bucket}")[1]["links"]
    ]
    assert ask_admin(server, "GET", "links", key=second)[1]["links"] == []


def test_a_session_issues_no_links(server: RunningServer, plain_bucket: str) -> None:
    credentials = root_of(server).client("sts").get_session_token()["Credentials"]
    signer = Signer(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        region=server.region,
        session_token=credentials["SessionToken"],
    )
    url = f"{server.endpoint}/-/api/v1/links"
    body = json.dumps({"operations": "GET", "bucket": plain_bucket, "key": "k"}).encode()
    reply = fetch(url, "POST", headers=signer.sign_headers("POST", url, body=body), body=body)
    assert reply.status == 403


# Taking back


def test_a_link_is_paused_resumed_and_taken_back(make: Make) -> None:
    link = make()
    assert body_of(link.url) == PLAIN
    link.do("pause")
    assert refusal(fetch(link.url)) == (403, "LinkPaused")
    link.do("resume")
    assert body_of(link.url) == PLAIN
    link.do("revoke")
    assert refusal(fetch(link.url)) == _TAKEN_BACK
    link.do("resume")
    assert refusal(fetch(link.url)) == _TAKEN_BACK


def test_several_links_are_taken_back_at_once(make: Make, server: RunningServer, plain_bucket: str) -> None:
    ours = [make(label="ours", tags={"team": "a"}), make(label="ours"), make(prefix="dir/")]
    other = make(label="other")
    assert ask_admin(server, "POST", "links/revoke", {"bucket": plain_bucket, "label": "ours"})[1] == {
        "count": 2
    }
    assert refusal(fetch(ours[0].url)) == _TAKEN_BACK
    assert refusal(fetch(ours[1].url)) == _TAKEN_BACK
    assert ask_admin(server, "POST", "links/revoke", {"bucket": plain_bucket, "prefix": "dir"})[1] == {
        "count": 1
    }
    assert refusal(fetch(ours[2].to("x"))) == _TAKEN_BACK
    assert body_of(other.url) == PLAIN
    for nothing in ({}, {"all": False}, {"nonsense": "x"}):
        assert ask_admin(server, "POST", "links/revoke", nothing)[0] == 400


def test_a_pasted_url_is_taken_back(make: Make, server: RunningServer) -> None:
    link = make()
    assert ask_admin(server, "POST", "revocations", {"url": link.url})[0] == 200
    assert refusal(fetch(link.url)) == _TAKEN_BACK


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_an_ordinary_url_is_taken_back_by_its_signature(
    make: Make, server: RunningServer, plain_bucket: str, version: str
) -> None:
    make()
    s3 = root_of(server).client("s3", signature_version=version)
    asked = {"Bucket": plain_bucket, "Key": "doc.txt"}
    taken, kept = (s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=n) for n in (600, 700))
    assert body_of(taken) == PLAIN
    assert ask_admin(server, "POST", "revocations", {"url": taken})[0] == 200
    assert refusal(fetch(taken)) == _TAKEN_BACK
    assert body_of(kept) == PLAIN


def test_ordinary_urls_of_a_key_are_taken_back_from_an_instant_on(
    make: Make, server: RunningServer, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    make()
    user = new_user(root_of(server), new_name("signer"), EVERYTHING_IN_S3)
    signer = Signer(user.access_key, user.secret_key, region=server.region, endpoint=server.endpoint)
    now = datetime.now(UTC)
    early, late = (
        str(signer.presign("GET", plain_bucket, "doc.txt", at=now - timedelta(seconds=ago)))
        for ago in (100, 10)
    )
    cut = {"access_key": user.access_key, "before": (now - timedelta(seconds=50)).isoformat()}
    status, revocation = ask_admin(server, "POST", "revocations", cut)
    assert status == 200
    assert refusal(fetch(early)) == _TAKEN_BACK
    assert body_of(late) == PLAIN
    assert revocation["id"] in [
        each["id"] for each in ask_admin(server, "GET", "revocations")[1]["revocations"]
    ]
    assert ask_admin(server, "DELETE", f"revocations/{revocation['id']}")[0] == 200
    assert body_of(early) == PLAIN


@pytest.mark.parametrize("where", [{}, {"key": "doc.txt"}, {"prefix": "doc"}])
def test_ordinary_urls_into_a_bucket_are_taken_back(
    make: Make, server: RunningServer, plain_s3: S3Client, plain_bucket: str, where: dict[str, str]
) -> None:
    link = make()
    url = plain_s3.generate_presigned_url("get_object", Params={"Bucket": plain_bucket, "Key": "doc.txt"})
    assert body_of(url) == PLAIN
    assert ask_admin(server, "POST", "revocations", {"bucket": plain_bucket, **where})[0] == 200
    assert refusal(fetch(url)) == _TAKEN_BACK
    assert plain_s3.get_object(Bucket=plain_bucket, Key="doc.txt")["Body"].read() == PLAIN, (
        "not a presigned URL"
    )
    assert body_of(link.url) == PLAIN, "links are taken back by themselves"


def test_nobody_takes_back_what_others_signed(
    server: RunningServer, plain_bucket: str, new_name: Callable[[str], str]
) -> None:
    user = new_user(root_of(server), new_name("stranger"), EVERYTHING_IN_S3)
    key = (user.access_key, user.secret_key)
    signer = Signer(server.access_key, server.secret_key, region=server.region, endpoint=server.endpoint)
    url = str(signer.presign("GET", plain_bucket, "k"))
    unknown = url.replace(server.access_key, "NOSUCHKEY")
    answers = [
        ask_admin(server, "POST", "revocations", body, key=key)
        for body in (
            {"url": url},
            {"url": unknown},
            {"access_key": server.access_key},
            {"access_key": "NOSUCHKEY"},
        )
    ]
    assert [status for status, _ in answers] == [403] * 4
    assert len({answer["error"]["message"] for _, answer in answers}) == 1
    for bucket in (plain_bucket, "no-such-bucket"):
        assert ask_admin(server, "POST", "revocations", {"bucket": bucket}, key=key)[0] == 403


def test_a_url_of_a_session_is_taken_back_by_its_signature(
    make: Make, server: RunningServer, plain_bucket: str
) -> None:
    make()
    root = root_of(server)
    session = root.with_key(root.client("sts").get_session_token()["Credentials"])
    s3 = session.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": plain_bucket, "Key": "doc.txt"})
    assert body_of(url) == PLAIN
    assert ask_admin(server, "POST", "revocations", {"url": url})[0] == 200
    assert refusal(fetch(url)) == _TAKEN_BACK


# What its holder can learn


def test_the_holder_of_a_link_learns_nothing_else(
    make: Make, server: RunningServer, plain_bucket: str
) -> None:
    link = make()
    place, _, query = link.url.partition("?")
    there, missing = (place.replace("doc.txt", key) for key in ("doc2.txt", "missing"))
    replies = [fetch(f"{url}?{query}") for url in (there, missing)]
    for reply in replies:
        assert refusal(reply) == (403, "SignatureDoesNotMatch")
    folder = make(prefix="dir/")
    outside = folder.url.replace("/dir/?", "/doc.txt?"), folder.url.replace("/dir/?", "/missing?")
    answers = [refusal(fetch(url)) for url in outside]
    assert answers[0] == answers[1] == (403, "KeyNotAllowed")
    everything = [fetch(link.url), fetch(link.url, "PUT", body=b"x"), fetch(link.url + "x"), *replies]
    for reply in everything:
        text = repr(reply)
        assert server.access_key not in text
        assert server.secret_key not in text


def test_a_wrong_signature_does_not_tell_what_a_link_reaches(make: Make) -> None:
    link = make(["PUT"], prefix="a-prefix-of-some/")
    wrong = link.url.replace("/a-prefix-of-some/?", "/guess?")[:-1] + "g"
    reply = fetch(wrong)
    assert refusal(reply) == (403, "SignatureDoesNotMatch")
    assert b"/guess" in reply.body
    assert b"a-prefix" not in reply.body


def test_what_is_refused_is_said_after_the_signature_proved_right(make: Make) -> None:
    link = make()
    link.do("revoke")
    assert refusal(fetch(link.url[:-1] + ("0" if link.url[-1] != "0" else "1"))) == (
        403,
        "SignatureDoesNotMatch",
    )
    assert refusal(fetch(link.url.replace("VKL", "VKLA"))) == (403, "InvalidAccessKeyId")


def test_a_links_key_opens_nothing_but_the_link(make: Make, server: RunningServer) -> None:
    link = make()
    for url in (f"{server.endpoint}/-/api/v1/links", f"{server.endpoint}/?Action=GetUser&Version=2010-05-08"):
        query = link.url.partition("?")[2]
        assert fetch(f"{url}{'&' if '?' in url else '?'}{query}").status in (400, 403)
    # Another spelling of the same key is nobody's.
    assert refusal(fetch(link.url.replace("=VKL", "=%56KL"))) == (403, "InvalidAccessKeyId")


def test_a_key_may_begin_like_a_links(tmp_path: Path) -> None:
    named = {"VALETKEY_ACCESS_KEY": "VKLTESTROOTKEY000001", "VALETKEY_SECRET_KEY": "a secret of the root's"}
    with running_server(tmp_path / "data", environment=named) as server:
        signer = Signer(*named.values(), region=server.region, endpoint=server.endpoint)
        assert fetch(str(signer.presign("PUT", "named")), "PUT").status == 200
        assert fetch(str(signer.presign("PUT", "named", "k")), "PUT", body=b"x").status == 200
        assert body_of(str(signer.presign("GET", "named", "k"))) == b"x"
        pair = {"access_key": f"VKL{'A' * 32}", "secret_key": "a secret of some length"}
        assert ask_admin(server, "POST", "keys", pair, key=tuple(named.values()))[0] == 400  # type: ignore[arg-type]  # two


# Exactly so many


@pytest.mark.parametrize("uses", [1, 100])
def test_exactly_as_many_downloads_as_uses(make: Make, uses: int) -> None:
    link = make(max_uses=uses)
    with ThreadPoolExecutor(32) as clients:
        statuses = list(clients.map(lambda _: fetch(link.url).status, range(1000)))
    assert (statuses.count(200), statuses.count(403)) == (uses, 1000 - uses)


def test_exactly_as_many_objects_as_uses(make: Make, plain_s3: S3Client, plain_bucket: str) -> None:
    link, numbers = make(["PUT"], prefix="up/", max_uses=20), itertools.count()
    with ThreadPoolExecutor(16) as clients:
        statuses = list(
            clients.map(lambda _: fetch(link.to(str(next(numbers))), "PUT", body=b"x").status, range(200))
        )
    assert (statuses.count(200), statuses.count(403)) == (20, 180)
    assert plain_s3.list_objects_v2(Bucket=plain_bucket, Prefix="up/")["KeyCount"] == 20


def test_no_request_begun_after_a_revocation_succeeds(make: Make) -> None:
    link, revoked, answers = make(), Event(), Queue[tuple[bool, int]]()

    def ask_on() -> None:
        after = 0
        while after < 50:
            is_after = revoked.is_set()
            answers.put((is_after, fetch(link.url).status))
            after += is_after

    clients = [Thread(target=ask_on) for _ in range(8)]
    for client in clients:
        client.start()
    seen = [answers.get() for _ in range(200)]
    link.do("revoke")
    revoked.set()
    for client in clients:
        client.join()
    while not answers.empty():
        seen.append(answers.get())
    assert [status for is_after, status in seen if is_after] == [403] * 400
    assert 200 in [status for is_after, status in seen if not is_after]


# Many


def test_links_are_made_in_bulk_and_each_line_is_answered(
    make: Make, server: RunningServer, plain_bucket: str
) -> None:
    make()
    lines = [
        {"operations": "GET", "bucket": plain_bucket, "key": "doc.txt", "label": str(n)} for n in range(600)
    ]
    lines[7] = {"operations": "GET"}
    body = "\n".join(map(json.dumps, lines)).encode()
    url = f"{server.endpoint}/-/api/v1/links/bulk"
    signer = Signer(server.access_key, server.secret_key, region=server.region)
    reply = fetch(url, "POST", headers=signer.sign_headers("POST", url, body=body), body=body)
    answers = [json.loads(line) for line in reply.body.splitlines()]
    assert len(answers) == 600
    assert [number for number, answer in enumerate(answers) if "error" in answer] == [7]
    assert answers[599]["label"] == "599"
    assert body_of(answers[599]["url"]) == PLAIN
    assert len(ask_admin(server, "GET", f"links?bucket={plain_bucket}&limit=1000")[1]["links"]) == 600
