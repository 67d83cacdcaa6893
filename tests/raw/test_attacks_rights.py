"""Whoever may do a little with objects makes more of it: tags, copies, locks, signatures that conditions miss."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.clients.identities import Caller, allow, policy
from tests.raw.realm import Realm, code_of, id_of, put
from tests.raw.wire import fetch

from valetkey import Signer


def granted(
    to: Caller, action: str | list[str], resource: str = "BUCKET/*", **more: object
) -> dict[str, object]:
    """Return a statement of a bucket's policy that allows something to another account."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": id_of(to)},
        "Action": action,
        "Resource": f"arn:aws:s3:::{resource}",
        **more,
    }


def denied(action: str | list[str], resource: str = "BUCKET/*", **condition: object) -> dict[str, object]:
    """Return a statement of a bucket's policy that forbids everyone something."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": f"arn:aws:s3:::{resource}",
        "Condition": condition,
    }


def test_a_copy_brings_no_tags_along_that_its_maker_may_not_set(realm: Realm) -> None:
    """Source: Amazon S3 API Reference, "CopyObject": copying tags takes s3:PutObjectTagging."""
    other = realm.account()
    theirs = realm.bucket(other)
    put(other.client("s3"), theirs, "tagged", Tagging="public=yes")
    put(other.client("s3"), theirs, "plain")
    ours = realm.bucket(realm.root, granted(other, "s3:PutObject"))
    copy = other.client("s3").copy_object
    assert code_of(copy, Bucket=ours, Key="k", CopySource=f"{theirs}/plain") == "done"
    assert code_of(copy, Bucket=ours, Key="k", CopySource=f"{theirs}/tagged") == "AccessDenied"
    bare = {"TaggingDirective": "REPLACE"}
    assert code_of(copy, Bucket=ours, Key="k", CopySource=f"{theirs}/tagged", **bare) == "done"


def test_a_copy_tells_no_tags_to_whom_they_are_not_shown(realm: Realm) -> None:
    bucket = realm.bucket()
    root = realm.root.client("s3")
    put(root, bucket, "tagged", Tagging="a=b")
    _, user = realm.user(allow(["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"]))
    copy = user.client("s3").copy_object
    assert code_of(copy, Bucket=bucket, Key="k", CopySource=f"{bucket}/tagged") == "AccessDenied"


def test_tags_that_a_copy_brings_along_are_what_a_policy_decides_by(realm: Realm) -> None:
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "red", Tagging="team=red")
    put(realm.root.client("s3"), bucket, "blue", Tagging="team=blue")
    _, user = realm.user(
        allow(["s3:GetObject", "s3:PutObject", "s3:GetObjectTagging"]),
        allow("s3:PutObjectTagging", Condition={"StringEquals": {"s3:RequestObjectTag/team": "red"}}),
    )
    copy = user.client("s3").copy_object
    assert code_of(copy, Bucket=bucket, Key="k", CopySource=f"{bucket}/red") == "done"
    assert code_of(copy, Bucket=bucket, Key="k", CopySource=f"{bucket}/blue") == "AccessDenied"


@pytest.mark.parametrize("tags", ["public=yes"])
def test_an_account_that_may_put_objects_may_not_tag_them(realm: Realm, tags: str) -> None:
    """What it puts is the bucket owner's, where ACLs are disabled, and so are the tags."""
    other = realm.account()
    ours = realm.bucket(realm.root, granted(other, "s3:PutObject"))
    s3 = other.client("s3")
    assert code_of(s3.put_object, Bucket=ours, Key="k") == "done"
    assert code_of(s3.put_object, Bucket=ours, Key="k", Tagging=tags) == "AccessDenied"
    assert code_of(s3.create_multipart_upload, Bucket=ours, Key="k", Tagging=tags) == "AccessDenied"


