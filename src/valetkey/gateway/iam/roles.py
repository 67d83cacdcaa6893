"""Roles: what somebody may become for a while."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import ARN, DESCRIPTION, DOCUMENT, PATH, PATH_PREFIX
from valetkey.gateway.iam.naming import new_unique_id
from valetkey.gateway.iam.xml import Fields
from valetkey.gateway.named_principals import principal_ids
from valetkey.policy.documents import MAX_TRUST_POLICY, DocumentKind, parse_policy
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import EntityKind, NewRole

_LEAST_SESSION_S: Final = 3600
_MOST_SESSION_S: Final = 43_200
"""Of the longest session of a role. Source: IAM API Reference, "CreateRole", MaxSessionDuration."""


def _role_name(call: IamCall) -> str:
    return values.named_entity(call, EntityKind.ROLE)


def _max_session_s(call: IamCall) -> int | None:
    return call.form.number("MaxSessionDuration", least=_LEAST_SESSION_S, most=_MOST_SESSION_S)


def _trust_policy(call: IamCall, parameter: str) -> tuple[str, dict[str, str]]:
    """Return the document of a trust policy, and the ids of the users and roles that it names.

    Raises:
        MalformedPolicyError, PolicyTooLargeError
    """
    text = call.form.text(parameter, DOCUMENT)
    policy = parse_policy(text, kind=DocumentKind.TRUST, limit=MAX_TRUST_POLICY)
    return text, principal_ids(policy, call.identities, own_number=call.number)


async def create_role(call: IamCall) -> Fields:
    trust_policy, trust_ids = _trust_policy(call, "AssumeRolePolicyDocument")
    new = NewRole(
        account_id=call.account_id,
        name=_role_name(call),
        unique_id=new_unique_id(EntityKind.ROLE),
        path=call.form.find("Path", PATH) or "/",
        tags=call.form.tags(),
        boundary_arn=call.form.find("PermissionsBoundary", ARN),
        trust_policy=trust_policy,
        trust_ids=trust_ids,
        description=call.form.find("Description", DESCRIPTION) or "",
        max_session_s=_max_session_s(call) or _LEAST_SESSION_S,
    )
    made = await call.identities.create_role(new, now_ms=call.now_ms)
    return {"Role": values.role(call, made, in_full=True)}


async def get_role(call: IamCall) -> Fields:
    found = call.identities.get_role(call.account_id, _role_name(call))
    return {"Role": values.role(call, found, in_full=True)}


async def list_roles(call: IamCall) -> Fields:
    after, limit = call.form.page()
    page = await call.identities.list_roles(
        call.account_id,
        path_prefix=call.form.find("PathPrefix", PATH_PREFIX) or "",
        after=after,
        limit=limit,
    )
    return values.paged("Roles", (values.role(call, one) for one in page.entries), page.next_after)


async def update_role(call: IamCall) -> Fields:
    await call.identities.update_role(
        call.account_id,
        _role_name(call),
        description=call.form.find("Description", DESCRIPTION),
        max_session_s=_max_session_s(call),
    )
    return {}


async def update_role_description(call: IamCall) -> Fields:
    changed = await call.identities.update_role(
        call.account_id, _role_name(call), description=call.form.text("Description", DESCRIPTION)
    )
    return {"Role": values.role(call, changed)}


async def update_assume_role_policy(call: IamCall) -> None:
    trust_policy, trust_ids = _trust_policy(call, "PolicyDocument")
    await call.identities.update_role(
        call.account_id, _role_name(call), trust_policy=trust_policy, trust_ids=trust_ids
    )


async def delete_role(call: IamCall) -> None:
    await call.identities.delete(call.holder(EntityKind.ROLE, _role_name(call)))


def find_role_by_arn(call: IamCall, arn: str) -> tuple[str, str]:
    """Return the account and the name of the role with this ARN.

    Raises:
        IamError: ValidationError, if it is no ARN of a role.
        NoSuchEntityError: there is no such account or role, or it has another path.
    """
    head, separator, full_name = arn.partition(":role/")
    number = head.removeprefix("arn:aws:iam::")
    if not separator or not full_name or len(number) == len(head):
        raise IamError(IamCode.VALIDATION_ERROR, f"{arn} is invalid")
    account = call.identities.find_account(number, by="number") if number else None
    account_id = call.account_id if account is None else account.id
    path, _, name = f"/{full_name}".rpartition("/")
    known = call.identities.find_role(account_id, name)
    if known.role.path != f"{path}/":
        raise NoSuchEntityError(EntityKind.ROLE, name)
    return account_id, known.role.name
