"""boto3 locks versions, and what is locked cannot be deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal

FAR = datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
FARTHER = FAR + timedelta(days=1)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return refusal(caught.value)


def retention(mode: str, until: datetime) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": until}


@pytest.fixture
def locked_bucket(plain_s3: S3Client, new_name: Callable[[str], str]) -> str:
    """A bucket whose versions may be locked."""
    name = new_name("locks")
    plain_s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def version(plain_s3: S3Client, locked_bucket: str) -> dict[str, str]:
    """The one version of a key in it."""
    put = plain_s3.put_object(Bucket=locked_bucket, Key="key", Body=b"body")
    return {"Bucket": locked_bucket, "Key": "key", "VersionId": put["VersionId"]}


def test_such_a_bucket_has_versions_and_keeps_them(plain_s3: S3Client, locked_bucket: str) -> None:
    assert plain_s3.get_bucket_versioning(Bucket=locked_bucket)["Status"] == "Enabled"
    answer = plain_s3.get_object_lock_configuration(Bucket=locked_bucket)
    assert answer["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    suspended = {"Status": "Suspended"}
    arguments = {"Bucket": locked_bucket, "VersioningConfiguration": suspended}
    assert refused(plain_s3.put_bucket_versioning, **arguments) == (409, "InvalidBucketState")


def test_new_versions_get_the_default(plain_s3: S3Client, locked_bucket: str) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    plain_s3.put_object_lock_configuration(Bucket=locked_bucket, ObjectLockConfiguration=wanted)
    answer = plain_s3.get_object_lock_configuration(Bucket=locked_bucket)
    assert answer["ObjectLockConfiguration"] == wanted
    plain_s3.put_object(Bucket=locked_bucket, Key="key", Body=b"body")
    head = plain_s3.head_object(Bucket=locked_bucket, Key="key")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    until = head["ObjectLockRetainUntilDate"]
    assert abs(until - head["LastModified"] - timedelta(days=2)) < timedelta(seconds=2)


def test_a_bucket_with_versions_may_get_locks_later(plain_s3: S3Client, plain_bucket: str) -> None:
    wanted = {"ObjectLockEnabled": "Enabled"}
    arguments = {"Bucket": plain_bucket, "ObjectLockConfiguration": wanted}
    assert refused(plain_s3.put_object_lock_configuration, **arguments) == (409, "InvalidBucketState")
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    plain_s3.put_object_lock_configuration(**arguments)
    put = plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body", ObjectLockLegalHoldStatus="ON")
    place = {"Bucket": plain_bucket, "Key": "key", "VersionId": put["VersionId"]}
    assert refused(plain_s3.delete_object, **place) == (403, "AccessDenied")


def test_governance_gives_way_only_when_asked_to(plain_s3: S3Client, version: dict[str, str]) -> None:
    plain_s3.put_object_retention(**version, Retention=retention("GOVERNANCE", FAR))
    found = plain_s3.get_object_retention(**version)["Retention"]
    assert found == retention("GOVERNANCE", FAR)
    denied = (403, "AccessDenied")
    assert refused(plain_s3.delete_object, **version) == denied
    plain_s3.put_object_retention(**version, Retention=retention("GOVERNANCE", FARTHER))
    shorter = retention("GOVERNANCE", FAR)
    assert refused(plain_s3.put_object_retention, **version, Retention=shorter) == denied
    plain_s3.put_object_retention(**version, Retention=shorter, BypassGovernanceRetention=True)
    assert plain_s3.get_object_retention(**version)["Retention"] == shorter
    plain_s3.put_object_retention(**version, Retention={}, BypassGovernanceRetention=True)
    assert refused(plain_s3.get_object_retention, **version) == (404, "NoSuchObjectLockConfiguration")
    plain_s3.delete_object(**version)


def test_compliance_never_gives_way(plain_s3: S3Client, version: dict[str, str]) -> None:
    plain_s3.put_object_retention(**version, Retention=retention("COMPLIANCE", FARTHER))
    bypass = {"BypassGovernanceRetention": True}
    denied = (403, "AccessDenied")
    assert refused(plain_s3.delete_object, **version, **bypass) == denied
    for less in (retention("COMPLIANCE", FAR), retention("GOVERNANCE", FARTHER), {}):
        assert refused(plain_s3.put_object_retention, **version, Retention=less, **bypass) == denied
    assert plain_s3.get_object_retention(**version)["Retention"] == retention("COMPLIANCE", FARTHER)


def test_a_legal_hold_lasts_until_it_is_taken_off(plain_s3: S3Client, version: dict[str, str]) -> None:
    assert refused(plain_s3.get_object_legal_hold, **version) == (404, "NoSuchObjectLockConfiguration")
    plain_s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
    assert plain_s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "ON"}
    assert plain_s3.head_object(**version)["ObjectLockLegalHoldStatus"] == "ON"
    bypass = {"BypassGovernanceRetention": True}
    assert refused(plain_s3.delete_object, **version, **bypass) == (403, "AccessDenied")
    plain_s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    assert plain_s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "OFF"}
    plain_s3.delete_object(**version)


def test_a_hold_and_a_retention_do_not_touch_each_other(plain_s3: S3Client, version: dict[str, str]) -> None:
    plain_s3.put_object_retention(**version, Retention=retention("GOVERNANCE", FAR))
    plain_s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
    assert plain_s3.get_object_retention(**version)["Retention"] == retention("GOVERNANCE", FAR)
    plain_s3.put_object_retention(**version, Retention={}, BypassGovernanceRetention=True)
    assert plain_s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "ON"}


def test_a_marker_hides_what_is_locked(plain_s3: S3Client, version: dict[str, str]) -> None:
    plain_s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
    marker = plain_s3.delete_object(Bucket=version["Bucket"], Key="key")
    assert marker["DeleteMarker"]
    arguments = {"Bucket": version["Bucket"], "Key": "key", "VersionId": marker["VersionId"]}
    not_allowed = (405, "MethodNotAllowed")
    assert refused(plain_s3.get_object_retention, **arguments) == not_allowed
    assert refused(plain_s3.put_object_legal_hold, **arguments, LegalHold={"Status": "ON"}) == not_allowed
    plain_s3.delete_object(**arguments)


def test_a_retention_ends_in_the_future(plain_s3: S3Client, version: dict[str, str]) -> None:
    past = retention("GOVERNANCE", datetime(2020, 1, 1, tzinfo=UTC))
    assert refused(plain_s3.put_object_retention, **version, Retention=past) == (400, "InvalidArgument")


def test_versions_of_other_buckets_have_no_locks(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body")
    place = {"Bucket": plain_bucket, "Key": "key"}
    invalid = (400, "InvalidRequest")
    assert refused(plain_s3.get_object_retention, **place) == invalid
    assert refused(plain_s3.get_object_legal_hold, **place) == invalid
    assert refused(plain_s3.put_object_legal_hold, **place, LegalHold={"Status": "ON"}) == invalid
    wanted = retention("GOVERNANCE", FAR)
    assert refused(plain_s3.put_object_retention, **place, Retention=wanted) == invalid
