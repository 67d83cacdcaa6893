"""Users and their access keys."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import ACCESS_KEY, ARN, PATH, PATH_PREFIX, USER_NAME
from valetkey.gateway.iam.naming import entity_arn, new_secret, new_unique_id, root_arn
from valetkey.gateway.iam.xml import Fields
from valetkey.policy.principal import PrincipalKind
from valetkey.store.errors import DeleteConflictError, NoSuchEntityError
from valetkey.store.identity_model import EntityKind, NewEntity, Obstacle

_STATUSES: Final = frozenset({"Active", "Inactive"})


def _user_name(call: IamCall) -> str:
    return values.named_entity(call, EntityKind.USER)


def _key_owner(call: IamCall) -> str | None:
    """Return whose keys a request is about: a user's, or the account's own (None).

    Raises:
        IamError: ValidationError, if nobody is named, and the caller is neither.
    """
    name = call.form.find("UserName", USER_NAME)
    if name is not None or call.principal.kind is PrincipalKind.ACCOUNT:
        return name
    if call.principal.kind is PrincipalKind.USER:
        return call.principal.name
    raise IamError(IamCode.VALIDATION_ERROR, "Must specify userName when calling with non-User credentials")


async def create_user(call: IamCall) -> Fields:
    name, path = _user_name(call), call.form.find("Path", PATH) or "/"
    new = NewEntity(
        account_id=call.account_id,
        name=name,
        unique_id=new_unique_id(EntityKind.USER),
        path=path,
        tags=call.form.tags(),
        boundary_arn=call.form.find("PermissionsBoundary", ARN),
    )
    made = await call.identities.create_user(new, now_ms=call.now_ms)
    return {"User": values.user(call, made, in_full=True)}


async def get_user(call: IamCall) -> Fields:
    name = call.form.find("UserName", USER_NAME)
    if name is None and call.principal.kind is PrincipalKind.ACCOUNT:
        account = call.identities.find_account(call.account_id)
        root: Fields = {
            "Path": "/",
            "UserName": account.name,
            "UserId": account.number,
            "Arn": root_arn(account.number),
            "CreateDate": values.instant(account.created_ms),
        }
        return {"User": root}
    found = call.identities.get_user(call.account_id, _key_owner(call) or "")
    return {"User": values.user(call, found, in_full=True)}


async def list_users(call: IamCall) -> Fields:
    after, limit = call.form.page()
    page = await call.identities.list_users(
        call.account_id,
        path_prefix=call.form.find("PathPrefix", PATH_PREFIX) or "",
        after=after,
        limit=limit,
    )
    return values.paged("Users", (values.user(call, one) for one in page.entries), page.next_after)


async def update_user(call: IamCall) -> None:
    await move(call, EntityKind.USER, call.form.find("NewUserName", USER_NAME))


async def move(call: IamCall, kind: EntityKind, new_name: str | None) -> None:
    """Give a user or a group another name or path, if the caller may do that with one that has these, too.

    Raises:
        IamError: AccessDenied. Source: IAM API Reference, "UpdateUser": permission on source and target.
    """
    holder, new_path = call.holder(kind, values.named_entity(call, kind)), call.form.find("NewPath", PATH)
    found = call.identities.get(holder)
    target = entity_arn(call.number, kind, new_path or found.path, new_name or found.name)
    call.require(f"iam:{call.action}", target, call.facts)
    await call.identities.move(holder, new_name=new_name, new_path=new_path)


async def delete_user(call: IamCall) -> None:
    """Remove a user that has nothing left. Amazon wants it out of its groups first; we do that, unless strict."""
    holder = call.holder(EntityKind.USER, _user_name(call))
    try:
        await call.identities.delete(holder)
    except DeleteConflictError as error:
        # The last obstacle that is looked for: nothing else is in the way.
        if error.obstacle is not Obstacle.GROUPS or call.rules.is_strict:
            raise
        page = await call.identities.list_groups_of(call.account_id, holder.name)
        for group in page.entries:
            await call.identities.remove_member(call.account_id, group.name, holder.name)
        await call.identities.delete(holder)


async def create_access_key(call: IamCall) -> Fields:
    owner = _key_owner(call)
    secret = new_secret()
    made = await call.identities.keys.create(
        call.account_id,
        owner,
        access_key=new_unique_id(EntityKind.ACCESS_KEY),
        secret=secret,
        now_ms=call.now_ms,
    )
    return {
        "AccessKey": {
            **values.access_key(made, _shown_owner(call, owner)),
            "SecretAccessKey": secret.reveal(),
        }
    }


async def list_access_keys(call: IamCall) -> Fields:
    owner, (after, limit) = _key_owner(call), call.form.page()
    page = await call.identities.keys.list(call.account_id, owner, after=after, limit=limit)
    shown = _shown_owner(call, owner)
    keys = (values.access_key(key, shown) for key in page.entries)
    return {"UserName": shown, **values.paged("AccessKeyMetadata", keys, page.next_after)}


async def update_access_key(call: IamCall) -> None:
    status = call.form.choice("Status", _STATUSES)
    await call.identities.keys.set_active(
        call.account_id,
        _key_owner(call),
        call.form.text("AccessKeyId", ACCESS_KEY),
        is_active=status == "Active",
    )


async def delete_access_key(call: IamCall) -> None:
    await call.identities.keys.delete(
        call.account_id, _key_owner(call), call.form.text("AccessKeyId", ACCESS_KEY)
    )


def key_resource(call: IamCall) -> str:
    """Return the ARN of whoever in the account has the key that is named; `*` if nobody has."""
    try:
        key = call.identities.keys.find(call.form.text("AccessKeyId", ACCESS_KEY))
        if key.account_id != call.account_id:
            return "*"
        if key.user_name is None:
            return root_arn(call.number)
        owner = call.identities.get_user(call.account_id, key.user_name)
    except NoSuchEntityError:
        return "*"
    return entity_arn(call.number, EntityKind.USER, owner.path, owner.name)


async def get_access_key_last_used(call: IamCall) -> Fields:
    key_id = call.form.text("AccessKeyId", ACCESS_KEY)
    key = call.identities.keys.find(key_id)
    if key.account_id != call.account_id:
        raise NoSuchEntityError(EntityKind.ACCESS_KEY, key_id)
    return {
        "UserName": _shown_owner(call, key.user_name),
        "AccessKeyLastUsed": {
            "LastUsedDate": None if key.last_used_ms is None else values.instant(key.last_used_ms),
            "ServiceName": key.last_used_service or "N/A",
            "Region": key.last_used_region or "N/A",
        },
    }


def _shown_owner(call: IamCall, owner: str | None) -> str:
    return call.identities.find_account(call.account_id).name if owner is None else owner
