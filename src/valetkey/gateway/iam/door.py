"""The door at the root path by which SDKs come for IAM and STS: from the request to its answer.

Source: AWS General Reference, "Making query API requests"; IAM API Reference, "Making query requests".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import unquote_to_bytes

from valetkey.gateway.authenticate import find_signer, other_hosts, require_own_token
from valetkey.gateway.call import Answer, Keys, Request, Rules
from valetkey.gateway.faults import ROOM_ERRORS
from valetkey.gateway.guards import require_guarded
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError, to_iam_error
from valetkey.gateway.iam.facts import facts_of
from valetkey.gateway.iam.form import Form
from valetkey.gateway.iam.operations import IAM, SERVICES, Service
from valetkey.gateway.iam.xml import CONTENT_TYPE, Fields, render_error, render_result
from valetkey.gateway.session_tokens import KEY_PREFIX, TokenBox
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.errors import S3Error
from valetkey.sigv4.claims import SignatureVersion, read_claim
from valetkey.sigv4.payload import PayloadKind
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.verify import Proof, require_signature
from valetkey.store.identity_store import Identities

MAX_BODY_BYTES: Final = 1024 * 1024

GLOBAL_REGIONS: Final = frozenset({"us-east-1", "aws-global", ""})
"""What clients sign for where a service is one for all of the world; empty if they were told no region."""

_FORM: Final = b"application/x-www-form-urlencoded"
_ACTION: Final = re.compile(rb"(?:^|&)Action=")
_SCOPE: Final = re.compile(rb"/([a-z0-9-]*)/(iam|sts)/aws4_request")
_ENDED: Final = "The security token included in the request is invalid."


def is_iam_request(request: Request) -> bool:
    """Return whether a request is for IAM or STS, and not for S3.

    A form in the body at the root path is: S3 has no operation there. With a query it must name an action: a bucket
    whose name stands in the Host has its own at that path.
    """
    if request.raw_path != b"/" or request.method not in ("GET", "POST"):
        return False
    if _ACTION.search(request.raw_query):
        return True
    if request.method == "GET" or request.raw_query:
        return False
    types = [value for name, value in request.headers if name == b"content-type"]
    return len(types) == 1 and types[0].partition(b";")[0].strip().lower() == _FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class IamDoor:
    """Answers requests to IAM and STS from what the store knows of identities."""

    identities: Identities
    keys: Keys
    rules: Rules
    box: TokenBox

    async def answer(self, request: Request, headers: Mapping[str, str], *, request_id: str) -> Answer:
        """Return the answer to `request`; a refusal is an answer too. Names of `headers` are in lower case.

        Raises:
            Exception: only for a fault of ours.
        """
        name, service = _service_of(request)
        trail = Answer(200, [])
        try:
            result = await self._run(request, headers, trail, name=name, service=service)
            body = render_result(service.namespace, trail.operation or "", result, request_id=request_id)
        except (IamError, S3Error, *ROOM_ERRORS) as error:
            refusal = to_iam_error(error)
            trail.status, trail.error_code = refusal.code.status, refusal.code.wire
            body = render_error(
                service.namespace,
                code=refusal.code.wire,
                message=refusal.message,
                is_ours=refusal.code.status >= 500,
                request_id=request_id,
            )
        trail.headers.append((b"content-type", CONTENT_TYPE))
        trail.headers.append((b"x-amzn-requestid", request_id.encode()))
        trail.body, trail.content_length = body, len(body)
        return trail

    async def _run(
        self,
        request: Request,
        headers: Mapping[str, str],
        trail: Answer,
        *,
        name: str,
        service: Service,
    ) -> Fields | None:
        body = await read_body(request)
        principal, proof = self._authenticate(request, body, service=name)
        trail.access_key, trail.auth_type = proof.access_key, proof.auth_type
        form = Form.parse(body if request.method == "POST" and body else request.raw_query)
        action = form.raw("Action") or ""
        operation = service.operations.get(action)
        if operation is None:
            raise IamError(
                IamCode.INVALID_ACTION,
                f"Could not find operation {action} for version {form.raw('Version') or 'NO_VERSION_SPECIFIED'}",
            )
        trail.operation = action
        self._note_use(proof, request, name)
        if service is IAM:
            _require_iam_session(principal)
        call = IamCall(
            action=action,
            form=form,
            principal=principal,
            proof=proof,
            request=request,
            headers=headers,
            identities=self.identities,
            rules=self.rules,
            box=self.box,
        )
        call = replace(call, facts=facts_of(call))
        if operation.permission is not None:
            call.require(operation.permission, operation.resource(call), call.facts)
        return await operation.run(call)

    def _authenticate(self, request: Request, body: bytes, *, service: str) -> tuple[Principal, Proof]:
        """Return who signed, and that the body is the one that was signed.

        Raises:
            IamError, S3Error, SignatureError, UnknownAccessKeyError
        """
        digest = sha256(body).hexdigest()
        received = ReceivedRequest(request.method, request.raw_path, request.raw_query, request.headers)
        claim = read_claim(
            received, region=self._region(request), now=request.now, service=service, body_sha256=digest
        )
        if claim is None:
            raise IamError(IamCode.MISSING_AUTHENTICATION_TOKEN, "Request is missing Authentication Token")
        if claim.version is not SignatureVersion.V4:
            raise IamError(IamCode.INCOMPLETE_SIGNATURE, "Only Signature Version 4 is supported.")
        secret, principal = find_signer(
            self.keys, claim.access_key, claim.session_token, now_ms=request.now_ms
        )
        proof = require_signature(
            claim, received, secret=secret, alternatives=other_hosts(request, self.rules)
        )
        require_own_token(principal, claim.session_token)
        require_guarded(proof, self.rules.guards, now=request.now)
        require_signed_body(proof, digest)
        return principal, proof

    def _region(self, request: Request) -> str:
        """Return the region that a signature has to be for: the server's, or that of global services."""
        found = _scope_of(request)
        return found[0] if found is not None and found[0] in GLOBAL_REGIONS else self.rules.region

    def _note_use(self, proof: Proof, request: Request, service: str) -> None:
        if proof.access_key.startswith(KEY_PREFIX):
            return
        self.identities.keys.note_use(
            proof.access_key, used_ms=request.now_ms, service=service, region=self.rules.region
        )


