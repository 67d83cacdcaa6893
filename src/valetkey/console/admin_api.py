"""The admin API: JSON under `/-/api/v1/`, signed like a request to S3.

Accounts belong to the root account. Users, keys and policies belong to the account that asks: its root may manage
them, and whom its policies allow the action of IAM that does the same. The root account may name another account in
the query, and then acts as that one's root.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from valetkey.console import (
    access_keys,
    accounts,
    history,
    links,
    policies,
    revocations,
    simulation,
    users,
)
from valetkey.console.call import AdminCall, Json, acting_in, is_root_account
from valetkey.gateway.authenticate import authenticate
from valetkey.gateway.call import Answer, Keys, Request, Rules
from valetkey.gateway.faults import ROOM_ERRORS
from valetkey.gateway.flow import text_headers
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.door import MAX_BODY_BYTES, read_body
from valetkey.gateway.iam.errors import IamCode, IamError, to_iam_error
from valetkey.gateway.iam.form import Form
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.session_tokens import TokenBox
from valetkey.links.history.reader import HistoryReader
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType
from valetkey.sigv4.payload import PayloadKind
from valetkey.sigv4.verify import Proof
from valetkey.store.store import Store

PATHS: Final = b"/-/api/v1/"

Handler = Callable[[AdminCall], Awaitable[Json]]
StreamHandler = Callable[[AdminCall], Awaitable[AsyncIterator[bytes]]]

_NOWHERE: Final = Target(None, None, virtual=False)
_JSON: Final = b"application/json"
_JSON_LINES: Final = b"application/x-ndjson"

_MOST_LINES_BYTES: Final = 64 * 1024 * 1024
"""Some 250,000 links. All of it is in memory once, since its signature comes first."""


class Route(NamedTuple):
    """One operation of the API."""

    method: str
    path: str
    """Below the API's own; a name in braces stands for one part."""
    run: Handler | StreamHandler
    takes_lines: bool = False
    """The body is a list of objects, a line each, and so is the answer, which begins before all is done."""


ROUTES: Final = (
    Route("GET", "accounts", accounts.list_accounts),
    Route("POST", "accounts", accounts.create_account),
    Route("GET", "accounts/{account}", accounts.get_account),
    Route("POST", "accounts/{account}/activate", accounts.activate_account),
    Route("POST", "accounts/{account}/deactivate", accounts.deactivate_account),
    Route("POST", "accounts/{account}/revoke-sessions", accounts.revoke_sessions),
    Route("DELETE", "accounts/{account}", accounts.delete_account),
    Route("GET", "users", users.list_users),
    Route("POST", "users", users.create_user),
    Route("GET", "users/{user}", users.get_user),
    Route("POST", "users/{user}/revoke-sessions", users.revoke_sessions),
    Route("DELETE", "users/{user}", users.delete_user),
    Route("GET", "keys", access_keys.list_keys),
    Route("POST", "keys", access_keys.create_key),
    Route("POST", "keys/{key}/activate", access_keys.activate_key),
    Route("POST", "keys/{key}/deactivate", access_keys.deactivate_key),
    Route("POST", "keys/{key}/rotate", access_keys.rotate_key),
    Route("DELETE", "keys/{key}", access_keys.delete_key),
    Route("POST", "simulate", simulation.simulate_policies),
    Route("GET", "history", history.list_history),
    Route("GET", "history/new", history.follow_history),
    Route("GET", "policies", policies.list_policies),
    Route("GET", "policies/{policy}", policies.get_policy),
    Route("PUT", "policies/{policy}", policies.put_policy),
    Route("POST", "policies/{policy}/attach", policies.attach_policy),
    Route("POST", "policies/{policy}/detach", policies.detach_policy),
    Route("DELETE", "policies/{policy}", policies.delete_policy),
    Route("GET", "links", links.list_links),
    Route("POST", "links", links.create_link),
    Route("POST", "links/bulk", links.create_links, takes_lines=True),
    Route("POST", "links/pause", links.pause_links),
    Route("POST", "links/resume", links.resume_links),
    Route("POST", "links/revoke", links.revoke_links),
    Route("GET", "links/{link}", links.get_link),
    Route("POST", "links/{link}", links.alter_link),
    Route("POST", "links/{link}/pause", links.pause_link),
    Route("POST", "links/{link}/resume", links.resume_link),
    Route("POST", "links/{link}/revoke", links.revoke_link),
    Route("DELETE", "links/{link}", links.delete_link),
    Route("GET", "revocations", revocations.list_revocations),
    Route("POST", "revocations", revocations.create_revocation),
    Route("DELETE", "revocations/{revocation}", revocations.delete_revocation),
)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