@pytest.mark.parametrize("first", ["team=red&TEAM=blue", "TEAM=blue&team=red"])
def test_a_tag_in_two_cases_is_no_way_around_a_condition(realm: Realm, first: str) -> None:
    bucket = realm.bucket()
    _, user = realm.user(
        allow("s3:PutObject"),
        allow("s3:PutObjectTagging", Condition={"StringEquals": {"s3:RequestObjectTag/team": "red"}}),
    )
    s3 = user.client("s3")
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Tagging="team=red") == "done"
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Tagging=first) == "AccessDenied"


@pytest.mark.parametrize("tags", ["team=red&TEAM=blue", "TEAM=blue&team=red"])
def test_a_tag_in_two_cases_is_no_way_around_a_deny(realm: Realm, tags: str) -> None:
    bucket = realm.bucket(
        realm.root, denied("s3:GetObject", StringEquals={"s3:ExistingObjectTag/team": "blue"})
    )
    s3 = realm.root.client("s3")
    put(s3, bucket, "k", Tagging=tags)
    assert code_of(s3.get_object, Bucket=bucket, Key="k") == "AccessDenied"


def locked(realm: Realm, *statements: dict[str, object]) -> str:
    return realm.bucket(realm.root, *statements, ObjectLockEnabledForBucket=True)


