"""boto3's STS client against the server itself, and what its credentials open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import refusal
from tests.clients.identities import EVERYTHING_IN_S3, Caller, Client, allow, new_user, policy, root_of
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer


@pytest.fixture(scope="session")
def root(server: RunningServer) -> Caller:
    return root_of(server)


@pytest.fixture(scope="session")
def iam(root: Caller) -> Client:
    return root.client("iam")


@pytest.fixture
def kept(root: Caller, new_name: Callable[[str], str]) -> str:
    """A bucket of the root account with the object `k` in it."""
    bucket, s3 = new_name("sts"), root.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    return bucket


def trust(arn: str, **more: object) -> str:
    return policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole", **more})


def denied(run: Callable[[], object], code: str = "AccessDenied", status: int = 403) -> None:
    with pytest.raises(ClientError) as error:
        run()
    assert refusal(error.value) == (status, code)


@pytest.fixture
def role(root: Caller, iam: Client, new_name: Callable[[str], str]) -> tuple[Caller, str, str]:
    """A user, and the name and ARN of a role that trusts it and may do everything in S3."""
    name = new_name("assumed")
    user = new_user(root, name)
    arn = user.client("sts").get_caller_identity()["Arn"]
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(arn))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=EVERYTHING_IN_S3)
    return user, name, made["Arn"]


def test_the_account_is_whom_buckets_may_be_expected_of(
    root: Caller, kept: str, new_name: Callable[[str], str]
) -> None:
    account = root.client("sts").get_caller_identity()["Account"]
    s3 = root.client("s3")
    copied = {"Bucket": kept, "Key": "copied", "CopySource": {"Bucket": kept, "Key": "k"}}
    s3.head_bucket(Bucket=kept, ExpectedBucketOwner=account)
    s3.copy_object(**copied, ExpectedSourceBucketOwner=account)
    denied(lambda: s3.get_object(Bucket=kept, Key="k", ExpectedBucketOwner="111122223333"))
    denied(lambda: s3.copy_object(**copied, ExpectedSourceBucketOwner="111122223333"))


@pytest.mark.parametrize("version", ["v4", "s3v4"])
def test_callers_learn_who_they_are(root: Caller, version: str) -> None:
    found = root.client("sts", signature_version=version).get_caller_identity()
    assert found["Arn"] == f"arn:aws:iam::{found['Account']}:root"


def test_an_identity_can_be_proved_by_a_url(root: Caller) -> None:
    url = root.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    answer = fetch(url)
    assert (answer.status, b":root</Arn>" in answer.body) == (200, True)
    assert fetch(url.replace("GetCallerIdentity", "GetSessionToken")).status == 403


def test_a_session_is_its_user_for_a_while(root: Caller, new_name: Callable[[str], str]) -> None:
    name = new_name("session")
    user = new_user(root, name, EVERYTHING_IN_S3)
    credentials = user.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    left = credentials["Expiration"] - datetime.now(UTC)
    assert timedelta(seconds=890) < left <= timedelta(seconds=900)
    assert credentials["AccessKeyId"].startswith("VKTS")
    session = root.with_key(credentials)
    assert session.client("sts").get_caller_identity()["Arn"].endswith(f":user/{name}")
    session.client("s3").list_buckets()
    denied(lambda: session.client("iam").get_user(), "InvalidClientTokenId")
    denied(lambda: session.client("sts").get_session_token())
    denied(lambda: session.client("sts").get_federation_token(Name="fed"))


def test_a_url_of_a_session_dies_with_its_user(
    root: Caller, iam: Client, kept: str, new_name: Callable[[str], str]
) -> None:
    name = new_name("url")
    user = new_user(root, name, EVERYTHING_IN_S3)
    session = root.with_key(user.client("sts").get_session_token()["Credentials"])
    s3 = session.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": kept, "Key": "k"})
    assert fetch(url).body == b"content"
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    assert fetch(url).status == 403
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=EVERYTHING_IN_S3)
    assert fetch(url).body == b"content"
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    iam.delete_access_key(UserName=name, AccessKeyId=user.access_key)
    iam.delete_user(UserName=name)
    new_user(root, name, EVERYTHING_IN_S3)
    assert (fetch(url).status, b"InvalidToken" in fetch(url).body) == (400, True)


def test_a_token_that_was_altered_is_none(root: Caller, new_name: Callable[[str], str]) -> None:
    credentials = root.client("sts").get_session_token()["Credentials"]
    other = root.client("sts").get_session_token()["Credentials"]
    token = credentials["SessionToken"]
    for altered in (token[:-8] + "AAAAAAAA", other["SessionToken"], "", "nonsense", token + "!"):
        s3 = root.with_key({**credentials, "SessionToken": altered}).client("s3")
        if altered:
            denied(s3.list_buckets, "InvalidToken", 400)
        else:
            denied(s3.list_buckets, "InvalidAccessKeyId")


def test_a_role_is_assumed_by_whom_it_trusts(
    root: Caller, role: tuple[Caller, str, str], new_name: Callable[[str], str]
) -> None:
    user, name, arn = role
    denied(lambda: user.client("s3").list_buckets())
    answer = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"].endswith(f":assumed-role/{name}/me")
    session = root.with_key(answer["Credentials"])
    assert session.client("sts").get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    session.client("s3").create_bucket(Bucket=new_name("by-role"))
    stranger = new_user(root, new_name("untrusted"), policy(allow("sts:AssumeRole")))
    for caller in (stranger, root):
        denied(lambda: caller.client("sts").assume_role(RoleArn=arn, RoleSessionName="me"))  # noqa: B023


def test_a_session_policy_limits_a_role(role: tuple[Caller, str, str], root: Caller, kept: str) -> None:
    user, _, arn = role
    limit = policy(allow("s3:GetObject", f"arn:aws:s3:::{kept}/*"))
    answer = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=limit)
    s3 = root.with_key(answer["Credentials"]).client("s3")
    assert s3.get_object(Bucket=kept, Key="k")["Body"].read() == b"content"
    denied(lambda: s3.put_object(Bucket=kept, Key="k", Body=b""))
    denied(s3.list_buckets)


def test_a_trust_policy_may_ask_for_an_external_id(
    root: Caller, iam: Client, role: tuple[Caller, str, str]
) -> None:
    user, name, arn = role
    user_arn = user.client("sts").get_caller_identity()["Arn"]
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(user_arn, Condition=condition))
    sts = user.client("sts")
    denied(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="me"))
    denied(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="43"))
    sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="42")


@pytest.mark.parametrize("seconds", [899, 3601, 43201])
def test_a_role_lends_no_longer_than_it_may(role: tuple[Caller, str, str], seconds: int) -> None:
    user, _, arn = role
    sts = user.client("sts", parameter_validation=False)
    denied(
        lambda: sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=seconds),
        "ValidationError",
        400,
    )


def test_no_role_is_assumed_that_is_not_there(role: tuple[Caller, str, str]) -> None:
    user, _, arn = role
    denied(lambda: user.client("sts").assume_role(RoleArn=f"{arn}-not", RoleSessionName="me"))


def test_a_federated_user_may_do_what_its_policy_allows(
    root: Caller, kept: str, new_name: Callable[[str], str]
) -> None:
    asking = policy(allow("sts:GetFederationToken"), allow("s3:*"))
    user = new_user(root, new_name("federating"), asking)
    limit = policy(allow("s3:GetObject", f"arn:aws:s3:::{kept}/*"))
    answer = user.client("sts").get_federation_token(Name="guest", Policy=limit)
    assert answer["FederatedUser"]["Arn"].endswith(":federated-user/guest")
    guest = root.with_key(answer["Credentials"])
    assert guest.client("sts").get_caller_identity()["Arn"] == answer["FederatedUser"]["Arn"]
    assert guest.client("s3").get_object(Bucket=kept, Key="k")["Body"].read() == b"content"
    denied(lambda: guest.client("s3").delete_object(Bucket=kept, Key="k"))
    unlimited = root.with_key(user.client("sts").get_federation_token(Name="guest")["Credentials"])
    denied(lambda: unlimited.client("s3").list_buckets())
    denied(lambda: new_user(root, new_name("plain")).client("sts").get_federation_token(Name="guest"))


def test_a_guest_of_the_root_may_what_its_policy_allows(root: Caller, kept: str) -> None:
    limit = policy(allow("s3:GetObject", f"arn:aws:s3:::{kept}/*"))
    guest = root.with_key(
        root.client("sts").get_federation_token(Name="guest", Policy=limit)["Credentials"]
    ).client("s3")
    assert guest.get_object(Bucket=kept, Key="k")["Body"].read() == b"content"
    denied(lambda: guest.put_object(Bucket=kept, Key="k", Body=b""))
    denied(lambda: guest.delete_bucket(Bucket=kept))
    denied(guest.list_buckets)
    unlimited = root.with_key(root.client("sts").get_federation_token(Name="guest")["Credentials"])
    denied(lambda: unlimited.client("s3").get_object(Bucket=kept, Key="k"))


def test_revoked_sessions_end_and_later_ones_count(
    server: RunningServer, root: Caller, new_name: Callable[[str], str]
) -> None:
    name = new_name("revoked")
    user = new_user(root, name, EVERYTHING_IN_S3)
    before = root.with_key(user.client("sts").get_session_token()["Credentials"])
    before.client("s3").list_buckets()
    from tests.clients.admin import ask_admin

    assert ask_admin(server, "POST", f"users/{name}/revoke-sessions")[0] == 200
    denied(lambda: before.client("s3").list_buckets(), "InvalidToken", 400)
    after = root.with_key(user.client("sts").get_session_token()["Credentials"])
    after.client("s3").list_buckets()
