"""What policies would decide of a request that nobody makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import USER_NAME, Kind
from valetkey.gateway.iam.naming import entity_arn, root_arn
from valetkey.gateway.iam.simulation import (
    Case,
    find_principal,
    parse_given,
    require_few,
    simulate,
    source_arn,
)
from valetkey.gateway.operations.kept_settings import policy_of, public_access_block_of
from valetkey.policy.documents import DocumentKind, Policy, parse_policy
from valetkey.policy.evaluate import NamedPolicy, PolicySet
from valetkey.policy.principal import ANONYMOUS, Owner, Principal
from valetkey.policy.public import PublicAccessBlock
from valetkey.store.errors import NoSuchBucketError, NoSuchEntityError
from valetkey.store.identity_model import EntityKind
from valetkey.store.model import Bucket

_ROLE_NAME: Final = Kind(most=64)
_S3: Final = "arn:aws:s3:::"
_BUCKET_POLICY: Final = "bucket policy"
_ANYBODY: Final = "*"
_MOST_VALUE_CHARS: Final = 2048


async def simulate_policies(call: AdminCall) -> Json:
    """Return what would be decided of each action on each resource, for a user, a role, the account or a stranger.

    `policies` are documents that apply besides; `bucket_policy` takes the place of the bucket's own.
    """
    principal = _principal(call)
    arn = source_arn(principal) or _ANYBODY
    call.require("iam:SimulatePrincipalPolicy", arn)
    own = PolicySet() if principal is ANONYMOUS else policies_of(principal, call.identities)
    extra = parse_given(_documents(call.body.get("policies", [])), lambda place: f"policies[{place}]")
    policies = replace(own, identity=(*own.identity, *extra))
    actions, resources = _texts(call, "actions"), _texts(call, "resources")
    require_few(actions, resources)
    given = _given_bucket_policy(call)
    results: list[Json] = []
    for resource in resources:
        for_resource, owner = _at(call, policies, given, resource)
        cases = simulate(
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
    user, role = call.find_text("user", USER_NAME), call.find_text("role", _ROLE_NAME)
    arn = call.find_text("principal", Kind(most=2048))
    if arn == _ANYBODY:
        return ANONYMOUS
    if user is not None:
        path = call.identities.get_user(own, user).path
        arn = entity_arn(number, EntityKind.USER, path, user)
    elif role is not None:
        path = call.identities.get_role(own, role).path
        arn = entity_arn(number, EntityKind.ROLE, path, role)
    elif arn is None:
        arn = root_arn(number)
    return find_principal(arn, call.identities, own)


def _given_bucket_policy(call: AdminCall) -> Policy | None:
    given = call.body.get("bucket_policy")
    return None if given is None else parse_policy(_documents([given])[0], kind=DocumentKind.RESOURCE)


def _at(
    call: AdminCall, policies: PolicySet, given: Policy | None, resource: str
) -> tuple[PolicySet, Owner | None]:
    """Return what applies where the resource is, and whose it is, if it is a bucket or in one."""
    bucket = _bucket(call, resource)
    owner = None if bucket is None else _owner(call, bucket)
    block = PublicAccessBlock()
    if bucket is not None:
        found = public_access_block_of(bucket)
        block = PublicAccessBlock(
            block_public_acls=found.block_public_acls,
            ignore_public_acls=found.ignore_public_acls,
            block_public_policy=found.block_public_policy,
            restrict_public_buckets=found.restrict_public_buckets,
        )
    kept = given or (None if bucket is None else policy_of(bucket))
    named = None if kept is None else NamedPolicy(name=_BUCKET_POLICY, policy=kept)
    return replace(policies, resource=named, block=block), owner


def _bucket(call: AdminCall, resource: str) -> Bucket | None:
    """Return the bucket that a resource is in, if the caller may know of it."""
    name = resource.removeprefix(_S3).partition("/")[0]
    if not resource.startswith(_S3) or not name or "*" in name:
        return None
    try:
        bucket = call.store.buckets.find(name)
    except NoSuchBucketError:
        return None
    is_own = call.iam.rules.owner_of(bucket) == call.iam.account_id
    return bucket if is_own or call.is_root else None


def _owner(call: AdminCall, bucket: Bucket) -> Owner:
    owner_id = call.iam.rules.owner_of(bucket)
    try:
        number = call.identities.find_account(owner_id).number
    except NoSuchEntityError:
        number = ""
    return Owner(account_id=owner_id, account_number=number)


def _documents(given: object) -> list[str]:
    """Return documents as texts: each is a JSON object, or the text of one."""
    if not isinstance(given, list):
        raise IamError(IamCode.VALIDATION_ERROR, "policies must be a list of documents.")
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in given]


def _texts(call: AdminCall, name: str) -> Sequence[str]:
    given = call.body.get(name)
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise IamError(IamCode.VALIDATION_ERROR, f"{name} must be a list of texts.")
    return given


def _context(call: AdminCall) -> Mapping[str, tuple[str, ...]]:
    given = call.body.get("context", {})
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
