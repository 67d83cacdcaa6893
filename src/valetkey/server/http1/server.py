"""Takes in the connections of a worker, and looks after them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from valetkey.server.http1.connection import Connection
from valetkey.server.http1.exchange import Exchange
from valetkey.server.http1.wire import HeadWriter

_LOG: Final = logging.getLogger("valetkey")

_NO_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RETRY_S: Final = 1.0
_SHUTDOWN_S: Final = 86_400.0
"""For the end of TLS. Our connections end it sooner; the loop would cut off who is slow, and not only who is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may take."""

    head_s: int
    """For a head to come, and for a connection to be idle."""
    body_s: int
    """For an answer to be taken: this long without a byte ends the connection."""
    connections: int
    """Open at a time. Beyond them new ones wait in the kernel."""


class Server:
    """Answers what comes to one listening socket, in one event loop."""

    def __init__(
        self,
        app: Callable[[Exchange], Awaitable[None]],
        listener: socket.socket,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None,
    ) -> None:
        """`listener` listens already, never blocks, and may be shared with other processes."""
        self.app = app
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.heads = HeadWriter()
        self.tls = tls
        """What new connections are secured with; may be replaced at any time."""
        self.is_secure = tls is not None
        self.now = 0
        """A clock of whole seconds: asking a real one for each request would cost more."""
        self._listener = listener
        self._is_listening = False
        self._is_stopped = False
        self._connections: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._sweeper: asyncio.Task[None]

    def start(self) -> None:
        """Take in connections from now on."""
        self._sweeper = self.loop.create_task(self._sweep())
        self._listen()

    async def stop(self, within_s: float) -> None:
        """Take in no more connections, finish what is under way, and after `within_s` end the rest."""
        self._is_stopped = True
        self._pause()
        self._listener.close()
        for connection in list(self._connections):
            connection.stop()
        try:
            async with asyncio.timeout(within_s):
                while self._connections or self._opening:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            for task in self._opening:
                task.cancel()
            for connection in list(self._connections):
                connection.abort()
            # Each request that was cancelled has its turn to clean up.
            await asyncio.sleep(0)
        self._sweeper.cancel()

    def add(self, connection: Connection) -> None:
        """Hear that a connection is open."""
        self._connections.add(connection)
        if self._is_stopped:
            connection.stop()

    def discard(self, connection: Connection) -> None:
        """Hear that a connection is no more."""
        self._connections.discard(connection)
        self._has_room()

    def _has_room(self) -> None:
        self._empty.set()
        self._listen()

    def _listen(self) -> None:
        count = len(self._connections) + len(self._opening)
        if not self._is_stopped and not self._is_listening and count < self.limits.connections:
            self._is_listening = True
            self.loop.add_reader(self._listener.fileno(), self._accept)

    def _pause(self) -> None:
        if self._is_listening:
            self._is_listening = False
            self.loop.remove_reader(self._listener.fileno())

    def _accept(self) -> None:
        # One at a time: where several workers are woken, each gets its share.
        try:
            accepted, _ = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_FILES:
                _LOG.error("No connection can be taken in: %s", error.strerror)
                self._pause()
                self.loop.call_later(_RETRY_S, self._listen)
            return
        accepted.settimeout(0)
        task = self.loop.create_task(self._open(accepted))
        self._opening.add(task)
        task.add_done_callback(self._opened)
        if len(self._connections) + len(self._opening) >= self.limits.connections:
            self._pause()

    async def _open(self, accepted: socket.socket) -> None:
        connection = Connection(self)
        tls = self.tls
        try:
            if tls is None:
                await self.loop.connect_accepted_socket(lambda: connection, accepted)
            else:
                await self.loop.connect_accepted_socket(
                    lambda: connection, accepted, ssl=tls,
                    ssl_handshake_timeout=self.limits.head_s, ssl_shutdown_timeout=_SHUTDOWN_S,
                )  # fmt: skip
        except OSError:
            # It left, or speaks no TLS that we speak.
            if not connection.is_made:
                accepted.close()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("A connection could not be taken in.", exc_info=task.exception())
        self._has_room()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.now += 1
            for connection in [each for each in self._connections if each.deadline <= self.now]:
                connection.look(self.now)
