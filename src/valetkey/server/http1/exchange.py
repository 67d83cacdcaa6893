"""One request and its answer, as the application sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from valetkey.server.http1.wire import BODILESS, CONTINUE, Header, MalformedHeadError

if TYPE_CHECKING:
    from valetkey.server.http1.connection import Connection
    from valetkey.server.http1.outlet import Outlet

_JOINED_BYTES: Final = 64 * 1024
"""A body up to this size goes out as one piece with its head: copying it costs less than a second buffer."""


UNKNOWN: Final = -1
"""The length of a body that comes in chunks."""


class ClientGoneError(Exception):
    """The client closed the connection, or took or sent nothing for too long, in the middle of a body."""

    def __init__(self, *, sent_bytes: int = 0) -> None:
        super().__init__("the client has gone")
        self.sent_bytes = sent_bytes
        """What of an answer's body had been handed over by then."""


class Exchange:
    """One request, whose body can be received once, and the answer, which can be given once.

    The answer is `answer`, or `start`, any number of `send`, and `end`.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_held",
        "_is_bodiless",
        "_left",
        "_waits_for_consent",
        "body_bytes",
        "body_is_complete",
        "body_is_read",
        "closes",
        "headers",
        "held_bytes",
        "is_ended",
        "is_http_1_0",
        "is_started",
        "method",
        "outgoing",
        "raw_path",
        "raw_query",
        "sent_bytes",
    )

    def __init__(
        self,
        connection: Connection,
        method: str,
        raw_path: bytes,
        raw_query: bytes,
        headers: list[Header],
        *,
        body_bytes: int,
        keeps_alive: bool,
        is_http_1_0: bool,
        waits_for_consent: bool,
    ) -> None:
        self._connection = connection
        self.method = method
        self.raw_path = raw_path
        """The path as it stood on the wire, before the `?`."""
        self.raw_query = raw_query
        self.headers = headers
        """Names in lower case, in the order of arrival."""
        self.body_bytes = body_bytes
        """How long the request's body is, or `UNKNOWN`."""
        self.closes = not keeps_alive
        self.is_http_1_0 = is_http_1_0
        self._waits_for_consent = waits_for_consent
        self._held: list[bytes] = []
        self.held_bytes = 0
        """Bytes of the body that have come and that nobody has received."""
        self.body_is_complete = body_bytes == 0
        self.body_is_read = body_bytes == 0
        """True: nothing of the body is or will be in the way of the next request."""
        self.is_started = False
        self.is_ended = False
        self.outgoing: tuple[bytes, ...] = ()
        """An answer that was given in one go: it is sent when the application is through with the request.

        So whoever has it finds noted what there is to note.
        """
        self.sent_bytes = 0
        """Of a body in pieces, what was handed over: the client may have it, also one that has gone."""
        self._left = -1
        self._chunked = False
        self._is_bodiless = False

    @property
    def peer(self) -> str:
        """The address that the connection comes from; empty if it has none."""
        return self._connection.peer

    @property
    def is_secure(self) -> bool:
        """True: the connection speaks TLS."""
        return self._connection.is_secure

    def hold(self, piece: bytes) -> None:
        """Keep a piece of the body until it is asked for."""
        self._held.append(piece)
        self.held_bytes += len(piece)

    async def receive(self, *, timeout_s: float) -> bytes:
        """Return what has come of the body, waiting for at least a byte of it; nothing at its end.

        The first call sends `100 Continue` where the client waits for that.

        Raises:
            TimeoutError: nothing came for `timeout_s`.
            ClientGoneError: the client left, or what it sent is no body.
        """
        connection = self._connection
        if not self._held and not self.body_is_complete:
            if self._waits_for_consent:
                self._waits_for_consent = False
                if not self.is_started:
                    connection.write(CONTINUE)
            await connection.wait_for_body(self, timeout_s)
        held = self._held
        piece = held[0] if len(held) == 1 else b"".join(held)
        held.clear()
        self.held_bytes = 0
        # Before the last piece is handed over: whoever gets it may not ask again.
        self.body_is_read = self.body_is_complete
        connection.read_on()
        return piece

    def answer(self, status: int, headers: list[Header], body: bytes, *, length: int | None) -> None:
        """Give the whole answer. `length` is None where there is to be no `Content-Length` (204, 304).

        Raises:
            MalformedHeadError: a header is no single line, or the length is not that of the body.
        """
        self._is_bodiless = self.method == "HEAD" or status in BODILESS
        if self._is_bodiless:
            body = b""
        elif length != len(body):
            raise MalformedHeadError(f"an answer of {len(body)} bytes says {length}")
        head = self._head(status, headers, length)
        self.is_started = self.is_ended = True
        self.outgoing = (head + body,) if len(body) <= _JOINED_BYTES else (head, body)

    def start(self, status: int, headers: list[Header], *, length: int | None) -> None:
        """Begin an answer whose body comes in pieces. `length` is None where nobody knows it.

        Raises:
            MalformedHeadError: a header is no single line.
        """
        self._is_bodiless = self.method == "HEAD" or status in BODILESS
        if length is None and not self._is_bodiless:
            if self.is_http_1_0:
                self.closes = True
            else:
                self._chunked = True
                headers.append((b"transfer-encoding", b"chunked"))
        head = self._head(status, headers, length)
        self._left = -1 if length is None else length
        self.is_started = True
        self._connection.write(head)

    async def send(self, piece: bytes, *, timeout_s: float) -> None:
        """Send a piece of the body, and return when there is room for the next one.

        Raises:
            ClientGoneError: the client left, or took nothing for `timeout_s`.
            MalformedHeadError: the body is longer than was said.
        """
        connection = self._connection
        if connection.is_gone:
            raise ClientGoneError
        if self._is_bodiless or not piece:
            return
        if self._chunked:
            connection.write(b"%x\r\n" % len(piece))
            connection.write(piece)
            connection.write(b"\r\n")
        else:
            self._take_left(len(piece))
            connection.write(piece)
        self.sent_bytes += len(piece)
        if connection.is_full:
            await connection.wait_for_room(timeout_s)

    @property
    def takes_files(self) -> bool:
        """True: the body may be sent by `send_file`, too. Through TLS it may not, nor in chunks."""
        return self._connection.takes_files and not self._chunked and not self._is_bodiless

    async def send_file(self, send: Callable[[Outlet], Awaitable[int]], *, timeout_s: float) -> int:
        """Let `send` put bytes of the body into the socket, and return how many: once, or when there is room again.

        Raises:
            ClientGoneError: as for `send`.
            MalformedHeadError: the body is longer than was said.
        """
        count = await self._connection.send_file(send, timeout_s)
        self.sent_bytes += count
        self._take_left(count)
        return count

    def end(self) -> None:
        """End an answer that was started.

        Raises:
            MalformedHeadError: the body is shorter than was said.
        """
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")
        elif self._left > 0 and not self._is_bodiless:
            raise MalformedHeadError(f"the body ends {self._left} bytes before it should")
        self.is_ended = True

    def _take_left(self, size: int) -> None:
        if self._left >= 0:
            if size > self._left:
                raise MalformedHeadError(f"the body goes on for {size - self._left} bytes after its end")
            self._left -= size

    def _head(self, status: int, headers: list[Header], length: int | None) -> bytes:
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        if not self.body_is_read or self._connection.is_stopping:
            # Of a body that nobody read, what is left, or the next request where the client kept the body to itself
            # (`Expect: 100-continue`), would be read as the other.
            self.closes = True
        if self.closes:
            headers.append((b"connection", b"close"))
        elif self.is_http_1_0:
            headers.append((b"connection", b"keep-alive"))
        return self._connection.heads.head(status, headers)
