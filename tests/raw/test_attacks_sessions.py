"""Sessions that want to be more than their makers: limits, chains, outside ids, tokens of others, bent tokens."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.clients.identities import Caller, allow, policy
from tests.raw.realm import Realm, code_of, number_of, put
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer, running_server

ENDED: Final = ("InvalidToken", "InvalidClientTokenId")


def trusting(arn: str, **more: object) -> str:
    return policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole", **more})


def role(realm: Realm, trust: str, *statements: dict[str, object], of: Caller | None = None) -> str:
    """Make a role and return its ARN."""
    owner = of or realm.root
    iam, name = owner.client("iam"), realm.name("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    return f"arn:aws:iam::{number_of(owner)}:role/{name}"


def assume(caller: Caller, arn: str, **more: Any) -> Caller:
    made = caller.client("sts").assume_role(RoleArn=arn, RoleSessionName="shift", **more)
    return caller.with_key(made["Credentials"])


def test_a_session_policy_adds_nothing_to_its_role(realm: Realm) -> None:
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "k")
    _, user = realm.user(allow("sts:AssumeRole"))
    arn = role(realm, trusting(number_of(realm.root)), allow("s3:GetObject"))
    wide = assume(user, arn, Policy=policy(allow("*"))).client("s3")
    assert code_of(wide.get_object, Bucket=bucket, Key="k") == "done"
    assert code_of(wide.put_object, Bucket=bucket, Key="k") == "AccessDenied"
    narrow = assume(user, arn, Policy=policy(allow("s3:PutObject"))).client("s3")
    assert code_of(narrow.get_object, Bucket=bucket, Key="k") == "AccessDenied"
    assert code_of(narrow.put_object, Bucket=bucket, Key="k") == "AccessDenied"


def test_a_chain_of_roles_keeps_to_the_limits_of_its_first_session(realm: Realm) -> None:
    """What a session may not do, it may not do by becoming another role either."""
    _, user = realm.user(allow("sts:AssumeRole"))
    number = number_of(realm.root)
    first = role(realm, trusting(number), allow(["sts:AssumeRole", "s3:GetObject"]))
    second = role(realm, trusting(first), allow("s3:*"))
    session = assume(user, first)
    assert code_of(session.client("s3").list_buckets) == "AccessDenied"
    assert code_of(assume(session, second).client("s3").list_buckets) == "done"
    limited = assume(user, first, Policy=policy(allow("s3:*"))).client("sts")
    asked = {"RoleArn": second, "RoleSessionName": "chained"}
    assert code_of(limited.assume_role, **asked) == "AccessDenied"
    longer = {**asked, "DurationSeconds": 3601}
    assert code_of(session.client("sts").assume_role, **longer) == "ValidationError"
    assert code_of(user.client("sts").assume_role, **asked) == "AccessDenied"


@pytest.mark.parametrize("given", [None, "wrong", "RIGHT-ID", "right-id ", "right-id*"])
def test_an_outside_id_is_the_right_one_or_none(realm: Realm, given: str | None) -> None:
    other = realm.account()
    condition = {"StringEquals": {"sts:ExternalId": "right-id"}}
    arn = role(realm, trusting(number_of(other), Condition=condition), allow("s3:*"))
    _, user = realm.user(allow("sts:AssumeRole"), of=other)
    sts, asked = user.client("sts"), {"RoleArn": arn, "RoleSessionName": "shift"}
    assert code_of(sts.assume_role, **asked, ExternalId="right-id") == "done"
    more = {} if given is None else {"ExternalId": given}
    assert code_of(sts.assume_role, **asked, **more) in ("AccessDenied", "ValidationError")


def test_a_role_that_is_not_there_is_refused_like_one_that_does_not_trust(realm: Realm) -> None:
    other = realm.account()
    arn = role(realm, trusting(number_of(realm.root)), of=realm.root)
    _, user = realm.user(allow("sts:AssumeRole"), of=other)
    sts, errors = user.client("sts"), []
    for each in (arn, f"{arn}-missing", "arn:aws:iam::999999999999:role/any"):
        with pytest.raises(sts.exceptions.ClientError) as caught:
            sts.assume_role(RoleArn=each, RoleSessionName="shift")
        error = caught.value.response["Error"]
        errors.append((error["Code"], error["Message"].replace(each, "ROLE")))
    assert errors[0] == errors[1] == errors[2]


def test_nobody_becomes_a_role_without_a_signature(realm: Realm) -> None:
    arn = role(realm, policy({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}))
    body = f"Action=AssumeRole&Version=2011-06-15&RoleArn={arn}&RoleSessionName=anybody".encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = fetch(f"{realm.server.endpoint}/", method="POST", headers=headers, body=body)
    assert answer.status == 403
    assert b"<SessionToken>" not in answer.body


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("other") / "data") as running:
        yield running


def session_of(caller: Caller) -> dict[str, str]:
    made: dict[str, str] = caller.client("sts").get_session_token()["Credentials"]
    return made


def test_a_token_of_another_store_opens_nothing(realm: Realm, other_server: RunningServer) -> None:
    foreign = session_of(Realm(server=other_server).root)
    assert code_of(realm.root.with_key(foreign).client("s3").list_buckets) in ENDED
    assert code_of(realm.root.with_key(foreign).client("sts").get_caller_identity) in ENDED


def test_a_token_goes_with_no_other_key(realm: Realm) -> None:
    _, user = realm.user(allow("s3:*"))
    mine, other = session_of(user), session_of(realm.root)
    for swapped in (
        {**mine, "SessionToken": other["SessionToken"]},
        {**mine, "AccessKeyId": other["AccessKeyId"]},
        {**other, "SecretAccessKey": mine["SecretAccessKey"]},
        {**mine, "AccessKeyId": realm.root.access_key, "SecretAccessKey": realm.root.secret_key},
    ):
        code = code_of(realm.root.with_key(swapped).client("s3").list_buckets)
        assert code in (*ENDED, "SignatureDoesNotMatch", "InvalidAccessKeyId")


def bent(token: str) -> Iterator[str]:
    raw = bytearray(base64.urlsafe_b64decode(token))
    for place in (0, 1, 12, 13, len(raw) // 2, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        yield base64.urlsafe_b64encode(bytes(changed)).decode()
    yield base64.urlsafe_b64encode(bytes(raw[:20])).decode()
    yield base64.urlsafe_b64encode(bytes(raw[:1])).decode()
    yield token[:-4]
    yield token + "AAAA"
    yield "A" * 20_000
    yield "="


def test_a_bent_token_opens_nothing(realm: Realm) -> None:
    made = session_of(realm.root)
    for token in bent(made["SessionToken"]):
        code = code_of(realm.root.with_key({**made, "SessionToken": token}).client("s3").list_buckets)
        assert code in ENDED, token[:40]
    assert b"Traceback" not in realm.server.log.read_bytes()


def test_sessions_do_not_outlive_their_user(realm: Realm) -> None:
    name, user = realm.user(allow("s3:*"))
    session = realm.root.with_key(session_of(user)).client("s3")
    assert code_of(session.list_buckets) == "done"
    iam = realm.root.client("iam")
    iam.delete_access_key(UserName=name, AccessKeyId=user.access_key)
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    iam.delete_user(UserName=name)
    assert code_of(session.list_buckets) in ENDED
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=policy(allow("s3:*")))
    assert code_of(session.list_buckets) in ENDED


def test_a_session_neither_manages_nor_makes_sessions(realm: Realm) -> None:
    for maker in (realm.root, realm.user(allow("*"))[1]):
        session = realm.root.with_key(session_of(maker))
        assert code_of(session.client("iam").list_users) in ("InvalidClientTokenId", "AccessDenied")
        sts = session.client("sts")
        assert code_of(sts.get_session_token) == "AccessDenied"
        assert code_of(sts.get_federation_token, Name="guest") == "AccessDenied"


def test_a_url_of_a_session_ends_when_sessions_are_revoked(realm: Realm) -> None:
    name, user = realm.user(allow("s3:*"))
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "k")
    session = realm.root.with_key(session_of(user)).client("s3", signature_version="s3v4")
    url = session.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    # Twice by each worker: what a worker remembers of a URL must not outlive the session.
    assert [fetch(url).status for _ in range(6)] == [200] * 6
    assert realm.admin(realm.root, "POST", f"users/{name}/revoke-sessions")[0] == 200
    assert {fetch(url).status for _ in range(6)} <= {400, 403}


def test_what_is_remembered_of_a_url_outlives_no_right(realm: Realm) -> None:
    name, user = realm.user(allow("s3:*"))
    bucket = realm.bucket()
    put(realm.root.client("s3"), bucket, "k")
    signing = user.client("s3", signature_version="s3v4")
    url = signing.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    iam, s3 = realm.root.client("iam"), realm.root.client("s3")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }

    def seen() -> set[int]:
        return {fetch(url).status for _ in range(6)}

    assert seen() == {200}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny))
    assert seen() == {403}
    s3.delete_bucket_policy(Bucket=bucket)
    assert seen() == {200}
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    assert seen() == {403}
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=policy(allow("s3:*")))
    assert seen() == {200}
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Inactive")
    assert seen() == {403}
    iam.update_access_key(UserName=name, AccessKeyId=user.access_key, Status="Active")
    assert seen() == {200}
    # Another takes the name: the key is still the first one's, who has no right any more.
    iam.update_user(UserName=name, NewUserName=realm.name("moved"))
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=policy(allow("s3:*")))
    assert seen() == {200}
    s3.put_bucket_policy(
        Bucket=bucket,
        Policy=policy({**deny, "Condition": {"StringNotEquals": {"aws:username": name}}}),
    )
    assert seen() == {403}


def test_no_user_made_anew_is_trusted_like_the_former_one(realm: Realm) -> None:
    name, first = realm.user(allow("sts:AssumeRole"))
    number, iam = number_of(realm.root), realm.root.client("iam")
    arn = role(realm, trusting(f"arn:aws:iam::{number}:user/{name}"), allow("s3:*"))
    asked = {"RoleArn": arn, "RoleSessionName": "shift"}
    assert code_of(first.client("sts").assume_role, **asked) == "done"
    iam.delete_access_key(UserName=name, AccessKeyId=first.access_key)
    iam.delete_user_policy(UserName=name, PolicyName="p0")
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p0", PolicyDocument=policy(allow("sts:AssumeRole")))
    second = realm.root.with_key(iam.create_access_key(UserName=name)["AccessKey"]).client("sts")
    assert code_of(second.assume_role, **asked) == "AccessDenied"
    again = trusting(f"arn:aws:iam::{number}:user/{name}")
    iam.update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=again)
    assert code_of(second.assume_role, **asked) == "done"
