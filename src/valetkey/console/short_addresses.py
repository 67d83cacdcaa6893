"""Short addresses of links."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from valetkey.console.call import AdminCall, Json
from valetkey.console.link_views import endpoint_of, own_links
from valetkey.console.schema import FLAG, INSTANT, TEXT, TEXT_OR_NULL, Member, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Kind
from valetkey.gateway.iam.values import instant
from valetkey.gateway.links.urls import SHORT_PATHS, token_of
from valetkey.links.model import ShortAddress

_NAME: Final = Member(
    name="name",
    help="What the address ends in; else a token is made.",
    kind=Kind(pattern=r"[A-Za-z0-9][A-Za-z0-9._~-]*", least=3, most=64),
)
_LINK: Final = Member(name="link", help="The link that it leads to from now on.", kind=Kind(most=64))

NEW: Final = (_NAME,)
ALTERABLE: Final = (
    _LINK,
    Member(name="paused", help="Whether it leads nowhere for the time being.", schema=FLAG),
)
ADDRESS: Final = Shape(
    "ShortAddress",
    {
        "id": TEXT,
        "url": TEXT,
        "link": TEXT,
        "name": TEXT_OR_NULL,
        "paused": FLAG,
        "created": INSTANT,
    },
)


def _shown(call: AdminCall, short: ShortAddress) -> dict[str, object]:
    token = short.name or token_of(short.id, call.links.secret_key)
    return {
        "id": short.id,
        "url": f"{endpoint_of(call)}{SHORT_PATHS.decode()}{token}",
        "link": short.link_id,
        "name": short.name,
        "paused": short.is_paused,
        "created": instant(short.created_ms),
    }


async def list_short_addresses(call: AdminCall) -> Json:
    """Return the short addresses of a link."""
    found = await call.links.ledger.short_addresses.list(call.names["link"], own_links(call))
    return {"addresses": [_shown(call, short) for short in found], "next": None}


async def create_short_address(call: AdminCall) -> Json:
    """Make a short address of a link: with a name, or with a token that nobody can guess."""
    name = call.find_text(_NAME)
    short = ShortAddress(
        id=uuid4().hex,
        account_id=call.iam.account_id,
        link_id=call.names["link"],
        name=name,
        is_paused=False,
        created_ms=call.iam.now_ms,
    )
    token = name or token_of(short.id, call.links.secret_key)
    await call.links.ledger.short_addresses.add(short, token=token, meant=own_links(call))
    return _shown(call, short)


async def alter_short_address(call: AdminCall) -> Json:
    """Let a short address lead to another link, or pause or resume it."""
    paused = call.body.get("paused")
    if paused is not None and not isinstance(paused, bool):
        raise IamError(IamCode.VALIDATION_ERROR, "paused: must be true or false.")
    short = await call.links.ledger.short_addresses.alter(
        call.names["address"], own_links(call), link_id=call.find_text(_LINK), is_paused=paused
    )
    return _shown(call, short)


async def delete_short_address(call: AdminCall) -> Json:
    await call.links.ledger.short_addresses.remove(call.names["address"], own_links(call))
    return {}
