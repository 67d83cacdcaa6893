"""Documents and values that were made to cost much, or to mean something that nobody can undo."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

import pytest
from tests.raw.door import Door
from tests.raw.held import Held
from tests.raw.wire import Reply

MALFORMED: Final = (400, "MalformedXML")


def digest_of(body: bytes) -> Mapping[str, str]:
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return {"content-md5": base64.b64encode(digest).decode()}


def send(door: Door, method: str, path: str, query: tuple[str, str], body: bytes) -> Reply:
    return door.signed(method, path, query=[query], headers=digest_of(body), body=body)


def delete(door: Door, path: str, details: str) -> Reply:
    body = f"<Delete><Object>{details}</Object></Delete>".encode()
    return send(door, "POST", path, ("delete", ""), body)


@pytest.fixture(scope="module")
def versioned(door: Door) -> str:
    """The path of a bucket with versions."""
    path = "/raw-versioned"
    assert door.signed("PUT", path).status == 200
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert send(door, "PUT", path, ("versioning", ""), body).status == 200
    return path


# Each of these took a worker minutes, during which it answered nobody.
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(' xmlns:a="%s">' % ("u" * 50_000) + "<a:x/>" * 50_000, id="long-namespace"),
        pytest.param(' xmlns="%s">' % ("u" * 50_000) + "<x/>" * 50_000, id="long-default-namespace"),
        pytest.param(">" + "<%s/>" % ("x" * 300_000), id="long-name"),
        pytest.param(' a="%s">' % ("x" * 300_000), id="long-attribute"),
        pytest.param(">" + " " * 300_000, id="long-text"),
        pytest.param(">" + "<x/>" * 130_000, id="many-elements"),
    ],
)
@pytest.mark.parametrize("root", ["LifecycleConfiguration", "CompleteMultipartUpload"])
def test_a_document_that_is_none_of_these_is_refused(door: Door, root: str, inside: str) -> None:
    body = f"<{root}{inside}</{root}>".encode()
    if root == "LifecycleConfiguration":
        reply = send(door, "PUT", f"/{door.bucket}", ("lifecycle", ""), body)
    else:
        begun = door.signed("POST", door.path("costly"), query=[("uploads", "")])
        upload_id = begun.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        reply = send(door, "POST", door.path("costly"), ("uploadId", upload_id), body)
    assert reply.refusal == MALFORMED


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param("<Tagging>", id="plain"),
        pytest.param(f'<Tagging xmlns="{"u" * 257}">', id="long-default-namespace"),
        pytest.param(f'<Tagging xmlns:a="{"u" * 257}">', id="long-namespace"),
    ],
)
def test_a_document_is_refused_for_its_length_alone(door: Door, versioned: str, opening: str) -> None:
    body = (opening + "<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>").encode()
    reply = send(door, "PUT", versioned, ("tagging", ""), body)
    if opening == "<Tagging>":
        assert reply.status == 204
    else:
        assert reply.refusal == MALFORMED


def test_a_lifecycle_rule_asks_for_no_more_tags_than_an_object_has(door: Door) -> None:
    # Thousands of them, in each of a thousand rules, filled the memory of every worker.
    tags = "".join(f"<Tag><Key>{number}</Key><Value/></Tag>" for number in range(11))
    body = (
        "<LifecycleConfiguration><Rule><ID>x</ID><Filter><And>" + tags + "</And></Filter>"
        "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
    ).encode()
    assert send(door, "PUT", f"/{door.bucket}", ("lifecycle", ""), body).refusal == MALFORMED


def test_an_upload_from_before_the_versions_gets_an_id(door: Door) -> None:
    # Once its id was empty: no request could name the version, and so the bucket could never be deleted.
    path = "/raw-late-versions"
    assert door.signed("PUT", path).status == 200
    gone = b"<Delete><Object><Key>gone</Key></Object></Delete>"
    many = Held(door, "POST", path, gone, query=[("delete", "")], headers=digest_of(gone))
    with Held(door, "PUT", f"{path}/kept", b"content") as upload, many as deletion:
        body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        assert send(door, "PUT", path, ("versioning", ""), body).status == 200
        kept = upload.let_go()
        deleted = deletion.let_go().body
    version = kept.header("x-amz-version-id")
    marker = deleted.partition(b"<DeleteMarkerVersionId>")[2].partition(b"<")[0].decode()
    assert version
    assert marker
    for key, version_id in (("kept", version), ("gone", marker)):
        reply = door.signed("DELETE", f"{path}/{key}", query=[("versionId", version_id)])
        assert reply.status == 204
        assert reply.header("x-amz-version-id") == version_id
    assert door.signed("DELETE", path).status == 204


@pytest.mark.parametrize(
    ("condition", "refusal"),
    [
        pytest.param("*", (412, "PreconditionFailed"), id="any"),
        pytest.param('"*"', (412, "PreconditionFailed"), id="any-in-quotes"),
        pytest.param('"{etag}"', (412, "PreconditionFailed"), id="its-tag"),
        pytest.param('"zzz", "{etag}"', (501, "NotImplemented"), id="a-list"),
        pytest.param('W/"{etag}"', (501, "NotImplemented"), id="weak"),
        pytest.param("*,*", (501, "NotImplemented"), id="any-twice"),
        pytest.param('* , "a"', (501, "NotImplemented"), id="any-and-one"),
        pytest.param("", (501, "NotImplemented"), id="empty"),
    ],
)
def test_a_condition_is_never_passed_over_on_a_write(
    door: Door, condition: str, refusal: tuple[int, str]
) -> None:
    etag = hashlib.md5(b"first", usedforsecurity=False).hexdigest()
    door.put("conditions", b"first")
    headers = {"if-none-match": condition.format(etag=etag)}
    reply = door.signed("PUT", door.path("conditions"), headers=headers, body=b"second")
    assert reply.refusal == refusal
    assert door.content("conditions") == b"first"


@pytest.mark.parametrize(
    "condition",
    [
        "<ETag></ETag>",
        '<ETag>"x"</ETag>',
        "<Size></Size>",
        "<Size>6</Size>",
        "<LastModifiedTime></LastModifiedTime>",
        "<LastModifiedTime>2001-01-01T00:00:00Z</LastModifiedTime>",
        "<LastModifiedTime>0001-01-01T00:00:00+14:00</LastModifiedTime>",
    ],
)
def test_an_object_stays_whose_condition_does_not_hold_or_is_empty(door: Door, condition: str) -> None:
    door.put("condition-of-many", b"stays")
    reply = delete(door, f"/{door.bucket}", f"<Key>condition-of-many</Key>{condition}")
    assert b"<Deleted>" not in reply.body
    assert door.content("condition-of-many") == b"stays"


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("", id="empty"),
        pytest.param("a\r\nx-evil: 1", id="line-break"),
        pytest.param("a\0b", id="nul"),
        pytest.param("ééé", id="letters"),
        pytest.param("\N{GRINNING FACE}", id="emoji"),
        pytest.param("a" * 5000, id="long"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_odd_version_id_is_refused_and_stands_in_no_header(
    door: Door, versioned: str, method: str, version: str
) -> None:
    for path in (door.path("missing"), f"{versioned}/missing"):
        reply = door.signed(method, path, query=[("versionId", version)])
        assert reply.status in (400, 404)
        assert reply.header("x-evil") is None
        assert reply.header("x-amz-version-id") is None


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("ééé", id="letters"),
        pytest.param("&#13;&#10;x-evil: 1", id="line-break"),
        pytest.param("\N{GRINNING FACE}", id="emoji"),
        pytest.param("a" * 5000, id="long"),
    ],
)
def test_an_odd_version_id_among_many_deletes_nothing(door: Door, versioned: str, version: str) -> None:
    for path in (f"/{door.bucket}", versioned):
        assert door.signed("PUT", f"{path}/odd-version", body=b"stays").status == 200
        reply = delete(door, path, f"<Key>odd-version</Key><VersionId>{version}</VersionId>")
        assert reply.status == 200
        assert reply.header("x-evil") is None
        assert b"DeleteMarker" not in reply.body
        assert door.signed("GET", f"{path}/odd-version").body == b"stays"


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2030-01-01T24:00:00Z",
        "2030-02-30T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "2030-01-01T00:00:00+99:99",
    ],
)
def test_an_instant_that_no_calendar_has_is_refused(door: Door, instant: str) -> None:
    lock = {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": instant}
    for headers in (lock, {"x-amz-object-lock-retain-until-date": instant}):
        reply = door.signed("PUT", door.path("instants"), headers={**headers, **digest_of(b"x")}, body=b"x")
        assert reply.status == 400
    retention = f"<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>{instant}</RetainUntilDate></Retention>"
    door.put("instants", b"x")
    reply = send(door, "PUT", door.path("instants"), ("retention", ""), retention.encode())
    assert reply.status == 400
    rule = (
        "<LifecycleConfiguration><Rule><ID>x</ID><Filter/><Status>Enabled</Status><Expiration>"
        f"<Date>{instant}</Date></Expiration></Rule></LifecycleConfiguration>"
    )
    reply = send(door, "PUT", f"/{door.bucket}", ("lifecycle", ""), rule.encode())
    assert reply.status == 400
