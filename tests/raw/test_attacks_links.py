"""Holders of links, and other issuers, who want more than they were given."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode
from zipfile import ZipFile

import pytest
from tests.clients.admin_links import Link, new_link, refusal
from tests.clients.identities import Caller, allow, policy
from tests.raw.realm import Realm, id_of, number_of, put
from tests.raw.wire import connect, fetch, head

from valetkey.testing.server import running_server

IN_S3 = allow("s3:*")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PASSWORD = "an open sesame"


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with running_server(tmp_path_factory.mktemp("links") / "data", workers=2) as server:
        yield Realm(server=server)


def key_of(caller: Caller) -> tuple[str, str]:
    return caller.access_key, caller.secret_key


def link_of(realm: Realm, caller: Caller, bucket: str, operations: Any = "GET", **stated: Any) -> Link:
    return new_link(realm.server, bucket, operations, signed_by=key_of(caller), **stated)


def address_of(realm: Realm, caller: Caller, link: Link) -> str:
    status, made = realm.admin(caller, "POST", f"links/{link.id}/addresses", {})
    assert status == 200, made
    url: str = made["url"]
    return url


def attempts_of(realm: Realm, caller: Caller, **query: str) -> list[dict[str, Any]]:
    status, answer = realm.admin(caller, "GET", f"history?{urlencode(query)}")
    assert status == 200, answer
    return list(answer["attempts"])


def some_attempts_of(realm: Realm, caller: Caller, **query: str) -> list[dict[str, Any]]:
    """Return attempts, which are written in the background, when there are some."""
    deadline = time.monotonic() + 20
    while not (found := attempts_of(realm, caller, **query)):
        assert time.monotonic() < deadline
    return found


def test_somebody_elses_url_is_not_taken_back_under_an_own_key(realm: Realm) -> None:
    owner, other = realm.account(), realm.account()
    bucket = realm.bucket(owner)
    put(owner.client("s3"), bucket, "k")
    url = owner.client("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert fetch(url).status == 200
    pasted = url.replace(owner.access_key, other.access_key)
    assert realm.admin(other, "POST", "revocations", {"url": pasted})[0] == 200
    assert [fetch(url).status for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    "sent",
    ["image/png,text/html", "image/png;x=y, text/html", "image/png;,text/html", "image/,text/html"],
)
def test_a_type_hides_no_other_one(realm: Realm, sent: str) -> None:
    bucket = realm.bucket()
    for allowed in ("image/*", "image/png"):
        link = new_link(realm.server, bucket, ["PUT"], key="k", content_types=[allowed])
        reply = fetch(link.url, "PUT", headers={"Content-Type": sent}, body=b"x")
        assert refusal(reply) == (403, "ContentTypeNotAllowed")
    two = [("Content-Type", "image/png"), ("Content-Type", "text/html")]
    link = new_link(realm.server, bucket, ["PUT"], key="k", content_types=["image/*"])
    assert fetch(link.url, "PUT", headers=two, body=b"x").status >= 400


def test_a_new_user_of_an_old_name_sees_nothing_of_the_old_one(realm: Realm) -> None:
    name, old = realm.user(IN_S3)
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "k")
    link = link_of(realm, old, bucket, key="k")
    address = address_of(realm, old, link)
    assert fetch(link.url).status == 200
    iam = realm.root.client("iam")
    assert [one["key"] for one in some_attempts_of(realm, old)] == ["k"]
    iam.delete_access_key(UserName=name, AccessKeyId=old.access_key)
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    new = Caller(server=realm.server, access_key=made["AccessKeyId"], secret_key=made["SecretAccessKey"])
    assert realm.admin(new, "GET", "links")[1]["links"] == []
    assert realm.admin(new, "GET", f"links/{link.id}")[0] == 404
    assert attempts_of(realm, new) == []
    assert attempts_of(realm, new, id=link.id) == []
    assert refusal(fetch(link.url)) == (403, "LinkIssuerInactive")
    assert refusal(fetch(address)) == (403, "LinkIssuerInactive")


def test_nothing_of_the_issuer_is_told(realm: Realm) -> None:
    name, user = realm.user(IN_S3)
    bucket = realm.bucket()
    s3 = realm.root.client("s3")
    put(s3, bucket, "dir/k")
    link = link_of(realm, user, bucket, ["GET", "PUT", "DELETE", "MULTIPART", "LIST"], prefix="dir/")
    query = link.url.partition("?")[2]
    replies = [fetch(link.to("k")), fetch(link.to("new"), "PUT", body=b"x")]
    replies.append(fetch(f"{realm.server.endpoint}/{bucket}?list-type=2&prefix=dir/&{query}"))
    begun = fetch(link.with_query("uploads", "big"), "POST")
    upload = re.search(rb"<UploadId>(.*?)</UploadId>", begun.body)
    assert upload is not None
    replies.append(begun)
    replies.append(fetch(link.with_query(f"uploadId={upload[1].decode()}", "big")))
    assert [reply.status for reply in replies] == [200] * 5
    realm.root.client("iam").delete_user_policy(UserName=name, PolicyName="p0")
    refused = [fetch(link.to("k")), fetch(link.to("missing")), fetch(link.to("new"), "PUT", body=b"x")]
    refused.append(fetch(f"{realm.server.endpoint}/{bucket}?list-type=2&prefix=dir/&{query}"))
    refused.append(fetch(link.with_query("zip")))
    secret = [user.access_key, name, id_of(realm.root), number_of(realm.root)]
    for reply in [*replies, *refused]:
        for word in secret:
            assert word not in repr(reply), (word, reply)


def test_a_short_address_is_watched_like_its_link(realm: Realm) -> None:
    owner = realm.account()
    bucket = realm.bucket(owner)
    put(owner.client("s3"), bucket, "k")
    link = link_of(realm, owner, bucket, key="k")
    address = address_of(realm, owner, link)
    assert fetch(address).status == 200
    found = some_attempts_of(realm, owner, id=link.id)
    assert [(one["operation"], one["status"]) for one in found] == [("GetObject", 200)]


def test_wrong_passwords_on_the_page_are_watched(realm: Realm) -> None:
    owner = realm.account()
    bucket = realm.bucket(owner)
    put(owner.client("s3"), bucket, "k")
    link = link_of(realm, owner, bucket, key="k", password=PASSWORD)
    address = address_of(realm, owner, link)
    assert fetch(address, "POST", headers=FORM, body=b"password=wrong").status == 403
    found = some_attempts_of(realm, owner, id=link.id)
    assert [one["error_code"] for one in found] == ["LinkPasswordRequired"]


def test_a_password_opens_all_of_a_folder(realm: Realm) -> None:
    owner = realm.account()
    bucket = realm.bucket(owner)
    put(owner.client("s3"), bucket, "dir/a")
    put(owner.client("s3"), bucket, "dir/b")
    link = link_of(realm, owner, bucket, prefix="dir/", password=PASSWORD)
    address = address_of(realm, owner, link)
    body = urlencode({"password": PASSWORD}).encode()
    reply = fetch(f"{address}/a", "POST", headers=FORM, body=body)
    assert reply.status == 303, reply
    cookie = reply.header("set-cookie")
    assert cookie is not None
    path = re.search(r"Path=([^;]*)", cookie)
    assert path is not None
    assert address.endswith(path[1])


def test_whoever_hangs_up_with_a_part_of_it_has_used_the_link(realm: Realm) -> None:
    owner = realm.account()
    bucket = realm.bucket(owner)
    put(owner.client("s3"), bucket, "k", b"x" * 300_000)
    link = link_of(realm, owner, bucket, key="k", max_uses=50)
    for _ in range(50):
        path = link.url.removeprefix(realm.server.endpoint)
        with connect(realm.server.port) as connection:
            # So that closing it cuts the connection at once, whatever the server is about to do.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(head("GET", path, {"Host": f"{realm.server.host}:{realm.server.port}"}))
            received = b""
            while not received.partition(b"\r\n\r\n")[2]:
                piece = connection.recv(1024)
                assert piece, received
                received += piece
        assert received.startswith(b"HTTP/1.1 200 ")
    assert refusal(fetch(link.url)) == (403, "LinkUsedUp")


def test_a_whole_bucket_is_a_prefix_too(realm: Realm) -> None:
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "dir/a")
    link = new_link(realm.server, bucket, ["GET", "LIST"], prefix="")
    reply = fetch(f"{link.url}&zip")
    assert reply.status == 200
    with ZipFile(BytesIO(reply.body)) as archive:
        assert archive.namelist() == ["dir/a"]
    for operations in ("GET", ["HEAD", "LIST"]):
        link = new_link(realm.server, bucket, operations, prefix="")
        assert refusal(fetch(f"{link.url}&zip")) == (403, "OperationNotAllowed")


def test_a_url_is_taken_back_however_its_base64_is_pasted(realm: Realm) -> None:
    owner = realm.account()
    bucket, s3 = realm.bucket(owner), owner.client("s3")
    put(s3, bucket, "k")
    urls = (
        s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, ends)
        for ends in range(600, 900)
    )
    url = next(url for url in urls if "%2B" in url and "AWSAccessKeyId" in url)
    assert fetch(url).status == 200
    assert realm.admin(owner, "POST", "revocations", {"url": unquote(url)})[0] == 200
    assert [refusal(fetch(url)) for _ in range(4)] == [(403, "LinkRevoked")] * 4


def test_what_the_issuer_is_counts_as_it_is_now(realm: Realm) -> None:
    """Also in its tags, its policies and its account, of which the key itself says nothing."""
    account = realm.account()
    owner = id_of(account)
    bucket = realm.bucket(account)
    put(account.client("s3"), bucket, "k")
    tagged = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    name, user = realm.user(tagged, of=account)
    iam = account.client("iam")
    link = link_of(realm, user, bucket, key="k")
    address = address_of(realm, user, link)
    seen = []
    changes = (
        lambda: None,
        lambda: iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "red"}]),
        lambda: iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "blue"}]),
        lambda: iam.put_user_policy(UserName=name, PolicyName="more", PolicyDocument=policy(IN_S3)),
        lambda: realm.admin(realm.root, "POST", f"accounts/{owner}/deactivate", {}),
    )
    for change in changes:
        change()
        codes = {
            reply.status if reply.status == 200 else refusal(reply)[1]
            for url in (link.url, address)
            for reply in [fetch(url) for _ in range(4)]
        }
        seen.append(codes)
    assert seen == [{"AccessDenied"}, {200}, {"AccessDenied"}, {200}, {"LinkIssuerInactive"}]


def test_nobody_reaches_links_and_addresses_of_others(realm: Realm) -> None:
    owner, other = realm.account(), realm.account()
    bucket, others = realm.bucket(owner), realm.bucket(other)
    link, own = link_of(realm, owner, bucket, key="k"), link_of(realm, other, others, key="k")
    made = realm.admin(owner, "POST", f"links/{link.id}/addresses", {})[1]
    mine = realm.admin(other, "POST", f"links/{own.id}/addresses", {})[1]
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"links/{link.id}", None),
        ("POST", f"links/{link.id}", {"label": "mine"}),
        ("POST", f"links/{link.id}/pause", {}),
        ("DELETE", f"links/{link.id}", None),
        ("GET", f"links/{link.id}/addresses", None),
        ("POST", f"links/{link.id}/addresses", {}),
        ("POST", f"addresses/{made['id']}", {"link": own.id}),
        ("POST", f"addresses/{mine['id']}", {"link": link.id}),
        ("DELETE", f"addresses/{made['id']}", None),
    ]
    for method, path, body in asked:
        assert realm.admin(other, method, path, body)[0] == 404, (method, path)
    assert realm.admin(other, "POST", "revocations", {"url": link.url})[0] == 404
    assert realm.admin(other, "POST", "links/revoke", {"access_key": owner.access_key})[1] == {"count": 0}
    fetch(link.url)
    some_attempts_of(realm, owner, id=link.id)
    assert attempts_of(realm, other, id=link.id) == []
