"""Accounts: only the root account manages them."""

from __future__ import annotations

import secrets
from typing import Final

from valetkey.console.access_keys import key_pair, require_free
from valetkey.console.call import AdminCall, Json, find_account
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Kind
from valetkey.gateway.iam.naming import account_number
from valetkey.gateway.iam.values import instant
from valetkey.store.identity_model import Account

_NAME: Final = Kind(pattern=r"(?![0-9]{12}$|[0-9a-f]{64}$)[\w+=,.@-]+", most=64)
"""None that could be taken for the number or the id of another account."""
_EMAIL: Final = Kind(pattern=r"[^@\s]+@[^@\s]+", most=254)
_ID: Final = Kind(pattern=r"[0-9a-f]{64}", least=64, most=64)


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
    name = call.text("name", _NAME)
    email = call.find_text("email", _EMAIL)
    access_key, secret = key_pair(call)
    require_free(call, access_key)
    account_id = call.find_text("id", _ID) or secrets.token_hex(32)
    now_ms = call.iam.now_ms
    made = await call.identities.accounts.create(
        account_id, number=account_number(account_id), name=name, email=email, now_ms=now_ms
    )
    await call.identities.keys.create(made.id, None, access_key=access_key, secret=secret, now_ms=now_ms)
    return {**shown(made), "access_key": access_key, "secret_key": secret.reveal()}


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


async def revoke_sessions(call: AdminCall) -> Json:
    """End all temporary credentials of the account that were made before now."""
    account = _named(call)
    await call.identities.revoke_sessions(account.id, before_ms=call.iam.now_ms)
    return {}


async def delete_account(call: AdminCall) -> Json:
    await call.identities.accounts.delete(_named(call).id)
    return {}
