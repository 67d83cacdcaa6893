"""Each condition key by real requests: one that the condition holds for, and one that it does not hold for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.clients.identities import Caller, Client, allow
from tests.raw.door import Door, open_door
from tests.raw.realm import Realm, code_of, number_of, put
from tests.raw.signing import key_of

from valetkey.policy.condition_keys import KEYS, PRESENT, type_of

DENIED: Final = "AccessDenied"
SOON: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A bucket whose policy forbids everything that a condition holds for, but to alter the policy."""

    realm: Realm
    bucket: str
    door: Door

    @property
    def s3(self) -> Client:
        return self.realm.root.client("s3")

    def does(self, operation: str, key: str | None = "k", **more: Any) -> str:
        """Return how an operation of boto3 ends."""
        arguments = {"Bucket": self.bucket} if key is None else {"Bucket": self.bucket, "Key": key}
        return code_of(getattr(self.s3, operation), **arguments, **more)

    def as_caller(self, caller: Caller) -> str:
        return code_of(caller.client("s3").get_object, Bucket=self.bucket, Key="k")

    def get(self, *, headers: Mapping[str, str] | None = None) -> str:
        """Return how a GET that is signed in its headers ends, some of which are not signed."""
        path = self.door.path("k")
        signed = self.door.key.authorize("GET", path)
        return self._outcome(self.door.send("GET", path, headers={**signed.headers, **(headers or {})}))

    def by_url(self, *, at: datetime | None = None) -> str:
        return self._outcome(self.door.send("GET", self.door.key.presign("GET", self.door.path("k"), at=at)))

    def by_v2_url(self) -> str:
        return self._outcome(self.door.send("GET", self.door.key.presign_v2("GET", self.door.path("k"))))

    @staticmethod
    def _outcome(reply: Any) -> str:
        return "done" if reply.status < 300 else str(reply.fault.code)


Step = Callable[[Scene], str]


