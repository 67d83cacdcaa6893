"""Groups, and who is in them."""

from __future__ import annotations

from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.form import GROUP_NAME, PATH, PATH_PREFIX, to_marker
from valetkey.gateway.iam.naming import new_unique_id
from valetkey.gateway.iam.users import move
from valetkey.gateway.iam.xml import Fields
from valetkey.store.identity_model import EntityKind, NewEntity


def _group_name(call: IamCall) -> str:
    return values.named_entity(call, EntityKind.GROUP)


def _user_name(call: IamCall) -> str:
    return values.named_entity(call, EntityKind.USER)


async def create_group(call: IamCall) -> Fields:
    new = NewEntity(
        account_id=call.account_id,
        name=_group_name(call),
        unique_id=new_unique_id(EntityKind.GROUP),
        path=call.form.find("Path", PATH) or "/",
    )
    return {"Group": values.group(call, await call.identities.create_group(new, now_ms=call.now_ms))}


async def get_group(call: IamCall) -> Fields:
    name, (after, limit) = _group_name(call), call.form.page()
    found = call.identities.get_group(call.account_id, name)
    page = await call.identities.list_members(call.account_id, name, after=after, limit=limit)
    return {
        "Group": values.group(call, found),
        "Users": [values.user(call, user) for user in page.entries],
        "IsTruncated": page.next_after is not None,
        "Marker": to_marker(page.next_after),
    }


async def list_groups(call: IamCall) -> Fields:
    after, limit = call.form.page()
    page = await call.identities.list_groups(
        call.account_id,
        path_prefix=call.form.find("PathPrefix", PATH_PREFIX) or "",
        after=after,
        limit=limit,
    )
    return values.paged("Groups", (values.group(call, one) for one in page.entries), page.next_after)


async def list_groups_for_user(call: IamCall) -> Fields:
    name, (after, limit) = _user_name(call), call.form.page()
    page = await call.identities.list_groups_of(call.account_id, name, after=after, limit=limit)
    return values.paged("Groups", (values.group(call, one) for one in page.entries), page.next_after)


async def update_group(call: IamCall) -> None:
    await move(call, EntityKind.GROUP, call.form.find("NewGroupName", GROUP_NAME))


async def delete_group(call: IamCall) -> None:
    await call.identities.delete(call.holder(EntityKind.GROUP, _group_name(call)))


async def add_user_to_group(call: IamCall) -> None:
    await call.identities.add_member(call.account_id, _group_name(call), _user_name(call))


async def remove_user_from_group(call: IamCall) -> None:
    await call.identities.remove_member(call.account_id, _group_name(call), _user_name(call))
