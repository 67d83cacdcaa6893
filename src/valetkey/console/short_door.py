"""Short addresses, `/-/s/TOKEN`: they lead to a link, which can be another one tomorrow.

A browser that goes there is sent on to the link's URL, and so is who writes. Everybody else who reads is served what is
there, and so is a page that asks for a part of itself. Where a link takes a password, the address serves whatever it was
given for: it may have been given to the address alone. Below a link to a prefix, `/-/s/TOKEN/REST` names a key, so that what names
its neighbours by relative paths, as HLS playlists do, works without a word being rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from valetkey.console.password_page import is_open, opened, page, typed_password
from valetkey.gateway.call import Answer, Request, Rules
from valetkey.gateway.faults import ROOM_ERRORS, translate
from valetkey.gateway.flow import Gateway, render_fault, text_headers
from valetkey.gateway.links.door import LinkDoor, free_parameters, signed_path
from valetkey.gateway.links.password_door import HEADER
from valetkey.gateway.links.urls import SHORT_PATHS, link_url
from valetkey.links import LinkRefusedError, Rule
from valetkey.links.model import Link
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target
from valetkey.sigv4.encoding import canonical_path
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.errors import MisuseError

_READS: Final = frozenset({"GET", "HEAD"})
_REDIRECTED: Final = frozenset({"PUT", "POST", "DELETE"})
_FORM: Final = "application/x-www-form-urlencoded"
_NOT_PASSED_ON: Final = frozenset({b"authorization", b"cookie"})
"""Credentials for something else, which the store would take for ours."""


class Place(NamedTuple):
    """What a short address leads to."""

    link: Link
    target: str
    """Path and query of the link's URL, with the key that is asked for."""


