"""Access control lists, as they are asked for in headers and documents, and what strangers may do by them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.raw.door import Door
from tests.raw.wire import Reply

NOBODY = "0" * 64
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
OWNERSHIP = "x-amz-object-ownership"


def make(door: Door, bucket: str, headers: Mapping[str, str] | None = None) -> Reply:
    wanted = {OWNERSHIP: "ObjectWriter"} | dict(headers or {})
    target = door.key.presign("PUT", f"/{bucket}", headers=wanted)
    return door.send("PUT", target, headers=wanted)


def put(
    door: Door, path: str, *, query: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    given = dict(headers or {})
    pairs = [(query, "")] if query else []
    return door.send(
        "PUT", door.key.presign("PUT", path, query=pairs, headers=given), headers=given, body=body
    )


def get(door: Door, path: str, query: str) -> str:
    reply = door.send("GET", door.key.presign("GET", path, query=[(query, "")]))
    assert reply.status == 200, reply.body
    return reply.body.decode()


@pytest.fixture(scope="module")
def owner(door: Door) -> str:
    """The canonical user id of the account whose the buckets are."""
    return get(door, f"/{door.bucket}", "acl").partition("<ID>")[2].partition("</ID>")[0]


@pytest.fixture(scope="module")
def listed(door: Door) -> str:
    """A bucket where lists count, which strangers may list, with an object that they may read."""
    assert make(door, "raw-listed", {"x-amz-acl": "public-read"}).status == 200
    assert put(door, "/raw-listed/open", headers={"x-amz-acl": "public-read"}, body=b"open").status == 200
    assert put(door, "/raw-listed/shut", body=b"shut").status == 200
    return "/raw-listed"


@pytest.fixture(scope="module")
def unlisted(door: Door) -> str:
    """A bucket where lists count, which strangers may not list, with an object that they may read."""
    assert make(door, "raw-unlisted").status == 200
    assert put(door, "/raw-unlisted/open", headers={"x-amz-acl": "public-read"}, body=b"open").status == 200
    return "/raw-unlisted"


@pytest.fixture(scope="module")
def writable(door: Door) -> str:
    """A bucket where strangers may write."""
    assert make(door, "raw-writable", {"x-amz-acl": "public-read-write"}).status == 200
    return "/raw-writable"


def policy(owner: str, grants: str) -> bytes:
    return (
        f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner>"
        f"<AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    ).encode()


def grant(element: str, value: str, permission: str = "READ") -> str:
    return (
        f"<Grant><Grantee><{element}>{value}</{element}></Grantee>"
        f"<Permission>{permission}</Permission></Grant>"
    )


def test_a_stranger_reads_what_is_open_and_nothing_else(door: Door, listed: str) -> None:
    assert door.send("GET", f"{listed}/open").body == b"open"
    assert door.send("HEAD", f"{listed}/open").status == 200
    assert door.send("GET", f"{listed}/shut").refusal == (403, "AccessDenied")
    assert door.send("HEAD", f"{listed}/shut").status == 403
    assert door.send("GET", f"{listed}/open?acl").refusal == (403, "AccessDenied")
    assert door.send("GET", f"{listed}/open?tagging").refusal == (403, "AccessDenied")
    assert door.send("PUT", f"{listed}/open", body=b"mine").refusal == (403, "AccessDenied")
    assert door.send("DELETE", f"{listed}/open").refusal == (403, "AccessDenied")


def test_a_stranger_lists_what_may_be_listed(door: Door, listed: str, unlisted: str) -> None:
    assert b"<Key>shut</Key>" in door.send("GET", listed).body
    assert door.send("GET", unlisted).refusal == (403, "AccessDenied")


def test_who_may_list_learns_what_is_missing_and_nobody_else(door: Door, listed: str, unlisted: str) -> None:
    assert door.send("GET", f"{listed}/none").refusal == (404, "NoSuchKey")
    assert door.send("GET", f"{unlisted}/none").refusal == (403, "AccessDenied")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_everybody_learns_that_there_is_no_bucket(door: Door, method: str) -> None:
    assert door.send(method, "/no-such-bucket-at-all/key").refusal == (404, "NoSuchBucket")


def test_what_a_stranger_writes_is_the_bucket_owners(door: Door, owner: str, writable: str) -> None:
    assert door.send("PUT", f"{writable}/given", body=b"given").status == 200
    assert owner in get(door, f"{writable}/given", "acl")
    assert door.send("GET", f"{writable}/given").refusal == (403, "AccessDenied")
    assert door.send("DELETE", f"{writable}/given").status == 204


def test_grants_in_headers_are_what_the_list_holds(door: Door, owner: str, unlisted: str) -> None:
    headers = {"x-amz-grant-read": f'uri="{EVERYBODY}"', "x-amz-grant-full-control": f"id={owner}"}
    assert put(door, f"{unlisted}/granted", headers=headers, body=b"granted").status == 200
    text = get(door, f"{unlisted}/granted", "acl")
    assert text.count("<Grant>") == 2
    assert f"<URI>{EVERYBODY}</URI></Grantee><Permission>READ</Permission>" in text
    assert door.send("GET", f"{unlisted}/granted").body == b"granted"


@pytest.mark.parametrize("place", ["", "/open"], ids=["bucket", "object"])
class TestRefusedLists:
    def refusal(
        self, door: Door, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, str, Mapping[str, str]]:
        reply = put(door, path, query="acl", headers=headers, body=body)
        told = {
            name: text
            for name, text in reply.fault.details.items()
            if name.startswith(("Argument", "Missing"))
        }
        return *reply.refusal, told

    def test_an_unknown_canned_name(self, door: Door, listed: str, place: str) -> None:
        told = {"ArgumentName": "x-amz-acl", "ArgumentValue": "public"}
        assert self.refusal(door, listed + place, {"x-amz-acl": "public"}) == (400, "InvalidArgument", told)

    def test_both_ways_at_once(self, door: Door, listed: str, place: str) -> None:
        headers = {"x-amz-acl": "private", "x-amz-grant-read": f"id={NOBODY}"}
        assert self.refusal(door, listed + place, headers)[:2] == (400, "InvalidRequest")

    def test_a_document_beside_a_header(self, door: Door, owner: str, listed: str, place: str) -> None:
        found = self.refusal(door, listed + place, {"x-amz-acl": "private"}, policy(owner, ""))
        assert found[:2] == (400, "UnexpectedContent")

    def test_no_list_at_all(self, door: Door, listed: str, place: str) -> None:
        told = {"MissingHeaderName": "x-amz-acl"}
        assert self.refusal(door, listed + place) == (400, "MissingSecurityHeader", told)

    def test_an_unknown_account(self, door: Door, owner: str, listed: str, place: str) -> None:
        header = self.refusal(door, listed + place, {"x-amz-grant-read": f"id={NOBODY}"})
        assert header == (400, "InvalidArgument", {"ArgumentName": "id", "ArgumentValue": NOBODY})
        document = self.refusal(door, listed + place, body=policy(owner, grant("ID", NOBODY)))
        told = {"ArgumentName": "CanonicalUser/ID", "ArgumentValue": NOBODY}
        assert document == (400, "InvalidArgument", told)

    def test_an_unknown_group(self, door: Door, owner: str, listed: str, place: str) -> None:
        found = self.refusal(door, listed + place, body=policy(owner, grant("URI", "everybody")))
        told = {"ArgumentName": "Group/URI", "ArgumentValue": "everybody"}
        assert found == (400, "InvalidArgument", told)

    def test_an_unknown_address(self, door: Door, owner: str, listed: str, place: str) -> None:
        body = policy(owner, grant("EmailAddress", "nobody@example.com"))
        found = self.refusal(door, listed + place, body=body)
        assert found[:2] == (400, "UnresolvableGrantByEmailAddress")

    def test_another_owner(self, door: Door, listed: str, place: str) -> None:
        assert self.refusal(door, listed + place, body=policy(NOBODY, ""))[:2] == (403, "AccessDenied")

    def test_a_malformed_document(self, door: Door, owner: str, listed: str, place: str) -> None:
        for body in (b"<AccessControlPolicy>", policy(owner, grant("ID", owner, "EVERYTHING"))):
            assert self.refusal(door, listed + place, body=body)[:2] == (400, "MalformedACLError")


class TestDisabledLists:
    """In a bucket as it is by default."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("x-amz-acl", "public-read"),
            ("x-amz-acl", "bucket-owner-read"),
            ("x-amz-grant-read", f"id={NOBODY}"),
        ],
    )
    def test_nothing_can_be_granted(self, door: Door, name: str, value: str) -> None:
        refused = (400, "AccessControlListNotSupported")
        headers = {name: value}
        assert put(door, door.path("granted"), headers=headers, body=b"x").refusal == refused
        assert put(door, f"/{door.bucket}", query="acl", headers=headers).refusal == refused
        assert door.content("granted") is None

    def test_what_changes_nothing_is_taken(self, door: Door, owner: str) -> None:
        for headers in (
            {"x-amz-acl": "private"},
            {"x-amz-acl": "bucket-owner-full-control"},
            {"x-amz-grant-full-control": f'id="{owner}"'},
        ):
            assert put(door, door.path("kept"), headers=headers, body=b"kept").status == 200
            assert put(door, door.path("kept"), query="acl", headers=headers).status == 200
            assert put(door, f"/{door.bucket}", query="acl", headers=headers).status == 200

    def test_amazon_refuses_private_too(self, strict_door: Door) -> None:
        reply = put(strict_door, strict_door.path("kept"), headers={"x-amz-acl": "private"}, body=b"kept")
        assert reply.refusal == (400, "AccessControlListNotSupported")

    def test_a_bucket_that_is_to_have_a_list_is_not_made(self, door: Door) -> None:
        headers = {OWNERSHIP: "BucketOwnerEnforced", "x-amz-acl": "public-read"}
        refused = (400, "InvalidBucketAclWithObjectOwnership")
        assert make(door, "raw-never-made", headers).refusal == refused
        target = door.key.presign("HEAD", "/raw-never-made")
        assert door.send("HEAD", target).status == 404

    def test_an_unknown_ownership_is_refused(self, door: Door) -> None:
        reply = make(door, "raw-never-made", {OWNERSHIP: "Everybody"})
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == "Invalid x-amz-object-ownership header: Everybody"


def test_lists_count_for_nothing_once_they_are_disabled(door: Door) -> None:
    assert make(door, "raw-disabled").status == 200
    assert put(door, "/raw-disabled/open", headers={"x-amz-acl": "public-read"}, body=b"open").status == 200
    assert door.send("GET", "/raw-disabled/open").status == 200
    body = (
        b"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
        b"</OwnershipControls>"
    )
    assert put(door, "/raw-disabled", query="ownershipControls", body=body).status == 200
    assert door.send("GET", "/raw-disabled/open").refusal == (403, "AccessDenied")
    assert EVERYBODY not in get(door, "/raw-disabled/open", "acl")


def test_a_bucket_that_is_made_again_has_the_list_of_a_new_one(door: Door) -> None:
    assert make(door, "raw-again", {"x-amz-acl": "public-read"}).status == 200
    assert door.send("GET", "/raw-again").status == 200
    assert make(door, "raw-again").status == 200
    assert door.send("GET", "/raw-again").refusal == (403, "AccessDenied")
