"""Access keys of the account that asks, and of its users."""

from __future__ import annotations

from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import FLAG, INSTANT, INSTANT_OR_NULL, TEXT, TEXT_OR_NULL, Member, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import USER_NAME, Kind
from valetkey.gateway.iam.naming import new_secret, new_unique_id, root_arn
from valetkey.gateway.iam.values import instant
from valetkey.gateway.session_tokens import KEY_PREFIX
from valetkey.links.model import is_link_id
from valetkey.policy.principal import PrincipalKind
from valetkey.sigv4.secret import Secret
from valetkey.store.errors import EntityExistsError, NoSuchEntityError
from valetkey.store.identity_model import AccessKey, EntityKind, KeyPair

KEY: Final = Shape(
    "Key",
    {
        "access_key": TEXT,
        "user": TEXT_OR_NULL,
        "active": FLAG,
        "created": INSTANT,
        "last_used": INSTANT_OR_NULL,
    },
)
NEW_KEY: Final = KEY.with_more("NewKey", {"secret_key": TEXT})
NEXT_KEY: Final = NEW_KEY.with_more("NextKey", {"replaces": TEXT})

OF_USER: Final = Member(name="user", help="Whose keys; else the account's own.", kind=USER_NAME)
_ACCESS_KEY: Final = Member(
    name="access_key",
    help="The key's id, given together with its secret; else both are made.",
    kind=Kind(pattern=r"[A-Za-z0-9._~-]+", least=3, most=128),
)
_SECRET_KEY: Final = Member(
    name="secret_key", help="Its secret.", kind=Kind(pattern=r"[!-~ ]+", least=8, most=256)
)
PAIR: Final = (_ACCESS_KEY, _SECRET_KEY)


def shown(key: AccessKey) -> dict[str, object]:
    """Return a key as the API shows it: never its secret."""
    return {
        "access_key": key.id,
        "user": key.user_name,
        "active": key.is_active,
        "created": instant(key.created_ms),
        "last_used": None if key.last_used_ms is None else instant(key.last_used_ms),
    }


def key_pair(call: AdminCall) -> KeyPair:
    """Return the pair that is given, or a new one.

    Raises:
        IamError: ValidationError, for half a pair, or one that cannot be.
    """
    access_key, secret_key = call.find_text(_ACCESS_KEY), call.find_text(_SECRET_KEY)
    if access_key is None and secret_key is None:
        return _new_pair()
    if access_key is None or secret_key is None:
        raise IamError(IamCode.VALIDATION_ERROR, "An access key and its secret are given together.")
    if access_key.startswith(KEY_PREFIX):
        raise IamError(
            IamCode.VALIDATION_ERROR, f"Only keys of temporary credentials begin with {KEY_PREFIX}."
        )
    if is_link_id(access_key):
        raise IamError(IamCode.VALIDATION_ERROR, "Only links have ids of this form.")
    return KeyPair(access_key=access_key, secret=Secret(secret_key))


def _new_pair() -> KeyPair:
    return KeyPair(access_key=new_unique_id(EntityKind.ACCESS_KEY), secret=new_secret())


def require_free(call: AdminCall, access_key: str) -> None:
    """Return if no key of the settings has the id; of those in the store, the store knows.

    Raises:
        EntityExistsError
    """
    if call.keys.find(access_key) is not None:
        raise EntityExistsError(EntityKind.ACCESS_KEY, access_key)


def _require(call: AdminCall, action: str, user: str | None) -> None:
    """Return if the caller may do `action` with the keys of a user, or with the account's own.

    Raises:
        IamError: AccessDenied.
        NoSuchEntityError
    """
    if user is None:
        if call.iam.principal.kind is not PrincipalKind.ACCOUNT:
            # A key of the account's is bound by no policy, so no policy gives it away.
            raise IamError(IamCode.ACCESS_DENIED, "Only the account itself manages its own access keys.")
        call.require(action, root_arn(call.iam.number))
        return
    call.require_entity(EntityKind.USER, user, action)


def _named(call: AdminCall, action: str) -> AccessKey:
    """Return the key that the path names, which the caller may do `action` with.

    Raises:
        IamError: AccessDenied.
        NoSuchEntityError
    """
    key = _find_own(call, call.names["key"])
    if key is None:
        # Of one that is missing hears only who may do this with any.
        call.require(action, "*")
        _require_not_in_settings(call, call.names["key"])
        raise NoSuchEntityError(EntityKind.ACCESS_KEY, call.names["key"])
    _require(call, action, key.user_name)
    return key


def _find_own(call: AdminCall, access_key: str) -> AccessKey | None:
    try:
        key = call.identities.keys.find(access_key)
    except NoSuchEntityError:
        return None
    return key if key.account_id == call.iam.account_id else None


def _require_not_in_settings(call: AdminCall, access_key: str) -> None:
    found = call.keys.find(access_key)
    if found is not None and found[1].account_id == call.iam.account_id:
        raise IamError(
            IamCode.INVALID_INPUT, f"{access_key} stands in the settings of the server, and is changed there."
        )


async def list_keys(call: AdminCall) -> Json:
    """Return the keys of a user, or the account's own."""
    user, (after, limit) = call.query.get("user"), call.page()
    _require(call, "iam:ListAccessKeys", user)
    page = await call.identities.keys.list(call.iam.account_id, user, after=after, limit=limit)
    return {"keys": [shown(key) for key in page.entries], "next": page.next_after}


async def create_key(call: AdminCall) -> Json:
    """Make a key for a user, or for the account; a pair may be given, else it is made."""
    user = call.find_text(OF_USER)
    _require(call, "iam:CreateAccessKey", user)
    pair = key_pair(call)
    require_free(call, pair.access_key)
    return await _create(call, user, pair)


async def _create(call: AdminCall, user: str | None, pair: KeyPair) -> Json:
    made = await call.identities.keys.create(
        call.iam.account_id,
        user,
        access_key=pair.access_key,
        secret=pair.secret,
        now_ms=call.iam.now_ms,
    )
    return {**shown(made), "secret_key": pair.secret.reveal()}


async def rotate_key(call: AdminCall) -> Json:
    """Make another key for whoever has this one. Both count until the old one is deactivated."""
    key = _named(call, "iam:CreateAccessKey")
    made = await _create(call, key.user_name, _new_pair())
    return {**made, "replaces": key.id}


async def activate_key(call: AdminCall) -> Json:
    return await _set_active(call, is_active=True)


async def deactivate_key(call: AdminCall) -> Json:
    """End every URL that the key signed, from the next request on."""
    return await _set_active(call, is_active=False)


async def _set_active(call: AdminCall, *, is_active: bool) -> Json:
    key = _named(call, "iam:UpdateAccessKey")
    await call.identities.keys.set_active(key.account_id, key.user_name, key.id, is_active=is_active)
    return shown(call.identities.keys.find(key.id))


async def delete_key(call: AdminCall) -> Json:
    key = _named(call, "iam:DeleteAccessKey")
    await call.identities.keys.delete(key.account_id, key.user_name, key.id)
    return {}
