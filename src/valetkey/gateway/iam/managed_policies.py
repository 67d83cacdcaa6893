"""Managed policies and their versions."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.form import ARN, DESCRIPTION, DOCUMENT, PATH, PATH_PREFIX, POLICY_NAME, VERSION_ID
from valetkey.gateway.iam.naming import new_unique_id
from valetkey.gateway.iam.xml import Fields, Value
from valetkey.policy.documents import MAX_MANAGED_POLICY, DocumentKind, parse_policy
from valetkey.store.identity_model import EntityKind, NewPolicy

_SCOPES: Final = frozenset({"All", "AWS", "Local"})
_KINDS: Final = {
    "User": (EntityKind.USER, "PolicyUsers"),
    "Group": (EntityKind.GROUP, "PolicyGroups"),
    "Role": (EntityKind.ROLE, "PolicyRoles"),
}


def _arn(call: IamCall) -> str:
    return call.form.text("PolicyArn", ARN)


def _document(call: IamCall) -> str:
    text = call.form.text("PolicyDocument", DOCUMENT)
    parse_policy(text, kind=DocumentKind.IDENTITY, limit=MAX_MANAGED_POLICY)
    return text


def _version(call: IamCall) -> int:
    return int(call.form.text("VersionId", VERSION_ID)[1:].partition(".")[0])


async def create_policy(call: IamCall) -> Fields:
    new = NewPolicy(
        account_id=call.account_id,
        name=call.form.text("PolicyName", POLICY_NAME),
        unique_id=new_unique_id(EntityKind.POLICY),
        document=_document(call),
        path=call.form.find("Path", PATH) or "/",
        description=call.form.find("Description", DESCRIPTION) or "",
        tags=call.form.tags(),
    )
    made = await call.identities.policies.create(new, now_ms=call.now_ms)
    return {"Policy": values.policy(made, in_full=True)}


async def get_policy(call: IamCall) -> Fields:
    return {"Policy": values.policy(call.identities.policies.find(call.account_id, _arn(call)), in_full=True)}


async def list_policies(call: IamCall) -> Fields:
    after, limit = call.form.page()
    scope = call.form.choice("Scope", _SCOPES, "All")
    page = await call.identities.policies.list(
        call.account_id,
        with_own=scope != "AWS",
        with_provided=scope != "Local",
        path_prefix=call.form.find("PathPrefix", PATH_PREFIX) or "",
        only_attached=call.form.flag("OnlyAttached"),
        after=after,
        limit=limit,
    )
    return values.paged("Policies", (values.policy(one) for one in page.entries), page.next_after)


async def delete_policy(call: IamCall) -> None:
    await call.identities.policies.delete(call.account_id, _arn(call))


async def create_policy_version(call: IamCall) -> Fields:
    made = await call.identities.policies.create_version(
        call.account_id,
        _arn(call),
        _document(call),
        is_default=call.form.flag("SetAsDefault"),
        now_ms=call.now_ms,
    )
    return {"PolicyVersion": values.version(made, with_document=False)}


async def get_policy_version(call: IamCall) -> Fields:
    found = call.identities.policies.find_version(call.account_id, _arn(call), _version(call))
    return {"PolicyVersion": values.version(found, with_document=True)}


async def list_policy_versions(call: IamCall) -> Fields:
    found = await call.identities.policies.list_versions(call.account_id, _arn(call))
    return values.paged("Versions", (values.version(one, with_document=False) for one in found), None)


async def set_default_policy_version(call: IamCall) -> None:
    await call.identities.policies.set_default_version(call.account_id, _arn(call), _version(call))


async def delete_policy_version(call: IamCall) -> None:
    await call.identities.policies.delete_version(call.account_id, _arn(call), _version(call))


async def list_entities_for_policy(call: IamCall) -> Fields:
    wanted = call.form.raw("EntityFilter")
    found = await call.identities.policies.list_holders(call.account_id, _arn(call))
    listed: dict[str, Value] = {}
    for word, (kind, name) in _KINDS.items():
        is_wanted = wanted in (None, word)
        listed[name] = [
            {f"{word}Name": holder.name, f"{word}Id": holder.unique_id}
            for holder in found
            if is_wanted and holder.kind is kind
        ]
    return {**listed, "IsTruncated": False}
