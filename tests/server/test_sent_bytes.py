"""What counts as sent of an answer's body, where the client leaves in the middle: a link's uses and bytes hang on it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from tests.server.http1_site import BLOCK, TIMEOUT_S, Site, connect, running_site

from valetkey.server.bodies import Sent, send_stream
from valetkey.server.http1 import ClientGoneError, Exchange
from valetkey.server.http1.outlet import Outlet

WIDE = bytes(32 * 1024 * 1024)
"""More than the kernel takes at once."""


class Pieces:
    """A stream of one piece, before which something may happen."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._error is not None:
            raise self._error
        yield WIDE

    def close(self) -> None:
        pass


@dataclass
class Sender(Site):
    """Sends, and remembers what came of it."""

    sent: Sent = field(default_factory=Sent)
    counted_bytes: int = -1
    is_over: threading.Event = field(default_factory=threading.Event)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._send(exchange)
        finally:
            self.counted_bytes = exchange.sent_bytes
            self.is_over.set()

    async def _send(self, exchange: Exchange) -> None:
        async def send(outlet: Outlet) -> int:
            count = os.write(outlet.fileno(), BLOCK)
            await _until_gone(exchange)
            return count

        match exchange.raw_path:
            case b"/file":
                exchange.start(200, [], length=2 * len(BLOCK))
                assert await exchange.send_file(send, timeout_s=TIMEOUT_S) == len(BLOCK)
                await exchange.send_file(send, timeout_s=TIMEOUT_S)
            case b"/file/full":
                exchange.start(200, [], length=2 * len(BLOCK))

                async def find_full(_: Outlet) -> int:
                    await _until_gone(exchange)
                    return 0

                await exchange.send_file(find_full, timeout_s=TIMEOUT_S)
            case b"/pieces":
                exchange.start(200, [], length=len(WIDE))
                await send_stream(Pieces(), exchange, self.sent, timeout_s=TIMEOUT_S)
            case b"/fails":
                exchange.start(200, [], length=len(WIDE))
                await send_stream(Pieces(OSError("no disk")), exchange, self.sent, timeout_s=TIMEOUT_S)


async def _until_gone(exchange: Exchange) -> None:
    while True:
        try:
            await exchange.send(b"", timeout_s=TIMEOUT_S)
        except ClientGoneError:
            return
        await asyncio.sleep(0)


def hang_up_after(path: str, least_bytes: int) -> Sender:
    """Ask for a path, take so much of the answer, cut the connection, and return what the server made of that."""
    with running_site(site=Sender()) as site:
        assert isinstance(site, Sender)
        with connect(site) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            taken = 0
            while taken < least_bytes and (piece := client.recv(65536)):
                taken += len(piece)
        assert site.is_over.wait(TIMEOUT_S)
        return site


def test_what_the_socket_took_of_a_file_counts_although_the_client_has_gone_since() -> None:
    site = hang_up_after("/file", len(BLOCK))
    assert site.counted_bytes == len(BLOCK)
    assert site.gone.is_set()


def test_whoever_leaves_while_the_socket_is_full_has_gone() -> None:
    site = hang_up_after("/file/full", 1)
    assert site.counted_bytes == 0
    assert site.gone.is_set()


def test_a_piece_that_was_handed_over_counts_although_the_client_did_not_take_all_of_it() -> None:
    site = hang_up_after("/pieces", 1)
    assert (site.sent.count, site.sent.is_unread) == (len(WIDE), False)
    assert site.gone.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_only_content_that_fails_before_its_first_byte_is_unread() -> None:
    site = hang_up_after("/fails", 10_000)
    assert (site.sent.count, site.sent.is_unread) == (0, True)
