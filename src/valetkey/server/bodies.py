"""Bodies on the wire: read with a time limit, written with one, and no more of them in memory than a piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from valetkey.gateway.call import Stream
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.server.http1 import ClientGoneError, Exchange
from valetkey.store.content_reader import ContentReader

_LEAST_STRETCH_BYTES: Final = 256 * 1024
"""What is smaller is read and written: that takes fewer steps."""

LEAST_BYTES_PER_S: Final = 128
"""A body that comes more slowly than this, over the length of the time limit, is given up."""


class IncomingBody:
    """The body of one request, read at most once."""

    __slots__ = ("_exchange", "_timeout_s", "received_bytes")

    def __init__(self, exchange: Exchange, *, timeout_s: float) -> None:
        self._exchange = exchange
        self._timeout_s = timeout_s
        self.received_bytes = 0
        """How much of it has come so far."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            S3Error: RequestTimeout, when nothing or next to nothing came for the time limit.
            ClientGoneError: the client left before the end.
        """
        exchange = self._exchange
        loop = asyncio.get_running_loop()
        began, received_bytes = loop.time(), 0
        while not exchange.body_is_read:
            try:
                piece = await exchange.receive(timeout_s=self._timeout_s)
            except TimeoutError as error:
                raise S3Error(Code.REQUEST_TIMEOUT) from error
            received_bytes += len(piece)
            self.received_bytes += len(piece)
            if loop.time() - began > self._timeout_s:
                # A byte now and then is no upload: it holds a connection and memory for ever.
                if received_bytes < LEAST_BYTES_PER_S * self._timeout_s:
                    raise S3Error(Code.REQUEST_TIMEOUT)
                began, received_bytes = loop.time(), 0
            if not piece:
                return
            yield piece


@dataclass(slots=True)
class Sent:
    """How far an answer's body went out."""

    count: int = 0
    """Bytes."""
    is_unread: bool = False
    """True: the content failed us before its first byte."""


async def send_stream(stream: Stream, exchange: Exchange, sent: Sent, *, timeout_s: float) -> None:
    """Send `stream` as the body of an answer that has been started, and tell `sent` of the bytes.

    Raises:
        ClientGoneError: the client left, or took nothing for `timeout_s`.
        Exception: the content could not be read; the connection must then be cut, not ended.
    """
    sent.is_unread = True
    try:
        if isinstance(stream, ContentReader) and exchange.takes_files:
            await _send_files(stream, exchange, sent, timeout_s=timeout_s)
        else:
            async for piece in stream:
                sent.is_unread = False
                await exchange.send(piece, timeout_s=timeout_s)
        exchange.end()
        sent.is_unread = False
    except (ClientGoneError, asyncio.CancelledError) as ended:
        # It was not the content that failed. Else whoever hangs up in time would never use up a link.
        sent.is_unread = False
        if isinstance(ended, ClientGoneError):
            ended.sent_bytes = exchange.sent_bytes
        raise
    finally:
        sent.count = exchange.sent_bytes
        stream.close()


async def _send_files(content: ContentReader, exchange: Exchange, sent: Sent, *, timeout_s: float) -> None:
    """Send content with as much of it as can be straight from its files, which takes half of the time."""
    while True:
        if content.stretch_bytes >= _LEAST_STRETCH_BYTES:
            await exchange.send_file(content.send_to, timeout_s=timeout_s)
            sent.is_unread = False
            continue
        piece = await anext(content, b"")
        if not piece:
            return
        sent.is_unread = False
        await exchange.send(piece, timeout_s=timeout_s)
