"""Accounts: only the root account manages them."""

from __future__ import annotations

import secrets
from typing import Final

from valetkey.console.access_keys import PAIR, key_pair, require_free
from valetkey.console.call import AdminCall, Json, find_account, is_account_id
from valetkey.console.schema import FLAG, INSTANT, TEXT, TEXT_OR_NULL, Member, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Kind
from valetkey.gateway.iam.naming import account_number
from valetkey.gateway.iam.values import instant
from valetkey.store.identity_model import Account

ACCOUNT: Final = Shape(
    "Account",
    {
        "id": TEXT,
        "number": TEXT,
        "name": TEXT,
        "email": TEXT_OR_NULL,
        "active": FLAG,
        "root": FLAG,
        "created": INSTANT,
    },
)
NEW_ACCOUNT: Final = ACCOUNT.with_more("NewAccount", {"access_key": TEXT, "secret_key": TEXT})

_NAME: Final = Member(
    name="name",
    help="What the account is called: no id nor number.",
    kind=Kind(pattern=r"[\w+=,.@-]+( [\w+=,.@-]+)*", most=64),
    is_required=True,
)
_EMAIL: Final = Member(
    name="email", help="Grants may name it by this.", kind=Kind(pattern=r"[^@\s]+@[^@\s]+", most=254)
)
_ID: Final = Member(
    name="id",
    help="Its canonical user id; else one is made.",
    kind=Kind(pattern=r"[0-9a-f]{64}", least=64, most=64),
)
NEW_MEMBERS: Final = (_NAME, _EMAIL, _ID, *PAIR)


def shown(account: Account) -> dict[str, object]:
    """Return an account as the API shows it."""
    return {
        "id": account.id,
        "number": account.number,
        "name": account.name,
        "email": account.email,
        "active": account.is_active,
        "root": account.is_root,
        "created": instant(account.created_ms),
    }


def _named(call: AdminCall) -> Account:
    call.require_root()
    return find_account(call.identities, call.names["account"])


async def list_accounts(call: AdminCall) -> Json:
    call.require_root()
    after, limit = call.page()
    page = await call.identities.accounts.list(after=after, limit=limit)
    return {"accounts": [shown(one) for one in page.entries], "next": page.next_after}


async def create_account(call: AdminCall) -> Json:
    """Make an account and its first access key; a pair may be given, else it is made."""
    call.require_root()
    name, pair = call.text(_NAME), key_pair(call)
    if is_account_id(name):
        raise IamError(IamCode.VALIDATION_ERROR, f"{name} would be taken for an id, and cannot be a name.")
    require_free(call, pair.access_key)
    account_id = call.find_text(_ID) or secrets.token_hex(32)
    made = await call.identities.accounts.create(
        account_id,
        number=account_number(account_id),
        name=name,
        email=call.find_text(_EMAIL),
        first_key=pair,
        now_ms=call.iam.now_ms,
    )
    return {**shown(made), "access_key": pair.access_key, "secret_key": pair.secret.reveal()}


async def get_account(call: AdminCall) -> Json:
    return shown(_named(call))


async def activate_account(call: AdminCall) -> Json:
    return shown(await call.identities.accounts.update(_named(call).id, is_active=True))


async def deactivate_account(call: AdminCall) -> Json:
    """Let no key of the account count any more, nor any session."""
    account = _named(call)
    if account.is_root:
        # Nobody else could activate it again.
        raise IamError(IamCode.DELETE_CONFLICT, "The root account stays active.")
    return shown(await call.identities.accounts.update(account.id, is_active=False))


async def revoke_account_sessions(call: AdminCall) -> Json:
    """End all temporary credentials of the account that were there are now."""
    account = _named(call)
    await call.identities.revoke_sessions(account.id, before_ms=call.revoked_before_ms)
    return {}


async def delete_account(call: AdminCall) -> Json:
    await call.identities.accounts.delete(_named(call).id)
    return {}
