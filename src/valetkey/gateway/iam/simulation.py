"""Trying out what policies would decide, without doing anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from valetkey.gateway.caller_policies import policies_of
from valetkey.gateway.iam.call import Facts, IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import ARN, DOCUMENT, Kind
from valetkey.gateway.iam.xml import Fields
from valetkey.policy.actions import S3_ACTIONS
from valetkey.policy.documents import DocumentKind, parse_policy
from valetkey.policy.evaluate import Decision, NamedPolicy, PolicySet, evaluate
from valetkey.policy.evaluate import Request as Asked
from valetkey.policy.principal import Owner, Principal, PrincipalKind, Session
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import EntityKind
from valetkey.store.identity_store import Identities

_ACTION: Final = Kind(least=3, most=128)
_RESOURCE: Final = Kind(most=2048)
_KEY_NAME: Final = Kind(least=5, most=256)
_KEY_VALUE: Final = Kind(least=0, most=2048)
_MOST_CASES: Final = 1000
_ACTION_NAME: Final = re.compile(r"[a-z0-9-]+:[a-z0-9]+")
_MOST_CHARS: Final = 131_072
"""Of all documents together: as many as Amazon takes for one."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """A request as somebody supposes it: condition keys by name in lower case."""

    facts: Mapping[str, tuple[str, ...]]

    def values(self, key: str) -> tuple[str, ...] | None:
        return self.facts.get(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A decision that would be made."""

    action: str
    resource: str
    decision: Decision

    @property
    def word(self) -> str:
        """As IAM's simulator says it."""
        if self.decision.is_allowed:
            return "allowed"
        return "implicitDeny" if self.decision.statement is None else "explicitDeny"


def require_cases(actions: Sequence[str], resources: Sequence[str]) -> None:
    """Return if all of these can be simulated.

    Raises:
        IamError: ValidationError, for more than a thousand cases; InvalidInput, for what is no action.
    """
    if len(actions) * len(resources) > _MOST_CASES:
        raise IamError(IamCode.VALIDATION_ERROR, f"At most {_MOST_CASES} cases can be simulated at once.")
    for action in actions:
        name = action.lower()
        if _ACTION_NAME.fullmatch(name) is None or (name.startswith("s3:") and name not in S3_ACTIONS):
            # Else a slip of the pen would be answered as if it could be asked for.
            raise IamError(IamCode.INVALID_INPUT, f"There is no action {action}.")


def parse_given(texts: Sequence[str], name: Callable[[int], str]) -> tuple[NamedPolicy, ...]:
    """Return the documents that are to apply besides, named by their place, from 0.

    Raises:
        IamError: ValidationError, for more than 131,072 characters in all.
        MalformedPolicyError
    """
    if sum(map(len, texts)) > _MOST_CHARS:
        raise IamError(IamCode.VALIDATION_ERROR, f"All policies have at most {_MOST_CHARS} characters.")
    return tuple(
        NamedPolicy(name=name(place), policy=parse_policy(text, kind=DocumentKind.IDENTITY))
        for place, text in enumerate(texts)
    )


async def simulate(
    principal: Principal,
    policies: PolicySet,
    *,
    actions: Sequence[str],
    resources: Sequence[str],
    facts: Facts,
    owner: Owner | None = None,
) -> list[Case]:
    """Return what would be decided of each action on each resource. Others get their turn between two cases."""
    context = Supposed(facts)
    cases = []
    for action in actions:
        for resource in resources:
            await asyncio.sleep(0)
            asked = Asked(principal=principal, action=action, resource=resource, owner=owner, context=context)
            cases.append(Case(action=action, resource=resource, decision=evaluate(asked, policies)))
    return cases


