"""Policies of the account that asks: managed ones, and inline ones of a user, a group or a role."""

from __future__ import annotations

import json
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import DOCUMENT, POLICY_NAME, Form
from valetkey.gateway.iam.held_policies import keep_inline
from valetkey.gateway.iam.naming import entity_arn, new_unique_id
from valetkey.gateway.iam.values import instant
from valetkey.policy.documents import MAX_MANAGED_POLICY, DocumentKind, parse_policy
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import (
    PROVIDED,
    Entity,
    EntityKind,
    Holder,
    ManagedPolicy,
    NewPolicy,
    Quota,
)

_MOST_VERSIONS: Final = Quota.POLICY_VERSIONS.value
_HOLDERS: Final = (EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE)


def _holder(call: AdminCall, action: str, **parameters: str) -> Holder | None:
    """Return whose inline policies the query asks for, which the caller may do `action` with; None for nobody's.

    Raises:
        IamError: AccessDenied, or ValidationError for two at once.
        NoSuchEntityError
    """
    named = [kind for kind in _HOLDERS if kind.value in call.query]
    if not named:
        return None
    if len(named) > 1:
        raise IamError(IamCode.VALIDATION_ERROR, "A policy belongs to one user, group or role.")
    kind = named[0]
    name, own = call.query[kind.value], call.iam.account_id
    find = {
        EntityKind.USER: call.identities.get_user,
        EntityKind.GROUP: call.identities.get_group,
        EntityKind.ROLE: call.identities.get_role,
    }[kind]
    # By its own name: the store knows no case, and policies do.
    found: Entity = find(own, name)
    word = kind.value.capitalize()
    call.require(
        f"iam:{action.format(word)}",
        entity_arn(call.iam.number, kind, found.path, found.name),
        **{f"{word}Name": found.name},
        **parameters,
    )
    return call.iam.holder(kind, found.name)


def _policy_name(call: AdminCall) -> str:
    return Form({"name": call.names["policy"]}).text("name", POLICY_NAME)


def _arn(call: AdminCall) -> str:
    """Return the ARN of the managed policy that the path names: one of the account, or else a provided one."""
    name = _policy_name(call)
    own = entity_arn(call.iam.number, EntityKind.POLICY, "/", name)
    try:
        return call.identities.policies.find(call.iam.account_id, own).arn
    except NoSuchEntityError:
        provided = entity_arn(PROVIDED, EntityKind.POLICY, "/", name)
        try:
            return call.identities.policies.find(call.iam.account_id, provided).arn
        except NoSuchEntityError:
            return own


def _document(call: AdminCall) -> str:
    """Return the text of the document in the body: a JSON object, or the text of one."""
    given = call.body.get("document")
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
    arn = entity_arn(call.iam.number, EntityKind.POLICY, "/", name)
    try:
        policies.find(own, arn)
    except NoSuchEntityError:
        call.require("iam:CreatePolicy", arn)
        new = NewPolicy(account_id=own, name=name, unique_id=new_unique_id(EntityKind.POLICY), document=text)
        return _shown(await policies.create(new, now_ms=call.iam.now_ms))
    call.require("iam:CreatePolicyVersion", arn)
    versions = await policies.list_versions(own, arn)
    if len(versions) >= _MOST_VERSIONS:
        # The oldest makes room: whoever puts a document wants it to be the one that counts.
        call.require("iam:DeletePolicyVersion", arn)
        await policies.delete_version(own, arn, min(v.number for v in versions if not v.is_default))
    await policies.create_version(own, arn, text, is_default=True, now_ms=call.iam.now_ms)
    return _shown(policies.find(own, arn))


async def get_policy(call: AdminCall) -> Json:
    """Return a policy with its document."""
    holder, name = _holder(call, "Get{}Policy"), _policy_name(call)
    if holder is not None:
        text = call.identities.policies.find_inline(holder, name)
        return {"name": name, holder.kind.value: holder.name, "document": json.loads(text)}
    arn = _arn(call)
    call.require("iam:GetPolicyVersion", arn)
    found = call.identities.policies.find(call.iam.account_id, arn)
    version = call.identities.policies.find_version(call.iam.account_id, arn, found.default_version)
    return {**_shown(found), "document": json.loads(version.document)}


async def delete_policy(call: AdminCall) -> Json:
    """Remove a policy; of a managed one all versions."""
    holder, name = _holder(call, "Delete{}Policy"), _policy_name(call)
    policies, own = call.identities.policies, call.iam.account_id
    if holder is not None:
        await policies.delete_inline(holder, name)
        return {}
    arn = entity_arn(call.iam.number, EntityKind.POLICY, "/", name)
    call.require("iam:DeletePolicy", arn)
    found = policies.find(own, arn)
    if not (found.attachments_count or found.boundaries_count):
        for version in await policies.list_versions(own, arn):
            if not version.is_default:
                call.require("iam:DeletePolicyVersion", arn)
                await policies.delete_version(own, arn, version.number)
    await policies.delete(own, arn)
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