_PATTERNS: Final = [(route, _pattern(route.path)) for route in ROUTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApi:
    """Answers requests of those who manage the store."""

    store: Store
    keys: Keys
    rules: Rules
    box: TokenBox
    links: LinkDoor
    history: HistoryReader | None = None

    async def answer(self, request: Request, *, request_id: str) -> Answer:
        """Return the answer to `request`, whose path begins with `PATHS`; a refusal is an answer too.

        Raises:
            Exception: only for a fault of ours.
        """
        trail = Answer(200, [])
        try:
            result = await self._run(request, trail)
        except (IamError, S3Error, *ROOM_ERRORS) as error:
            refusal = to_iam_error(error)
            trail.status, trail.error_code = refusal.code.status, refusal.code.wire
            result = {
                "error": {
                    "code": refusal.code.wire,
                    "message": refusal.message,
                    "request_id": request_id,
                }
            }
        trail.headers.append((b"cache-control", b"no-store"))
        if isinstance(result, AsyncIterator):
            trail.headers.append((b"content-type", _JSON_LINES))
            trail.body = Lines(result)
            return trail
        document = json.dumps(result, ensure_ascii=False).encode() + b"\n"
        trail.headers.append((b"content-type", _JSON))
        trail.body, trail.content_length = document, len(document)
        return trail

    async def _run(self, request: Request, trail: Answer) -> Json | AsyncIterator[bytes]:
        # Nobody learns what there is before it is proved who asks.
        body = await read_body(
            request, most_bytes=_MOST_LINES_BYTES if _takes_lines(request) else MAX_BODY_BYTES
        )
        principal, proof = self._authenticate(request, body)
        trail.access_key, trail.auth_type = proof.access_key, proof.auth_type
        self.keys.note_use(proof.access_key, now_ms=request.now_ms)
        _require_lasting(principal)
        route, names = _find_route(request)
        trail.operation = f"{route.method} {route.path}"
        query = dict(parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True))
        is_root = is_root_account(principal, self.store.identities)
        iam = self._iam_call(request, principal, proof)
        if "account" in query:
            iam = acting_in(iam, query["account"], is_root=is_root)
        call = AdminCall(
            iam=iam,
            names=names,
            query=query,
            body={} if route.takes_lines else _read_json(body),
            raw_body=body if route.takes_lines else b"",
            is_root=is_root,
            store=self.store,
            keys=self.keys,
            history=self.history,
            links=self.links,
        )
        return await route.run(call)

    def _iam_call(self, request: Request, principal: Principal, proof: Proof) -> IamCall:
        return IamCall(
            action="",
            form=Form({}),
            principal=principal,
            proof=proof,
            request=request,
            headers=text_headers(request),
            identities=self.store.identities,
            rules=self.rules,
            box=self.box,
        )

    def _authenticate(self, request: Request, body: bytes) -> tuple[Principal, Proof]:
        """Return who signed the request with its body.

        Raises:
            IamError, S3Error, SignatureError, UnknownAccessKeyError
        """
        principal, proof = authenticate(request, _NOWHERE, keys=self.keys, rules=self.rules)
        if proof is None or proof.auth_type is not AuthType.HEADER:
            # A URL that manages users would be one that somebody shares.
            raise IamError(IamCode.MISSING_AUTHENTICATION_TOKEN, "The request must be signed in its headers.")
        payload = proof.payload
        digest = sha256(body).hexdigest()
        is_signed = payload.kind is PayloadKind.SHA256 and payload.sha256_hex is not None
        if not is_signed or not compare_digest((payload.sha256_hex or "").encode(), digest.encode()):
            raise IamError(
                IamCode.SIGNATURE_DOES_NOT_MATCH, "The body of the request is not the one that was signed."
            )
        return principal, proof


class Lines:
    """An answer that is made while it goes out."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._lines

    def close(self) -> None:
        """There is no file behind it."""


def _takes_lines(request: Request) -> bool:
    path = request.raw_path.removeprefix(PATHS).decode("latin-1")
    return any(route.takes_lines and route.path == path for route in ROUTES)


def _require_lasting(principal: Principal) -> None:
    """Return if the caller may manage anything: with lasting credentials, or as a role.

    Raises:
        IamError: AccessDenied.
    """
    if principal.session is not None and principal.kind is not PrincipalKind.ROLE:
        raise IamError(IamCode.ACCESS_DENIED, "Temporary credentials manage nothing, but for a role's.")


def _find_route(request: Request) -> tuple[Route, Mapping[str, str]]:
    """Return the operation that is asked for, with the names in the path.

    Raises:
        IamError: InvalidAction.
    """
    path = request.raw_path.removeprefix(PATHS).decode("latin-1")
    for route, pattern in _PATTERNS:
        found = pattern.fullmatch(path) if route.method == request.method else None
        if found is not None:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise IamError(IamCode.INVALID_ACTION, f"There is no operation {request.method} {path}.")


def _read_json(body: bytes) -> Json:
    """Return the object that a body is; none is an empty one.

    Raises:
        IamError: MalformedInput.
    """
    if not body:
        return {}
    try:
        value = json.loads(body)
        # A half of a surrogate pair is in no name, and could be shown to nobody.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise IamError(IamCode.MALFORMED_INPUT, "The body is no JSON.") from error
    if not isinstance(value, dict):
        raise IamError(IamCode.MALFORMED_INPUT, "The body must be a JSON object.")
    return value
