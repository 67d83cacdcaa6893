"""boto3 sets buckets up, and reads back what it set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return refusal(caught.value)


def test_versioning_is_empty_then_enabled_then_suspended(plain_s3: S3Client, plain_bucket: str) -> None:
    assert "Status" not in plain_s3.get_bucket_versioning(Bucket=plain_bucket)
    for status in ("Enabled", "Suspended"):
        plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": status})
        assert plain_s3.get_bucket_versioning(Bucket=plain_bucket)["Status"] == status


def test_deleting_with_a_second_factor_is_refused(plain_s3: S3Client, plain_bucket: str) -> None:
    wanted = {"Status": "Enabled", "MFADelete": "Enabled"}
    arguments = {"Bucket": plain_bucket, "VersioningConfiguration": wanted, "MFA": "device 123456"}
    assert refused(plain_s3.put_bucket_versioning, **arguments) == (501, "NotImplemented")


def test_tags_of_a_bucket(plain_s3: S3Client, plain_bucket: str) -> None:
    assert refused(plain_s3.get_bucket_tagging, Bucket=plain_bucket) == (404, "NoSuchTagSet")
    tags = [{"Key": "Größe", "Value": "a + b"}, {"Key": "empty", "Value": ""}]
    plain_s3.put_bucket_tagging(Bucket=plain_bucket, Tagging={"TagSet": tags})
    assert plain_s3.get_bucket_tagging(Bucket=plain_bucket)["TagSet"] == tags
    plain_s3.delete_bucket_tagging(Bucket=plain_bucket)
    assert refused(plain_s3.get_bucket_tagging, Bucket=plain_bucket) == (404, "NoSuchTagSet")


RULES = [
    {
        "ID": "logs",
        "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "kind", "Value": "a & b"}]}},
        "Status": "Enabled",
        "Expiration": {"Days": 30},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 5},
        "Transitions": [{"Days": 10, "StorageClass": "GLACIER"}],
    },
    {
        "ID": "uploads",
        "Filter": {"Prefix": ""},
        "Status": "Disabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "ID": "year",
        "Filter": {"ObjectSizeGreaterThan": 1000},
        "Status": "Enabled",
        "Expiration": {"Date": datetime(2040, 1, 1, tzinfo=UTC)},
    },
]


def test_lifecycle_rules_come_back_as_they_went(plain_s3: S3Client, plain_bucket: str) -> None:
    missing = (404, "NoSuchLifecycleConfiguration")
    assert refused(plain_s3.get_bucket_lifecycle_configuration, Bucket=plain_bucket) == missing
    plain_s3.put_bucket_lifecycle_configuration(Bucket=plain_bucket, LifecycleConfiguration={"Rules": RULES})
    answer = plain_s3.get_bucket_lifecycle_configuration(Bucket=plain_bucket)
    assert answer["Rules"] == RULES
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    plain_s3.delete_bucket_lifecycle(Bucket=plain_bucket)
    assert refused(plain_s3.get_bucket_lifecycle_configuration, Bucket=plain_bucket) == missing


def test_a_rule_in_the_old_form_comes_back_in_it(plain_s3: S3Client, plain_bucket: str) -> None:
    rules = [{"ID": "old", "Prefix": "old/", "Status": "Enabled", "Expiration": {"Days": 1}}]
    plain_s3.put_bucket_lifecycle_configuration(Bucket=plain_bucket, LifecycleConfiguration={"Rules": rules})
    assert plain_s3.get_bucket_lifecycle_configuration(Bucket=plain_bucket)["Rules"] == rules


def test_the_least_size_for_transitions_is_kept_with_the_rules(plain_s3: S3Client, plain_bucket: str) -> None:
    for size in ("varies_by_storage_class", "all_storage_classes_128K"):
        put = plain_s3.put_bucket_lifecycle_configuration(
            Bucket=plain_bucket,
            LifecycleConfiguration={"Rules": RULES},
            TransitionDefaultMinimumObjectSize=size,
        )
        got = plain_s3.get_bucket_lifecycle_configuration(Bucket=plain_bucket)
        assert put["TransitionDefaultMinimumObjectSize"] == size
        assert got["TransitionDefaultMinimumObjectSize"] == size
    unknown = refused(
        plain_s3.put_bucket_lifecycle_configuration,
        Bucket=plain_bucket,
        LifecycleConfiguration={"Rules": RULES},
        TransitionDefaultMinimumObjectSize="64K",
    )
    assert unknown == (400, "InvalidRequest")


def test_encryption_of_a_bucket(plain_s3: S3Client, plain_bucket: str) -> None:
    missing = (404, "ServerSideEncryptionConfigurationNotFoundError")
    assert refused(plain_s3.get_bucket_encryption, Bucket=plain_bucket) == missing
    wanted = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    plain_s3.put_bucket_encryption(Bucket=plain_bucket, ServerSideEncryptionConfiguration=wanted)
    answer = plain_s3.get_bucket_encryption(Bucket=plain_bucket)
    assert answer["ServerSideEncryptionConfiguration"] == wanted
    put = plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body")
    assert put["ServerSideEncryption"] == "AES256"
    plain_s3.delete_bucket_encryption(Bucket=plain_bucket)
    assert refused(plain_s3.get_bucket_encryption, Bucket=plain_bucket) == missing


def test_who_pays(plain_s3: S3Client, plain_bucket: str) -> None:
    assert plain_s3.get_bucket_request_payment(Bucket=plain_bucket)["Payer"] == "BucketOwner"
    wanted = {"Payer": "Requester"}
    plain_s3.put_bucket_request_payment(Bucket=plain_bucket, RequestPaymentConfiguration=wanted)
    assert plain_s3.get_bucket_request_payment(Bucket=plain_bucket)["Payer"] == "Requester"


def test_acceleration(plain_s3: S3Client, plain_bucket: str) -> None:
    assert "Status" not in plain_s3.get_bucket_accelerate_configuration(Bucket=plain_bucket)
    wanted = {"Status": "Suspended"}
    plain_s3.put_bucket_accelerate_configuration(Bucket=plain_bucket, AccelerateConfiguration=wanted)
    answer = plain_s3.get_bucket_accelerate_configuration(Bucket=plain_bucket)
    assert answer["Status"] == "Suspended"


def test_logging_and_notifications_are_off_and_may_be_turned_off(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    assert "LoggingEnabled" not in plain_s3.get_bucket_logging(Bucket=plain_bucket)
    plain_s3.put_bucket_logging(Bucket=plain_bucket, BucketLoggingStatus={})
    answer = plain_s3.get_bucket_notification_configuration(Bucket=plain_bucket)
    assert not {"TopicConfigurations", "QueueConfigurations"} & answer.keys()
    plain_s3.put_bucket_notification_configuration(Bucket=plain_bucket, NotificationConfiguration={})


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_is_not_set_up_is_said_in_amazons_words(
    plain_s3: S3Client, plain_bucket: str, method: str, code: str
) -> None:
    assert refused(getattr(plain_s3, method), Bucket=plain_bucket) == (404, code)


@pytest.mark.parametrize(
    "method",
    [
        "delete_bucket_website",
        "delete_bucket_cors",
        "delete_bucket_policy",
        "delete_public_access_block",
        "delete_bucket_replication",
    ],
)
def test_removing_what_is_not_there_succeeds(plain_s3: S3Client, plain_bucket: str, method: str) -> None:
    answer = getattr(plain_s3, method)(Bucket=plain_bucket)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize(
    ("kind", "listing"),
    [
        ("analytics", "AnalyticsConfigurationList"),
        ("intelligent_tiering", "IntelligentTieringConfigurationList"),
        ("inventory", "InventoryConfigurationList"),
        ("metrics", "MetricsConfigurationList"),
    ],
)
def test_configurations_by_id_are_none(
    plain_s3: S3Client, plain_bucket: str, kind: str, listing: str
) -> None:
    answer = getattr(plain_s3, f"list_bucket_{kind}_configurations")(Bucket=plain_bucket)
    assert listing not in answer
    assert not answer["IsTruncated"]
    for verb in ("get", "delete"):
        call = getattr(plain_s3, f"{verb}_bucket_{kind}_configuration")
        assert refused(call, Bucket=plain_bucket, Id="one") == (404, "NoSuchConfiguration")


def test_the_owner_owns_all(plain_s3: S3Client, plain_bucket: str) -> None:
    answer = plain_s3.get_bucket_ownership_controls(Bucket=plain_bucket)
    assert answer["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_owner_may_do_everything_and_nobody_else_anything(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body")
    for acl in (
        plain_s3.get_bucket_acl(Bucket=plain_bucket),
        plain_s3.get_object_acl(Bucket=plain_bucket, Key="key"),
    ):
        (grant,) = acl["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"
        assert grant["Grantee"] == {**acl["Owner"], "Type": "CanonicalUser"}
    plain_s3.put_bucket_acl(Bucket=plain_bucket, ACL="private")
    plain_s3.put_object_acl(Bucket=plain_bucket, Key="key", ACL="private")


def test_access_is_not_granted_by_lists(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body")
    refusal_of_lists = (400, "AccessControlListNotSupported")
    owner = plain_s3.get_bucket_acl(Bucket=plain_bucket)["Owner"]
    stranger = {"ID": "0" * 64, "Type": "CanonicalUser"}
    policy = {"Owner": owner, "Grants": [{"Grantee": stranger, "Permission": "READ"}]}
    wanted: tuple[dict[str, Any], ...] = (
        {"ACL": "public-read"},
        {"GrantRead": "id=1"},
        {"AccessControlPolicy": policy},
    )
    for options in wanted:
        assert refused(plain_s3.put_bucket_acl, Bucket=plain_bucket, **options) == refusal_of_lists
        assert refused(plain_s3.put_object_acl, Bucket=plain_bucket, Key="key", **options) == refusal_of_lists
    missing = refused(plain_s3.put_object_acl, Bucket=plain_bucket, Key="none", ACL="private")
    assert missing == (404, "NoSuchKey")


def test_a_list_that_was_read_may_be_put_back(plain_s3: S3Client, plain_bucket: str) -> None:
    found = plain_s3.get_bucket_acl(Bucket=plain_bucket)
    policy = {"Owner": found["Owner"], "Grants": found["Grants"]}
    plain_s3.put_bucket_acl(Bucket=plain_bucket, AccessControlPolicy=policy)


def test_settings_of_no_bucket(plain_s3: S3Client) -> None:
    missing = (404, "NoSuchBucket")
    assert refused(plain_s3.get_bucket_versioning, Bucket="no-such-bucket") == missing
    assert refused(plain_s3.get_bucket_website, Bucket="no-such-bucket") == missing
