"""From the bytes of a connection to the requests in them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from valetkey.server.http1.exchange import UNKNOWN
from valetkey.server.http1.parsing import MOST_HEAD_BYTES, MOST_TARGET_BYTES, RefusedError, exchange_of

if TYPE_CHECKING:
    from valetkey.server.http1.connection import Connection
    from valetkey.server.http1.exchange import Exchange
    from valetkey.server.http1.wire import Header

_SLICE_BYTES: Final = 16 * 1024
"""What the parser gets at once. The requests in it are taken in before the first of them is answered."""


class RequestReader:
    """Reads requests as they come, and stops after the last one: whoever says so, or cannot be understood."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._headers: list[Header] = []
        self._body_left = 0
        self._unread_bytes = 0
        """Fed to the parser since it last told of a head or of a piece of a body."""
        self._has_told = False
        self._is_known = False
        """True while the parser gets a head that has been told of."""
        self._parsing: Exchange | None = None
        self._error: RefusedError | None = None
        self.queue: deque[Exchange] = deque()
        """Requests whose head is whole, and that nobody answers yet."""
        self.is_within_head = False
        self.is_over = False
        """True: what may still come is no request."""
        self.refusal: int | None = None
        """The status that ends the connection, once the requests before have been answered."""

    def feed(self, data: bytes, *, is_busy: bool) -> bytes:
        """Take in data, and return what is left of it: all that follows the request that is next.

        `is_busy` means that a request is being answered, so that the next one has to wait.
        """
        at = 0
        while at < len(data) and not self.is_over:
            if len(self.queue) > (not is_busy):
                return data[at:]
            size = max(self._body_left, _SLICE_BYTES)
            piece = data if at == 0 and len(data) <= size else data[at : at + size]
            at += len(piece)
            self._feed(piece)
        return b""

    def close(self) -> None:
        """Let go of everything: the connection is no more."""
        self.is_over = True
        self.queue.clear()
        # It refers to us, and we to the connection: memory that would wait for the collector.
        del self._parser

    def cut(self) -> bool:
        """End the reading, for nothing more will come, and return whether that is in the middle of a body."""
        self.is_over = True
        return self._parsing is not None

    def _feed(self, piece: bytes) -> None:
        self._has_told = False
        try:
            self._parser.feed_data(piece)
        except HttpParserUpgrade as error:
            self._go_on_as_before(piece[error.args[0] :])
        except HttpParserError as error:
            # After the last request nothing is read, however it came.
            if not self.is_over:
                self._refuse(self._status_of(error))
        if self._has_told:
            self._unread_bytes = 0
        else:
            self._unread_bytes += len(piece)
            if self._unread_bytes > MOST_HEAD_BYTES:
                is_target = self.is_within_head and len(self._target) > MOST_TARGET_BYTES
                self._refuse(414 if is_target else 431 if self._parsing is None else 400)

    def _go_on_as_before(self, rest: bytes) -> None:
        """Read on in HTTP/1.1: the parser stops where a client offers another protocol, and we take none.

        Source: RFC 9110, section 7.8: a server may ignore the header.
        """
        self._parser = HttpRequestParser(self)
        exchange = self._parsing
        if exchange is not None:
            # It passed over the body, which a new one knows of by this.
            self._is_known = True
            framing = (
                b"Transfer-Encoding: chunked"
                if exchange.body_bytes == UNKNOWN
                else b"Content-Length: %d" % exchange.body_bytes
            )
            self._parser.feed_data(b"PUT / HTTP/1.1\r\n%b\r\n\r\n" % framing)
            self._is_known = False
        if rest and not self.is_over:
            self._feed(rest)
        self._has_told = True

    def _refuse(self, status: int) -> None:
        self.is_over = True
        self.refusal = status
        if self._parsing is not None and self.queue and self.queue[-1] is self._parsing:
            self.queue.pop()
        elif self._parsing is not None:
            self._connection.body_is_cut()

    def _status_of(self, error: HttpParserError) -> int:
        if self._error is not None:
            return self._error.status
        return 501 if isinstance(error, HttpParserInvalidMethodError) else 400

    def on_message_begin(self) -> None:
        if self._is_known:
            return
        self.is_within_head = True
        self._target = b""
        self._headers = []
        self._connection.head_begins()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head there are trailers, which nobody asked for.
        if self.is_within_head:
            self._headers.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        if self._is_known:
            return
        parser = self._parser
        self.is_within_head = False
        self._has_told = True
        try:
            exchange = exchange_of(
                self._connection,
                method=parser.get_method(),
                version=parser.get_http_version(),
                target=self._target,
                headers=self._headers,
                # A short one comes at once, and need not be measured.
                headers_bytes=_size_of(self._headers) if self._unread_bytes else 0,
                keeps_alive=parser.should_keep_alive(),
            )
        except RefusedError as error:
            self._error = error
            raise
        self._parsing = exchange
        self._body_left = exchange.body_bytes
        self.queue.append(exchange)

    def on_body(self, body: bytes) -> None:
        self._has_told = True
        self._body_left -= len(body)
        if self._parsing is not None:
            self._parsing.hold(body)

    def on_message_complete(self) -> None:
        self._has_told = True
        exchange = self._parsing
        if exchange is None or (exchange.body_bytes and self._parser.should_upgrade()):
            return
        self._body_left = 0
        self._parsing = None
        exchange.body_is_complete = True
        if exchange.closes:
            self.is_over = True


def _size_of(headers: list[Header]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
