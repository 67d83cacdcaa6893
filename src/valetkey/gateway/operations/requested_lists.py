"""The access control lists that requests ask for, and whose a new object is.

Source: Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.gateway.access_lists import to_kept
from valetkey.gateway.call import Call, Keys
from valetkey.gateway.operations.kept_settings import ownership_of
from valetkey.gateway.public_access import block_of
from valetkey.policy.acl import Acl, Grant, Grantee, Group, Permission, canned, is_public
from valetkey.policy.principal import PrincipalKind
from valetkey.policy.public import PublicAccessBlock
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.grants import (
    CANNED_HEADER,
    GranteeKind,
    NamedGrant,
    NamedGrantee,
    Ownership,
    canned_acl,
    header_grants,
)
from valetkey.store.model import Bucket

_FULL_TO_OWNER: Final = "bucket-owner-full-control"

NamedList = str | tuple[NamedGrant, ...]
"""A list as a request names it: the name of a canned one, or grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccess:
    """Whose a new object is, and who else may do what with it, in the store's words."""

    owner_id: str | None
    acl: str | None


def named_in_headers(headers: Mapping[str, str]) -> NamedList | None:
    """Return the list that `headers` name, or None where they name none.

    Raises:
        S3Error: InvalidArgument or InvalidRequest.
    """
    return canned_acl(headers) or header_grants(headers) or None


def is_given_away(bucket: Bucket, headers: Mapping[str, str]) -> bool:
    """Return whether what an account uploads into another's bucket is the bucket owner's, as `headers` ask for it."""
    ownership = ownership_of(bucket)
    if ownership is Ownership.BUCKET_OWNER_PREFERRED:
        return headers.get(CANNED_HEADER) == _FULL_TO_OWNER
    return ownership is Ownership.BUCKET_OWNER_ENFORCED


def new_access(call: Call) -> NewAccess:
    """Return what the bucket's rule of ownership, and the list that the request names, make of a new object.

    Raises:
        S3Error: AccessControlListNotSupported, AccessDenied, InvalidArgument or InvalidRequest.
    """
    named = named_in_headers(call.headers)
    bucket_owner_id = call.rules.owner_of(call.bucket)
    ownership = ownership_of(call.bucket)
    if ownership is Ownership.BUCKET_OWNER_ENFORCED:
        refuse_list(named, owner_id=bucket_owner_id, is_strict=call.rules.is_strict)
        return NewAccess(owner_id=None, acl=None)
    writer_id = call.principal.account_id
    # Amazon keeps what strangers upload as the stranger's, open to all. Here it is the bucket owner's, and private.
    is_owners = writer_id == bucket_owner_id or call.principal.kind is PrincipalKind.ANONYMOUS
    if is_owners or (ownership is Ownership.BUCKET_OWNER_PREFERRED and named == _FULL_TO_OWNER):
        owner_id = None
    else:
        owner_id = writer_id
    if named is None:
        return NewAccess(owner_id=owner_id, acl=None)
    acl = resolved(
        named, owner_id=owner_id or bucket_owner_id, bucket_owner_id=bucket_owner_id, keys=call.keys
    )
    require_not_blocked(acl, block_of(call.bucket, call.store.identities, call.rules))
    return NewAccess(owner_id=owner_id, acl=to_kept(acl))


def refuse_list(named: NamedList | None, *, owner_id: str, is_strict: bool) -> None:
    """Return unless a list asks for more than there is where lists are disabled.

    `private` says nothing else than what is so. Amazon refuses it all the same, and so do we if `is_strict`; but
    there are clients that send it with everything.

    Raises:
        S3Error: AccessControlListNotSupported.
    """
    if named is None or named == _FULL_TO_OWNER or (named == "private" and not is_strict):
        return
    if isinstance(named, str) or not all(_is_owners_own(grant, owner_id) for grant in named):
        raise S3Error(Code.ACCESS_CONTROL_LIST_NOT_SUPPORTED)


def _is_owners_own(grant: NamedGrant, owner_id: str) -> bool:
    is_owner = grant.grantee.kind is GranteeKind.ID and grant.grantee.value == owner_id
    return is_owner and grant.permission == Permission.FULL_CONTROL.value


def require_not_blocked(acl: Acl, block: PublicAccessBlock) -> None:
    """Return unless a list is public, and such lists are blocked.

    Raises:
        S3Error: AccessDenied.
    """
    if block.block_public_acls and is_public(acl):
        raise S3Error(Code.ACCESS_DENIED)


def resolved(named: NamedList, *, owner_id: str, bucket_owner_id: str, keys: Keys) -> Acl:
    """Return the list with the accounts that its grantees are.

    Raises:
        S3Error: InvalidArgument or UnresolvableGrantByEmailAddress, where there is no such grantee.
    """
    if isinstance(named, str):
        return canned(named, owner_id=owner_id, bucket_owner_id=bucket_owner_id)
    grants = (
        Grant(grantee=_grantee(grant.grantee, keys), permission=Permission(grant.permission))
        for grant in named
    )
    return Acl(owner_id=owner_id, grants=tuple(grants))


def _grantee(named: NamedGrantee, keys: Keys) -> Grantee:
    match named.kind:
        case GranteeKind.GROUP:
            try:
                return Group(named.value)
            except ValueError:
                raise invalid_argument("Invalid group uri", named.argument, named.value) from None
        case GranteeKind.EMAIL:
            account_id = keys.id_by_email(named.value)
            if account_id is None:
                raise S3Error(Code.UNRESOLVABLE_GRANT_BY_EMAIL_ADDRESS)
            return account_id
        case GranteeKind.ID:
            if keys.name_of(named.value) is None:
                raise invalid_argument("Invalid id", named.argument, named.value)
            return named.value
