"""The admin API: JSON under `/-/api/v1/`, signed like a request to S3.

Accounts belong to the root account. Users, keys and policies belong to the account that asks: its root may manage
them, and whom its policies allow the action of IAM that does the same. The root account may name another account in
the query, and then acts as that one's root.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

from valetkey.console.call import AdminCall, Json, acting_in, is_root_account
from valetkey.console.explainer import Explainer
from valetkey.console.hooks import NO_HOOKS, HookDoor
from valetkey.console.openapi import openapi_document
from valetkey.console.routes import find_route
from valetkey.console.schema import checked
from valetkey.gateway.authenticate import authenticate
from valetkey.gateway.call import Answer, Keys, Request, Rules
from valetkey.gateway.faults import ROOM_ERRORS
from valetkey.gateway.flow import text_headers
from valetkey.gateway.guards import require_guarded
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.door import MAX_BODY_BYTES, read_body, require_signed_body
from valetkey.gateway.iam.errors import IamCode, IamError, to_iam_error
from valetkey.gateway.iam.form import Form
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.session_tokens import TokenBox
from valetkey.links.history.reader import HistoryReader
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType, SignatureVersion
from valetkey.sigv4.verify import Proof
from valetkey.store.store import Store

PATHS: Final = b"/-/api/v1/"

_DOCUMENT: Final = PATHS + b"openapi.json"
_NOWHERE: Final = Target(None, None, virtual=False)
_JSON: Final = b"application/json"
_JSON_LINES: Final = b"application/x-ndjson"
_NOT_KEPT: Final = (b"cache-control", b"no-store")

_MOST_LINES_BYTES: Final = 64 * 1024 * 1024
"""Some 250,000 links. All of it is in memory once, since its signature comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApi:
    """Answers requests of those who manage the store."""

    store: Store
    keys: Keys
    rules: Rules
    box: TokenBox
    links: LinkDoor
    explainer: Explainer
    history: HistoryReader | None = None
    hooks: HookDoor = NO_HOOKS

    async def answer(self, request: Request, *, request_id: str) -> Answer:
        """Return the answer to `request`, whose path begins with `PATHS`; a refusal is an answer too.

        Raises:
            Exception: only for a fault of ours.
        """
        if request.raw_path == _DOCUMENT and request.method == "GET":
            # What can be asked is no secret; it stands in the documentation as well.
            return _with_body(Answer(200, [], operation="GET openapi.json"), openapi_document())
        trail = Answer(200, [])
        try:
            result = await self._run(request, trail)
        except (IamError, S3Error, *ROOM_ERRORS) as error:
            return _with_refusal(trail, to_iam_error(error), request_id)
        if isinstance(result, AsyncIterator):
            trail.headers += [(b"content-type", _JSON_LINES), _NOT_KEPT]
            trail.body = Lines(result)
            return trail
        return _with_body(trail, _to_json(result))

    async def _run(self, request: Request, trail: Answer) -> Json | AsyncIterator[bytes]:
        # Before it is proved who asks, nobody learns what there is, nor has a body of theirs held in memory.
        principal, proof = self._authenticate(request)
        trail.access_key, trail.auth_type = proof.access_key, proof.auth_type
        _require_lasting(principal)
        route, names = find_route(request.method, request.raw_path.removeprefix(PATHS).decode("latin-1"))
        trail.operation = f"{route.method} {route.path}"
        body = await read_body(request, most_bytes=_MOST_LINES_BYTES if route.takes_lines else MAX_BODY_BYTES)
        require_signed_body(proof, sha256(body).hexdigest())
        self.keys.note_use(proof.access_key, now_ms=request.now_ms)
        query = checked(_read_query(request.raw_query), route.asks, what="parameter")
        is_root = is_root_account(principal, self.store.identities)
        iam = self._iam_call(request, principal, proof)
        if "account" in query:
            iam = acting_in(iam, query["account"], is_root=is_root)
        call = AdminCall(
            iam=iam,
            names=names,
            query=query,
            body={} if route.takes_lines else checked(_read_json(body), route.takes, what="member"),
            raw_body=body if route.takes_lines else b"",
            is_root=is_root,
            store=self.store,
            keys=self.keys,
            history=self.history,
            links=self.links,
            hooks=self.hooks,
            explainer=self.explainer,
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

    def _authenticate(self, request: Request) -> tuple[Principal, Proof]:
        """Return who signed the request; whether the body is the one that was signed nobody has looked at yet.

        Raises:
            IamError, S3Error, SignatureError, UnknownAccessKeyError
        """
        principal, proof = authenticate(request, _NOWHERE, keys=self.keys, rules=self.rules)
        require_guarded(proof, self.rules.guards, now=request.now)
        if proof is None or proof.auth_type is not AuthType.HEADER:
            # A URL that manages users would be one that somebody shares.
            raise IamError(IamCode.MISSING_AUTHENTICATION_TOKEN, "The request must be signed in its headers.")
        if proof.version is not SignatureVersion.V4:
            # The older one covers only some parameters of the query.
            raise IamError(IamCode.INCOMPLETE_SIGNATURE, "Only Signature Version 4 is supported.")
        return principal, proof


class Lines:
    """An answer that is made while it goes out."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._lines

    def close(self) -> None:
        """There is no file behind it."""


def _require_lasting(principal: Principal) -> None:
    """Return if the caller may manage anything: with lasting credentials, or as a role.

    Raises:
        IamError: AccessDenied.
    """
    if principal.session is not None and principal.kind is not PrincipalKind.ROLE:
        raise IamError(IamCode.ACCESS_DENIED, "Temporary credentials manage nothing, but for a role's.")


def _read_query(raw_query: bytes) -> Mapping[str, str]:
    """Return the parameters by name.

    Raises:
        IamError: ValidationError, for one that stands twice.
    """
    pairs = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)
    query = dict(pairs)
    if len(query) < len(pairs):
        raise IamError(IamCode.VALIDATION_ERROR, "A parameter of the query is given more than once.")
    return query


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


def render_fault(*, request_id: str) -> Answer:
    """Return the answer to a request that failed by a fault of ours."""
    return _with_refusal(Answer(500, []), to_iam_error(Exception()), request_id)


def _with_refusal(answer: Answer, error: IamError, request_id: str) -> Answer:
    answer.status, answer.error_code = error.code.status, error.code.wire
    said = {"code": error.code.wire, "message": error.message, "request_id": request_id}
    return _with_body(answer, _to_json({"error": said}))


def _with_body(answer: Answer, document: bytes) -> Answer:
    answer.headers += [(b"content-type", _JSON), _NOT_KEPT]
    answer.body, answer.content_length = document, len(document)
    return answer


def _to_json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
