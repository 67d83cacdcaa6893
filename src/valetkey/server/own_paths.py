"""What the server tells of itself under `/-/`, beside the admin API: its health, and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hmac import compare_digest
from typing import Final, NamedTuple

from valetkey.server.http1 import Exchange
from valetkey.sigv4.secret import Secret

HEALTH: Final = b"/-/health"

_HEALTHY: Final = b'{"status":"ok"}'
_JSON: Final = b"application/json"
_NOT_FOUND: Final = b'{"error":"not found"}'
_NOT_ALLOWED: Final = b'{"error":"the metrics need their token"}'

_BEARER: Final = b"bearer "


class Numbers(NamedTuple):
    """The metrics, and who may read them."""

    text: Callable[[], bytes]
    content_type: bytes
    token: Secret | None
    """None: everybody may."""


class OwnPaths:
    """Answers requests for what is ours."""

    def __init__(self, numbers: Numbers | None, *, server_header: tuple[bytes, bytes]) -> None:
        """`numbers` is None where the metrics are off."""
        self._numbers = numbers
        self._server_header = server_header

    def answer(self, exchange: Exchange) -> None:
        """Answer a request for one of these paths, whichever it is."""
        status, content_type, body = 404, _JSON, _NOT_FOUND
        more: list[tuple[bytes, bytes]] = []
        if exchange.method in ("GET", "HEAD"):
            if exchange.raw_path == HEALTH:
                status, body = 200, _HEALTHY
            elif exchange.raw_path == b"/-/metrics" and self._numbers is not None:
                if _may_read(self._numbers.token, exchange.headers):
                    status, content_type, body = 200, self._numbers.content_type, self._numbers.text()
                else:
                    status, body = 401, _NOT_ALLOWED
                    more = [(b"www-authenticate", b"Bearer")]
        head = [
            (b"content-type", content_type),
            (b"cache-control", b"no-store"),
            *more,
            self._server_header,
        ]
        exchange.answer(status, head, body, length=len(body))


def _may_read(token: Secret | None, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    if token is None:
        return True
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or given[0][: len(_BEARER)].lower() != _BEARER:
        return False
    return compare_digest(given[0][len(_BEARER) :].strip(), token.reveal().encode())
