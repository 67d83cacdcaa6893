"""Managed links: to make, list, show, alter, pause, resume, revoke and forget them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.history import list_history
from valetkey.console.link_views import endpoint_of, issuer_of, own_links, shown_link
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.links.urls import new_link_id
from valetkey.links.errors import InvalidGrantError
from valetkey.links.grant_form import alter_grant, parse_grant
from valetkey.links.model import Grant, Issuer, Link, LinkFilter, Place, State
from valetkey.links.passwords import MAX_CHARS, hash_password
from valetkey.sigv4.endpoint import Endpoint

_BATCH: Final = 250
"""Links of a stream that are written down together; the event loop serves others between two batches."""

_SHOWN_ATTEMPTS: Final = 100

_STATES: Final = {state.value: state for state in State}
_FILTERS: Final = ("bucket", "prefix", "label", "tag", "state", "access_key")


async def create_link(call: AdminCall) -> Json:
    """Make a link. What it may do is stated as one object; what is left out has no limit."""
    endpoint, issuer = endpoint_of(call), issuer_of(call)
    stated = {name: value for name, value in call.body.items() if name != "password"}
    link = _new_link(call, issuer, stated)
    if call.body.get("password") is not None:
        link = replace(link, grant=replace(link.grant, password_hash=await _hashed(call)))
    await call.links.ledger.add([link])
    return shown_link(call, link, endpoint)


async def create_links(call: AdminCall) -> AsyncIterator[bytes]:
    """Make a link of each line of the body; answer each with a line: the link, or what is wrong with it."""
    return _create_each(call, endpoint_of(call), issuer_of(call))


async def _create_each(call: AdminCall, endpoint: Endpoint, issuer: Issuer) -> AsyncIterator[bytes]:
    lines = iter(call.raw_body.splitlines())
    for batch in _batches(lines):
        made: list[Link | dict[str, object]] = []
        for line in batch:
            try:
                made.append(_new_link(call, issuer, _object(line)))
            except InvalidGrantError as error:
                made.append({"error": {"code": IamCode.VALIDATION_ERROR.wire, "message": str(error)}})
        await call.links.ledger.add([each for each in made if isinstance(each, Link)])
        yield b"".join(
            json.dumps(
                shown_link(call, each, endpoint) if isinstance(each, Link) else each, ensure_ascii=False
            ).encode()
            + b"\n"
            for each in made
        )


def _new_link(call: AdminCall, issuer: Issuer, stated: Json) -> Link:
    # Whole seconds, as signatures tell them: the URL then says exactly as long as the link holds.
    now_ms = call.iam.now_ms // 1000 * 1000
    grant = parse_grant(stated, now_ms=now_ms)
    call.hooks.require(grant.webhook)
    return Link(id=new_link_id(), issuer=issuer, grant=grant, created_ms=now_ms)


async def _hashed(call: AdminCall) -> str:
    """Return what is kept of the password that the body states.

    Raises:
        IamError: ValidationError.
    """
    password = call.body.get("password")
    if not isinstance(password, str) or not 0 < len(password) <= MAX_CHARS:
        raise IamError(IamCode.VALIDATION_ERROR, f"password: must be a text of up to {MAX_CHARS} characters.")
    return await asyncio.to_thread(hash_password, password)


async def list_links(call: AdminCall) -> Json:
    """Return a page of links, newest first; those to a prefix in the order of their keys."""
    endpoint, meant = endpoint_of(call), _narrowed(call, call.query)
    after, limit = call.page()
    place = None
    if after:
        number, _, key = after.partition("-")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise IamError(IamCode.VALIDATION_ERROR, "after: is what the page before named as next.")
        place = Place(int(number), key)
    links, next_place = await call.links.ledger.list(meant, after=place, limit=limit)
    return {
        "links": [shown_link(call, link, endpoint) for link in links],
        "next": None if next_place is None else f"{next_place.number}-{next_place.key}",
    }


async def get_link(call: AdminCall) -> Json:
    """Return a link with what it has done until now, and its last attempts, where a history is kept."""
    link = await call.links.ledger.get(call.names["link"], own_links(call))
    attempts: object = []
    if call.history is not None:
        of_link = {"id": link.id, "limit": str(_SHOWN_ATTEMPTS)}
        asked = replace(
            call, query={**{name: call.query[name] for name in ("account",) if name in call.query}, **of_link}
        )
        attempts = (await list_history(asked))["attempts"]
    return {**shown_link(call, link, endpoint_of(call)), "history": attempts}


async def alter_link(call: AdminCall) -> Json:
    """Put what the body states in the place of what the link's grant states; null takes a limit away."""
    stated = {name: value for name, value in call.body.items() if name != "password"}
    hashed = None if call.body.get("password") is None else await _hashed(call)

    def alter(grant: Grant) -> Grant:
        altered = alter_grant(grant, stated, now_ms=call.iam.now_ms)
        if "webhook" in stated:
            call.hooks.require(altered.webhook)
        return replace(altered, password_hash=hashed) if "password" in call.body else altered

    link = await call.links.ledger.alter(call.names["link"], own_links(call), alter)
    return shown_link(call, link, endpoint_of(call))


