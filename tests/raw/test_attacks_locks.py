"""What Object Lock protects stays, whatever is sent around it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

import pytest
from tests.raw.door import Door
from tests.raw.held import Held
from tests.raw.wire import Reply

LOCKABLE: Final = (
    b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
)
UNTIL: Final = "2040-01-01T00:00:00Z"
RETENTION: Final = f"<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>{UNTIL}</RetainUntilDate></Retention>"
BYPASS: Final = {"x-amz-bypass-governance-retention": "true"}


def versioning(status: str) -> bytes:
    return f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()


def digest_of(body: bytes) -> Mapping[str, str]:
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return {"content-md5": base64.b64encode(digest).decode()}


def put(door: Door, path: str, setting: str, body: bytes) -> Reply:
    return door.signed("PUT", path, query=[(setting, "")], headers=digest_of(body), body=body)


def locked_version(door: Door, bucket: str) -> str:
    """Keep an object that nobody may remove before 2040, in a new bucket, and return its version's id."""
    made = door.signed("PUT", f"/{bucket}", headers={"x-amz-bucket-object-lock-enabled": "true"})
    assert made.status == 200
    lock = {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": UNTIL,
        **digest_of(b"original"),
    }
    kept = door.signed("PUT", f"/{bucket}/ledger", headers=lock, body=b"original")
    assert kept.status == 200, kept.body
    return kept.header("x-amz-version-id") or ""


def test_versions_are_not_suspended_by_a_request_from_before_the_lock(door: Door) -> None:
    # Suspended, the bucket would let a new null version take the place of a locked one.
    path = "/worm-suspended"
    assert door.signed("PUT", path).status == 200
    assert door.signed("PUT", f"{path}/ledger", body=b"original").status == 200
    assert put(door, path, "versioning", versioning("Enabled")).status == 200
    with Held(door, "PUT", path, versioning("Suspended"), query=[("versioning", "")]) as held:
        assert put(door, path, "object-lock", LOCKABLE).status == 200
        assert put(door, f"{path}/ledger", "retention", RETENTION.encode()).status == 200
        assert held.let_go().refusal == (409, "InvalidBucketState")
    assert b"Enabled" in door.signed("GET", path, query=[("versioning", "")]).body
    assert door.signed("PUT", f"{path}/ledger", body=b"forged").status == 200
    assert door.signed("GET", f"{path}/ledger", query=[("versionId", "null")]).body == b"original"


def test_object_lock_is_not_set_up_where_versions_were_suspended_meanwhile(door: Door) -> None:
    path = "/worm-mirror"
    assert door.signed("PUT", path).status == 200
    assert put(door, path, "versioning", versioning("Enabled")).status == 200
    headers = digest_of(LOCKABLE)
    with Held(door, "PUT", path, LOCKABLE, query=[("object-lock", "")], headers=headers) as held:
        assert put(door, path, "versioning", versioning("Suspended")).status == 200
        assert held.let_go().refusal == (409, "InvalidBucketState")
    assert door.signed("GET", path, query=[("object-lock", "")]).refusal == (
        404,
        "ObjectLockConfigurationNotFoundError",
    )


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("<Retention/>", id="none"),
        pytest.param(RETENTION.replace("COMPLIANCE", "GOVERNANCE").replace("2040", "2041"), id="weaker"),
        pytest.param(RETENTION.replace(UNTIL, "2039-12-31T23:59:59.999Z"), id="shorter"),
        pytest.param(RETENTION.replace("00:00Z", "00:00+00:01"), id="shorter-by-its-zone"),
    ],
)
def test_compliance_is_not_loosened(door: Door, request: pytest.FixtureRequest, document: str) -> None:
    bucket = f"worm-{request.node.callspec.id}"
    query = [("retention", ""), ("versionId", locked_version(door, bucket))]
    body = document.encode()
    reply = door.signed(
        "PUT", f"/{bucket}/ledger", query=query, headers={**digest_of(body), **BYPASS}, body=body
    )
    assert reply.refusal == (403, "AccessDenied")
    kept = door.signed("GET", f"/{bucket}/ledger", query=query)
    assert b"<Mode>COMPLIANCE</Mode><RetainUntilDate>2040-01-01T00:00:00" in kept.body


def test_a_version_under_compliance_is_not_deleted_one_way_or_another(door: Door) -> None:
    bucket = "worm-deleted"
    version = locked_version(door, bucket)
    reply = door.signed("DELETE", f"/{bucket}/ledger", query=[("versionId", version)], headers=BYPASS)
    assert reply.refusal == (403, "AccessDenied")
    body = f"<Delete><Object><Key>ledger</Key><VersionId>{version}</VersionId></Object></Delete>".encode()
    headers = {**digest_of(body), **BYPASS}
    reply = door.signed("POST", f"/{bucket}", query=[("delete", "")], headers=headers, body=body)
    assert b"<Code>AccessDenied</Code>" in reply.body
    assert put(door, f"/{bucket}", "versioning", versioning("Suspended")).refusal == (
        409,
        "InvalidBucketState",
    )
    assert door.signed("DELETE", f"/{bucket}").refusal == (409, "BucketNotEmpty")
    assert door.signed("GET", f"/{bucket}/ledger").body == b"original"


def test_what_is_kept_after_a_default_is_set_has_its_retention(door: Door) -> None:
    bucket = "worm-default"
    assert (
        door.signed("PUT", f"/{bucket}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    )
    default = LOCKABLE.replace(
        b"</ObjectLockEnabled>",
        b"</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>5</Years>"
        b"</DefaultRetention></Rule>",
    )
    assert put(door, f"/{bucket}", "object-lock", default).status == 200
    assert door.signed("PUT", f"/{bucket}/a", headers=digest_of(b"a"), body=b"a").status == 200
    assert door.signed("HEAD", f"/{bucket}/a").header("x-amz-object-lock-mode") == "COMPLIANCE"
