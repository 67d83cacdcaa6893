"""Policies that take long to judge, that come late, or that give themselves away."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Final

import pytest
from tests.clients.identities import Caller, allow, policy
from tests.raw.door import Door, open_door
from tests.raw.held import Held
from tests.raw.realm import Realm, code_of, id_of, number_of, put
from tests.raw.wire import fetch

from valetkey import Signer

PUBLIC: Final = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::BUCKET/*",
}
ALL_BLOCKED: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": False,
}


def door_of(realm: Realm, caller: Caller) -> Door:
    server = replace(realm.server, access_key=caller.access_key, secret_key=caller.secret_key)
    return open_door(server, realm.name("door"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("length", [4_000, 60_000])
def test_whoever_owns_a_bucket_holds_nobody_up_by_its_policy(realm: Realm, length: int) -> None:
    other = realm.account()
    bucket = realm.bucket(
        other,
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::BUCKET/*",
            "Condition": {"StringLike": {"aws:UserAgent": "*" + "?a" * 1_900 + "?b*"}},
        },
    )
    keys = "".join(f"<Object><Key>k{number}</Key></Object>" for number in range(1000))
    body = f"<Delete><Quiet>true</Quiet>{keys}</Delete>".encode()
    signer = Signer(other.access_key, other.secret_key, region="us-east-1", endpoint=realm.server.endpoint)
    url = f"{realm.server.endpoint}/{bucket}?delete"
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    content_md5 = {"content-md5": base64.b64encode(digest).decode()}
    headers = signer.sign_headers("POST", url, content_md5, body=body)
    answer = fetch(url, method="POST", headers={**headers, "user-agent": "a" * length}, body=body)
    assert answer.status == 200, answer.body
    # A text that is too long to be judged might have been what is forbidden.
    assert (b"<Code>AccessDenied</Code>" in answer.body) == (length > 4096), answer.body[:300]


def test_what_is_too_long_to_be_judged_allows_nothing(realm: Realm) -> None:
    bucket = realm.bucket(
        realm.root,
        {**PUBLIC, "Condition": {"StringLike": {"aws:Referer": "https://ours.example/*"}}},
    )
    put(realm.root.client("s3"), bucket, "k")
    url = f"{realm.server.endpoint}/{bucket}/k"
    assert fetch(url, headers={"referer": "https://ours.example/" + "x" * 4_000}).status == 200
    assert fetch(url, headers={"referer": "https://ours.example/" + "x" * 5_000}).status == 403


def test_a_public_policy_whose_body_is_held_back_comes_too_late_for_a_block(realm: Realm) -> None:
    door = door_of(realm, realm.root)
    body = policy(PUBLIC).replace("BUCKET", door.bucket).encode()
    with Held(door, "PUT", f"/{door.bucket}", body, query=[("policy", "")]) as held:
        realm.root.client("s3").put_public_access_block(
            Bucket=door.bucket, PublicAccessBlockConfiguration=ALL_BLOCKED
        )
        reply = held.let_go()
    assert (reply.status, reply.fault.code) == (403, "AccessDenied")


def test_a_public_list_whose_body_is_held_back_comes_too_late_for_a_block(realm: Realm) -> None:
    door = door_of(realm, realm.root)
    s3 = realm.root.client("s3")
    s3.put_bucket_ownership_controls(
        Bucket=door.bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    everyone = (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
        "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"
        "<Permission>READ</Permission></Grant>"
    )
    owner = f"<Owner><ID>{id_of(realm.root)}</ID></Owner>"
    document = (
        f"<AccessControlPolicy>{owner}<AccessControlList>{everyone}</AccessControlList></AccessControlPolicy>"
    )
    with Held(door, "PUT", f"/{door.bucket}", document.encode(), query=[("acl", "")]) as held:
        s3.put_public_access_block(Bucket=door.bucket, PublicAccessBlockConfiguration=ALL_BLOCKED)
        reply = held.let_go()
    assert (reply.status, reply.fault.code) == (403, "AccessDenied")


@pytest.mark.parametrize("operation", ["get_bucket_policy", "put_bucket_policy", "delete_bucket_policy"])
def test_no_policy_gives_itself_to_another_account(realm: Realm, operation: str) -> None:
    """Source: Amazon S3 API Reference, "PutBucketPolicy": an identity of the owner's account is needed."""
    other = realm.account()
    _, user = realm.user(allow("s3:*"), of=other)
    everything = {
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
    }
    bucket = realm.bucket(
        realm.root,
        {**everything, "Principal": {"AWS": id_of(other)}},
        {**everything, "Principal": {"AWS": f"arn:aws:iam::{number_of(other)}:root"}},
    )
    more = {"Policy": policy(PUBLIC).replace("BUCKET", bucket)} if operation == "put_bucket_policy" else {}
    for caller in (other, user):
        s3 = caller.client("s3")
        assert code_of(s3.list_objects_v2, Bucket=bucket) == "done"
        assert code_of(getattr(s3, operation), Bucket=bucket, **more) == "AccessDenied"
    assert code_of(realm.root.client("s3").get_bucket_policy, Bucket=bucket) == "done"


def test_no_user_made_anew_gets_what_the_former_one_was_given(realm: Realm) -> None:
    """Source: IAM User Guide, "AWS JSON policy elements: Principal": the id counts, not the name."""
    name, first = realm.user()
    arn = f"arn:aws:iam::{number_of(realm.root)}:user/{name}"
    bucket = realm.bucket(realm.root, {**PUBLIC, "Principal": {"AWS": arn}})
    put(realm.root.client("s3"), bucket, "k")
    assert code_of(first.client("s3").get_object, Bucket=bucket, Key="k") == "done"
    iam = realm.root.client("iam")
    iam.delete_access_key(UserName=name, AccessKeyId=first.access_key)
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    second = realm.root.with_key(iam.create_access_key(UserName=name)["AccessKey"])
    assert code_of(second.client("s3").get_object, Bucket=bucket, Key="k") == "AccessDenied"


def test_a_policy_names_nobody_who_is_not_there(realm: Realm) -> None:
    """A name that is free today would let in whoever takes it tomorrow."""
    bucket = realm.bucket()
    arn = f"arn:aws:iam::{number_of(realm.root)}:user/nobody-at-all"
    text = policy({**PUBLIC, "Principal": {"AWS": arn}}).replace("BUCKET", bucket)
    put_policy = realm.root.client("s3").put_bucket_policy
    assert code_of(put_policy, Bucket=bucket, Policy=text) == "MalformedPolicy"


def test_no_role_made_anew_is_assumed_by_a_former_session(realm: Realm) -> None:
    number, name = number_of(realm.root), realm.name("role")
    iam = realm.root.client("iam")
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": number}, "Action": "sts:AssumeRole"}],
        }
    )
    _, user = realm.user(allow("sts:AssumeRole"))
    bucket = realm.bucket()
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    arn = f"arn:aws:iam::{number}:role/{name}"
    made = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="shift")
    session = user.with_key(made["Credentials"]).client("s3")
    iam.delete_role(RoleName=name)
    assert code_of(session.list_objects_v2, Bucket=bucket) == "InvalidToken"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(allow("s3:*")))
    assert code_of(session.list_objects_v2, Bucket=bucket) in ("AccessDenied", "InvalidToken")
