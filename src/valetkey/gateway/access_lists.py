"""The access control lists that buckets and objects have, read from what is kept, and whose each object is."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from valetkey.gateway.call import Keys, Rules
from valetkey.gateway.operations.kept_settings import ownership_of
from valetkey.policy.acl import Acl, Grant, Grantee, Group, Permission, grants_owner_alone, private
from valetkey.s3.answers import Owner
from valetkey.s3.grants import GranteeKind, NamedGrant, NamedGrantee, Ownership
from valetkey.s3.xml.access_control import parse_access_control, render_access_control
from valetkey.store.model import Bucket, StoredObject

BUCKET_ACL: Final = "acl"
"""The setting of a bucket that holds its list."""


def object_owner_of(bucket: Bucket, found: StoredObject, rules: Rules) -> str:
    """Return the canonical user id of the account that owns an object now."""
    if found.owner_id is None or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return rules.owner_of(bucket)
    return found.owner_id


def bucket_acl(bucket: Bucket, rules: Rules) -> Acl:
    """Return the list of a bucket; where lists are disabled, the owner alone stands in it."""
    owner_id = rules.owner_of(bucket)
    text = bucket.settings.get(BUCKET_ACL)
    if text is None or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return private(owner_id)
    return kept_acl(text, owner_id)


def kept_acl(text: str, owner_id: str) -> Acl:
    """Return the list that a document of `to_kept` holds."""
    return Acl(owner_id=owner_id, grants=_kept_grants(text))


def object_acl(bucket: Bucket, found: StoredObject, rules: Rules) -> Acl:
    """Return the list of an object; where lists are disabled, the bucket's owner alone stands in it."""
    owner_id = object_owner_of(bucket, found, rules)
    if found.acl is None or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return private(owner_id)
    return kept_acl(found.acl, owner_id)


@lru_cache(maxsize=512)
def _kept_grants(text: str) -> tuple[Grant, ...]:
    return tuple(
        Grant(grantee=_grantee(named.grantee), permission=Permission(named.permission))
        for named in parse_access_control(text.encode()).grants
    )


def _grantee(named: NamedGrantee) -> Grantee:
    return Group(named.value) if named.kind is GranteeKind.GROUP else named.value


def to_kept(acl: Acl) -> str | None:
    """Return the document by which a list is kept, or None for one that nothing need be kept of."""
    if grants_owner_alone(acl):
        return None
    return render_access_control(Owner(id=acl.owner_id), [_named(grant, None) for grant in acl.grants])


def to_shown(acl: Acl, keys: Keys) -> str:
    """Return the document that shows a list, with the names that the accounts have now."""
    owner = Owner(id=acl.owner_id, display_name=keys.name_of(acl.owner_id))
    return render_access_control(owner, [_named(grant, keys) for grant in acl.grants])


def _named(grant: Grant, keys: Keys | None) -> NamedGrant:
    if isinstance(grant.grantee, Group):
        grantee = NamedGrantee(kind=GranteeKind.GROUP, value=grant.grantee.value)
    else:
        name = keys.name_of(grant.grantee) if keys else None
        grantee = NamedGrantee(kind=GranteeKind.ID, value=grant.grantee, display_name=name)
    return NamedGrant(grantee=grantee, permission=grant.permission.value)