def _require_iam_session(principal: Principal) -> None:
    """Return if the caller may call IAM at all: with lasting credentials, or as a role.

    Raises:
        IamError: InvalidClientTokenId.
    """
    if principal.session is not None and principal.kind is not PrincipalKind.ROLE:
        raise IamError(IamCode.INVALID_CLIENT_TOKEN_ID, _ENDED)


def _scope_of(request: Request) -> tuple[str, str] | None:
    """Return the region and the service that a signature says to be for."""
    authorization = b",".join(value for name, value in request.headers if name == b"authorization")
    found = _SCOPE.search(authorization) or _SCOPE.search(unquote_to_bytes(request.raw_query))
    return None if found is None else (found[1].decode(), found[2].decode())


def _service_of(request: Request) -> tuple[str, Service]:
    """Return the service that a request is for; where no signature says it, IAM."""
    found = _scope_of(request)
    name = "iam" if found is None else found[1]
    return name, SERVICES[name]


def require_signed_body(proof: Proof, sha256_hex: str) -> None:
    """Return if the signature covers a body with this digest.

    Raises:
        IamError: SignatureDoesNotMatch, for another body, or a signature that covers none.
    """
    payload = proof.payload
    signed = payload.sha256_hex if payload.kind is PayloadKind.SHA256 else None
    if signed is None or not compare_digest(signed.encode("utf-8", "replace"), sha256_hex.encode()):
        raise IamError(
            IamCode.SIGNATURE_DOES_NOT_MATCH, "The body of the request is not the one that was signed."
        )


async def read_body(request: Request, *, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the whole body, of at most `most_bytes`.

    Raises:
        IamError: RequestEntityTooLarge.
        S3Error: it came too slowly.
    """
    body = bytearray()
    async for piece in request.body():
        body += piece
        if len(body) > most_bytes:
            raise IamError(IamCode.REQUEST_ENTITY_TOO_LARGE, "The request is too long.")
    return bytes(body)
