"""What lists grant, to whom, and what they do not."""

from __future__ import annotations

from typing import Final

import pytest

from valetkey.policy.acl import (
    CANNED_NAMES,
    Acl,
    Grant,
    Grantee,
    Group,
    Permission,
    canned,
    grants_action,
    grants_owner_alone,
    is_public,
    private,
)
from valetkey.policy.principal import ANONYMOUS, Principal, PrincipalKind

OWNER: Final = Principal(kind=PrincipalKind.ACCOUNT, name="owner", account_id="a" * 64)
OTHER: Final = Principal(kind=PrincipalKind.ACCOUNT, name="other", account_id="b" * 64)
WRITER: Final = Principal(kind=PrincipalKind.ACCOUNT, name="writer", account_id="c" * 64)

EVERYBODY: Final = (OWNER, OTHER, ANONYMOUS)

BUCKET_ACTIONS: Final = {
    "READ": {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"},
    "WRITE": {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
    "READ_ACP": {"s3:GetBucketAcl"},
    "WRITE_ACP": {"s3:PutBucketAcl"},
}
OBJECT_ACTIONS: Final = {
    "READ": {"s3:GetObject", "s3:GetObjectVersion"},
    "WRITE": set[str](),
    "READ_ACP": {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
    "WRITE_ACP": {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
}
NEVER: Final = {"s3:DeleteBucket", "s3:PutBucketPolicy", "s3:DeleteObjectVersion", "s3:GetObjectTagging"}
ACTIONS: Final = {True: BUCKET_ACTIONS, False: OBJECT_ACTIONS}


def granting(grantee: Grantee, permission: Permission) -> Acl:
    return Acl(owner_id=OWNER.account_id, grants=(Grant(grantee=grantee, permission=permission),))


def allowed(acl: Acl, principal: Principal, *, is_bucket: bool) -> set[str]:
    known = set().union(*BUCKET_ACTIONS.values(), *OBJECT_ACTIONS.values(), NEVER)
    return {action for action in known if grants_action(acl, action, principal, is_bucket=is_bucket)}


@pytest.mark.parametrize("is_bucket", [True, False], ids=["bucket", "object"])
@pytest.mark.parametrize("permission", ["READ", "WRITE", "READ_ACP", "WRITE_ACP"])
def test_a_permission_grants_its_actions_and_no_other(permission: str, *, is_bucket: bool) -> None:
    acl = granting(OTHER.account_id, Permission(permission))
    assert allowed(acl, OTHER, is_bucket=is_bucket) == ACTIONS[is_bucket][permission]
    assert allowed(acl, WRITER, is_bucket=is_bucket) == set()
    assert allowed(acl, ANONYMOUS, is_bucket=is_bucket) == set()


@pytest.mark.parametrize("is_bucket", [True, False], ids=["bucket", "object"])
def test_full_control_is_all_of_them_and_no_more(*, is_bucket: bool) -> None:
    acl = granting(OTHER.account_id, Permission.FULL_CONTROL)
    assert allowed(acl, OTHER, is_bucket=is_bucket) == set().union(*ACTIONS[is_bucket].values())


@pytest.mark.parametrize("is_bucket", [True, False], ids=["bucket", "object"])
def test_an_owner_whom_the_list_leaves_out_may_still_change_it(*, is_bucket: bool) -> None:
    acl = Acl(owner_id=OWNER.account_id, grants=())
    table = ACTIONS[is_bucket]
    assert allowed(acl, OWNER, is_bucket=is_bucket) == table["READ_ACP"] | table["WRITE_ACP"]


@pytest.mark.parametrize(
    ("group", "members"),
    [
        pytest.param(Group.ALL_USERS, (OWNER, OTHER, ANONYMOUS), id="all users"),
        pytest.param(Group.AUTHENTICATED_USERS, (OWNER, OTHER), id="authenticated users"),
        pytest.param(Group.LOG_DELIVERY, (), id="log delivery"),
    ],
)
def test_a_group_is_those_who_belong_to_it(group: Group, members: tuple[Principal, ...]) -> None:
    acl = granting(group, Permission.READ)
    found = tuple(p for p in EVERYBODY if grants_action(acl, "s3:GetObject", p, is_bucket=False))
    assert found == members


def test_nobody_is_the_account_without_an_id() -> None:
    acl = Acl(owner_id="", grants=(Grant(grantee="", permission=Permission.FULL_CONTROL),))
    assert allowed(acl, ANONYMOUS, is_bucket=True) == set()


@pytest.mark.parametrize(
    ("name", "grants"),
    [
        ("private", []),
        ("aws-exec-read", []),
        ("public-read", [(Group.ALL_USERS, "READ")]),
        ("public-read-write", [(Group.ALL_USERS, "READ"), (Group.ALL_USERS, "WRITE")]),
        ("authenticated-read", [(Group.AUTHENTICATED_USERS, "READ")]),
        ("log-delivery-write", [(Group.LOG_DELIVERY, "WRITE"), (Group.LOG_DELIVERY, "READ_ACP")]),
        ("bucket-owner-read", [(OWNER.account_id, "READ")]),
        ("bucket-owner-full-control", [(OWNER.account_id, "FULL_CONTROL")]),
    ],
)
def test_a_canned_list_grants_this_beside_full_control_to_its_owner(
    name: str, grants: list[tuple[Grantee, str]]
) -> None:
    acl = canned(name, owner_id=WRITER.account_id, bucket_owner_id=OWNER.account_id)
    found = {(grant.grantee, grant.permission.value) for grant in acl.grants}
    assert found == {(WRITER.account_id, "FULL_CONTROL"), *grants}


@pytest.mark.parametrize("name", sorted(CANNED_NAMES))
def test_a_canned_list_is_public_where_its_name_says_so(name: str) -> None:
    acl = canned(name, owner_id=OWNER.account_id, bucket_owner_id=OWNER.account_id)
    assert is_public(acl) == (name in {"public-read", "public-read-write", "authenticated-read"})
    assert not is_public(acl.without_public())
    assert acl.without_public().grants[-1] == private(OWNER.account_id).grants[0]


def test_a_list_of_the_owner_alone_is_told_from_others() -> None:
    assert grants_owner_alone(private(OWNER.account_id))
    assert grants_owner_alone(
        canned("bucket-owner-read", owner_id=OWNER.account_id, bucket_owner_id=OWNER.account_id)
    )
    assert not grants_owner_alone(granting(OTHER.account_id, Permission.READ))
    assert not grants_owner_alone(granting(OWNER.account_id, Permission.READ))
    assert not grants_owner_alone(Acl(owner_id=OWNER.account_id, grants=()))
