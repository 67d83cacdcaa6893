"""boto3's IAM client against the server itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import refusal
from tests.clients.identities import EVERYTHING_IN_S3, Caller, Client, allow, new_user, policy, root_of
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
TRUST = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})


@pytest.fixture(scope="session")
def root(server: RunningServer) -> Caller:
    return root_of(server)


@pytest.fixture(scope="session")
def iam(root: Caller) -> Client:
    return root.client("iam")


def test_root_learns_who_it_is(iam: Client) -> None:
    user = iam.get_user()["User"]
    assert user["Arn"] == f"arn:aws:iam::{user['UserId']}:root"
    assert len(user["UserId"]) == 12


def test_a_user_is_made_renamed_and_deleted(iam: Client, new_name: Callable[[str], str]) -> None:
    name, other = new_name("User"), new_name("renamed")
    made = iam.create_user(UserName=name, Path="/staff/", Tags=[{"Key": "team", "Value": "ü"}])["User"]
    assert made["Arn"].endswith(f":user/staff/{name}")
    assert iam.get_user(UserName=name.lower())["User"] == made
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name.upper())
    iam.update_user(UserName=name, NewUserName=other, NewPath="/")
    assert iam.get_user(UserName=other)["User"]["UserId"] == made["UserId"]
    iam.untag_user(UserName=other, TagKeys=["team"])
    assert iam.list_user_tags(UserName=other)["Tags"] == []
    iam.delete_user(UserName=other)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName=other)


def test_listings_come_in_pages(iam: Client, new_name: Callable[[str], str]) -> None:
    path = f"/{new_name('pages')}/"
    names = [new_name("paged") for _ in range(5)]
    for name in names:
        iam.create_user(UserName=name, Path=path)
    pages = iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2})
    listed = [[user["UserName"] for user in page["Users"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert [name for page in listed for name in page] == sorted(names)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param({"UserName": "a b"}, "ValidationError", id="name"),
        pytest.param({"UserName": "a" * 65}, "ValidationError", id="long-name"),
        pytest.param({"UserName": "fine", "Path": "no-slashes"}, "ValidationError", id="path"),
        pytest.param({"UserName": "fine", "PermissionsBoundary": "short"}, "ValidationError", id="arn"),
        pytest.param(
            {"UserName": "f", "Tags": [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]},
            "InvalidInput",
            id="tag-twice",
        ),
    ],
)
def test_what_cannot_be_is_refused(root: Caller, arguments: dict[str, object], code: str) -> None:
    unchecked = root.client("iam", parameter_validation=False)
    with pytest.raises(ClientError) as error:
        unchecked.create_user(**arguments)
    assert refusal(error.value) == (400, code)


def test_an_action_that_nobody_knows_is_refused(iam: Client) -> None:
    with pytest.raises(ClientError) as error:
        iam.list_virtual_mfa_devices()
    assert refusal(error.value) == (400, "InvalidAction")


def test_a_key_counts_until_it_is_deactivated(
    root: Caller, iam: Client, new_name: Callable[[str], str]
) -> None:
    name, bucket = new_name("key"), new_name("key-bucket")
    user = new_user(root, name, EVERYTHING_IN_S3)
    s3 = user.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert fetch(url).body == b"content"
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Inactive")
    assert fetch(url).status == 403
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Active")
    assert fetch(url).body == b"content"
    iam.delete_access_key(UserName=name, AccessKeyId=user.access_key)
    assert fetch(url).status == 403


def test_the_last_use_of_a_key_is_known(root: Caller, iam: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("used")
    user = new_user(root, name)
    assert user.client("sts").get_caller_identity()["Arn"].endswith(f":user/{name}")
    found = iam.get_access_key_last_used(AccessKeyId=user.access_key)
    assert found["UserName"] == name
    assert found["AccessKeyLastUsed"]["ServiceName"] == "sts"


def test_documents_come_back_as_they_were_put(iam: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("inline")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=EVERYTHING_IN_S3)
    found = iam.get_user_policy(UserName=name, PolicyName="p")
    assert (found["UserName"], json.dumps(found["PolicyDocument"])) == (name, EVERYTHING_IN_S3)
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_user(UserName=name)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        pytest.param("{", "MalformedPolicyDocument", id="no-json"),
        pytest.param(policy(allow("s3:NoSuchThing")), "MalformedPolicyDocument", id="unknown-action"),
        pytest.param(
            policy(allow("s3:*", Condition={"StringEquals": {"s3:nonsense": "1"}})),
            "MalformedPolicyDocument",
            id="unknown-key",
        ),
        pytest.param(
            policy(*[allow("s3:*", f"arn:aws:s3:::{n:040}") for n in range(40)]), "LimitExceeded", id="long"
        ),
    ],
)
def test_documents_are_read_when_they_are_put(
    iam: Client, new_name: Callable[[str], str], document: str, code: str
) -> None:
    name = new_name("malformed")
    iam.create_user(UserName=name)
    with pytest.raises(ClientError) as error:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    assert refusal(error.value)[1] == code


def test_all_inline_policies_of_a_user_have_one_limit(iam: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("sum")
    iam.create_user(UserName=name)
    half = policy(*[allow("s3:*", f"arn:aws:s3:::{n:040}") for n in range(13)])
    iam.put_user_policy(UserName=name, PolicyName="p1", PolicyDocument=half)
    iam.put_user_policy(UserName=name, PolicyName="p1", PolicyDocument=half)
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.put_user_policy(UserName=name, PolicyName="p2", PolicyDocument=half)


def test_a_user_may_do_what_its_group_may(root: Caller, iam: Client, new_name: Callable[[str], str]) -> None:
    name, group = new_name("member"), new_name("group")
    s3 = new_user(root, name).client("s3")
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    with pytest.raises(ClientError) as error:
        s3.list_buckets()
    assert refusal(error.value) == (403, "AccessDenied")
    iam.add_user_to_group(GroupName=group, UserName=name)
    s3.list_buckets()
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName=name)["Groups"]] == [group]
    assert [one["UserName"] for one in iam.get_group(GroupName=group)["Users"]] == [name]
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_group(GroupName=group)
    iam.remove_user_from_group(GroupName=group, UserName=name)
    with pytest.raises(ClientError):
        s3.list_buckets()


def test_a_boundary_limits_what_a_user_may(root: Caller, iam: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("bounded")
    user = new_user(root, name, EVERYTHING_IN_S3)
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=READ_ONLY)
    assert iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY
    user.client("s3").list_buckets()
    with pytest.raises(ClientError) as error:
        user.client("s3").create_bucket(Bucket=new_name("bounded-bucket"))
    assert refusal(error.value) == (403, "AccessDenied")
    iam.delete_user_permissions_boundary(UserName=name)
    user.client("s3").create_bucket(Bucket=new_name("bounded-bucket"))


def test_versions_of_a_policy_take_each_others_place(
    root: Caller, iam: Client, new_name: Callable[[str], str]
) -> None:
    name = new_name("versions")
    arn = iam.create_policy(PolicyName=name, PolicyDocument=policy(allow("s3:GetObject")))["Policy"]["Arn"]
    user = new_user(root, name)
    iam.attach_user_policy(UserName=name, PolicyArn=arn)
    with pytest.raises(ClientError):
        user.client("s3").list_buckets()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=EVERYTHING_IN_S3, SetAsDefault=True)
    user.client("s3").list_buckets()
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(one["VersionId"], one["IsDefaultVersion"]) for one in versions] == [("v2", True), ("v1", False)]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
    assert json.dumps(document) == EVERYTHING_IN_S3
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"][0]["UserName"] == name
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_policy(PolicyArn=arn)
    iam.detach_user_policy(UserName=name, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)


def test_a_provided_policy_is_there_and_stays(iam: Client) -> None:
    listed = iam.list_policies(Scope="AWS")["Policies"]
    assert READ_ONLY in [one["Arn"] for one in listed]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_policy(PolicyArn=READ_ONLY)


def test_a_role_comes_back_with_its_trust(iam: Client, new_name: Callable[[str], str]) -> None:
    name = new_name("role")
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=TRUST, Description="for tests", MaxSessionDuration=7200
    )
    found = iam.get_role(RoleName=name)["Role"]
    assert (json.dumps(found["AssumeRolePolicyDocument"]), found["MaxSessionDuration"]) == (TRUST, 7200)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=EVERYTHING_IN_S3)
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_role(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def test_a_role_trusts_nobody_who_is_not_there(iam: Client, new_name: Callable[[str], str]) -> None:
    number = iam.get_user()["User"]["UserId"]
    principal = {"AWS": f"arn:aws:iam::{number}:user/no-such-user"}
    trust = policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_role(RoleName=new_name("trusting"), AssumeRolePolicyDocument=trust)


def test_a_user_manages_only_what_its_policies_name(
    root: Caller, iam: Client, new_name: Callable[[str], str]
) -> None:
    name = new_name("manager")
    arn = f"arn:aws:iam::{iam.get_user()['User']['UserId']}:user/{name}"
    own = new_user(root, name, policy(allow(["iam:*AccessKey*", "iam:GetUser"], arn))).client("iam")
    assert own.get_user()["User"]["UserName"] == name
    made = own.create_access_key()["AccessKey"]["AccessKeyId"]
    own.delete_access_key(AccessKeyId=made)
    refused: Callable[[], object]
    for refused in (
        own.list_users,
        lambda: own.create_access_key(UserName="somebody-else"),
        lambda: own.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=EVERYTHING_IN_S3),
        lambda: own.attach_user_policy(UserName=name, PolicyArn=READ_ONLY),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert refusal(error.value) == (403, "AccessDenied")
        assert f"User: {arn} is not authorized to perform: iam:" in str(error.value)


def test_a_condition_may_name_the_policy_to_attach(
    root: Caller, iam: Client, new_name: Callable[[str], str]
) -> None:
    condition = {"ArnEquals": {"iam:PolicyARN": READ_ONLY}}
    name, other = new_name("attacher"), new_name("attached")
    own = new_user(root, name, policy(allow("iam:AttachUserPolicy", Condition=condition))).client("iam")
    iam.create_user(UserName=other)
    own.attach_user_policy(UserName=other, PolicyArn=READ_ONLY)
    with pytest.raises(ClientError) as error:
        own.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert refusal(error.value) == (403, "AccessDenied")


def test_the_simulator_says_which_policy_decides(
    root: Caller, iam: Client, new_name: Callable[[str], str]
) -> None:
    name = new_name("simulated")
    deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    new_user(root, name, EVERYTHING_IN_S3, policy(deny))
    arn = iam.get_user(UserName=name)["User"]["Arn"]
    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=["s3:GetObject", "s3:DeleteObject", "iam:GetUser"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )
    decided = [one["EvalDecision"] for one in answer["EvaluationResults"]]
    assert decided == ["allowed", "explicitDeny", "implicitDeny"]
    matched = answer["EvaluationResults"][1]["MatchedStatements"]
    assert [one["SourcePolicyId"] for one in matched] == [f"user/{name}/p1"]


@pytest.mark.parametrize(
    ("access_key", "secret_key", "refused"),
    [
        pytest.param("VKNOBODY", "x", (403, "InvalidClientTokenId"), id="no-such-key"),
        pytest.param(None, "another secret", (403, "SignatureDoesNotMatch"), id="wrong-secret"),
    ],
)
def test_who_cannot_sign_is_refused(
    server: RunningServer, access_key: str | None, secret_key: str, refused: tuple[int, str]
) -> None:
    stranger = Caller(server=server, access_key=access_key or server.access_key, secret_key=secret_key)
    with pytest.raises(ClientError) as error:
        stranger.client("iam").list_users()
    assert refusal(error.value) == refused


def test_a_region_of_its_own_does_not_keep_iam_out(frankfurt_server: RunningServer) -> None:
    root = root_of(frankfurt_server)
    assert root.client("iam").get_user()["User"]["Arn"].endswith(":root")
    assert root.client("sts").get_caller_identity()["Arn"].endswith(":root")
