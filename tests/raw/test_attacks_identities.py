"""Whoever may do a little with identities makes more of it: by names, by tools that act for them, by old sessions."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from tests.clients.identities import EVERYTHING_IN_S3, Caller, allow, policy
from tests.raw.realm import Realm, code_of, number_of

ALL_OF_IAM: Final = allow("iam:*")
ADMIN: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


def deny(action: str | list[str], resource: str = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def key_of(made: Any) -> tuple[str, str]:
    return made["access_key"], made["secret_key"]


def test_no_user_makes_a_key_of_the_account_itself(realm: Realm) -> None:
    """Amazon lets nobody but the root have keys of the root: whoever has one is bound by no policy."""
    _, user = realm.user(ALL_OF_IAM)
    status, made = realm.admin(user, "POST", "keys", {})
    assert (status, made["error"]["code"]) == (403, "AccessDenied")


def test_no_user_touches_the_keys_of_the_account_itself(realm: Realm) -> None:
    account = realm.account()
    _, user = realm.user(ALL_OF_IAM, of=account)
    for method, path in (
        ("GET", "keys"),
        ("POST", f"keys/{account.access_key}/rotate"),
        ("POST", f"keys/{account.access_key}/deactivate"),
        ("POST", f"keys/{account.access_key}/activate"),
        ("DELETE", f"keys/{account.access_key}"),
    ):
        status, answer = realm.admin(user, method, path)
        assert (status, answer.get("error", {}).get("code")) == (403, "AccessDenied"), path
    assert realm.admin(account, "GET", "keys")[0] == 200


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_a_name_in_another_case_slips_past_no_deny(realm: Realm, kind: str) -> None:
    """Names of one kind that differ in case alone are one name, and policies know it as it was given."""
    victim = realm.name("victim")
    iam = realm.root.client("iam")
    if kind == "role":
        trust = policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": number_of(realm.root)},
                "Action": "sts:AssumeRole",
            }
        )
        iam.create_role(RoleName=victim, AssumeRolePolicyDocument=trust)
    else:
        getattr(iam, f"create_{kind}")(**{f"{kind.capitalize()}Name": victim})
    _, user = realm.user(ALL_OF_IAM, deny("iam:*", f"arn:aws:iam::*:{kind}/{victim}"))
    document = json.loads(EVERYTHING_IN_S3)
    for name in (victim, victim.upper()):
        path = f"policies/more?{kind}={name}"
        status, answer = realm.admin(user, "PUT", path, {"document": document})
        assert (status, answer.get("error", {}).get("code")) == (403, "AccessDenied"), name
        attach = f"policies/AdministratorAccess/attach?{kind}={name}"
        assert realm.admin(user, "POST", attach)[0] == 403, name
        simulated = {kind: name, "actions": ["s3:GetObject"], "resources": ["*"]}
        if kind != "group":
            assert realm.admin(user, "POST", "simulate", simulated)[0] == 403, name


def test_a_user_is_moved_only_to_where_the_caller_may_have_users(realm: Realm) -> None:
    """Source: IAM API Reference, "UpdateUser": it takes permission on the source and on the target."""
    iam = realm.root.client("iam")
    name = realm.name("dev")
    iam.create_user(UserName=name, Path="/dev/")
    _, user = realm.user(allow("iam:UpdateUser", "arn:aws:iam::*:user/dev/*"))
    mine = user.client("iam")
    assert code_of(mine.update_user, UserName=name, NewPath="/admin/") == "AccessDenied"
    assert code_of(mine.update_user, UserName=name, NewPath="/dev/admin/") == "done"
    assert code_of(mine.update_user, UserName=name, NewUserName=f"{name}-2") == "done"


def test_a_group_is_moved_only_to_where_the_caller_may_have_groups(realm: Realm) -> None:
    iam = realm.root.client("iam")
    name = realm.name("devs")
    iam.create_group(GroupName=name)
    _, user = realm.user(allow("iam:UpdateGroup", f"arn:aws:iam::*:group/{name}"))
    mine = user.client("iam")
    assert code_of(mine.update_group, GroupName=name, NewGroupName="admins") == "AccessDenied"
    assert code_of(mine.update_group, GroupName=name, NewPath="/x/") == "AccessDenied"


def federated(caller: Caller, document: str) -> Caller:
    made = caller.client("sts").get_federation_token(Name="guest", Policy=document)
    return caller.with_key(made["Credentials"])


def test_a_federated_session_ends_when_another_takes_the_name_of_its_user(realm: Realm) -> None:
    """The other was there before the session began, so that its age tells nothing."""
    bucket = realm.bucket()
    rich, _ = realm.user(allow("s3:*"))
    poor, user = realm.user(allow("sts:GetFederationToken"))
    guest = federated(user, EVERYTHING_IN_S3).client("s3")
    assert code_of(guest.list_objects_v2, Bucket=bucket) == "AccessDenied"
    iam = realm.root.client("iam")
    iam.update_user(UserName=poor, NewUserName=realm.name("moved"))
    iam.update_user(UserName=rich, NewUserName=poor)
    assert code_of(guest.list_objects_v2, Bucket=bucket) in ("AccessDenied", "InvalidToken")


def test_a_session_of_a_user_ends_when_another_takes_the_name(realm: Realm) -> None:
    bucket = realm.bucket()
    rich, _ = realm.user(allow("s3:*"))
    poor, user = realm.user()
    session = user.with_key(user.client("sts").get_session_token()["Credentials"]).client("s3")
    iam = realm.root.client("iam")
    iam.update_user(UserName=poor, NewUserName=realm.name("moved"))
    iam.update_user(UserName=rich, NewUserName=poor)
    assert code_of(session.list_objects_v2, Bucket=bucket) in ("AccessDenied", "InvalidToken")


@pytest.mark.parametrize("is_root", [False, True], ids=["a user's", "the root's"])
def test_a_federated_session_without_a_policy_may_nothing(realm: Realm, is_root: bool) -> None:
    bucket = realm.bucket()
    _, user = realm.user(allow("s3:*"), allow("sts:GetFederationToken"))
    caller = realm.root if is_root else user
    made = caller.client("sts").get_federation_token(Name="guest")
    guest = caller.with_key(made["Credentials"]).client("s3")
    assert code_of(guest.list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_keys_of_a_deactivated_account_end_with_it(realm: Realm) -> None:
    account = realm.account()
    bucket = realm.bucket(account)
    s3 = account.client("s3")
    user_name, user = realm.user(allow("s3:*"), of=account)
    session = account.with_key(account.client("sts").get_session_token()["Credentials"])
    number = number_of(account)
    assert realm.admin(realm.root, "POST", f"accounts/{number}/deactivate")[0] == 200
    for who in (s3, user.client("s3"), session.client("s3")):
        assert code_of(who.list_objects_v2, Bucket=bucket) in ("InvalidAccessKeyId", "InvalidToken"), (
            user_name
        )


def test_the_root_account_cannot_be_shut_out(realm: Realm) -> None:
    status, answer = realm.admin(realm.root, "POST", "accounts/root/deactivate")
    assert (status, answer.get("error", {}).get("code")) == (409, "DeleteConflict")


@pytest.mark.parametrize("name", ["123456789012", "ab" * 32], ids=["a number", "an id"])
def test_no_account_is_named_like_the_number_or_the_id_of_another(realm: Realm, name: str) -> None:
    status, answer = realm.admin(realm.root, "POST", "accounts", {"name": name})
    assert (status, answer.get("error", {}).get("code")) == (400, "ValidationError")


def test_deleting_an_old_version_takes_leave_of_its_own(realm: Realm) -> None:
    name = realm.name("managed")
    document = json.loads(EVERYTHING_IN_S3)
    for _ in range(5):
        assert realm.admin(realm.root, "PUT", f"policies/{name}", {"document": document})[0] == 200
    _, user = realm.user(allow(["iam:CreatePolicyVersion", "iam:DeletePolicy"]))
    status, answer = realm.admin(user, "PUT", f"policies/{name}", {"document": document})
    assert (status, answer.get("error", {}).get("code")) == (403, "AccessDenied")
    status, answer = realm.admin(user, "DELETE", f"policies/{name}")
    assert (status, answer.get("error", {}).get("code")) == (403, "AccessDenied")


def test_who_may_simulate_one_user_simulates_no_other(realm: Realm) -> None:
    victim, _ = realm.user(allow("s3:*"))
    number = number_of(realm.root)
    name, user = realm.user(
        allow("iam:SimulatePrincipalPolicy"),
        deny("iam:SimulatePrincipalPolicy", f"arn:aws:iam::{number}:user/{victim}"),
    )
    iam = user.client("iam")
    asked = {"ActionNames": ["s3:GetObject"]}
    own, other = f"arn:aws:iam::{number}:user/{name}", f"arn:aws:iam::{number}:user/{victim}"
    assert code_of(iam.simulate_principal_policy, PolicySourceArn=own, **asked) == "done"
    assert code_of(iam.simulate_principal_policy, PolicySourceArn=other, **asked) == "AccessDenied"


def test_tags_of_a_user_are_what_policies_ask_for(realm: Realm) -> None:
    """A key that a document may name is never ignored when it is decided by."""
    bucket = realm.bucket()
    name, user = realm.user(
        allow("s3:*"), deny("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blocked"}})
    )
    s3 = user.client("s3")
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "done"
    realm.root.client("iam").tag_user(UserName=name, Tags=[{"Key": "Team", "Value": "blocked"}])
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    session = user.with_key(user.client("sts").get_session_token()["Credentials"])
    assert code_of(session.client("s3").list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_the_length_of_a_session_is_what_a_trust_policy_asks_for(realm: Realm) -> None:
    number, name = number_of(realm.root), realm.name("short")
    _, user = realm.user(allow("sts:AssumeRole"))
    trusted = {"Principal": {"AWS": number}, "Action": "sts:AssumeRole"}
    trust = policy(
        {"Effect": "Allow", **trusted},
        {
            "Effect": "Deny",
            **trusted,
            "Condition": {"NumericGreaterThan": {"sts:DurationSeconds": "900"}},
        },
    )
    realm.root.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    sts = user.client("sts")
    asked = {"RoleArn": f"arn:aws:iam::{number}:role/{name}", "RoleSessionName": "shift"}
    assert code_of(sts.assume_role, **asked, DurationSeconds=900) == "done"
    assert code_of(sts.assume_role, **asked, DurationSeconds=901) == "AccessDenied"
    # The default is an hour.
    assert code_of(sts.assume_role, **asked) == "AccessDenied"


def test_tags_of_a_session_are_not_dropped_without_a_word(realm: Realm) -> None:
    number, name = number_of(realm.root), realm.name("tagged")
    _, user = realm.user(allow("sts:*"))
    trust = policy({"Effect": "Allow", "Principal": {"AWS": number}, "Action": "sts:AssumeRole"})
    realm.root.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    sts, tags = user.client("sts"), [{"Key": "team", "Value": "x"}]
    arn = f"arn:aws:iam::{number}:role/{name}"
    assert code_of(sts.assume_role, RoleArn=arn, RoleSessionName="s1", Tags=tags) == "ValidationError"
    assert code_of(sts.get_federation_token, Name="guest", Tags=tags) == "ValidationError"


def test_a_boundary_limits_what_its_user_may_give_away(realm: Realm) -> None:
    name, user = realm.user(allow("*"))
    iam = realm.root.client("iam")
    arn = iam.create_policy(
        PolicyName=realm.name("bounds"), PolicyDocument=policy(allow(["s3:ListBucket", "iam:PutUserPolicy"]))
    )["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn)
    mine = user.client("iam")
    assert code_of(
        mine.put_user_policy, UserName=name, PolicyName="more", PolicyDocument=policy(allow("*"))
    ) == ("done")
    assert code_of(mine.delete_user_permissions_boundary, UserName=name) == "AccessDenied"
    assert code_of(mine.attach_user_policy, UserName=name, PolicyArn=ADMIN) == "AccessDenied"
    assert code_of(mine.create_access_key, UserName=name) == "AccessDenied"
    assert code_of(user.client("s3").list_buckets) == "AccessDenied"


@pytest.mark.timeout(20)
def test_thousands_of_parameters_hold_nobody_up(realm: Realm) -> None:
    """Whoever has a key, and no right at all, may send them."""
    _, user = realm.user()
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(1990)]
    iam = user.client("iam")
    for _ in range(5):
        assert code_of(iam.create_user, UserName="nobody", Tags=tags) == "AccessDenied"


def test_no_more_cases_are_simulated_than_fit_a_moment(realm: Realm) -> None:
    _, user = realm.user(ALL_OF_IAM)
    many = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/k"] * 1001}
    status, answer = realm.admin(user, "POST", "simulate", many)
    assert (status, answer["error"]["code"]) == (400, "ValidationError")
    documents = [json.loads(policy(allow("s3:*", "x" * 9000)).replace("x", "arn:aws:s3:::x", 1))] * 20
    asked = {"actions": ["s3:GetObject"], "resources": ["*"], "policies": documents}
    status, answer = realm.admin(user, "POST", "simulate", asked)
    assert (status, answer["error"]["code"]) == (400, "ValidationError")
    long = {"actions": ["s3:GetObject"], "resources": ["*"], "context": {"aws:UserAgent": "x" * 3000}}
    status, answer = realm.admin(user, "POST", "simulate", long)
    assert (status, answer["error"]["code"]) == (400, "ValidationError")


def test_the_use_of_a_key_is_told_only_to_who_may_know_of_its_user(realm: Realm) -> None:
    victim, theirs = realm.user()
    _, user = realm.user(ALL_OF_IAM, deny("iam:*", f"arn:aws:iam::*:user/{victim}"))
    told = user.client("iam").get_access_key_last_used
    assert code_of(told, AccessKeyId=theirs.access_key) == "AccessDenied"
    assert code_of(told, AccessKeyId=user.access_key) == "done"
    foreign = realm.user(of=realm.account())[1]
    assert (
        code_of(told, AccessKeyId=foreign.access_key)
        == code_of(told, AccessKeyId="VKAKNOBODYATALL00000")
        == ("NoSuchEntity")
    )
