"""`aws iam` and `aws sts`, and what the AWS CLI opens with the credentials that they give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.aws_cli import AwsCli
from tests.clients.boto import S3Client
from tests.clients.identities import EVERYTHING_IN_S3, allow, policy
from tests.raw.wire import fetch

# Each command of the AWS CLI takes about a second to start, and longer on a busy machine.
pytestmark = pytest.mark.timeout(400)

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def filled(plain_s3: S3Client, plain_bucket: str) -> str:
    """A bucket of the root account with the object `k` in it."""
    plain_s3.put_object(Bucket=plain_bucket, Key="k", Body=b"content")
    return plain_bucket


def make_user(aws: AwsCli, name: str, document: str | None = None) -> AwsCli:
    """Make a user with a key and maybe an inline policy, and return its CLI."""
    aws("iam", "create-user", "--user-name", name)
    if document is not None:
        put = ("iam", "put-user-policy", "--user-name", name, "--policy-name", "own")
        assert aws(*put, "--policy-document", document) == ""
    return aws.with_key(aws.json("iam", "create-access-key", "--user-name", name)["AccessKey"])


def presigned(aws: AwsCli, bucket: str) -> str:
    return aws("s3", "presign", f"s3://{bucket}/k").strip()


def test_a_user_lives_and_ends(aws: AwsCli, filled: str, new_name: Callable[[str], str]) -> None:
    name = new_name("aws-user")
    of_user = ("--user-name", name)
    made = aws.json("iam", "create-user", *of_user, "--path", "/staff/", "--tags", "Key=team,Value=x")["User"]
    assert made["Arn"].endswith(f":user/staff/{name}")
    assert aws.json("iam", "get-user", *of_user)["User"] == made
    listed = aws.json("iam", "list-users", "--path-prefix", "/staff/")["Users"]
    assert made["UserId"] in [each["UserId"] for each in listed]

    key = aws.json("iam", "create-access-key", *of_user)["AccessKey"]
    own = aws.with_key(key)
    assert own.json("sts", "get-caller-identity")["Arn"] == made["Arn"]
    assert "AccessDenied" in own("s3", "ls", f"s3://{filled}", status=255)
    put = ("iam", "put-user-policy", *of_user, "--policy-name", "own", "--policy-document")
    assert "MalformedPolicyDocument" in aws(*put, '{"Statement": 1}', status=255)
    aws(*put, EVERYTHING_IN_S3)
    assert "k" in own("s3", "ls", f"s3://{filled}")
    assert aws.json("iam", "list-user-policies", *of_user)["PolicyNames"] == ["own"]
    kept = aws.json("iam", "get-user-policy", *of_user, "--policy-name", "own")
    assert kept["PolicyDocument"] == json.loads(EVERYTHING_IN_S3)

    link = presigned(own, filled)
    assert fetch(link).body == b"content"
    of_key = (*of_user, "--access-key-id", key["AccessKeyId"])
    aws("iam", "update-access-key", *of_key, "--status", "Inactive")
    assert fetch(link).refusal == (403, "InvalidAccessKeyId")
    (metadata,) = aws.json("iam", "list-access-keys", *of_user)["AccessKeyMetadata"]
    assert (metadata["Status"], "SecretAccessKey" in metadata) == ("Inactive", False)
    aws("iam", "update-access-key", *of_key, "--status", "Active")
    assert fetch(link).body == b"content"

    assert "DeleteConflict" in aws("iam", "delete-user", *of_user, status=255)
    aws("iam", "delete-user-policy", *of_user, "--policy-name", "own")
    assert fetch(link).refusal == (403, "AccessDenied")
    aws("iam", "delete-access-key", *of_key)
    assert fetch(link).refusal == (403, "InvalidAccessKeyId")
    aws("iam", "delete-user", *of_user)
    assert "NoSuchEntity" in aws("iam", "get-user", *of_user, status=255)


def test_a_managed_policy_is_attached_to_users_and_groups(
    aws: AwsCli, filled: str, new_name: Callable[[str], str]
) -> None:
    name, group = new_name("aws-attached"), new_name("aws-group")
    own = make_user(aws, name)
    document = policy(allow("s3:GetObject", f"arn:aws:s3:::{filled}/*"))
    made = aws.json("iam", "create-policy", "--policy-name", name, "--policy-document", document)["Policy"]
    arn = made["Arn"]
    aws("iam", "attach-user-policy", "--user-name", name, "--policy-arn", arn)
    assert own("s3", "cp", f"s3://{filled}/k", "-") == "content"
    attached = aws.json("iam", "list-attached-user-policies", "--user-name", name)["AttachedPolicies"]
    assert attached == [{"PolicyName": name, "PolicyArn": arn}]
    assert "DeleteConflict" in aws("iam", "delete-policy", "--policy-arn", arn, status=255)
    aws("iam", "detach-user-policy", "--user-name", name, "--policy-arn", arn)
    assert "403" in own("s3", "cp", f"s3://{filled}/k", "-", status=1)

    aws("iam", "create-group", "--group-name", group)
    aws("iam", "add-user-to-group", "--group-name", group, "--user-name", name)
    aws("iam", "attach-group-policy", "--group-name", group, "--policy-arn", READ_ONLY)
    assert own("s3", "cp", f"s3://{filled}/k", "-") == "content"
    (listed,) = aws.json("iam", "list-groups-for-user", "--user-name", name)["Groups"]
    assert listed["GroupName"] == group
    aws("iam", "delete-policy", "--policy-arn", arn)
    scope = aws.json("iam", "list-policies", "--scope", "Local")["Policies"]
    assert arn not in [each["Arn"] for each in scope]


def lent(answer: Any) -> Any:
    return answer["Credentials"]


def test_a_role_lends_credentials_that_presign(
    aws: AwsCli, filled: str, new_name: Callable[[str], str]
) -> None:
    name = new_name("aws-role")
    user = make_user(aws, name)
    arn = user.json("sts", "get-caller-identity")["Arn"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"})
    create = ("iam", "create-role", "--role-name", name, "--assume-role-policy-document", trust)
    role = aws.json(*create)["Role"]["Arn"]
    aws(
        "iam",
        "put-role-policy",
        "--role-name",
        name,
        "--policy-name",
        "p",
        "--policy-document",
        EVERYTHING_IN_S3,
    )
    answer = user.json("sts", "assume-role", "--role-arn", role, "--role-session-name", "me")
    session = aws.with_key(lent(answer))
    assert session.json("sts", "get-caller-identity")["Arn"] == answer["AssumedRoleUser"]["Arn"]
    link = presigned(session, filled)
    assert "X-Amz-Security-Token" in link or "x-amz-security-token" in link
    assert fetch(link).body == b"content"
    aws("iam", "delete-role-policy", "--role-name", name, "--policy-name", "p")
    assert fetch(link).refusal == (403, "AccessDenied")
    aws("iam", "delete-role", "--role-name", name)
    assert fetch(link).refusal == (400, "InvalidToken")


def test_a_session_token_presigns_until_its_user_is_gone(
    aws: AwsCli, filled: str, new_name: Callable[[str], str]
) -> None:
    name = new_name("aws-session")
    user = make_user(aws, name, EVERYTHING_IN_S3)
    session = aws.with_key(lent(user.json("sts", "get-session-token", "--duration-seconds", "900")))
    assert session.json("sts", "get-caller-identity")["Arn"].endswith(f":user/{name}")
    link = presigned(session, filled)
    assert fetch(link).body == b"content"
    assert "InvalidClientTokenId" in session("iam", "get-user", status=255)
    for words in (
        ("delete-user-policy", "--policy-name", "own"),
        ("delete-access-key", "--access-key-id", user.credentials["AccessKeyId"]),
        ("delete-user",),
    ):
        aws("iam", *words, "--user-name", name)
    assert fetch(link).refusal == (400, "InvalidToken")


def test_a_federated_guest_presigns_what_its_policy_allows(
    aws: AwsCli, plain_s3: S3Client, filled: str, new_name: Callable[[str], str]
) -> None:
    plain_s3.put_object(Bucket=filled, Key="other", Body=b"")
    user = make_user(aws, new_name("aws-host"), policy(allow(["sts:GetFederationToken", "s3:*"])))
    limit = policy(allow("s3:GetObject", f"arn:aws:s3:::{filled}/k"))
    answer = user.json("sts", "get-federation-token", "--name", "guest", "--policy", limit)
    assert answer["FederatedUser"]["Arn"].endswith(":federated-user/guest")
    guest = aws.with_key(lent(answer))
    link = presigned(guest, filled)
    assert fetch(link).body == b"content"
    other = guest("s3", "presign", f"s3://{filled}/other").strip()
    assert fetch(other).refusal == (403, "AccessDenied")