@pytest.mark.parametrize(
    "condition",
    [
        {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}},
        {"DateGreaterThan": {"s3:object-lock-retain-until-date": "AFTER"}},
        {"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}},
    ],
    ids=["days", "date", "mode"],
)
def test_a_retention_in_a_body_is_what_a_policy_decides_by(
    realm: Realm, condition: dict[str, dict[str, str]]
) -> None:
    """Source: Amazon S3 User Guide, "Object Lock considerations", Setting limits on retention periods."""
    now = datetime.now(UTC)
    text = json.dumps(condition).replace("AFTER", (now + timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    bucket = locked(realm, denied("s3:PutObjectRetention", **json.loads(text)))
    s3 = realm.root.client("s3")
    put(s3, bucket, "k")
    long = {"Mode": "COMPLIANCE", "RetainUntilDate": now + timedelta(days=11)}
    short = {"Mode": "GOVERNANCE", "RetainUntilDate": now + timedelta(days=9)}
    put_retention = s3.put_object_retention
    assert code_of(put_retention, Bucket=bucket, Key="k", Retention=long) == "AccessDenied"
    assert code_of(put_retention, Bucket=bucket, Key="k", Retention=short) == "done"
    in_headers = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": now + timedelta(days=11)}
    assert code_of(s3.put_object, Bucket=bucket, Key="k2", **in_headers) == "AccessDenied"


def test_a_legal_hold_in_a_body_is_what_a_policy_decides_by(realm: Realm) -> None:
    bucket = locked(realm, denied("s3:PutObjectLegalHold", StringEquals={"s3:object-lock-legal-hold": "OFF"}))
    s3 = realm.root.client("s3")
    put(s3, bucket, "k")
    hold = s3.put_object_legal_hold
    assert code_of(hold, Bucket=bucket, Key="k", LegalHold={"Status": "ON"}) == "done"
    assert code_of(hold, Bucket=bucket, Key="k", LegalHold={"Status": "OFF"}) == "AccessDenied"


def test_a_url_is_an_unsigned_payload_also_where_nothing_says_so(realm: Realm) -> None:
    """Source: Amazon S3 API Reference, "Amazon S3 Signature Version 4 authentication specific policy keys"."""
    bucket = realm.bucket(
        realm.root,
        denied("s3:PutObject", StringEquals={"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
    )
    s3 = realm.root.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert fetch(url, method="PUT", body=b"x").status == 403
    signed = realm.root.client(
        "s3", request_checksum_calculation="when_required", s3={"payload_signing_enabled": True}
    )
    assert code_of(signed.put_object, Bucket=bucket, Key="k", Body=b"x") == "done"


@pytest.mark.parametrize("max_keys", ["11", "0" * 40 + "1000", "00011", ""])
def test_how_many_keys_are_listed_is_not_hidden_from_a_deny(realm: Realm, max_keys: str) -> None:
    bucket = realm.bucket(
        realm.root, denied("s3:ListBucket", "BUCKET", NumericGreaterThan={"s3:max-keys": "10"})
    )
    s3 = realm.root.client("s3")
    for number in range(12):
        put(s3, bucket, f"k{number}")
    signer = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "MaxKeys": 5})
    assert fetch(signer).status == 200
    key = Signer(
        realm.root.access_key, realm.root.secret_key, region="us-east-1", endpoint=realm.server.endpoint
    )
    url = f"{realm.server.endpoint}/{bucket}?list-type=2&max-keys={max_keys}"
    answer = fetch(url, headers=key.sign_headers("GET", url, {}))
    expected = 200 if max_keys == "" else 403
    assert answer.status == expected, answer.body


def test_a_version_is_protected_also_from_a_deletion_of_many(realm: Realm) -> None:
    bucket = realm.bucket()
    s3 = realm.root.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    gone = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    text = policy(denied("s3:*", StringEquals={"s3:VersionId": kept})).replace("BUCKET", bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    both = {"Objects": [{"Key": "k", "VersionId": kept}, {"Key": "k", "VersionId": gone}]}
    done = s3.delete_objects(Bucket=bucket, Delete=both)
    assert [one["VersionId"] for one in done["Deleted"]] == [gone]
    assert [one["Code"] for one in done["Errors"]] == ["AccessDenied"]
    assert code_of(s3.get_object, Bucket=bucket, Key="k", VersionId=kept) == "AccessDenied"
    source = {"Bucket": bucket, "Key": "k", "VersionId": kept}
    assert code_of(s3.copy_object, Bucket=realm.bucket(), Key="k", CopySource=source) == "AccessDenied"


def test_a_bucket_policy_gives_away_no_object_of_another(realm: Realm) -> None:
    """Source: Amazon S3 User Guide: a bucket policy applies only to objects that the bucket's owner owns."""
    other, third = realm.account(), realm.account()
    bucket = realm.bucket(
        realm.root,
        granted(other, "s3:PutObject"),
        granted(third, ["s3:GetObject", "s3:GetObjectAcl"]),
        granted(realm.root, "s3:GetObject"),
        ObjectOwnership="ObjectWriter",
    )
    put(other.client("s3"), bucket, "theirs")
    put(realm.root.client("s3"), bucket, "ours")
    assert code_of(other.client("s3").get_object, Bucket=bucket, Key="theirs") == "done"
    for reader in (third, realm.root):
        assert code_of(reader.client("s3").get_object, Bucket=bucket, Key="theirs") == "AccessDenied"
        assert code_of(reader.client("s3").get_object, Bucket=bucket, Key="ours") == "done"
    forbidden = policy(denied("s3:GetObject")).replace("BUCKET", bucket)
    realm.root.client("s3").put_bucket_policy(Bucket=bucket, Policy=forbidden)
    assert code_of(other.client("s3").get_object, Bucket=bucket, Key="theirs") == "AccessDenied"


def test_a_condition_about_a_name_that_the_caller_lacks_allows_nothing(realm: Realm) -> None:
    """A role's session has no user name; `not that name` holds of it only by accident."""
    bucket = realm.bucket(
        realm.root,
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::BUCKET",
            "Condition": {"StringNotEquals": {"s3:prefix": "${aws:username}/secret"}},
        },
    )
    url = f"{realm.server.endpoint}/{bucket}?prefix=x"
    assert fetch(url).status == 403


def test_what_is_posted_is_decided_by_like_what_is_put(realm: Realm) -> None:
    bucket = realm.bucket(
        realm.root, denied("s3:PutObject", StringEquals={"s3:RequestObjectTag/team": "red"})
    )
    s3 = realm.root.client("s3")
    tags = "<Tagging><TagSet><Tag><Key>TEAM</Key><Value>red</Value></Tag></TagSet></Tagging>"
    form = s3.generate_presigned_post(
        bucket, "k", Fields={"tagging": tags}, Conditions=[["eq", "$tagging", tags]]
    )
    boundary = "b"
    parts = [*form["fields"].items(), ("file", "x")]
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    )
    body += f"--{boundary}--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    answer = fetch(form["url"], method="POST", headers=headers, body=body.encode())
    assert answer.status == 403, answer.body


def test_a_stranger_does_not_learn_what_a_bucket_is_set_up_for(realm: Realm) -> None:
    other, plain, locked_one = realm.account(), realm.bucket(), locked(realm)
    s3 = other.client("s3")
    for bucket in (plain, locked_one):
        for key in ("missing", "there"):
            put(realm.root.client("s3"), bucket, "there")
            assert code_of(s3.get_object_retention, Bucket=bucket, Key=key) == "AccessDenied"
            assert code_of(s3.put_object_retention, Bucket=bucket, Key=key, Retention={}) == "AccessDenied"
            hold = {"Status": "ON"}
            assert code_of(s3.put_object_legal_hold, Bucket=bucket, Key=key, LegalHold=hold) == "AccessDenied"
            tags: dict[str, object] = {"TagSet": []}
            assert code_of(s3.put_object_tagging, Bucket=bucket, Key=key, Tagging=tags) == "AccessDenied"
            assert code_of(s3.get_object_attributes, Bucket=bucket, Key=key, ObjectAttributes=["ETag"]) == (
                "AccessDenied"
            )
            assert code_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/{key}") == (
                "AccessDenied"
            )


