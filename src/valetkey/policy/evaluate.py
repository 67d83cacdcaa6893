"""Whether a request may go on: IAM's evaluation logic, with the statement that decided.

Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", "Permissions boundaries
for IAM entities" and "Session policies"; Amazon S3 User Guide, "How Amazon S3 authorizes a request".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from valetkey.policy.documents import DocumentKind, Policy
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.facts import Facts
from valetkey.policy.principal import Owner as Owner
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.policy.principal_element import Names, Reach
from valetkey.policy.public import PublicAccessBlock, is_public
from valetkey.policy.statements import Effect, Statement

_ALWAYS_THE_OWNERS: Final = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})
"""No bucket policy takes these from the root of the account that owns the bucket: it could not be undone. And none
gives them to another account."""


_NO_BLOCK: Final = PublicAccessBlock()


class Context(Protocol):
    """What is known of a request. It is asked only for the keys that a statement in question names."""

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of the condition key `key`, which is in lower case; None if the request has none.

        Of the keys that follow from caller and owner (`aws:userid`, `aws:PrincipalArn` and their like) it is
        never asked.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for."""

    principal: Principal
    action: str
    """As policies name it, such as `s3:GetObject`."""
    resource: str
    """The ARN that it is about. For s3:ListAllMyBuckets `arn:aws:s3:::*`, which patterns for all buckets match."""
    owner: Owner | None
    """Who owns the bucket or the role; None where there is none, or none yet: the caller's own account decides."""
    context: Context


class AclGrant(Enum):
    """What an ACL has for a caller."""

    NONE = "none"
    GROUP = "group"
    """A grant to everyone, or to everyone with an account."""
    ACCOUNT = "account"
    """A grant to the caller's account by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPolicy:
    """A policy with the name under which decisions speak of it."""

    name: str
    policy: Policy
    principal_ids: Mapping[str, str] = field(default_factory=dict)
    """The unique ids of the users and roles that it means by their ARNs, as far as they are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """Every policy that bears on a request."""

    identity: tuple[NamedPolicy, ...] = ()
    """Of the user and its groups, or of the role."""
    boundary: NamedPolicy | None = None
    """What the identity policies may allow at most."""
    session: tuple[NamedPolicy, ...] = ()
    """What the session may do at most: anything that one of them allows. Empty for no such limit; a federated
    session without any may do nothing by identity."""
    resource: NamedPolicy | None = None
    """The bucket's policy, or the trust policy of the role that is to be assumed."""
    is_resource_owners: bool = True
    """False: it is of a bucket, and the object of somebody else. Then it forbids, and does not allow. Source: Amazon
    S3 User Guide, "Bucket policies for Amazon S3"."""
    acl: Callable[[], AclGrant] | None = None
    """What the ACL has for this caller and action; asked only if nothing else decides."""
    block: PublicAccessBlock = _NO_BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingStatement:
    """The statement that made a decision."""

    policy: str
    """The name of the policy."""
    index: int
    """Of the statement, from 0."""
    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a request may go on, and which rule said so."""

    is_allowed: bool
    reason: str
    statement: DecidingStatement | None = None
    """None where a rule decided that no statement writes, such as the default."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What policies of one sort say: the Deny that applies, or the Allow that reaches furthest."""

    deny: DecidingStatement | None = None
    allow: DecidingStatement | None = None
    reach: Reach = Reach.NONE


_SILENT: Final = _Finding()
_BY_OWNER: Final = Decision(is_allowed=True, reason="the account owns the resource")
_BY_ACL: Final = Decision(is_allowed=True, reason="an ACL allows it")
_NO_RULE: Final = Decision(is_allowed=False, reason="no statement allows it")
_NO_IDENTITY: Final = Decision(is_allowed=False, reason="no identity policy allows it")
_NO_RESOURCE: Final = Decision(is_allowed=False, reason="the owner of the resource does not allow it")
_NO_TRUST: Final = Decision(is_allowed=False, reason="the trust policy of the role does not allow it")
_BOUNDARY: Final = Decision(is_allowed=False, reason="the permissions boundary does not allow it")
_SESSION: Final = Decision(is_allowed=False, reason="no session policy allows it")
_RESTRICTED: Final = Decision(
    is_allowed=False,
    reason="the public access block restricts the public bucket policy to the owner's account",
)


