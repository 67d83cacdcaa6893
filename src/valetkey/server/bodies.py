"""Bodies on the wire: read with a time limit, written with one, and no more of them in memory than a piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from valetkey.gateway.call import Stream
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


LEAST_BYTES_PER_S: Final = 128
"""A body that comes more slowly than this, over the length of the time limit, is given up."""


class ClientGoneError(Exception):
    """The client closed the connection in the middle of a body."""

    def __init__(self, *, sent_bytes: int = 0) -> None:
        super().__init__("the client has gone")
        self.sent_bytes = sent_bytes
        """What of an answer's body had been handed over by then."""


class IncomingBody:
    """The body of one request, read at most once."""

    def __init__(self, receive: Receive, headers: Iterable[tuple[bytes, bytes]], *, timeout_s: float) -> None:
        self._receive = receive
        self._timeout_s = timeout_s
        self._is_open = False
        self.received_bytes = 0
        """How much of it has come so far."""
        for name, value in headers:
            if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
                self._is_open = True

    @property
    def is_open(self) -> bool:
        """True: bytes of it may still arrive. The connection can then serve no other request."""
        return self._is_open

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            S3Error: RequestTimeout, when nothing or next to nothing came for the time limit.
            ClientGoneError: the client left before the end.
        """
        loop = asyncio.get_running_loop()
        began, received_bytes = loop.time(), 0
        while True:
            try:
                async with asyncio.timeout(self._timeout_s):
                    message = await self._receive()
            except TimeoutError as error:
                raise S3Error(Code.REQUEST_TIMEOUT) from error
            received_bytes += len(message.get("body", b""))
            self.received_bytes += len(message.get("body", b""))
            if loop.time() - began > self._timeout_s:
                # A byte now and then is no upload: it holds a connection and memory for ever.
                if received_bytes < LEAST_BYTES_PER_S * self._timeout_s:
                    raise S3Error(Code.REQUEST_TIMEOUT)
                began, received_bytes = loop.time(), 0
            if message["type"] != "http.request":
                raise ClientGoneError
            # Before the last piece is handed over: whoever gets it may not ask again.
            is_last = not message.get("more_body", False)
            self._is_open = not is_last
            if piece := message.get("body", b""):
                yield piece
            if is_last:
                return


@dataclass(slots=True)
class Sent:
    """How far an answer's body went out."""

    count: int = 0
    """Bytes."""
    is_unread: bool = False
    """True: the content failed us before its first byte."""


async def send_stream(stream: Stream, receive: Receive, send: Send, sent: Sent, *, timeout_s: float) -> None:
    """Send `stream` as the body of an answer whose start has been sent, and tell `sent` of the bytes.

    Raises:
        ClientGoneError: the client left, or took nothing for `timeout_s`.
        Exception: the content could not be read; the connection must then be cut, not ended.
    """
    # The server's `send` says nothing when the client has gone, so `receive` is watched beside it.
    gone = asyncio.ensure_future(_until_gone(receive))
    sent.is_unread = True
    try:
        async for piece in stream:
            sent.is_unread = False
            if gone.done():
                raise ClientGoneError(sent_bytes=sent.count)
            try:
                async with asyncio.timeout(timeout_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except TimeoutError as error:
                raise ClientGoneError(sent_bytes=sent.count) from error
            sent.count += len(piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        sent.is_unread = False
    finally:
        gone.cancel()
        stream.close()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
