"""The one path that every S3 request takes. Read it from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from valetkey.gateway.admissions import Admissions, Admitted, Place, place_of
from valetkey.gateway.authenticate import authenticate
from valetkey.gateway.authority import Asking, Authority
from valetkey.gateway.call import Answer, Call, Keys, Request, Rules, Trail
from valetkey.gateway.containment import contain
from valetkey.gateway.cors import add_cors_headers
from valetkey.gateway.faults import ROOM_ERRORS, translate
from valetkey.gateway.guards import require_guarded
from valetkey.gateway.iam.door import IamDoor, is_iam_request
from valetkey.gateway.links.door import LinkDoor, answer_query, asked_of, is_by_link
from valetkey.gateway.links.spending import run_by_link, spend
from valetkey.gateway.links.taken_back import require_not_taken_back
from valetkey.gateway.operations.refusals import refuse_version_id, require_expected_owner, require_no_marker
from valetkey.gateway.operations.registry import OPERATIONS
from valetkey.gateway.operations.requested_lists import is_given_away
from valetkey.gateway.passes import Passes
from valetkey.gateway.posted_form import read_posted
from valetkey.gateway.preflight import answer_preflight
from valetkey.gateway.required_actions import action_for, required_actions
from valetkey.gateway.session_tokens import TokenBox
from valetkey.links.model import Link
from valetkey.policy.errors import AccessDeniedError
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.answers import Fault
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import header_text, hoisted
from valetkey.s3.operations import Operation
from valetkey.s3.query import parse_query
from valetkey.s3.route import find_operation
from valetkey.s3.target import ACCOUNT, ACCOUNT_HEADER, ACCOUNT_PATH, Target, parse_target
from valetkey.s3.xml.writer import render
from valetkey.sigv4.claims import AuthType
from valetkey.sigv4.verify import Proof
from valetkey.store.errors import DeleteMarkerError, NoSuchKeyError, NoSuchVersionError
from valetkey.store.store import Store

_READS: Final = frozenset({"GetObject", "HeadObject"})
_STORES_WHOLE: Final = frozenset({"PutObject", "CompleteMultipartUpload"})
_XML: Final = b"application/xml"

_NOWHERE: Final = Target(None, None, virtual=False)


class Gateway:
    """Answers S3 requests from one store."""

    def __init__(
        self,
        *,
        store: Store,
        links: LinkDoor,
        keys: Keys,
        rules: Rules,
        box: TokenBox,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._keys = keys
        self._rules = rules
        self._new_id = new_id
        self._links = links
        self._admissions = Admissions(links.find_signer, is_current=links.is_current)
        self._passes = Passes(self._admissions, store, links.ledger, keys=keys, rules=rules)
        self._iam = IamDoor(identities=store.identities, keys=keys, rules=rules, box=box)

    async def answer(self, request: Request, *, request_id: str, host_id: str) -> Answer:
        """Return the answer to `request`; a refusal is an answer too.

        Raises:
            Exception: only for a fault of ours, which the server reports as InternalError.
        """
        place = place_of(request)
        known = self._passes.answer(place, request)
        trail, authority = request.trail, None
        if known is not None and not _costs(trail.link, request):
            return known
        # What is known came without an Origin, and nobody else asks for them then.
        headers = text_headers(request) if known is None else {}
        if is_iam_request(request):
            return await self._iam.answer(request, headers, request_id=request_id)
        try:
            if known is not None and trail.link is not None:
                return await spend(request, trail.link, known, self._links.ledger)
            answer, authority = await self._run(request, headers, trail, place)
        except (S3Error, *ROOM_ERRORS) as error:
            answer = render_fault(
                error if isinstance(error, S3Error) else translate(error),
                request.method,
                request_id=request_id,
                host_id=host_id,
                is_wrapped=trail.target is not None and trail.target.is_account,
            )
        _mark(answer, trail)
        if answer.auth_type is AuthType.QUERY and self._rules.contains_links:
            contain(answer)
        if "origin" in headers:
            add_cors_headers(
                answer, request.method, headers, bucket=answer.bucket, store=self._store, rules=self._rules
            )
        if place is not None and authority is not None:
            self._passes.keep(place, request, answer, authority)
        return answer

    def open_to_pages(self, answer: Answer, request: Request, *, bucket: str | None = None) -> None:
        """Let a page of another origin have an answer to its request that was not made here, if its origin may."""
        headers = text_headers(request)
        if "origin" in headers:
            add_cors_headers(
                answer, request.method, headers, bucket=bucket, store=self._store, rules=self._rules
            )

    async def _run(
        self, request: Request, headers: dict[str, str], trail: Trail, place: Place | None
    ) -> tuple[Answer, Authority | None]:
        """Return the answer, and what decided that it may be given, if something had to."""
        if request.method == "OPTIONS":
            trail.target = self._target(request, headers)
            return answer_preflight(trail.target, headers, store=self._store, rules=self._rules), None

        admitted = self._admissions.find(place, request)
        if admitted is None:
            admitted = self._admit(request, headers, trail)
            self._admissions.keep(place, request, admitted)
        elif admitted.proof is not None and admitted.link is None:
            self._keys.note_use(admitted.proof.access_key, now_ms=request.now_ms)
        form = None
        trail.operation = admitted.operation.name
        if admitted.operation.name == "PostObject":
            request, headers, admitted, form = await read_posted(
                request, headers, admitted, keys=self._keys, rules=self._rules
            )
        target, query, operation, principal, proof, stand_ins, link = admitted
        trail.target, trail.principal, trail.proof, trail.link = target, principal, proof, link
        require_guarded(proof, self._rules.guards, now=request.now, is_by_link=link is not None)
        # What stands in a signed query wins: a header beside it need not be signed.
        headers.update(stand_ins)
        if link is not None:
            self._links.require(link, request, operation=operation.name, target=target, query=query)
            if link.grant.password_hash is not None:
                await self._links.passwords.require(link, request)
            if link.grant.create_only and operation.name in _STORES_WHOLE:
                headers["if-none-match"] = "*"
        else:
            require_not_taken_back(proof, target, self._links.ledger, now_ms=request.now_ms)

        authority = self._authority(admitted, request, headers)
        trail.bucket = authority.bucket
        _require_allowed(authority, operation, headers)
        require_expected_owner(headers, authority.bucket, self._rules)
        refuse_version_id(operation, query)

        call = Call(
            request, operation, target.bucket or "", target.key or "", query, headers,
            principal, proof, authority, authority.bucket, self._store, self._keys, self._rules, self._new_id,
            form, target.virtual, link,
        )  # fmt: skip
        run = OPERATIONS[operation.name]
        try:
            answer = await (run(call) if link is None else run_by_link(call, link, run, self._links.ledger))
        except (NoSuchKeyError, NoSuchVersionError) as error:
            # Whoever may not list the bucket does not learn what is missing in it.
            authority.require_listing(error)
            require_no_marker(error, operation, request.method)
            raise
        except DeleteMarkerError as error:
            raise translate(error, method=request.method) from error
        return answer, authority

    def _authority(self, admitted: Admitted, request: Request, headers: Mapping[str, str]) -> Authority:
        target, query, operation, principal, proof, _, _ = admitted
        is_new = target.bucket is None or operation.name == "CreateBucket"
        return Authority(
            Asking(principal, proof, request, headers, query, self._store, self._rules),
            None if is_new else self._store.buckets.find(target.bucket or ""),
            target.bucket or "",
            target.key or "",
            query.get("versionId") or None,
        )

    def _admit(self, request: Request, headers: Mapping[str, str], trail: Trail) -> Admitted:
        """Return what is asked for, once it is proved who asks. `trail` learns as much as comes out."""
        target = trail.target = self._target(request, headers)
        query = parse_query(request.raw_query)
        link: Link | None = None
        proof: Proof | None
        if is_by_link(request):
            principal, proof, link = self._links.authenticate(request, target)
            target = trail.target = asked_of(link, target, query)
            query = {**query, **answer_query(link)}
        else:
            principal, proof = authenticate(request, target, keys=self._keys, rules=self._rules)
        trail.principal, trail.proof = principal, proof
        if proof is not None and link is None:
            self._keys.note_use(proof.access_key, now_ms=request.now_ms)
        is_signed_query = proof is not None and proof.auth_type is AuthType.QUERY
        stand_ins = hoisted(query) if is_signed_query and link is None else {}
        operation = _find_operation(request, target, query, {**headers, **stand_ins}, principal)
        return Admitted(target, query, operation, principal, proof, stand_ins, link)

    def _target(self, request: Request, headers: Mapping[str, str]) -> Target:
        if request.raw_path == ACCOUNT_PATH and ACCOUNT_HEADER in headers:
            # Clients of S3 Control put the account's number in front of the Host, where it is no bucket.
            return ACCOUNT
        host = headers.get("host", "").encode("latin-1", "replace")
        try:
            return parse_target(request.raw_path, host, self._rules.domains)
        except S3Error as error:
            if error.code is Code.INVALID_BUCKET_NAME:
                # `//bucket/key`: whoever altered a signed path learns that, as with any other alteration.
                authenticate(request, _NOWHERE, keys=self._keys, rules=self._rules)
            raise


def _costs(link: Link | None, request: Request) -> bool:
    """Return whether a read by a link takes something from its counters."""
    return link is not None and link.is_counted and request.method == "GET"


def _require_allowed(authority: Authority, operation: Operation, headers: Mapping[str, str]) -> None:
    version_id, bucket = authority.version_id, authority.bucket
    try:
        if operation.name in _READS:
            # The commonest ones, and they take one leave alone.
            authority.require(action_for(operation.action, version_id))
            return
        needed = required_actions(
            operation,
            authority.asking.principal,
            headers=headers,
            version_id=version_id,
            is_bucket_owners=bucket is not None and is_given_away(bucket, headers),
        )
        for action, is_own in needed:
            (authority.require_not_forbidden if is_own else authority.require)(action)
    except AccessDeniedError as denied:
        if operation.name in _READS and version_id is None and authority.may_learn_of_absence():
            # A listing would have told it too.
            raise NoSuchKeyError(authority.bucket_name, authority.key) from denied
        raise


def _find_operation(
    request: Request,
    target: Target,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    principal: Principal,
) -> Operation:
    try:
        return find_operation(request.method, target, query, headers)
    except S3Error as error:
        if principal.kind is PrincipalKind.ANONYMOUS:
            # A stranger learns nothing from a request that nobody signed, not even what is implemented.
            raise S3Error(Code.ACCESS_DENIED) from error
        raise


def _mark(answer: Answer, trail: Trail) -> None:
    answer.operation = trail.operation
    if trail.target is not None:
        answer.bucket, answer.key = trail.target.bucket, trail.target.key
    if trail.proof is not None:
        answer.access_key, answer.auth_type = trail.proof.access_key, trail.proof.auth_type


def text_headers(request: Request) -> dict[str, str]:
    """Return the headers by name in lower case; values of one name are joined with commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("ascii") if raw_value.isascii() else header_text(raw_value)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def render_fault(
    error: S3Error, method: str, *, request_id: str, host_id: str, is_wrapped: bool = False
) -> Answer:
    """Return the answer that tells of `error`, in S3's XML; without a body where HTTP allows none.

    `is_wrapped`: in that of S3 Control.
    """
    extra = [(name.encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()]
    document = render(
        Fault(
            code=error.code.wire,
            message=error.message,
            details=error.details,
            request_id=request_id,
            host_id=host_id,
            is_wrapped=is_wrapped,
        )
    )
    answer = Answer(error.code.status, [(b"content-type", _XML), *extra], document, len(document))
    answer.error_code = error.code.wire
    if method == "HEAD":
        answer.body, answer.content_length = b"", None
    return answer