def find_principal(arn: str, identities: Identities, account_id: str) -> Principal:
    """Return the user, role or account root of `account_id` that an ARN names, without a session.

    Raises:
        NoSuchEntityError: there is none.
    """
    account = identities.find_account(account_id)
    head = f"arn:aws:iam::{account.number}:"
    kind, _, full_name = arn.removeprefix(head).partition("/")
    name = full_name.rpartition("/")[2]
    found = {
        "root": PrincipalKind.ACCOUNT,
        "user": PrincipalKind.USER,
        "role": PrincipalKind.ROLE,
    }.get(kind)
    if not arn.startswith(head) or found is None:
        raise NoSuchEntityError(EntityKind.USER, arn)
    path, unique_id, session = "/", "", None
    tags: Mapping[str, str] = {}
    if found is PrincipalKind.USER:
        user = identities.get_user(account_id, name)
        name, path, unique_id, tags = user.name, user.path, user.unique_id, user.tags
    elif found is PrincipalKind.ROLE:
        role = identities.get_role(account_id, name)
        name, unique_id, tags = role.name, role.unique_id, role.tags
        role_arn = f"{head}role{role.path}{role.name}"
        session = Session(issued_at_ms=0, expires_at_ms=0, name="simulation", role_arn=role_arn)
    return Principal(
        kind=found,
        name=name or account.name,
        account_id=account_id,
        account_number=account.number,
        path=path,
        unique_id=unique_id,
        tags=tags,
        session=session,
    )


def source_arn(principal: Principal) -> str:
    """Return the ARN of a simulated principal, as policies about IAM know it."""
    return principal.session.role_arn if principal.session is not None else principal.arn


def source_resource(call: IamCall) -> str:
    """Return the ARN of whom a request to simulate is about, in its own spelling if there is one."""
    arn = call.form.text("PolicySourceArn", ARN)
    try:
        return source_arn(find_principal(arn, call.identities, call.account_id))
    except NoSuchEntityError:
        return arn


def _context(call: IamCall) -> Facts:
    return {
        entry.text("ContextKeyName", _KEY_NAME).lower(): entry.texts("ContextKeyValues", _KEY_VALUE)
        for entry in call.form.structures("ContextEntries")
    }


def _given(call: IamCall) -> tuple[NamedPolicy, ...]:
    texts = call.form.texts("PolicyInputList", DOCUMENT)
    return parse_given(texts, lambda place: f"PolicyInputList.{place + 1}")


async def _answer(call: IamCall, principal: Principal, policies: PolicySet) -> Fields:
    actions = call.form.texts("ActionNames", _ACTION)
    if not actions:
        raise IamError(IamCode.VALIDATION_ERROR, "At least one action has to be named.")
    text = call.form.find("ResourcePolicy", DOCUMENT)
    if text is not None:
        read = parse_policy(text, kind=DocumentKind.RESOURCE)
        policies = replace(policies, resource=NamedPolicy(name="ResourcePolicy", policy=read))
    resources = call.form.texts("ResourceArns", _RESOURCE) or ("*",)
    require_cases(actions, resources)
    cases = await simulate(principal, policies, actions=actions, resources=resources, facts=_context(call))
    return {"EvaluationResults": [_result(case) for case in cases], "IsTruncated": False}


def _result(case: Case) -> Fields:
    statement = case.decision.statement
    matched = (
        [] if statement is None else [{"SourcePolicyId": statement.policy, "SourcePolicyType": "IAM Policy"}]
    )
    return {
        "EvalActionName": case.action,
        "EvalResourceName": case.resource,
        "EvalDecision": case.word,
        "MatchedStatements": matched,
        "MissingContextValues": [],
    }


async def simulate_principal_policy(call: IamCall) -> Fields:
    principal = find_principal(call.form.text("PolicySourceArn", ARN), call.identities, call.account_id)
    kept = policies_of(principal, call.identities)
    return await _answer(call, principal, replace(kept, identity=(*kept.identity, *_given(call))))


async def simulate_custom_policy(call: IamCall) -> Fields:
    caller = call.form.find("CallerArn", ARN)
    principal = Principal(
        kind=PrincipalKind.USER,
        name="simulated",
        account_id=call.account_id,
        account_number=call.number,
    )
    if caller is not None:
        principal = find_principal(caller, call.identities, call.account_id)
    return await _answer(call, principal, PolicySet(identity=_given(call)))
