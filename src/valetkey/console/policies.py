"""Policies of the account that asks: managed ones, and inline ones of a user, a group or a role."""

from __future__ import annotations

import json
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import ANY_OBJECT, COUNT, FLAG, INSTANT, TEXT, Member, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import DOCUMENT, GROUP_NAME, POLICY_NAME, ROLE_NAME, USER_NAME, Form
from valetkey.gateway.iam.held_policies import keep_inline
from valetkey.gateway.iam.naming import entity_arn, new_unique_id
from valetkey.gateway.iam.values import instant
from valetkey.policy.documents import MAX_MANAGED_POLICY, DocumentKind, parse_policy
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import (
    PROVIDED,
    EntityKind,
    Holder,
    ManagedPolicy,
    NewPolicy,
    Quota,
)

POLICY: Final = Shape(
    "Policy",
    {
        "name": TEXT,
        "arn": TEXT,
        "provided": FLAG,
        "version": TEXT,
        "attachments": COUNT,
        "created": INSTANT,
        "updated": INSTANT,
        "description": TEXT,
    },
)
POLICY_IN_FULL: Final = POLICY.with_more("PolicyInFull", {"document": ANY_OBJECT})
INLINE_POLICY: Final = Shape(
    "InlinePolicy",
    {"name": TEXT, "user": TEXT, "group": TEXT, "role": TEXT},
    frozenset({"user", "group", "role"}),
)
INLINE_POLICY_IN_FULL: Final = INLINE_POLICY.with_more("InlinePolicyInFull", {"document": ANY_OBJECT})

HOLDERS: Final = (
    Member(name="user", help="The user whose policy it is.", kind=USER_NAME),
    Member(name="group", help="The group whose policy it is.", kind=GROUP_NAME),
    Member(name="role", help="The role whose policy it is.", kind=ROLE_NAME),
)
DOCUMENT_MEMBER: Final = Member(
    name="document",
    help="The policy document: an object, or the text of one.",
    schema={"type": ["object", "string"]},
    is_required=True,
)

_MOST_VERSIONS: Final = Quota.POLICY_VERSIONS.value
_HOLDER_KINDS: Final = (EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE)


def _holder(call: AdminCall, action: str, **parameters: str) -> Holder | None:
    """Return whose inline policies the query asks for, which the caller may do `action` with; None for nobody's.

    Raises:
        IamError: AccessDenied, or ValidationError for two at once.
        NoSuchEntityError
    """
    named = [kind for kind in _HOLDER_KINDS if kind.value in call.query]
    if not named:
        return None
    if len(named) > 1:
        raise IamError(IamCode.VALIDATION_ERROR, "A policy belongs to one user, group or role.")
    kind = named[0]
    action = f"iam:{action.format(kind.value.capitalize())}"
    return call.iam.holder(kind, call.require_entity(kind, call.query[kind.value], action, **parameters).name)


def _policy_name(call: AdminCall) -> str:
    return Form({"name": call.names["policy"]}).text("name", POLICY_NAME)


def _managed(call: AdminCall, *actions: str) -> ManagedPolicy:
    """Return the managed policy that the path names, which the caller may do all `actions` with.

    Raises:
        IamError: AccessDenied.
        NoSuchEntityError
    """
    arn = _arn(call)
    for action in actions:
        call.require(action, arn)
    return call.identities.policies.find(call.iam.account_id, arn)


def _arn(call: AdminCall) -> str:
    """Return the ARN of the policy that the path names: one of the account, or else a provided one.

    Where there is none, it is the one that the account's would have.
    """
    name = _policy_name(call)
    try:
        return call.identities.policies.find_named(call.iam.account_id, name).arn
    except NoSuchEntityError:
        return entity_arn(call.iam.number, EntityKind.POLICY, "/", name)


def _document(call: AdminCall) -> str:
    """Return the text of the document in the body: a JSON object, or the text of one."""
    given = call.body[DOCUMENT_MEMBER.name]
    if isinstance(given, dict):
        given = json.dumps(given, ensure_ascii=False)
    if not isinstance(given, str):
        raise IamError(IamCode.VALIDATION_ERROR, "document must be a policy document.")
    return Form({"document": given}).text("document", DOCUMENT)


def _shown(policy: ManagedPolicy) -> dict[str, object]:
    return {
        "name": policy.name,
        "arn": policy.arn,
        "provided": policy.account_id == PROVIDED,
        "version": f"v{policy.default_version}",
        "attachments": policy.attachments_count,
        "created": instant(policy.created_ms),
        "updated": instant(policy.updated_ms),
        "description": policy.description,
    }