def test_what_is_given_away_is_not_tagged_without_leave(realm: Realm) -> None:
    """An object that becomes the bucket owner's as it is uploaded has no tags that its writer may not set."""
    other = realm.account()
    ours = realm.bucket(realm.root, granted(other, ["s3:PutObject"]), ObjectOwnership="BucketOwnerPreferred")
    s3 = other.client("s3")
    assert code_of(s3.put_object, Bucket=ours, Key="own", Tagging="public=yes") == "done"
    given = {"ACL": "bucket-owner-full-control"}
    assert code_of(s3.put_object, Bucket=ours, Key="k", Tagging="public=yes", **given) == "AccessDenied"


def test_a_deny_counts_for_the_tags_of_ones_own_object_too(realm: Realm) -> None:
    other = realm.account()
    ours = realm.bucket(
        realm.root,
        granted(other, "s3:PutObject"),
        denied("s3:PutObjectTagging", StringEquals={"s3:RequestObjectTag/public": "yes"}),
        ObjectOwnership="ObjectWriter",
    )
    for caller in (other, realm.root):
        s3 = caller.client("s3")
        assert code_of(s3.put_object, Bucket=ours, Key="k", Tagging="public=no") == "done"
        assert code_of(s3.put_object, Bucket=ours, Key="k", Tagging="public=yes") == "AccessDenied"


@pytest.mark.parametrize("ownership", ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
def test_full_control_for_the_buckets_owner_takes_no_more_than_an_upload(
    realm: Realm, ownership: str
) -> None:
    """Source: Amazon S3 User Guide, "Bucket policy examples": s3:PutObject, and that list as a condition."""
    other = realm.account()
    _, user = realm.user(allow("s3:*"), of=other)
    full = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    bucket = realm.bucket(
        realm.root, granted(other, "s3:PutObject", Condition=full), ObjectOwnership=ownership
    )
    for caller in (other, user):
        s3 = caller.client("s3")
        assert code_of(s3.put_object, Bucket=bucket, Key="k") == "AccessDenied"
        acl = {"ACL": "bucket-owner-full-control"}
        assert code_of(s3.put_object, Bucket=bucket, Key="k", **acl) == "done"