def door_of(realm: Realm, caller: Caller, bucket: str) -> Door:
    """Return a door for somebody to a bucket that need not be there."""
    server = replace(realm.server, access_key=caller.access_key, secret_key=caller.secret_key)
    return Door(server=server, key=key_of(server), bucket=bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A condition, what it holds for, and what not."""

    condition: Mapping[str, Mapping[str, object]]
    holds: Step
    fails: Step | None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of CreateBucket."""


def case(
    operator: str, key: str, value: object, holds: Step, fails: Step | None, **options: Any
) -> tuple[str, Case]:
    made = Case(condition={operator: {key: value}}, holds=holds, fails=fails, options=options)
    return f"{key} {operator}", made


def plain(scene: Scene) -> str:
    return scene.get()


def lists(**more: Any) -> Step:
    return lambda scene: scene.does("list_objects_v2", None, **more)


def puts(**more: Any) -> Step:
    return lambda scene: scene.does("put_object", "new", **more)


def copies(source: str = "k", **more: Any) -> Step:
    return lambda scene: scene.does("copy_object", "copy", CopySource=f"{scene.bucket}/{source}", **more)


def gets(key: str = "k", **more: Any) -> Step:
    return lambda scene: scene.does("get_object", key, **more)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def user_gets(*, is_named: bool) -> Step:
    """Another user, or the root, who is meant where the user is named by its ARN."""
    return lambda scene: scene.as_caller(scene.realm.user(allow("s3:*"))[1] if is_named else scene.realm.root)


NOW: Final = datetime.now(UTC)
LOCKED: Final = {"ObjectLockEnabledForBucket": True}
WITH_LISTS: Final = {"ObjectOwnership": "ObjectWriter"}
RETAINED: Final = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": NOW + SOON}

CASES: Final = dict(
    [
        case("NumericGreaterThan", "s3:signatureAge", "600000",
             lambda s: s.by_url(at=datetime.now(UTC) - timedelta(minutes=11)), Scene.by_url),
        case("StringEquals", "s3:authType", "REST-QUERY-STRING", Scene.by_url, plain),
        case("StringNotEquals", "s3:authType", "REST-HEADER", Scene.by_v2_url, plain),
        case("StringEquals", "s3:signatureversion", "AWS", Scene.by_v2_url, Scene.by_url),
        case("StringEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", Scene.by_url, gets()),
        case("IpAddress", "aws:SourceIp", "127.0.0.0/8", plain, None),
        case("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", plain, None),
        case("NotIpAddress", "aws:SourceIp", "127.0.0.1/32", lambda _: DENIED, plain),
        case("Bool", "aws:SecureTransport", "false", plain, None),
        case("DateGreaterThan", "aws:CurrentTime", stamp(NOW - SOON), plain, None),
        case("DateLessThan", "aws:CurrentTime", stamp(NOW - SOON), lambda _: DENIED, plain),
        case("NumericGreaterThan", "aws:EpochTime", str(int((NOW - SOON).timestamp())), plain, None),
        case("DateGreaterThan", "aws:EpochTime", stamp(NOW + SOON), lambda _: DENIED, plain),
        case("StringLike", "aws:UserAgent", "evil/*",
             lambda s: s.get(headers={"user-agent": "evil/1"}), lambda s: s.get(headers={"user-agent": "good"})),
        case("StringNotLike", "aws:Referer", "https://ours.example/*", plain,
             lambda s: s.get(headers={"referer": "https://ours.example/page"})),
        case("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*",
             user_gets(is_named=True), user_gets(is_named=False)),
        case("StringLike", "aws:userid", "AIDA*", user_gets(is_named=True), user_gets(is_named=False)),
        case("StringLike", "aws:username", "user-*", user_gets(is_named=True), user_gets(is_named=False)),
        case("StringEquals", "aws:PrincipalType", "User", user_gets(is_named=True), user_gets(is_named=False)),
        case("StringLike", "s3:prefix", "secret/*", lists(Prefix="secret/x"), lists(Prefix="open/")),
        case("StringEquals", "s3:delimiter", "/", lists(Delimiter="/"), lists()),
        case("NumericGreaterThan", "s3:max-keys", "10", lists(MaxKeys=11), lists(MaxKeys=10)),
        case("StringEquals", "s3:ExistingObjectTag/class", "secret", gets("tagged"), gets("k")),
        case("StringEquals", "s3:RequestObjectTag/class", "secret",
             puts(Tagging="class=secret"), puts(Tagging="class=open")),
        case("ForAnyValue:StringEquals", "s3:RequestObjectTagKeys", "class",
             puts(Tagging="class=x&b=y"), puts(Tagging="b=y")),
        case("StringEquals", "s3:x-amz-acl", "public-read",
             puts(ACL="public-read"), puts(ACL="private"), **WITH_LISTS),
        case("Null", "s3:x-amz-grant-read", "false",
             puts(GrantRead='uri="http://acs.amazonaws.com/groups/global/AllUsers"'), puts(), **WITH_LISTS),
        case("StringLike", "s3:x-amz-copy-source", "*/tagged", copies("tagged"), copies("k")),
        case("StringEquals", "s3:x-amz-metadata-directive", "REPLACE",
             copies(MetadataDirective="REPLACE"), copies()),
        case("Null", "s3:x-amz-server-side-encryption", "true",
             puts(), puts(ServerSideEncryption="AES256")),
        case("StringEquals", "s3:x-amz-storage-class", "STANDARD_IA",
             puts(StorageClass="STANDARD_IA"), puts(StorageClass="STANDARD")),
        case("Null", "s3:TlsVersion", "true", plain, None),
        case("NumericLessThan", "s3:TlsVersion", "1.2", lambda _: DENIED, plain),
        case("StringEquals", "s3:object-lock-mode", "GOVERNANCE", puts(**RETAINED), puts(), **LOCKED),
        case("NumericGreaterThan", "s3:object-lock-remaining-retention-days", "2",
             puts(**RETAINED), puts(), **LOCKED),
        case("DateGreaterThan", "s3:object-lock-retain-until-date", stamp(NOW),
             puts(**RETAINED), puts(), **LOCKED),
        case("StringEquals", "s3:object-lock-legal-hold", "ON",
             puts(ObjectLockLegalHoldStatus="ON"), puts(ObjectLockLegalHoldStatus="OFF"), **LOCKED),
        case("StringEquals", "s3:if-none-match", "*", puts(IfNoneMatch="*"), puts()),
        case("Bool", "s3:ObjectCreationOperation", "true", puts(),
             lambda s: s.does("create_multipart_upload", "new")),
        case("StringEquals", "aws:RequestedRegion", "us-east-1", plain, None),
        case("Null", "aws:TokenIssueTime", "true", plain, lambda s: s.as_caller(
            s.realm.root.with_key(s.realm.root.client("sts").get_session_token()["Credentials"]))),
        case("StringLike", "s3:VersionId", "*", gets(VersionId="null"), gets()),
        case("StringLike", "aws:ResourceAccount", "*", plain, None),
    ]
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_condition_holds_for_what_it_says_and_for_nothing_else(realm: Realm, name: str) -> None:
    made = CASES[name]
    bucket = realm.bucket(realm.root, **made.options)
    s3 = realm.root.client("s3")
    put(s3, bucket, "k")
    put(s3, bucket, "tagged", Tagging="class=secret")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "NotAction": ["s3:PutBucketPolicy", "s3:ListMultipartUploadParts"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": made.condition,
    }
    document = {"Version": "2012-10-17", "Statement": [deny]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    scene = Scene(realm=realm, bucket=bucket, door=open_door(realm.server, bucket))
    assert made.holds(scene) == DENIED
    if made.fails is not None:
        assert made.fails(scene) == "done"


@pytest.mark.parametrize("key", ["aws:SourceIP2", "s3:prefixes", "s3:ExistingObjectTag/", "foo:bar", "aws:"])
def test_a_key_that_is_unknown_is_refused_with_its_place(realm: Realm, key: str) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::BUCKET/*",
        "Condition": {"StringEquals": {key: "x"}},
    }
    bucket = realm.bucket()
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).replace("BUCKET", bucket)
    s3, iam = realm.root.client("s3"), realm.root.client("iam")
    with pytest.raises(s3.exceptions.ClientError) as caught:
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert caught.value.response["Error"]["Code"] == "MalformedPolicy"
    assert f"Statement[0].Condition.StringEquals.{key}" in json.dumps(caught.value.response)
    own = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Principal": None}]})
    own = own.replace('"Principal": null, ', "").replace("BUCKET", bucket)
    with pytest.raises(iam.exceptions.ClientError) as refused:
        iam.create_policy(PolicyName=realm.name("bad"), PolicyDocument=own)
    assert refused.value.response["Error"]["Code"] == "MalformedPolicyDocument"
    assert f"Statement[0].Condition.StringEquals.{key}" in refused.value.response["Error"]["Message"]
    code = code_of(
        realm.root.client("sts").get_federation_token, Name="guest", Policy=own, DurationSeconds=900
    )
    assert code == "MalformedPolicyDocument"


def test_no_key_of_the_table_is_left_out_here_that_requests_can_bring() -> None:
    """What is missing has a test of its own, or takes what this server never has."""
    tried = {name.split(" ")[0].lower() for name in CASES}
    elsewhere = {
        "aws:principalaccount", "aws:principalisawsservice", "aws:tagkeys", "aws:viaawsservice",
        "iam:permissionsboundary", "iam:policyarn", "s3:if-match", "s3:locationconstraint",
        "s3:resourceaccount", "s3:x-amz-grant-full-control", "s3:x-amz-grant-read-acp",
        "s3:x-amz-grant-write", "s3:x-amz-grant-write-acp", "s3:x-amz-object-ownership",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:x-amz-server-side-encryption-customer-algorithm", "s3:x-amz-website-redirect-location",
        "sts:durationseconds", "sts:externalid", "sts:rolesessionname", "sts:sourceidentity",
        "sts:transitivetagkeys",
    }  # fmt: skip
    present = {name.lower() for names in PRESENT.values() for name in names.split()}
    assert present - elsewhere <= tried
    assert elsewhere <= set(KEYS)
    assert all(type_of(key) is not None for key in tried)


def test_where_a_bucket_is_made_is_what_a_policy_decides_by(realm: Realm) -> None:
    _, user = realm.user(
        allow("s3:CreateBucket", Condition={"StringEquals": {"s3:locationconstraint": "us-east-1"}})
    )
    s3 = user.client("s3")
    name = realm.name("placed")
    assert code_of(s3.create_bucket, Bucket=name) == DENIED
    mine = door_of(realm, user, name)
    body = b"<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>"
    assert mine.signed("PUT", f"/{name}", body=body).status == 200
    elsewhere = body.replace(b"us-east-1", b"eu-west-1")
    assert mine.signed("PUT", f"/{name}-2", body=elsewhere).fault.code == DENIED


def test_whose_account_asks_is_told_by_its_number(realm: Realm) -> None:
    number, other = number_of(realm.root), realm.account()
    bucket = realm.bucket(
        realm.root,
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::BUCKET",
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": number}},
        },
    )
    assert code_of(other.client("s3").list_objects_v2, Bucket=bucket) == "done"
    _, user = realm.user()
    assert code_of(user.client("s3").list_objects_v2, Bucket=bucket) == DENIED
