"""Whether a request may go on: by whose the bucket or the object is, or else by their access control lists.

Source: Amazon S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from valetkey.gateway.access_lists import bucket_acl, object_acl, object_owner_of
from valetkey.gateway.call import Rules
from valetkey.gateway.operations.kept_settings import ownership_of, public_access_block_of
from valetkey.policy.acl import Acl, grants_action, permission_for
from valetkey.policy.decide import require_allowed
from valetkey.policy.principal import Principal
from valetkey.s3.grants import Ownership
from valetkey.store.errors import DeleteMarkerError, NoSuchKeyError, NoSuchVersionError
from valetkey.store.model import Bucket, StoredObject
from valetkey.store.store import Store

Find = Callable[[], StoredObject | None]
"""Returns the object that a request is about, or None if there is none."""

_LIST: Final = "s3:ListBucket"

OBJECT_ACTIONS: Final = frozenset(
    f"s3:{verb}Object{version}{thing}"
    for verb, things in {
        "Get": ("", "Acl", "Attributes", "Tagging"),
        "Put": ("Acl", "Tagging"),
        "Delete": ("Tagging",),
    }.items()
    for thing in things
    for version in ("", "Version")
)
"""What the owner of an object decides about, who may be another than the bucket's. All else is the latter's."""


def finder(store: Store, bucket: Bucket, key: str | None, version_id: str | None) -> Find:
    """Return what looks for the object with this key, or the version of it that is named."""

    def find() -> StoredObject | None:
        if key is None:
            return None
        try:
            return store.find_object(bucket.name, key, version_id)
        except (NoSuchKeyError, NoSuchVersionError, DeleteMarkerError):
            return None

    return find


def resource_owner_of(bucket: Bucket, action: str, *, find: Find, rules: Rules) -> str:
    """Return the account whose leave an action in a bucket takes: that of the bucket, or of the object."""
    if action not in OBJECT_ACTIONS or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return rules.owner_of(bucket)
    found = find()
    return rules.owner_of(bucket) if found is None else object_owner_of(bucket, found, rules)


def acl_allows(principal: Principal, action: str, *, bucket: Bucket, find: Find, rules: Rules) -> bool:
    """Return whether the list of the bucket, or of the object, lets `principal` do `action`.

    Where the object is missing, whoever may list the bucket may learn that, and nobody else.
    """
    if ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return False
    if permission_for(action, is_bucket=False) is not None:
        found = find()
        if found is not None:
            acl = _counting(object_acl(bucket, found, rules), bucket)
            return grants_action(acl, action, principal, is_bucket=False)
        action = _LIST
    return grants_action(_counting(bucket_acl(bucket, rules), bucket), action, principal, is_bucket=True)


def _counting(acl: Acl, bucket: Bucket) -> Acl:
    """Return what counts of a list."""
    return acl.without_public() if public_access_block_of(bucket).ignore_public_acls else acl


def require_access(principal: Principal, action: str, *, bucket: Bucket, find: Find, rules: Rules) -> None:
    """Return if `principal` may do `action` in a bucket.

    Raises:
        AccessDeniedError: nothing allows it.
    """
    owner_id = resource_owner_of(bucket, action, find=find, rules=rules)
    if principal.account_id == owner_id or not acl_allows(
        principal, action, bucket=bucket, find=find, rules=rules
    ):
        require_allowed(principal, action, owner_id=owner_id)