class _Trial:
    """One request before its policies."""

    __slots__ = ("_action", "_facts", "_names", "_policies", "_request", "_resource")

    def __init__(self, request: Request, policies: PolicySet) -> None:
        self._request = request
        self._policies = policies
        self._action = request.action.lower()
        self._facts = Facts(request.principal, request.owner, request.context.values)
        ids = policies.resource.principal_ids if policies.resource is not None else {}
        self._names = Names.of(request.principal, request.owner, ids)
        self._resource = _SILENT

    def decide(self) -> Decision:
        policies = self._policies
        self._resource = self._find(_some(policies.resource))
        if not self._may_resource_allow():
            self._resource = _Finding(deny=self._resource.deny)
        identity = self._find(policies.identity)
        boundary = self._find(_some(policies.boundary))
        session = self._find(policies.session)
        resource_deny = None if self._is_always_the_owners() else self._resource.deny
        for deny in (resource_deny, identity.deny, boundary.deny, session.deny):
            if deny is not None:
                return Decision(is_allowed=False, reason="a Deny forbids it", statement=deny)
        principal = self._request.principal
        if principal.kind is PrincipalKind.ANONYMOUS:
            return self._by_resource() or self._refusal(_NO_RULE)
        limit = self._limit(boundary, session)
        own = self._by_identity(identity, limit)
        if policies.resource is not None and policies.resource.policy.kind is DocumentKind.TRUST:
            return self._by_trust(own, limit)
        if self._is_inside():
            return self._inside(own, limit)
        shared = self._by_resource()
        if shared is None:
            return self._refusal(_NO_RESOURCE)
        return shared if own.is_allowed else own

    def _may_resource_allow(self) -> bool:
        # Who is of another account never gets at the policy itself, whatever it says. Source: Amazon S3 API
        # Reference, "PutBucketPolicy".
        is_about_itself = self._action in _ALWAYS_THE_OWNERS and not self._is_inside()
        return self._policies.is_resource_owners and not is_about_itself

    def _inside(self, own: Decision, limit: Decision | None) -> Decision:
        """Within one account, either side is enough.

        What limits a session limits also what a bucket policy allows to the role, or to the user who asked for a
        federated session, but neither what it allows to the session by its own name, nor to everyone. Naming
        the account hands nothing on to its users.
        """
        if own.is_allowed and own.statement is None:
            return own
        found = self._resource
        if found.reach is Reach.DIRECT or (found.reach is Reach.ENTITY and limit is None):
            return _allowed("the bucket policy allows it", found.allow)
        if own.is_allowed:
            return own
        if self._acl() is AclGrant.GROUP:
            return _BY_ACL
        return limit if limit is not None and found.reach is Reach.ENTITY else own

    def _by_trust(self, own: Decision, limit: Decision | None) -> Decision:
        """A role is assumed by nobody whom its trust policy does not allow it, not even by its account's root."""
        found = self._resource
        if found.reach is Reach.NONE:
            return _NO_TRUST
        if self._is_inside() and found.reach is Reach.ENTITY and limit is not None:
            return limit
        if self._is_inside() and found.reach >= Reach.ENTITY:
            return _allowed("the trust policy allows it", found.allow)
        return _allowed("the trust policy allows it", found.allow) if own.is_allowed else own

    def _by_resource(self) -> Decision | None:
        """What the bucket's policy or an ACL allows to a caller from outside; None for nothing."""
        if self._resource.reach is not Reach.NONE and not self._is_restricted():
            return _allowed("the bucket policy allows it", self._resource.allow)
        return None if self._acl() is AclGrant.NONE else _BY_ACL

    def _by_identity(self, identity: _Finding, limit: Decision | None) -> Decision:
        if self._request.principal.kind is PrincipalKind.ACCOUNT:
            return _BY_OWNER
        if identity.allow is None:
            return _NO_IDENTITY
        return limit or _allowed("an identity policy allows it", identity.allow)

    def _limit(self, boundary: _Finding, session: _Finding) -> Decision | None:
        """Return the refusal by boundary or session policies; None if neither stands in the way."""
        if self._policies.boundary is not None and boundary.allow is None:
            return _BOUNDARY
        is_federated = self._request.principal.kind is PrincipalKind.FEDERATED
        if (self._policies.session or is_federated) and session.allow is None:
            return _SESSION
        return None

    def _refusal(self, otherwise: Decision) -> Decision:
        return _RESTRICTED if self._resource.allow is not None else otherwise

    def _acl(self) -> AclGrant:
        grant = self._policies.acl() if self._policies.acl is not None else AclGrant.NONE
        is_ignored = grant is AclGrant.GROUP and self._policies.block.ignore_public_acls
        return AclGrant.NONE if is_ignored else grant

    def _is_inside(self) -> bool:
        owner = self._request.owner
        return owner is None or owner.account_id == self._request.principal.account_id

    def _is_always_the_owners(self) -> bool:
        is_root = self._request.principal.kind is PrincipalKind.ACCOUNT
        return (
            is_root
            and self._request.owner is not None
            and self._is_inside()
            and (self._action in _ALWAYS_THE_OWNERS)
        )

    def _is_restricted(self) -> bool:
        resource = self._policies.resource
        is_asked = resource is not None and self._policies.block.restrict_public_buckets
        return is_asked and resource is not None and is_public(resource.policy)

    def _find(self, policies: Iterable[NamedPolicy]) -> _Finding:
        best = _SILENT
        for named in policies:
            for statement in named.policy.statements:
                is_allow = statement.effect is Effect.ALLOW
                if is_allow and best.reach is Reach.DIRECT:
                    continue
                reach = self._reach(statement)
                if reach is Reach.NONE or not statement.holds(self._facts.lookup):
                    continue
                found = DecidingStatement(policy=named.name, index=statement.index, sid=statement.sid)
                if not is_allow:
                    return _Finding(deny=found)
                if reach > best.reach:
                    best = _Finding(allow=found, reach=reach)
        return best

    def _reach(self, statement: Statement) -> Reach:
        if not statement.covers(self._action, self._request.resource, self._facts.lookup):
            return Reach.NONE
        return Reach.DIRECT if statement.principals is None else statement.principals.reach(self._names)


def _some(policy: NamedPolicy | None) -> tuple[NamedPolicy, ...]:
    return () if policy is None else (policy,)


def _allowed(reason: str, statement: DecidingStatement | None) -> Decision:
    return Decision(is_allowed=True, reason=reason, statement=statement)


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Return whether `request` may go on.

    A Deny that applies forbids. Then the account that owns the resource may do everything through its root; its
    users what identity policies or the resource's policy allow; other accounts what both sides allow; strangers
    what the resource's policy or an ACL allows. Whatever no rule allows is denied.
    """
    return _Trial(request, policies).decide()


def require_allowed(request: Request, policies: PolicySet) -> Decision:
    """Return the decision if `request` may go on.

    Raises:
        AccessDeniedError: it may not.
    """
    decision = evaluate(request, policies)
    if not decision.is_allowed:
        raise AccessDeniedError(
            principal=request.principal,
            action=request.action,
            reason=decision.reason,
            statement=decision.statement,
        )
    return decision
