"""What policies would decide of a request that nobody makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import FLAG, TEXT, TEXT_OR_NULL, TEXTS, Member, Shape, reference
from valetkey.gateway.authority import BUCKET_POLICY, bucket_policy, to_owner
from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import ROLE_NAME, USER_NAME, Kind
from valetkey.gateway.iam.naming import entity_arn, root_arn
from valetkey.gateway.iam.simulation import (
    Case,
    find_principal,
    parse_given,
    require_cases,
    simulate,
    source_arn,
)
from valetkey.gateway.operations.kept_settings import policy_of
from valetkey.gateway.public_access import block_of
from valetkey.policy.documents import DocumentKind, Policy, parse_policy
from valetkey.policy.evaluate import NamedPolicy, PolicySet
from valetkey.policy.principal import ANONYMOUS, Owner, Principal
from valetkey.policy.public import PublicAccessBlock
from valetkey.store.errors import NoSuchBucketError
from valetkey.store.identity_model import EntityKind
from valetkey.store.model import Bucket

_S3: Final = "arn:aws:s3:::"
_ANYBODY: Final = "*"
_SIMULATE: Final = "iam:SimulatePrincipalPolicy"
_MOST_VALUE_CHARS: Final = 2048

_DOCUMENT: Final = {"type": ["object", "string"]}
_USER: Final = Member(name="user", help="Who asks: a user.", kind=USER_NAME)
_ROLE: Final = Member(name="role", help="Who asks: a role.", kind=ROLE_NAME)
_PRINCIPAL: Final = Member(
    name="principal",
    help="Who asks: an ARN in the account, or * for a stranger. Else the account itself.",
    kind=Kind(most=2048),
)
_ACTIONS: Final = Member(
    name="actions", help="Such as s3:GetObject.", schema={**TEXTS, "minItems": 1}, is_required=True
)
_RESOURCES: Final = Member(
    name="resources", help="ARNs, or *.", schema={**TEXTS, "minItems": 1}, is_required=True
)
_POLICIES: Final = Member(
    name="policies",
    help="Documents that apply besides, as objects or texts.",
    schema={"type": "array", "items": _DOCUMENT},
)
_BUCKET_DOCUMENT: Final = Member(
    name="bucket_policy", help="A document in place of the bucket's own policy.", schema=_DOCUMENT
)
_CONTEXT: Final = Member(
    name="context",
    help="Condition keys of the request, each with a value or a list of them.",
    schema={"type": "object", "additionalProperties": {"anyOf": [TEXT, TEXTS]}},
)
MEMBERS: Final = (
    _USER,
    _ROLE,
    _PRINCIPAL,
    _ACTIONS,
    _RESOURCES,
    _POLICIES,
    _BUCKET_DOCUMENT,
    _CONTEXT,
)

_STATEMENT: Final = Shape("Statement", {"policy": TEXT, "index": {"type": "integer"}, "sid": TEXT_OR_NULL})
_RESULT: Final = Shape(
    "Result",
    {
        "action": TEXT,
        "resource": TEXT,
        "allowed": FLAG,
        "decision": {"type": "string", "enum": ["allowed", "explicitDeny", "implicitDeny"]},
        "reason": TEXT,
        "statement": {"anyOf": [reference(_STATEMENT), {"type": "null"}]},
    },
    within=(_STATEMENT,),
)
SIMULATION: Final = Shape(
    "Simulation",
    {"principal": TEXT, "results": {"type": "array", "items": reference(_RESULT)}},
    within=(_RESULT,),
)


async def simulate_policies(call: AdminCall) -> Json:
    """Return what would be decided of each action on each resource, for a user, a role, the account or a stranger.

    `policies` are documents that apply besides; `bucket_policy` takes the place of the bucket's own.
    """
    principal = _principal(call)
    arn = source_arn(principal) or _ANYBODY
    call.require(_SIMULATE, arn)
    own = PolicySet() if principal is ANONYMOUS else policies_of(principal, call.identities)
    extra = parse_given(_documents(call.body.get(_POLICIES.name, [])), lambda place: f"policies[{place}]")
    policies = replace(own, identity=(*own.identity, *extra))
    actions, resources = _texts(call, _ACTIONS), _texts(call, _RESOURCES)
    require_cases(actions, resources)
    given = _given_bucket_policy(call)
    results: list[Json] = []
    for resource in resources:
        for_resource, owner = _at(call, policies, given, resource)
        cases = await simulate(
            principal,
            for_resource,
            actions=actions,
            resources=[resource],
            facts=_context(call),
            owner=owner,
        )
        results += [_shown(case) for case in cases]
    return {"principal": arn, "results": results}


def _principal(call: AdminCall) -> Principal:
    number, own = call.iam.number, call.iam.account_id
    user, role, arn = call.find_text(_USER), call.find_text(_ROLE), call.find_text(_PRINCIPAL)
    if sum(one is not None for one in (user, role, arn)) > 1:
        raise IamError(IamCode.VALIDATION_ERROR, "Name one user, role or principal.")
    if arn == _ANYBODY:
        return ANONYMOUS
    name = user or role
    if name is not None:
        kind = EntityKind.USER if role is None else EntityKind.ROLE
        found = call.require_entity(kind, name, _SIMULATE)
        arn = entity_arn(number, kind, found.path, found.name)
    elif arn is None:
        arn = root_arn(number)
    return find_principal(arn, call.identities, own)


def _given_bucket_policy(call: AdminCall) -> Policy | None:
    given = call.body.get(_BUCKET_DOCUMENT.name)
    return None if given is None else parse_policy(_documents([given])[0], kind=DocumentKind.RESOURCE)


def _at(
    call: AdminCall, policies: PolicySet, given: Policy | None, resource: str
) -> tuple[PolicySet, Owner | None]:
    """Return what applies where the resource is, and whose it is, if it is a bucket or in one.

    Of what another account has set up, only the root account learns by its decisions.
    """
    bucket = _bucket(call, resource)
    owner = None if bucket is None else to_owner(call.iam.rules.owner_of(bucket), call.identities)
    is_known = call.is_root or (owner is not None and owner.account_id == call.iam.account_id)
    block, kept, named = PublicAccessBlock(), None, None
    if bucket is not None and is_known:
        block, kept = block_of(bucket, call.identities, call.iam.rules), policy_of(bucket)
    if given is not None:
        named = NamedPolicy(name=BUCKET_POLICY, policy=given)
    elif bucket is not None and kept is not None:
        named = bucket_policy(bucket, kept)
    return replace(policies, resource=named, block=block), owner


def _bucket(call: AdminCall, resource: str) -> Bucket | None:
    """Return the bucket that a resource is, or is in."""
    name = resource.removeprefix(_S3).partition("/")[0]
    if not resource.startswith(_S3) or not name or "*" in name:
        return None
    try:
        return call.store.buckets.find(name)
    except NoSuchBucketError:
        return None


def _documents(given: object) -> list[str]:
    """Return documents as texts: each is a JSON object, or the text of one."""
    if not isinstance(given, list):
        raise IamError(IamCode.VALIDATION_ERROR, "policies must be a list of documents.")
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in given]


def _texts(call: AdminCall, member: Member) -> Sequence[str]:
    given = call.body[member.name]
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise IamError(IamCode.VALIDATION_ERROR, f"{member.name} must be a list of texts.")
    return given


def _context(call: AdminCall) -> Mapping[str, tuple[str, ...]]:
    given = call.body.get(_CONTEXT.name, {})
    if not isinstance(given, dict):
        raise IamError(IamCode.VALIDATION_ERROR, "context must be an object.")
    facts = {}
    for key, value in given.items():
        values = value if isinstance(value, list) else [value]
        facts[key.lower()] = tuple(str(one) for one in values)
        if any(len(one) > _MOST_VALUE_CHARS for one in facts[key.lower()]):
            raise IamError(IamCode.VALIDATION_ERROR, f"{key} has more than {_MOST_VALUE_CHARS} characters.")
    return facts


def _shown(case: Case) -> Json:
    statement = case.decision.statement
    return {
        "action": case.action,
        "resource": case.resource,
        "allowed": case.decision.is_allowed,
        "decision": case.word,
        "reason": case.decision.reason,
        "statement": None
        if statement is None
        else {"policy": statement.policy, "index": statement.index, "sid": statement.sid},
    }
