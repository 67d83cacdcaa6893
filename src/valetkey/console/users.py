"""Users of the account that asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import INSTANT, MAP, TEXT, TEXT_OR_NULL, TEXTS, Member, Shape
from valetkey.gateway.iam import form
from valetkey.gateway.iam.form import USER_NAME, Form
from valetkey.gateway.iam.naming import entity_arn, new_unique_id
from valetkey.gateway.iam.users import delete_user as delete_iam_user
from valetkey.gateway.iam.values import instant
from valetkey.store.identity_model import EntityKind, NewEntity, User

USER: Final = Shape(
    "User",
    {
        "id": TEXT,
        "name": TEXT,
        "path": TEXT,
        "arn": TEXT,
        "created": INSTANT,
        "tags": MAP,
        "boundary": TEXT_OR_NULL,
    },
)
USER_IN_FULL: Final = USER.with_more("UserInFull", {"groups": TEXTS, "policies": TEXTS, "attached": TEXTS})

PATH_PREFIX: Final = Member(name="path_prefix", help="Only users below this path.", kind=form.PATH_PREFIX)
_NAME: Final = Member(name="name", help="Unique in the account.", kind=USER_NAME, is_required=True)
_PATH: Final = Member(name="path", help="Such as /staff/; policies can name it.", kind=form.PATH)
NEW_MEMBERS: Final = (_NAME, _PATH)

_IN_FULL: Final = (
    "iam:GetUser",
    "iam:ListGroupsForUser",
    "iam:ListUserPolicies",
    "iam:ListAttachedUserPolicies",
)


def shown(call: AdminCall, user: User) -> dict[str, object]:
    """Return a user as the API shows it."""
    return {
        "id": user.unique_id,
        "name": user.name,
        "path": user.path,
        "arn": entity_arn(call.iam.number, EntityKind.USER, user.path, user.name),
        "created": instant(user.created_ms),
        "tags": dict(user.tags),
        "boundary": user.boundary_arn,
    }


def _named(call: AdminCall, *actions: str) -> User:
    """Return the user that the path names, whom the caller may do all `actions` with."""
    user = call.require_entity(EntityKind.USER, call.names["user"], *actions)
    assert isinstance(user, User)
    return user


async def list_users(call: AdminCall) -> Json:
    call.require("iam:ListUsers", "*")
    after, limit = call.page()
    page = await call.identities.list_users(
        call.iam.account_id, path_prefix=call.query.get("path_prefix", ""), after=after, limit=limit
    )
    return {"users": [shown(call, user) for user in page.entries], "next": page.next_after}


async def create_user(call: AdminCall) -> Json:
    name, path = call.text(_NAME), call.find_text(_PATH) or "/"
    call.require("iam:CreateUser", entity_arn(call.iam.number, EntityKind.USER, path, name))
    new = NewEntity(
        account_id=call.iam.account_id,
        name=name,
        unique_id=new_unique_id(EntityKind.USER),
        path=path,
    )
    return shown(call, await call.identities.create_user(new, now_ms=call.iam.now_ms))


async def get_user(call: AdminCall) -> Json:
    """Return a user, with its groups and the names of its policies."""
    user = _named(call, *_IN_FULL)
    holder = call.iam.holder(EntityKind.USER, user.name)
    groups = await call.identities.list_groups_of(call.iam.account_id, user.name)
    inline = await call.identities.policies.list_inline(holder)
    attached = await call.identities.policies.list_attached(holder)
    return {
        **shown(call, user),
        "groups": [group.name for group in groups.entries],
        "policies": list(inline.entries),
        "attached": [policy.arn for policy in attached.entries],
    }


async def delete_user(call: AdminCall) -> Json:
    user = _named(call, "iam:DeleteUser")
    await delete_iam_user(replace(call.iam, form=Form({"UserName": user.name})))
    return {}


async def revoke_user_sessions(call: AdminCall) -> Json:
    """End all temporary credentials of the user that there are now."""
    user = _named(call, "iam:UpdateUser")
    await call.identities.revoke_sessions(
        call.iam.account_id, user=user.name, before_ms=call.revoked_before_ms
    )
    return {}