class ShortDoor:
    """Answers requests to short addresses."""

    def __init__(self, *, links: LinkDoor, gateway: Gateway, rules: Rules) -> None:
        self._links = links
        self._gateway = gateway
        self._rules = rules

    async def answer(self, request: Request, *, request_id: str, host_id: str) -> Answer:
        """Return the answer to `request`, whose path begins with `SHORT_PATHS`; a refusal is an answer too.

        Raises:
            Exception: only for a fault of ours.
        """
        headers = text_headers(request)
        if request.method == "OPTIONS":
            # Whether there is such an address is told to the request itself, in words that the page can read.
            asked = replace(request, raw_path=f"/{self._bucket_of(request) or ''}".encode(), raw_query=b"")
            return await self._gateway.answer(asked, request_id=request_id, host_id=host_id)
        try:
            found = await self._answer_or_request(request, headers)
        except (S3Error, *ROOM_ERRORS) as error:
            fault = error if isinstance(error, S3Error) else translate(error)
            found = render_fault(fault, request.method, request_id=request_id, host_id=host_id)
        if isinstance(found, Request):
            return await self._gateway.answer(found, request_id=request_id, host_id=host_id)
        bucket = self._bucket_of(request) if "origin" in headers else None
        self._gateway.open_to_pages(found, request, bucket=bucket)
        return found

    async def _answer_or_request(self, request: Request, headers: Mapping[str, str]) -> Answer | Request:
        """Return the answer of the address itself, or the request by the link that is to be answered in its place.

        Raises:
            S3Error, LinkRefusedError
        """
        place = self._place(request, headers)
        if request.method not in _READS | _REDIRECTED:
            raise S3Error(Code.METHOD_NOT_ALLOWED, None, {}, {"allow": "DELETE, GET, HEAD, POST, PUT"})
        if place.link.grant.password_hash is not None:
            answer = await self._asked(request, headers, place)
            if answer is not None:
                return answer
        elif request.method in _REDIRECTED or _is_navigation(request.method, headers):
            return self._sent_on(request, headers, place)
        path, _, query = place.target.partition("?")
        return replace(
            request,
            raw_path=path.encode(),
            raw_query=query.encode(),
            headers=[pair for pair in request.headers if pair[0] not in _NOT_PASSED_ON],
            is_password_proved=place.link.grant.password_hash is not None,
        )

    def _bucket_of(self, request: Request) -> str | None:
        """Return the bucket that the address leads to, by whose rules pages of other origins may use it."""
        short = self._links.ledger.short_addresses.find(_token_of(request).decode("latin-1"))
        known = None if short is None else self._links.find(short.link_id)
        return None if known is None else known.link.grant.bucket

    async def _asked(self, request: Request, headers: Mapping[str, str], place: Place) -> Answer | None:
        """Return what asks for the link's password; None where it was given, or whoever asks is no browser.

        Raises:
            LinkRefusedError: a program, which sends it in a header, is told by the link itself.
        """
        link, secret_key = place.link, self._links.secret_key
        # What alters something takes the header: who sends that knows the password, and has no browser add it.
        if request.method in _READS and is_open(request, link, secret_key=secret_key):
            return None
        if _is_typed(request.method, headers):
            password = await typed_password(request)
            try:
                await self._links.passwords.require_right(link, password, now_s=request.now.timestamp())
            except LinkRefusedError:
                self._note_refused(request, link)
                return page(is_wrong=True)
            base = urlsplit(self._rules.public_urls.get(headers.get("host", ""), "")).path.rstrip("/")
            path, below = (
                f"{base}{canonical_path(raw_path).decode()}"
                for raw_path in (request.raw_path, SHORT_PATHS + _token_of(request))
            )
            asked = _asked_with(request, link)
            back = f"{path}?{asked}" if asked else path
            return opened(request, link, back=back, below=below, secret_key=secret_key)
        if _is_navigation(request.method, headers):
            return page(is_wrong=False)
        await self._links.passwords.require(link, request)
        return None

    def _place(self, request: Request, headers: Mapping[str, str]) -> Place:
        """Return what is asked for.

        Raises:
            S3Error: NoSuchLink.
            LinkRefusedError: the address is paused.
        """
        token, rest = _token_of(request), request.raw_path.removeprefix(SHORT_PATHS)
        _, slash, rest = rest.partition(b"/")
        short = self._links.ledger.short_addresses.find(token.decode("latin-1"))
        known = None if short is None else self._links.find(short.link_id)
        if short is None or known is None or (slash and not known.link.grant.is_prefix):
            raise S3Error(Code.NO_SUCH_LINK)
        if short.is_paused:
            self._note_refused(request, known.link)
            raise LinkRefusedError(Rule.ADDRESS_PAUSED)
        try:
            endpoint = Endpoint.parse(f"http://{headers.get('host', '')}")
        except MisuseError as error:
            raise S3Error(Code.NO_SUCH_LINK) from error
        if endpoint.path_prefix:
            # A Host that holds a path would stand in the address that a browser is sent on to.
            raise S3Error(Code.NO_SUCH_LINK)
        url = link_url(known.link, known.secret, endpoint=endpoint, region=self._rules.region).url
        path = signed_path(known.link, is_virtual=False) + (canonical_path(rest).decode() if rest else "")
        query = url.partition("?")[2]
        asked = _asked_with(request, known.link)
        return Place(known.link, f"{path}?{query}&{asked}" if asked else f"{path}?{query}")

    def _note_refused(self, request: Request, link: Link) -> None:
        """Let those who watch the link know of a request that does not come as far as the gateway."""
        known = self._links.find(link.id)
        request.trail.link, request.trail.principal = link, None if known is None else known.issuer
        request.trail.target = Target(link.grant.bucket, link.grant.key or None, virtual=False)

    def _sent_on(self, request: Request, headers: Mapping[str, str], place: Place) -> Answer:
        """Return the answer by which a client goes to the link's own URL, with the same method and body."""
        host = headers.get("host", "")
        scheme = "https" if request.is_secure else "http"
        base = self._rules.public_urls.get(host, f"{scheme}://{host}").rstrip("/")
        return Answer(
            307,
            [
                (b"location", f"{base}{place.target}".encode("latin-1")),
                (b"cache-control", b"no-store"),
                (b"referrer-policy", b"no-referrer"),
            ],
            b"",
            0,
        )


def _token_of(request: Request) -> bytes:
    return request.raw_path.removeprefix(SHORT_PATHS).partition(b"/")[0]


def _asked_with(request: Request, link: Link) -> str:
    """Return those parameters of the request that the link takes beside its own, such as `zip`."""
    free = free_parameters(link.grant)
    pieces = [piece for piece in request.raw_query.split(b"&") if piece.partition(b"=")[0] in free]
    return b"&".join(pieces).decode("latin-1")


def _is_typed(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether the body is what our page sends; who brings a password in the header means something else by it."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return method == "POST" and kind == _FORM and HEADER.decode() not in headers


def _is_navigation(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a browser goes to the address, and not a program, or a page for a part of itself."""
    if method not in _READS:
        return False
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode is not None else "text/html" in headers.get("accept", "")
