"""Access control lists: who is granted what by the list of a bucket or an object.

Source: Amazon S3 User Guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from valetkey.policy.principal import Principal, PrincipalKind


class Group(Enum):
    """Grantees that are no account of their own. The value is the name that S3 has for them."""

    ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
    AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
    LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


class Permission(Enum):
    """What a list may grant."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


Grantee = str | Group
"""The canonical user id of an account, or a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One line of a list."""

    grantee: Grantee
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """The list of a bucket or an object."""

    owner_id: str
    """Canonical user id. The owner may always read and write the list itself, whatever stands in it."""
    grants: tuple[Grant, ...]

    def without_public(self) -> Acl:
        """Return the list without what it grants to groups that anybody belongs to, or may join."""
        return replace(self, grants=tuple(grant for grant in self.grants if grant.grantee not in _PUBLIC))


_PUBLIC: Final = frozenset({Group.ALL_USERS, Group.AUTHENTICATED_USERS})

_CANNED: Final[Mapping[str, tuple[tuple[Group, Permission], ...]]] = {
    "private": (),
    "public-read": ((Group.ALL_USERS, Permission.READ),),
    "public-read-write": ((Group.ALL_USERS, Permission.READ), (Group.ALL_USERS, Permission.WRITE)),
    "authenticated-read": ((Group.AUTHENTICATED_USERS, Permission.READ),),
    # For Amazon's own EC2, which is no account here.
    "aws-exec-read": (),
    "log-delivery-write": (
        (Group.LOG_DELIVERY, Permission.WRITE),
        (Group.LOG_DELIVERY, Permission.READ_ACP),
    ),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
"""What each grants to groups. The owner has FULL_CONTROL by all of them."""

_OF_BUCKET_OWNER: Final[Mapping[str, Permission]] = {
    "bucket-owner-read": Permission.READ,
    "bucket-owner-full-control": Permission.FULL_CONTROL,
}

CANNED_NAMES: Final = frozenset(_CANNED)

_BUCKET_ACTIONS: Final[Mapping[Permission, frozenset[str]]] = {
    Permission.READ: frozenset({"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}),
    Permission.WRITE: frozenset(
        {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
    ),
    Permission.READ_ACP: frozenset({"s3:GetBucketAcl"}),
    Permission.WRITE_ACP: frozenset({"s3:PutBucketAcl"}),
}

_OBJECT_ACTIONS: Final[Mapping[Permission, frozenset[str]]] = {
    Permission.READ: frozenset({"s3:GetObject", "s3:GetObjectVersion"}),
    Permission.READ_ACP: frozenset({"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}),
    Permission.WRITE_ACP: frozenset({"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}),
}

_OWN: Final = frozenset({Permission.READ_ACP, Permission.WRITE_ACP})
"""What an owner keeps, whatever the list says."""


def private(owner_id: str) -> Acl:
    """Return the list that grants nothing to anybody but the owner."""
    return Acl(owner_id=owner_id, grants=(Grant(grantee=owner_id, permission=Permission.FULL_CONTROL),))


def canned(name: str, *, owner_id: str, bucket_owner_id: str) -> Acl:
    """Return the list that a canned name, one of `CANNED_NAMES`, stands for.

    On a bucket, where both owners are one, the two that are about the bucket's owner mean `private`.
    """
    grants = [Grant(grantee=group, permission=permission) for group, permission in _CANNED[name]]
    grants.append(Grant(grantee=owner_id, permission=Permission.FULL_CONTROL))
    if name in _OF_BUCKET_OWNER and bucket_owner_id != owner_id:
        grants.append(Grant(grantee=bucket_owner_id, permission=_OF_BUCKET_OWNER[name]))
    return Acl(owner_id=owner_id, grants=tuple(grants))


def is_public(acl: Acl) -> bool:
    """Return whether the list grants anything to a group that anybody belongs to, or may join."""
    return any(grant.grantee in _PUBLIC for grant in acl.grants)


def grants_owner_alone(acl: Acl) -> bool:
    """Return whether the list grants everything to the owner, and nothing to anybody else."""
    return bool(acl.grants) and all(
        grant.grantee == acl.owner_id and grant.permission is Permission.FULL_CONTROL for grant in acl.grants
    )


def permission_for(action: str, *, is_bucket: bool) -> Permission | None:
    """Return the permission, beside FULL_CONTROL, by which a list allows an action such as `s3:GetObject`.

    `is_bucket`: the list is a bucket's. None: no list can allow it.
    """
    table = _BUCKET_ACTIONS if is_bucket else _OBJECT_ACTIONS
    return next((permission for permission, actions in table.items() if action in actions), None)


def grants_action(acl: Acl, action: str, principal: Principal, *, is_bucket: bool) -> bool:
    """Return whether the list of a bucket, or of an object, lets a principal do an action."""
    wanted = permission_for(action, is_bucket=is_bucket)
    if wanted is None:
        return False
    is_known = principal.kind is not PrincipalKind.ANONYMOUS
    if is_known and principal.account_id == acl.owner_id and wanted in _OWN:
        return True
    return any(
        grant.permission in (wanted, Permission.FULL_CONTROL) and _is_meant(grant.grantee, principal)
        for grant in acl.grants
    )


def _is_meant(grantee: Grantee, principal: Principal) -> bool:
    if isinstance(grantee, str):
        return principal.kind is not PrincipalKind.ANONYMOUS and grantee == principal.account_id
    match grantee:
        case Group.ALL_USERS:
            return True
        case Group.AUTHENTICATED_USERS:
            return principal.kind is not PrincipalKind.ANONYMOUS
        case Group.LOG_DELIVERY:
            # Nobody delivers logs here.
            return False
