"""What one caller may do: in a bucket, or with the service as a whole.

Source: Amazon S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from valetkey.gateway.access_lists import bucket_acl, object_acl, object_owner_of
from valetkey.gateway.call import Request, Rules
from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.context import RequestContext
from valetkey.gateway.operations.kept_settings import (
    ownership_of,
    policy_of,
    principal_ids_of,
)
from valetkey.gateway.public_access import block_of
from valetkey.policy.acl import Acl, grants_action, permission_for
from valetkey.policy.documents import Policy
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.evaluate import AclGrant, Decision, NamedPolicy, PolicySet, evaluate
from valetkey.policy.evaluate import Request as Asked
from valetkey.policy.principal import Owner, Principal
from valetkey.policy.public import PublicAccessBlock
from valetkey.s3.grants import Ownership
from valetkey.sigv4.verify import Proof
from valetkey.store.errors import (
    DeleteMarkerError,
    NoSuchEntityError,
    NoSuchKeyError,
    NoSuchVersionError,
)
from valetkey.store.identity_store import Identities
from valetkey.store.model import Bucket, StoredObject
from valetkey.store.store import Store

BUCKET_POLICY: Final = "bucket policy"
"""What a decision calls the policy of a bucket."""

_ARN: Final = "arn:aws:s3:::"
_LIST: Final = "s3:ListBucket"

_OBJECT_ACTIONS: Final = frozenset(
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

_BY_OWNER: Final = Decision(is_allowed=True, reason="the account owns the resource")
_NOBODY: Final = Decision(is_allowed=False, reason="whoever signed is there no more")


def bucket_policy(bucket: Bucket, policy: Policy) -> NamedPolicy:
    """Return the policy of a bucket as decisions take it."""
    return NamedPolicy(name=BUCKET_POLICY, policy=policy, principal_ids=principal_ids_of(bucket))


@dataclass(slots=True)
class Asking:
    """Who asks, and all that policies may want to know of how."""

    principal: Principal
    proof: Proof | None
    request: Request
    headers: Mapping[str, str]
    query: Mapping[str, str]
    store: Store
    rules: Rules


@dataclass(slots=True)
class Authority:
    """Decides what a caller may do with one resource: an object, a bucket, or the service."""

    asking: Asking
    bucket: Bucket | None
    """None: there is none, or none yet."""
    bucket_name: str = ""
    key: str = ""
    version_id: str | None = None

    def at(self, bucket: Bucket, key: str, version_id: str | None = None) -> Authority:
        """Return what decides about another object, or another bucket, for the same caller."""
        return replace(self, bucket=bucket, bucket_name=bucket.name, key=key, version_id=version_id)

    def require(
        self,
        action: str,
        *,
        request_tags: Mapping[str, str] | None = None,
        stated: Mapping[str, str] | None = None,
    ) -> None:
        """Return if the caller may do `action`, an IAM action name such as `s3:GetObject`.

        `request_tags` are those that the body asks for, `stated` is what else it says; see `RequestContext`.

        Raises:
            AccessDeniedError: no rule allows it, or one forbids it.
        """
        decision = self.decide(action, request_tags=request_tags, stated=stated)
        if not decision.is_allowed:
            raise self._denied(action, decision)

    def require_not_forbidden(self, action: str) -> None:
        """Return unless a statement forbids `action`. For what takes no leave but may be taken away.

        Raises:
            AccessDeniedError
        """
        decision = self.decide(action)
        if not decision.is_allowed and decision.statement is not None:
            raise self._denied(action, decision)

    def _denied(self, action: str, decision: Decision) -> AccessDeniedError:
        return AccessDeniedError(
            principal=self.asking.principal,
            action=action,
            reason=decision.reason,
            statement=decision.statement,
        )

    def require_listing(self, error: Exception) -> None:
        """Return if the caller may learn by `error` that the object is missing.

        Raises:
            AccessDeniedError: it may not list the bucket.
        """
        try:
            self._listing().require(_LIST)
        except AccessDeniedError as denied:
            raise denied from error

    def may_learn_of_absence(self) -> bool:
        """Return whether there is no such object, and the caller may know that from a listing.

        Source: Amazon S3 API Reference, "GetObject", Permissions.
        """
        return self._find() is None and self._listing().allows(_LIST)

    def _listing(self) -> Authority:
        """Return what decides whether the bucket may be listed, as far as the key that is asked for."""
        asking = replace(self.asking, query={**self.asking.query, "prefix": self.key})
        return replace(self, asking=asking, key="", version_id=None)

    def allows(self, action: str) -> bool:
        """Return whether the caller may do `action`. Not for a check that has to hold: `require` is."""
        return self.decide(action).is_allowed

    def decide(
        self,
        action: str,
        *,
        request_tags: Mapping[str, str] | None = None,
        stated: Mapping[str, str] | None = None,
    ) -> Decision:
        """Return whether the caller may do `action`, and which rule says so."""
        asking, bucket = self.asking, self.bucket
        principal = asking.principal
        owner_id = self._owner_id(action)
        policy = None if bucket is None else policy_of(bucket)
        if policy is None and principal.is_root and owner_id in (None, principal.account_id):
            # Nearly every request: nobody but the owner itself has a say.
            return _BY_OWNER
        try:
            policies = self._policies(action, policy, owner_id)
        except NoSuchEntityError:
            return _NOBODY
        asked = Asked(
            principal=principal,
            action=action,
            resource=self._arn,
            owner=None if owner_id is None else to_owner(owner_id, asking.store.identities),
            context=self._context(request_tags, stated),
        )
        return evaluate(asked, policies)

    def is_owners_alone(self) -> bool:
        """Return whether the bucket and all that is in it is the caller's own, and nobody else has a say in it.

        Then `decide` allows each action, whatever else is asked and how.
        """
        bucket, principal = self.bucket, self.asking.principal
        return (
            bucket is not None
            and principal.is_root
            and policy_of(bucket) is None
            and ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED
            and self.asking.rules.owner_of(bucket) == principal.account_id
        )

    @property
    def _arn(self) -> str:
        if not self.bucket_name:
            return f"{_ARN}*"
        return f"{_ARN}{self.bucket_name}/{self.key}" if self.key else f"{_ARN}{self.bucket_name}"

    def _context(
        self, request_tags: Mapping[str, str] | None, stated: Mapping[str, str] | None
    ) -> RequestContext:
        asking = self.asking
        return RequestContext(
            request=asking.request,
            headers=asking.headers,
            query=asking.query,
            proof=asking.proof,
            principal=asking.principal,
            region=asking.rules.region,
            find=self._find,
            version_id=self.version_id,
            request_tags=request_tags,
            stated=stated,
        )

    def _owner_id(self, action: str) -> str | None:
        """Return the account whose leave the action takes: that of the bucket, or of the object."""
        bucket, rules = self.bucket, self.asking.rules
        if bucket is None:
            return None
        if action not in _OBJECT_ACTIONS or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
            return rules.owner_of(bucket)
        found = self._find()
        return rules.owner_of(bucket) if found is None else object_owner_of(bucket, found, rules)

    def _policies(self, action: str, policy: Policy | None, owner_id: str | None) -> PolicySet:
        identities, rules = self.asking.store.identities, self.asking.rules
        return replace(
            policies_of(self.asking.principal, identities),
            resource=None if policy is None or self.bucket is None else bucket_policy(self.bucket, policy),
            is_resource_owners=self.bucket is None or owner_id == rules.owner_of(self.bucket),
            acl=None if self.bucket is None else lambda: self._acl_grant(action),
            block=PublicAccessBlock() if self.bucket is None else block_of(self.bucket, identities, rules),
        )

    def _acl_grant(self, action: str) -> AclGrant:
        """Return what the list of the bucket, or of the object, has for the caller.

        Where the object is missing, whoever may list the bucket may learn that, and nobody else.
        """
        bucket, rules = self.bucket, self.asking.rules
        if bucket is None or ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
            return AclGrant.NONE
        if permission_for(action, is_bucket=False) is not None:
            found = self._find()
            if found is not None:
                return self._grant_of(object_acl(bucket, found, rules), action, is_bucket=False)
            action = _LIST
        return self._grant_of(bucket_acl(bucket, rules), action, is_bucket=True)

    def _grant_of(self, acl: Acl, action: str, *, is_bucket: bool) -> AclGrant:
        principal = self.asking.principal
        if grants_action(acl.without_public(), action, principal, is_bucket=is_bucket):
            return AclGrant.ACCOUNT
        if grants_action(acl, action, principal, is_bucket=is_bucket):
            return AclGrant.GROUP
        return AclGrant.NONE

    def _find(self) -> StoredObject | None:
        if self.bucket is None or not self.key:
            return None
        try:
            return self.asking.store.find_object(self.bucket.name, self.key, self.version_id)
        except (NoSuchKeyError, NoSuchVersionError, DeleteMarkerError):
            return None


def to_owner(account_id: str, identities: Identities) -> Owner:
    """Return an account as the owner of something; without a number if it is gone."""
    try:
        number = identities.find_account(account_id).number
    except NoSuchEntityError:
        number = ""
    return Owner(account_id=account_id, account_number=number)
