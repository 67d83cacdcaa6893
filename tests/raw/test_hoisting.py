"""Headers that stand in a signed query: which of them count as headers.

Source: answers recorded from Amazon S3 for presigned requests with `x-amz-*` in the query.
"""

from __future__ import annotations

import pytest
from tests.raw.door import Door


def test_metadata_in_the_query_is_kept(door: Door) -> None:
    reply = door.presigned("PUT", "hoisted-meta", query=[("x-amz-meta-Colour", "blue")], body=b"content")
    assert reply.status == 200
    assert door.presigned("HEAD", "hoisted-meta").header("x-amz-meta-colour") == "blue"


def test_if_none_match_in_the_query_lets_one_upload_through(door: Door) -> None:
    def upload(content: bytes) -> int:
        return door.presigned("PUT", "hoisted-once", query=[("If-None-Match", "*")], body=content).status

    assert [upload(b"first"), upload(b"second")] == [200, 412]
    assert door.content("hoisted-once") == b"first"


def test_if_match_in_the_query_must_hold(door: Door) -> None:
    door.put("hoisted-match", b"first")
    etag = door.presigned("HEAD", "hoisted-match").header("ETag") or ""
    refused = door.presigned("PUT", "hoisted-match", query=[("If-Match", '"other"')], body=b"second")
    assert refused.refusal == (412, "PreconditionFailed")
    assert door.presigned("PUT", "hoisted-match", query=[("If-Match", etag)], body=b"third").status == 200
    assert door.content("hoisted-match") == b"third"


def test_a_storage_class_in_the_query_is_kept(door: Door) -> None:
    query = [("x-amz-storage-class", "STANDARD_IA")]
    assert door.presigned("PUT", "hoisted-class", query=query, body=b"content").status == 200
    assert door.presigned("HEAD", "hoisted-class").header("x-amz-storage-class") == "STANDARD_IA"


def test_an_acl_in_the_query_is_judged_like_a_header(door: Door) -> None:
    private = door.presigned("PUT", "hoisted-acl", query=[("x-amz-acl", "private")], body=b"content")
    public = door.presigned("PUT", "hoisted-acl", query=[("x-amz-acl", "public-read")], body=b"content")
    assert private.status == 200
    assert public.refusal == (400, "AccessControlListNotSupported")


def test_tags_in_the_query_are_ignored(door: Door) -> None:
    reply = door.presigned("PUT", "hoisted-tags", query=[("x-amz-tagging", "a=b")], body=b"content")
    assert reply.status == 200


def test_a_checksum_in_the_query_is_not_evaluated(door: Door) -> None:
    query = [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32")]
    target = door.key.presign("PUT", door.path("hoisted-crc"), query=query)
    assert door.send("PUT", target, body=b"content").status == 200
    assert door.content("hoisted-crc") == b"content"
    kept = door.presigned("HEAD", "hoisted-crc", headers={"x-amz-checksum-mode": "ENABLED"})
    assert kept.header("x-amz-checksum-crc32") is None
    assert kept.header("x-amz-checksum-crc64nvme") is not None
    tampered = door.send("PUT", target.replace("AAAAAA%3D%3D", "BBBBBB%3D%3D"), body=b"content")
    assert tampered.refusal == (403, "SignatureDoesNotMatch")


def test_a_copy_source_that_was_signed_in_the_query_is_copied(door: Door) -> None:
    door.put("hoisted-source", b"to be copied")
    reply = door.presigned("PUT", "hoisted-copy", query=[("x-amz-copy-source", door.path("hoisted-source"))])
    assert reply.status == 200
    assert b"CopyObjectResult" in reply.body
    assert door.content("hoisted-copy") == b"to be copied"


@pytest.mark.parametrize("is_header_sent_too", [False, True])
def test_a_signed_header_may_stand_in_the_query_alone(door: Door, is_header_sent_too: bool) -> None:
    """The JavaScript SDK of version 2 lists a header as signed and puts its value into the query."""
    value = {"x-amz-meta-colour": "green"}
    name = f"stands-in-{is_header_sent_too}"
    target = door.key.presign("PUT", door.path(name), query=list(value.items()), headers=value)
    reply = door.send("PUT", target, headers=value if is_header_sent_too else {}, body=b"content")
    assert reply.status == 200
    assert door.presigned("HEAD", name).header("x-amz-meta-colour") == "green"


def test_a_header_beside_its_namesake_in_the_query_must_be_signed(door: Door) -> None:
    reply = door.presigned(
        "PUT",
        "namesake",
        query=[("x-amz-meta-colour", "green")],
        unsigned={"x-amz-meta-colour": "red"},
        body=b"content",
    )
    assert reply.refusal == (403, "AccessDenied")
    assert reply.fault.details["HeadersNotSigned"] == "x-amz-meta-colour"


def test_any_parameter_may_be_signed_along(door: Door) -> None:
    door.put("along", b"content")
    reply = door.presigned("GET", "along", query=[("requestedBy", "a friend & co."), ("x-id", "GetObject")])
    assert reply.body == b"content"


@pytest.mark.parametrize(
    "added", ["&x-id=GetObject", "&a", "&x-amz-meta-a=b", "&response-content-type=text%2Fhtml"]
)
def test_no_parameter_may_be_added_later(door: Door, added: str) -> None:
    door.put("added", b"content")
    reply = door.send("GET", door.key.presign("GET", door.path("added")) + added)
    assert reply.refusal == (403, "SignatureDoesNotMatch")


def test_nothing_is_hoisted_where_the_signature_is_in_the_header(door: Door) -> None:
    query = [("x-amz-meta-colour", "blue"), ("x-amz-copy-source", door.path("along"))]
    reply = door.signed("PUT", door.path("not-hoisted"), query=query, body=b"own content")
    assert reply.status == 200
    assert door.content("not-hoisted") == b"own content"
    assert door.presigned("HEAD", "not-hoisted").header("x-amz-meta-colour") is None
