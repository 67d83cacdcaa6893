"""What an account blocks of public access, for all of its buckets, in every worker at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from tests.clients.identities import Caller, Client, allow, policy
from tests.raw.door import Door, open_door
from tests.raw.held import Held
from tests.raw.realm import Realm, code_of, id_of, number_of, put
from tests.raw.signing import key_of
from tests.raw.wire import Reply, exchange, fetch

PATH: Final = "/v20180820/configuration/publicAccessBlock"
FLAGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PUBLIC: Final = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
}
MISSING: Final = "NoSuchPublicAccessBlockConfiguration"
AGAIN: Final = 12
"""Connections enough that both workers are asked."""


def block(*flags: str) -> dict[str, bool]:
    return {flag: flag in flags for flag in FLAGS}


def document(*flags: str) -> bytes:
    lines = "".join(f"<{flag}>true</{flag}>" for flag in flags)
    return f"<PublicAccessBlockConfiguration>{lines}</PublicAccessBlockConfiguration>".encode()


def control(caller: Caller, **options: Any) -> Client:
    """Return a client of S3 Control, whose host the server is as a proxy: the name of it resolves nowhere."""
    return caller.client("s3control", proxies={"http": caller.server.endpoint}, **options)


def door_of(realm: Realm, caller: Caller) -> Door:
    server = replace(realm.server, access_key=caller.access_key, secret_key=caller.secret_key)
    return open_door(server, realm.name("door"))


def ask(caller: Caller, method: str, number: str, body: bytes = b"") -> Reply:
    """Send a signed request over a connection of its own."""
    server = caller.server
    key = key_of(replace(server, access_key=caller.access_key, secret_key=caller.secret_key))
    signed = key.authorize(method, PATH, headers={"x-amz-account-id": number})
    return exchange(server.port, method, PATH, headers=signed.headers, body=body)


def put_block(caller: Caller, *flags: str) -> None:
    assert ask(caller, "PUT", number_of(caller), document(*flags)).status == 200


def with_lists(realm: Realm, owner: Caller) -> str:
    bucket = realm.bucket(owner, ObjectOwnership="ObjectWriter")
    s3 = owner.client("s3")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    put(s3, bucket, "k", ACL="public-read")
    return bucket


def statuses(realm: Realm, bucket: str, key: str = "k") -> set[int]:
    """Return what strangers are answered, whichever worker they meet."""
    return {fetch(f"{realm.server.endpoint}/{bucket}/{key}").status for _ in range(AGAIN)}


def test_an_account_has_none_until_it_is_set(realm: Realm) -> None:
    account = realm.account()
    number, client = number_of(account), control(account)
    assert code_of(client.get_public_access_block, AccountId=number) == MISSING
    wanted = block("BlockPublicAcls", "RestrictPublicBuckets")
    client.put_public_access_block(AccountId=number, PublicAccessBlockConfiguration=wanted)
    found = client.get_public_access_block(AccountId=number)
    assert found["PublicAccessBlockConfiguration"] == wanted
    for _ in range(AGAIN):
        assert ask(account, "GET", number).body.count(b">true<") == 2
    client.delete_public_access_block(AccountId=number)
    for _ in range(AGAIN):
        assert code_in(ask(account, "GET", number).body) == MISSING
    client.delete_public_access_block(AccountId=number)


def test_what_a_public_policy_allows_is_restricted_in_all_buckets(realm: Realm) -> None:
    account, other = realm.account(), realm.account()
    buckets = [realm.bucket(account, PUBLIC) for _ in range(2)]
    elsewhere = realm.bucket(other, PUBLIC)
    for owner, bucket in ((account, buckets[0]), (account, buckets[1]), (other, elsewhere)):
        put(owner.client("s3"), bucket, "k")
        assert statuses(realm, bucket) == {200}
    put_block(account, "RestrictPublicBuckets")
    assert [statuses(realm, bucket) for bucket in buckets] == [{403}, {403}]
    assert statuses(realm, elsewhere) == {200}
    assert code_of(other.client("s3").get_object, Bucket=buckets[0], Key="k") == "AccessDenied"
    assert code_of(account.client("s3").get_object, Bucket=buckets[0], Key="k") == "done"
    assert ask(account, "DELETE", number_of(account)).status == 200
    assert [statuses(realm, bucket) for bucket in buckets] == [{200}, {200}]


def test_a_bucket_takes_nothing_back_of_what_its_account_blocks(realm: Realm) -> None:
    account = realm.account()
    bucket = realm.bucket(account, PUBLIC)
    s3 = account.client("s3")
    put(s3, bucket, "k")
    put_block(account, "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block())
    assert statuses(realm, bucket) == {403}
    s3.delete_public_access_block(Bucket=bucket)
    assert statuses(realm, bucket) == {403}
    # It shows what was set for itself, and nothing else.
    assert code_of(s3.get_public_access_block, Bucket=bucket) == MISSING
    # Nor the account of what a bucket blocks.
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block("RestrictPublicBuckets"))
    put_block(account)
    assert statuses(realm, bucket) == {403}


def test_public_policies_are_refused_in_all_buckets(realm: Realm) -> None:
    account = realm.account()
    bucket = realm.bucket(account)
    put_block(account, "BlockPublicPolicy")
    s3, text = account.client("s3"), policy(PUBLIC).replace("BUCKET", bucket)
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=text) == "AccessDenied"
    named = text.replace('"*"', json.dumps({"AWS": f"arn:aws:iam::{number_of(realm.root)}:root"}), 1)
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=named) == "done"
    put_block(account)
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=text) == "done"
    status = s3.get_bucket_policy_status(Bucket=bucket)
    assert status["PolicyStatus"]["IsPublic"]


def test_public_lists_are_refused_in_all_buckets_and_in_new_ones(realm: Realm) -> None:
    account = realm.account()
    bucket, s3 = with_lists(realm, account), account.client("s3")
    put_block(account, "BlockPublicAcls")
    assert statuses(realm, bucket) == {200}
    for acl in ("public-read", "public-read-write", "authenticated-read"):
        assert code_of(s3.put_bucket_acl, Bucket=bucket, ACL=acl) == "AccessDenied"
        assert code_of(s3.put_object_acl, Bucket=bucket, Key="k", ACL=acl) == "AccessDenied"
        assert code_of(s3.put_object, Bucket=bucket, Key="new", ACL=acl) == "AccessDenied"
        for name in (realm.name("new"), bucket):
            refused = code_of(s3.create_bucket, Bucket=name, ACL=acl, ObjectOwnership="ObjectWriter")
            assert refused == "AccessDenied"
    grant = f"id={id_of(realm.root)}"
    assert code_of(s3.put_object, Bucket=bucket, Key="new", GrantRead=grant) == "done"
    name = realm.name("new")
    assert code_of(s3.create_bucket, Bucket=name, GrantRead=grant, ObjectOwnership="ObjectWriter") == "done"


def test_creating_a_bucket_again_opens_none_that_is_blocked(realm: Realm) -> None:
    account = realm.account()
    bucket, s3 = realm.bucket(account, ObjectOwnership="ObjectWriter"), account.client("s3")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block("BlockPublicAcls"))
    again: dict[str, Any] = {"Bucket": bucket, "ObjectOwnership": "ObjectWriter"}
    assert code_of(s3.create_bucket, **again, ACL="public-read") == "AccessDenied"
    assert code_of(s3.create_bucket, **again, ACL="private") == "done"


def test_what_lists_grant_to_everyone_is_ignored(realm: Realm) -> None:
    account = realm.account()
    bucket = with_lists(realm, account)
    assert statuses(realm, bucket) == {200}
    put_block(account, "IgnorePublicAcls")
    assert statuses(realm, bucket) == {403}
    put_block(account)
    assert statuses(realm, bucket) == {200}


def test_the_block_is_that_of_the_buckets_owner_whoever_owns_the_object(realm: Realm) -> None:
    account, writer = realm.account(), realm.account()
    bucket = realm.bucket(account, ObjectOwnership="ObjectWriter")
    account.client("s3").put_bucket_acl(Bucket=bucket, GrantWrite=f"id={id_of(writer)}")
    put(writer.client("s3"), bucket, "k", ACL="public-read")
    put_block(writer, *FLAGS)
    assert statuses(realm, bucket) == {200}
    put_block(account, "IgnorePublicAcls")
    assert statuses(realm, bucket) == {403}


def test_a_public_policy_whose_body_is_held_back_comes_too_late(realm: Realm) -> None:
    account = realm.account()
    door = door_of(realm, account)
    body = policy(PUBLIC).replace("BUCKET", door.bucket).encode()
    with Held(door, "PUT", f"/{door.bucket}", body, query=[("policy", "")]) as held:
        put_block(account, "BlockPublicPolicy")
        reply = held.let_go()
    assert (reply.status, reply.fault.code) == (403, "AccessDenied")


@pytest.mark.parametrize("whose", ["another", "none", "spaces"])
def test_another_accounts_block_is_nobodys_business(realm: Realm, whose: str) -> None:
    account, other = realm.account(), realm.account()
    put_block(other, *FLAGS)
    named = {"another": number_of(other), "none": "123456789012", "spaces": f"{number_of(other)},"}[whose]
    for caller in (account, realm.root):
        for method, body in (("GET", b""), ("PUT", document()), ("DELETE", b"")):
            reply = ask(caller, method, named, body)
            assert (reply.status, code_in(reply.body)) == (403, "AccessDenied")
    assert ask(other, "GET", number_of(other)).body.count(b">true<") == 4


def code_in(body: bytes) -> str:
    """Return the code of a refusal in the form of S3 Control: within `ErrorResponse`."""
    text = body.decode()
    assert "<ErrorResponse><Error><Code>" in text, text
    assert "</Error><RequestId>" in text
    return text.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<PublicAccessBlockConfiguration>", "MalformedXML"),
        (b"<Other/>", "MalformedXML"),
        (document().replace(b"><", b"><Else>true</Else><"), "MalformedXML"),
        (document("BlockPublicAcls").replace(b"true", b"maybe"), "MalformedXML"),
        (b"<!DOCTYPE x><PublicAccessBlockConfiguration/>", "MalformedXML"),
        (b"", "MissingRequestBodyError"),
        (document() + b" " * 70_000, "EntityTooLarge"),
    ],
    ids=["cut-off", "other", "unknown", "no-flag", "doctype", "empty", "long"],
)
def test_a_document_that_says_something_else_is_refused(realm: Realm, body: bytes, code: str) -> None:
    account = realm.account()
    number = number_of(account)
    reply = ask(account, "PUT", number, body)
    assert (reply.status, code_in(reply.body)) == (400, code)
    assert code_in(ask(account, "GET", number).body) == MISSING


def test_nobody_without_a_signature_learns_or_changes_anything(realm: Realm) -> None:
    account = realm.account()
    put_block(account, *FLAGS)
    headers = {"x-amz-account-id": number_of(account)}
    for method, body in (("GET", b""), ("PUT", document()), ("DELETE", b""), ("POST", b"")):
        reply = exchange(realm.server.port, method, PATH, headers=headers, body=body)
        assert (reply.status, code_in(reply.body)) == (403, "AccessDenied")
    assert ask(account, "GET", headers["x-amz-account-id"]).body.count(b">true<") == 4


def test_a_link_to_an_object_of_that_name_changes_no_account(realm: Realm) -> None:
    """The path is that of an object too; only a header that is signed makes another request of it."""
    account = realm.account()
    number, door = number_of(account), replace(door_of(realm, account), bucket="v20180820")
    realm.root.client("s3").create_bucket(Bucket="v20180820")
    try:
        key = key_of(replace(realm.server, access_key=account.access_key, secret_key=account.secret_key))
        root = key_of(realm.server)
        for signer, whose in ((key, number), (root, number_of(realm.root))):
            target = signer.presign("PUT", PATH)
            reply = door.send("PUT", target, headers={"x-amz-account-id": whose}, body=document(*FLAGS))
            assert (reply.status, code_in(reply.body)) == (403, "AccessDenied")
        assert door.send("PUT", root.presign("PUT", PATH), body=b"an object").status == 200
        assert door.send("GET", root.presign("GET", PATH)).body == b"an object"
        for caller, whose in ((account, number), (realm.root, number_of(realm.root))):
            assert code_in(ask(caller, "GET", whose).body) == MISSING
    finally:
        s3 = realm.root.client("s3")
        s3.delete_object(Bucket="v20180820", Key=PATH.removeprefix("/v20180820/"))
        s3.delete_bucket(Bucket="v20180820")


@pytest.mark.parametrize(
    ("granted", "reads", "writes"),
    [
        ([], "AccessDenied", "AccessDenied"),
        ([allow("s3:GetAccountPublicAccessBlock")], MISSING, "AccessDenied"),
        ([allow("s3:PutAccountPublicAccessBlock")], "AccessDenied", "done"),
        ([allow(["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"])], *["AccessDenied"] * 2),
        ([allow("s3:*", "arn:aws:s3:::bucket/*")], "AccessDenied", "AccessDenied"),
        ([allow("s3:*"), {**allow("s3:PutAccount*"), "Effect": "Deny"}], MISSING, "AccessDenied"),
    ],
    ids=["none", "get", "put", "of-buckets", "objects", "deny"],
)
def test_users_may_do_what_policies_allow(
    realm: Realm, granted: list[Mapping[str, object]], reads: str, writes: str
) -> None:
    account = realm.account()
    number = number_of(account)
    _, user = realm.user(*granted, of=account)
    client = control(user)
    assert code_of(client.get_public_access_block, AccountId=number) == reads
    wanted = {"AccountId": number, "PublicAccessBlockConfiguration": block(*FLAGS)}
    assert code_of(client.put_public_access_block, **wanted) == writes
    assert code_of(client.delete_public_access_block, AccountId=number) == writes


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH"])
def test_other_methods_have_no_meaning(realm: Realm, method: str) -> None:
    account = realm.account()
    assert ask(account, method, number_of(account)).status == 405


def test_a_client_that_leaves_the_number_out_of_the_host_is_served(realm: Realm) -> None:
    account = realm.account()
    number = number_of(account)
    client: Client = boto3.client(
        "s3control",
        endpoint_url=account.server.endpoint,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        region_name=account.server.region,
        config=Config(retries={"total_max_attempts": 1}),
    )

    def leave_out(request: Any, **_: object) -> None:
        request.url = request.url.replace(f"//{number}.", "//")

    client.meta.events.register("before-sign.s3-control", leave_out)
    client.put_public_access_block(AccountId=number, PublicAccessBlockConfiguration=block(*FLAGS))
    found = client.get_public_access_block(AccountId=number)
    assert found["PublicAccessBlockConfiguration"] == block(*FLAGS)


def test_the_block_of_the_account_counts_in_a_simulation(realm: Realm) -> None:
    account = realm.account()
    bucket = realm.bucket(account, PUBLIC)
    asked = {"principal": "*", "actions": ["s3:GetObject"], "resources": [f"arn:aws:s3:::{bucket}/k"]}
    for flags, expected in ((), True), (("RestrictPublicBuckets",), False):
        put_block(account, *flags)
        status, found = realm.admin(account, "POST", "simulate", asked)
        assert (status, found["results"][0]["allowed"]) == (200, expected)
