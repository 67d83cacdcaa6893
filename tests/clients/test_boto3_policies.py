"""Bucket policies against a live server: what they allow to others, and what they forbid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from valetkey.testing.server import RunningServer, running_server

ALICE = "a" * 64
ACCOUNTS = f"[alice]\nid = {ALICE}\naccess_key = ALICEKEY\nsecret_key = alice-secret-that-is-long-enough\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder: Path = tmp_path_factory.mktemp("policies")
    accounts = folder / "accounts.ini"
    accounts.write_text(ACCOUNTS)
    accounts.chmod(0o600)
    with running_server(folder / "data", environment={"VALETKEY_ACCOUNTS_FILE": str(accounts)}) as running:
        yield running


def client(server: RunningServer, access_key: str, secret_key: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=server.region,
        config=Config(signature_version="s3v4", retries={"max_attempts": 0}),
    )


@pytest.fixture
def owner(server: RunningServer) -> Any:
    return client(server, server.access_key, server.secret_key)


@pytest.fixture
def alice(server: RunningServer) -> Any:
    return client(server, "ALICEKEY", "alice-secret-that-is-long-enough")


def put_policy(owner: Any, bucket: str, *statements: dict[str, Any]) -> None:
    whole = [{"Principal": {"AWS": "*"}, **statement} for statement in statements]
    document = {"Version": "2012-10-17", "Statement": whole}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))


def refused(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"]) == "AccessDenied"
    return False


def test_tags_in_a_body_are_what_a_policy_decides_by(owner: Any, alice: Any) -> None:
    owner.create_bucket(Bucket="request-tags")
    owner.put_object(Bucket="request-tags", Key="k", Body=b"x")
    put_policy(
        owner,
        "request-tags",
        {
            "Effect": "Allow",
            "Action": "s3:PutObjectTagging",
            "Resource": "arn:aws:s3:::request-tags/*",
            "Condition": {"StringEquals": {"s3:RequestObjectTag/team": "red"}},
        },
    )
    for team, is_refused in (("red", False), ("blue", True)):
        tagging = {"TagSet": [{"Key": "team", "Value": team}]}
        assert (
            refused(alice.put_object_tagging, Bucket="request-tags", Key="k", Tagging=tagging) is is_refused
        )
    assert owner.get_object_tagging(Bucket="request-tags", Key="k")["TagSet"] == [
        {"Key": "team", "Value": "red"}
    ]


def test_bypass_is_asked_for_each_version(owner: Any) -> None:
    owner.create_bucket(Bucket="bypass", ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(days=1)
    version = owner.put_object(
        Bucket="bypass", Key="k", Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until
    )["VersionId"]
    put_policy(
        owner,
        "bypass",
        {
            "Effect": "Deny",
            "Action": "s3:BypassGovernanceRetention",
            "Resource": "arn:aws:s3:::bypass/*",
        },
    )
    wanted = {"Key": "k", "VersionId": version}
    assert refused(owner.delete_object, Bucket="bypass", **wanted, BypassGovernanceRetention=True)
    answer = owner.delete_objects(
        Bucket="bypass", Delete={"Objects": [wanted]}, BypassGovernanceRetention=True
    )
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    owner.delete_bucket_policy(Bucket="bypass")
    owner.delete_object(Bucket="bypass", **wanted, BypassGovernanceRetention=True)


def test_keys_of_one_deletion_are_allowed_one_by_one(owner: Any, alice: Any) -> None:
    owner.create_bucket(Bucket="by-key")
    for key in ("mine/a", "theirs/a"):
        owner.put_object(Bucket="by-key", Key=key, Body=b"x")
    put_policy(
        owner,
        "by-key",
        {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::by-key/mine/*"},
    )
    objects = [{"Key": "mine/a"}, {"Key": "theirs/a"}]
    answer = alice.delete_objects(Bucket="by-key", Delete={"Objects": objects})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["mine/a"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("theirs/a", "AccessDenied")]
    assert [entry["Key"] for entry in owner.list_objects_v2(Bucket="by-key")["Contents"]] == ["theirs/a"]


def test_the_source_of_a_copy_needs_leave_of_its_own(owner: Any, alice: Any) -> None:
    owner.create_bucket(Bucket="copy-source")
    owner.put_object(Bucket="copy-source", Key="open", Body=b"open")
    owner.put_object(Bucket="copy-source", Key="closed", Body=b"closed")
    put_policy(
        owner,
        "copy-source",
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::copy-source/open"},
    )
    alice.create_bucket(Bucket="copies-of-alice")
    alice.copy_object(Bucket="copies-of-alice", Key="k", CopySource="copy-source/open")
    assert alice.get_object(Bucket="copies-of-alice", Key="k")["Body"].read() == b"open"
    for source in ("copy-source/closed", "copy-source/missing"):
        assert refused(alice.copy_object, Bucket="copies-of-alice", Key="k", CopySource=source)


def test_a_malformed_policy_says_where(owner: Any) -> None:
    owner.create_bucket(Bucket="malformed")
    with pytest.raises(ClientError) as caught:
        put_policy(
            owner,
            "malformed",
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::malformed/*",
                "Condition": {"StringEquals": {"aws:NoSuchKey": "x"}},
            },
        )
    error = caught.value.response["Error"]
    assert error["Code"] == "MalformedPolicy"
    assert "Statement[0].Condition" in str(error.get("Detail"))
