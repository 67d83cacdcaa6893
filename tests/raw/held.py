"""Requests whose body is held back: authorised already, and done only when the body is let go."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from tests.raw.door import Door
from tests.raw.signing import Query, canonical_query
from tests.raw.wire import Reply, connect, head, read_reply

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Held:
    """A signed request that the server has authorised, and whose body it waits for.

    To be used in a `with` block, so that no server is left waiting for a body.
    """

    def __init__(
        self,
        door: Door,
        method: str,
        path: str,
        body: bytes,
        *,
        query: Query = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._method = method
        self._body = body
        signed = door.key.authorize(method, path, query=query, headers=headers)
        pairs = [
            ("Host", door.key.host),
            *signed.headers.items(),
            ("Content-Length", str(len(body))),
            ("Expect", "100-continue"),
            ("Connection", "close"),
        ]
        target = f"{path}?{canonical_query(query)}" if query else path
        self._connection: socket.socket = connect(door.server.port)
        self._connection.sendall(head(method, target, pairs))
        # The body is asked for by the operation itself, and by then everything else has been decided.
        with self._connection.makefile("rb") as answer:
            assert answer.read(len(_CONTINUE)) == _CONTINUE

    def let_go(self) -> Reply:
        """Send the body, and return the answer."""
        self._connection.sendall(self._body)
        return read_reply(self._connection, self._method)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
