"""Bodies on the wire: read with a time limit, written with one, and no more of them in memory than a piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from valetkey.gateway.call import Stream
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ClientGoneError(Exception):
    """The client closed the connection in the middle of a body."""


async def read_body(receive: Receive, *, timeout_s: float) -> AsyncIterator[bytes]:
    """Yield the body of a request as it arrives.

    Raises:
        S3Error: RequestTimeout, when nothing came for `timeout_s`.
        ClientGoneError: the client left before the end.
    """
    while True:
        try:
            async with asyncio.timeout(timeout_s):
                message = await receive()
        except TimeoutError as error:
            raise S3Error(Code.REQUEST_TIMEOUT, headers={"connection": "close"}) from error
        if message["type"] != "http.request":
            raise ClientGoneError
        if piece := message.get("body", b""):
            yield piece
        if not message.get("more_body", False):
            return


async def send_stream(stream: Stream, receive: Receive, send: Send, *, timeout_s: float) -> int:
    """Send `stream` as the body of an answer whose start has been sent, and return the bytes sent.

    Raises:
        ClientGoneError: the client left, or took nothing for `timeout_s`.
        Exception: the content could not be read; the connection must then be cut, not ended.
    """
    # The server's `send` says nothing when the client has gone, so `receive` is watched beside it.
    gone = asyncio.ensure_future(_until_gone(receive))
    sent_bytes = 0
    try:
        async for piece in stream:
            if gone.done():
                raise ClientGoneError
            try:
                async with asyncio.timeout(timeout_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except TimeoutError as error:
                raise ClientGoneError from error
            sent_bytes += len(piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()
        stream.close()
    return sent_bytes


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
