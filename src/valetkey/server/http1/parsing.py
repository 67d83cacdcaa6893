"""What stands in the head of a request, strictly: whatever two readers could understand in two ways is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from valetkey.server.http1.exchange import UNKNOWN, Exchange
from valetkey.server.http1.wire import Header, MalformedTargetError, split_target

if TYPE_CHECKING:
    from valetkey.server.http1.connection import Connection

MOST_HEAD_BYTES: Final = 128 * 1024
"""Of a head, and of what stands around the pieces of a body in chunks. Above the longest head that S3 takes."""

MOST_HEADERS: Final = 100
MOST_TARGET_BYTES: Final = 65_534


class RefusedError(Exception):
    """A head that is answered by us and not by the application, and ends the connection."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def exchange_of(
    connection: Connection,
    *,
    method: bytes,
    version: str,
    target: bytes,
    headers: list[Header],
    headers_bytes: int,
    keeps_alive: bool,
) -> Exchange:
    """Return the exchange that a head begins. The parser has checked lines, characters and lengths.

    Raises:
        RefusedError: the head is not one that can be answered.
    """
    if version not in ("1.1", "1.0"):
        raise RefusedError(505)
    if method == b"CONNECT":
        raise RefusedError(405)
    if len(target) > MOST_TARGET_BYTES:
        raise RefusedError(414)
    if len(headers) > MOST_HEADERS or headers_bytes > MOST_HEAD_BYTES:
        raise RefusedError(431)
    try:
        path, query = split_target(target)
    except MalformedTargetError as error:
        raise RefusedError(400) from error
    is_http_1_0 = version == "1.0"
    body_bytes, waits_for_consent = _framing(headers, is_http_1_0=is_http_1_0)
    return Exchange(
        connection,
        method.decode("ascii"),
        path,
        query,
        headers,
        body_bytes=body_bytes,
        keeps_alive=keeps_alive,
        is_http_1_0=is_http_1_0,
        waits_for_consent=waits_for_consent and body_bytes != 0,
    )


def _framing(headers: list[Header], *, is_http_1_0: bool) -> tuple[int, bool]:
    """Return how long the body is, or `UNKNOWN`, and whether the client waits until it is asked for.

    The parser has seen to it that there is one length at most, and none beside a coding.
    """
    hosts, codings, body_bytes, waits = 0, 0, 0, False
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"content-length":
            body_bytes = int(value)
        elif name == b"transfer-encoding":
            codings += 1
            # The parser also takes a list that ends in "chunked".
            if value.lower() != b"chunked" or codings > 1 or is_http_1_0:
                raise RefusedError(400)
            body_bytes = UNKNOWN
        elif name == b"expect":
            waits = value.lower() == b"100-continue" and not is_http_1_0
    # Source: RFC 9112, section 3.2.
    if hosts > 1 or (hosts == 0 and not is_http_1_0):
        raise RefusedError(400)
    return body_bytes, waits