async def list_policies(call: AdminCall) -> Json:
    """Return the managed policies, or the inline ones of whom the query names."""
    after, limit = call.page()
    holder = _holder(call, "List{}Policies")
    if holder is not None:
        names = await call.identities.policies.list_inline(holder, after=after, limit=limit)
        policies: list[dict[str, object]] = [
            {"name": name, holder.kind.value: holder.name} for name in names.entries
        ]
        return {"policies": policies, "next": names.next_after}
    call.require("iam:ListPolicies", "*")
    page = await call.identities.policies.list(call.iam.account_id, after=after, limit=limit)
    return {"policies": [_shown(policy) for policy in page.entries], "next": page.next_after}


async def put_policy(call: AdminCall) -> Json:
    """Keep a document under a name; of a managed policy as its version that counts."""
    holder, name, text = _holder(call, "Put{}Policy"), _policy_name(call), _document(call)
    if holder is not None:
        await keep_inline(call.iam, holder, name, text)
        return {"name": name, holder.kind.value: holder.name}
    parse_policy(text, kind=DocumentKind.IDENTITY, limit=MAX_MANAGED_POLICY)
    return await _put_managed(call, name, text)


async def _put_managed(call: AdminCall, name: str, text: str) -> Json:
    policies, own = call.identities.policies, call.iam.account_id
    former = _find_own(call, name)
    if former is None:
        arn = entity_arn(call.iam.number, EntityKind.POLICY, "/", name)
        call.require("iam:CreatePolicy", arn)
        new = NewPolicy(account_id=own, name=name, unique_id=new_unique_id(EntityKind.POLICY), document=text)
        return _shown(await policies.create(new, now_ms=call.iam.now_ms))
    arn = former.arn
    call.require("iam:CreatePolicyVersion", arn)
    versions = await policies.list_versions(own, arn)
    if len(versions) >= _MOST_VERSIONS:
        # The oldest makes room: whoever puts a document wants it to be the one that counts.
        call.require("iam:DeletePolicyVersion", arn)
        await policies.delete_version(own, arn, min(v.number for v in versions if not v.is_default))
    await policies.create_version(own, arn, text, is_default=True, now_ms=call.iam.now_ms)
    return _shown(policies.find(own, arn))


def _find_own(call: AdminCall, name: str) -> ManagedPolicy | None:
    """Return the account's own policy of this name; one that is provided may be overlaid by it."""
    try:
        found = call.identities.policies.find_named(call.iam.account_id, name)
    except NoSuchEntityError:
        return None
    return None if found.account_id == PROVIDED else found


async def get_policy(call: AdminCall) -> Json:
    """Return a policy with its document."""
    holder, name = _holder(call, "Get{}Policy"), _policy_name(call)
    if holder is not None:
        text = call.identities.policies.find_inline(holder, name)
        return {"name": name, holder.kind.value: holder.name, "document": json.loads(text)}
    found = _managed(call, "iam:GetPolicy", "iam:GetPolicyVersion")
    version = call.identities.policies.find_version(call.iam.account_id, found.arn, found.default_version)
    return {**_shown(found), "document": json.loads(version.document)}


async def delete_policy(call: AdminCall) -> Json:
    """Remove a policy; of a managed one all versions."""
    holder, name = _holder(call, "Delete{}Policy"), _policy_name(call)
    policies, own = call.identities.policies, call.iam.account_id
    if holder is not None:
        await policies.delete_inline(holder, name)
        return {}
    found = _managed(call, "iam:DeletePolicy")
    if not (found.attachments_count or found.boundaries_count):
        for version in await policies.list_versions(own, found.arn):
            if not version.is_default:
                call.require("iam:DeletePolicyVersion", found.arn)
                await policies.delete_version(own, found.arn, version.number)
    await policies.delete(own, found.arn)
    return {}


async def attach_policy(call: AdminCall) -> Json:
    """Let a managed policy apply to whom the query names."""
    arn = _arn(call)
    holder = _require_holder(_holder(call, "Attach{}Policy", PolicyArn=arn))
    await call.identities.policies.attach(holder, arn)
    return {}


async def detach_policy(call: AdminCall) -> Json:
    arn = _arn(call)
    holder = _require_holder(_holder(call, "Detach{}Policy", PolicyArn=arn))
    await call.identities.policies.detach(holder, arn)
    return {}


def _require_holder(holder: Holder | None) -> Holder:
    if holder is None:
        raise IamError(IamCode.VALIDATION_ERROR, "Name a user, a group or a role.")
    return holder
