"""Short addresses, `/-/s/TOKEN`: they lead to a link, which can be another one tomorrow.

A browser that goes there is sent on to the link's URL. Everybody else who reads is served what is there, and so is
a page that asks for a part of itself: below a link to a prefix, `/-/s/TOKEN/REST` names a key, so that what names
its neighbours by relative paths, as HLS playlists do, works without a word being rewritten.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from valetkey.gateway.call import Answer, Request, Rules
from valetkey.gateway.faults import ROOM_ERRORS, translate
from valetkey.gateway.flow import Gateway, render_fault, text_headers
from valetkey.gateway.links.door import LinkDoor, signed_path
from valetkey.gateway.links.urls import link_url
from valetkey.links import LinkRefusedError, Rule
from valetkey.links.model import Link
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.sigv4.encoding import canonical_path
from valetkey.sigv4.endpoint import Endpoint
from valetkey.sigv4.errors import MisuseError

PATHS: Final = b"/-/s/"

TOKEN_CHARS: Final = 24
"""Of 6 bits each: 144 bits."""

_READS: Final = frozenset({"GET", "HEAD"})
_REDIRECTED: Final = frozenset({"PUT", "POST", "DELETE"})
_NOT_PASSED_ON: Final = frozenset({b"authorization", b"cookie"})
"""Credentials for something else, which the store would take for ours."""


class Place(NamedTuple):
    """What a short address leads to."""

    link: Link
    target: str
    """Path and query of the link's URL, with the key that is asked for."""


def token_of(short_id: str, secret_key: bytes) -> str:
    """Return the token of an address without a name: always the same one, and to be guessed by nobody."""
    digest = hmac.digest(secret_key, f"short address {short_id}".encode(), "sha256")
    return urlsafe_b64encode(digest).decode()[:TOKEN_CHARS].replace("-", "_")


class ShortDoor:
    """Answers requests to short addresses."""

    def __init__(self, *, links: LinkDoor, gateway: Gateway, rules: Rules) -> None:
        self._links = links
        self._gateway = gateway
        self._rules = rules

    async def answer(self, request: Request, *, request_id: str, host_id: str) -> Answer:
        """Return the answer to `request`, whose path begins with `PATHS`; a refusal is an answer too.

        Raises:
            Exception: only for a fault of ours.
        """
        headers = text_headers(request)
        try:
            place = self._place(request, headers)
            if request.method in _REDIRECTED or _is_navigation(request.method, headers):
                return self._sent_on(request, headers, place)
            _require_reading(request.method)
        except S3Error as error:
            return render_fault(error, request.method, request_id=request_id, host_id=host_id)
        except ROOM_ERRORS as error:
            return render_fault(translate(error), request.method, request_id=request_id, host_id=host_id)
        path, _, query = place.target.partition("?")
        served = replace(
            request,
            raw_path=path.encode(),
            raw_query=query.encode(),
            headers=[pair for pair in request.headers if pair[0] not in _NOT_PASSED_ON],
        )
        return await self._gateway.answer(served, request_id=request_id, host_id=host_id)

    def _place(self, request: Request, headers: Mapping[str, str]) -> Place:
        """Return what is asked for.

        Raises:
            S3Error: NoSuchLink.
            LinkRefusedError: the address is paused.
        """
        token, slash, rest = request.raw_path.removeprefix(PATHS).partition(b"/")
        short = self._links.ledger.short_addresses.find(token.decode("latin-1"))
        known = None if short is None else self._links.find(short.link_id)
        if short is None or known is None or (slash and not known.link.grant.is_prefix):
            raise S3Error(Code.NO_SUCH_LINK)
        if short.is_paused:
            raise LinkRefusedError(Rule.ADDRESS_PAUSED)
        try:
            endpoint = Endpoint.parse(f"http://{headers.get('host', '')}")
        except MisuseError as error:
            raise S3Error(Code.NO_SUCH_LINK) from error
        url = link_url(known.link, known.secret, endpoint=endpoint, region=self._rules.region).url
        path = signed_path(known.link, is_virtual=False) + (canonical_path(rest).decode() if rest else "")
        return Place(known.link, f"{path}?{url.partition('?')[2]}")

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


def _require_reading(method: str) -> None:
    if method not in _READS:
        raise S3Error(Code.METHOD_NOT_ALLOWED, None, {}, {"allow": "DELETE, GET, HEAD, POST, PUT"})


def _is_navigation(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a browser goes to the address, and not a program, or a page for a part of itself."""
    if method not in _READS:
        return False
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode is not None else "text/html" in headers.get("accept", "")