async def pause_link(call: AdminCall) -> Json:
    return await _set_state(call, State.PAUSED)


async def resume_link(call: AdminCall) -> Json:
    return await _set_state(call, State.ACTIVE)


async def revoke_link(call: AdminCall) -> Json:
    """Take a link back for good, from the next request on."""
    return await _set_state(call, State.REVOKED)


async def pause_links(call: AdminCall) -> Json:
    return await _set_states(call, State.PAUSED)


async def resume_links(call: AdminCall) -> Json:
    return await _set_states(call, State.ACTIVE)


async def revoke_links(call: AdminCall) -> Json:
    """Take back all links that the body's filter holds for."""
    return await _set_states(call, State.REVOKED)


async def delete_link(call: AdminCall) -> Json:
    """Forget a link, whose URL is of nobody then."""
    await call.links.ledger.remove(call.names["link"], own_links(call))
    return {}


async def _set_state(call: AdminCall, state: State) -> Json:
    link = await call.links.ledger.set_state(call.names["link"], own_links(call), state)
    return shown_link(call, link, endpoint_of(call))


async def _set_states(call: AdminCall, state: State) -> Json:
    given = {name: value for name, value in call.body.items() if name != "all"}
    if not given and call.body.get("all") is not True:
        # A filter that was forgotten must not take back everything.
        raise IamError(
            IamCode.VALIDATION_ERROR, 'Say which links: by a filter, or all of them by "all": true.'
        )
    return {"count": await call.links.ledger.set_states(_narrowed(call, given), state)}


def _narrowed(call: AdminCall, given: Json) -> LinkFilter:
    """Return which of the caller's links a filter holds for.

    Raises:
        IamError: ValidationError.
    """
    meant = own_links(call)
    for name in _FILTERS:
        value = given.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise IamError(IamCode.VALIDATION_ERROR, f"{name}: must be a text.")
        meant = replace(meant, **{name: _FILTER_VALUES.get(name, str)(value)})
    unknown = set(given) - {*_FILTERS, "after", "limit", "account", "endpoint"}
    if unknown:
        raise IamError(
            IamCode.VALIDATION_ERROR, f"{min(unknown)}: is no filter; those are {', '.join(_FILTERS)}."
        )
    if meant.prefix is not None and meant.bucket is None:
        raise IamError(
            IamCode.VALIDATION_ERROR, "prefix: is about keys of a bucket, which must be named too."
        )
    return meant


def _tag(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise IamError(IamCode.VALIDATION_ERROR, "tag: must be NAME=VALUE.")
    return name, value


def _state(text: str) -> State:
    if text not in _STATES:
        raise IamError(IamCode.VALIDATION_ERROR, f"state: must be one of {', '.join(_STATES)}.")
    return _STATES[text]


_FILTER_VALUES: Final[dict[str, Any]] = {"tag": _tag, "state": _state}


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidGrantError("line", "is no JSON") from error
    if not isinstance(value, dict):
        raise InvalidGrantError("line", "must be a JSON object")
    return value


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        if line.strip():
            batch.append(line)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
