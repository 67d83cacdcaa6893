"""What the parameters of a request say to the conditions of policies.

Source: IAM User Guide, "IAM and AWS STS condition context keys"; Service Authorization Reference, "Actions,
resources, and condition keys for AWS Identity and Access Management".
"""

from __future__ import annotations

from typing import Final

from valetkey.gateway.iam.call import Facts, IamCall
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import Entity

_MAKES: Final = ("CreateUser", "CreateRole", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary")
"""Actions that set a boundary; with all others, the one that is there counts."""


def facts_of(call: IamCall) -> Facts:
    """Return the values of condition keys, by name in lower case.

    Raises:
        IamError: a tag is malformed.
    """
    facts: dict[str, tuple[str, ...]] = {}
    arn = call.form.raw("PolicyArn")
    if arn is not None:
        facts["iam:policyarn"] = (arn,)
    tags = call.form.tags()
    for key, value in tags.items():
        facts[f"aws:requesttag/{key.lower()}"] = (value,)
    names = [*tags, *(one for one in _untagged(call))]
    if names:
        facts["aws:tagkeys"] = tuple(names)
    entity = _entity(call)
    boundary = call.form.raw("PermissionsBoundary") if call.action in _MAKES else None
    if entity is not None:
        for key, value in entity.tags.items():
            facts[f"iam:resourcetag/{key.lower()}"] = facts[f"aws:resourcetag/{key.lower()}"] = (value,)
        if call.action not in _MAKES:
            boundary = entity.boundary_arn
    if boundary is not None:
        facts["iam:permissionsboundary"] = (boundary,)
    return facts


def _untagged(call: IamCall) -> list[str]:
    found: list[str] = []
    while (name := call.form.raw(f"TagKeys.member.{len(found) + 1}")) is not None:
        found.append(name)
    return found


def _entity(call: IamCall) -> Entity | None:
    """Return the user or role that a request is about, if there is one."""
    user, role = call.form.raw("UserName"), call.form.raw("RoleName")
    try:
        if user is not None:
            return call.identities.get_user(call.account_id, user)
        if role is not None:
            return call.identities.get_role(call.account_id, role)
    except NoSuchEntityError:
        pass
    return None
