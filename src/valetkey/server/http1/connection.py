"""One connection: its requests are answered one after the other, in the order in which they came."""

from __future__ import annotations

import asyncio
import logging
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from valetkey.processes.outcomes import Soon
from valetkey.server.forwarded import plain_address
from valetkey.server.http1.exchange import ClientGoneError, Exchange
from valetkey.server.http1.outlet import Outlet, queued_bytes
from valetkey.server.http1.reader import RequestReader

if TYPE_CHECKING:
    from valetkey.server.http1.server import Server

_LOG: Final = logging.getLogger("valetkey")

NEVER: Final = 1 << 62

_AHEAD_BYTES: Final = 128 * 1024
"""Of a body that nobody asks for, a connection reads this much and what one read brings: up to 250 KiB more."""

_LINGER_S: Final = 5
"""How long a client that has taken its last answer may go on sending, or take to end TLS in its turn.

Cut off at once, it might not get to read it.
"""


class Connection(asyncio.Protocol):
    """The protocol object of one connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = server.loop
        self.heads = server.heads
        self.is_secure = server.is_secure
        self.peer = ""
        self.is_made = False
        self.is_gone = False
        """True: the connection is no more."""
        self.is_full = False
        """True: the client has not yet taken what was written."""
        self.is_stopping = False
        self.deadline = NEVER
        """When this connection is to be looked at, in seconds of the server's coarse clock."""
        self._transport: asyncio.Transport
        self._reader = RequestReader(self)
        self._ahead = b""
        """What came after a request that waits for its turn."""
        self._current: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._body_waiter: asyncio.Future[None] | None = None
        self._room_waiter: asyncio.Future[None] | None = None
        self._outlet: Outlet | None = None
        """Set while files are being sent."""
        self._has_paused = False
        self._has_ended = False
        """True: the client sends no more."""
        self._is_leaving = False
        """True: nothing more is answered."""
        self._untaken_before = NEVER
        """What the client had not taken when it was last looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by descent.
        self._transport = cast("asyncio.Transport", transport)
        self.is_made = True
        name = transport.get_extra_info("peername")
        self.peer = plain_address(name[0]) if isinstance(name, tuple) else ""
        self._server.add(self)
        self._expect_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_gone = True
        self._reader.close()
        self._ahead = b""
        _wake(self._body_waiter)
        _wake(self._room_waiter)
        self._server.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._is_leaving:
            return
        if self._ahead:
            self._ahead += data
            return
        self._take_in(data)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._reader.cut():
            self.body_is_cut()
            return False
        # What it has asked for it still gets, as long as it only says that it asks for nothing more.
        is_asked = self._current is not None or bool(self._reader.queue)
        return is_asked and not self.is_secure and not self._is_leaving

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        if self._current is not None:
            _wake(self._room_waiter)
        elif not self._is_leaving:
            self._expect_a_head()
            self._go_on()

    def write(self, data: bytes) -> None:
        """Hand bytes over to be sent; nothing happens where the client has gone."""
        if not self.is_gone:
            self._transport.write(data)

    def head_begins(self) -> None:
        """Hear from the reader that a request begins."""
        if self._current is None:
            self._expect_a_head()

    def body_is_cut(self) -> None:
        """Hear from the reader that the body which is being received has no end."""
        _wake(self._body_waiter)

    def read_on(self) -> None:
        """Read again, if reading was paused because nobody took what came."""
        if self._has_paused and not self._ahead and not self.is_gone:
            self._has_paused = False
            self._transport.resume_reading()

    async def wait_for_body(self, exchange: Exchange, timeout_s: float) -> None:
        """Return when there is more of the body, or it has ended.

        Raises:
            TimeoutError: nothing came for `timeout_s`.
            ClientGoneError: the client left, or what it sent is no body.
        """
        if not self._reader.is_over:
            waiter = self._body_waiter = self._loop.create_future()
            await self._until(waiter, timeout_s)
        if not exchange.held_bytes and not exchange.body_is_complete:
            raise ClientGoneError if self._reader.is_over else TimeoutError

    async def wait_for_room(self, timeout_s: float) -> None:
        """Return when the client has taken most of what was written.

        Raises:
            ClientGoneError: it left, or took nothing for `timeout_s`.
        """
        before = None
        while self.is_full and not self.is_gone:
            untaken_bytes = self._untaken_bytes()
            if before is not None and untaken_bytes >= before:
                raise ClientGoneError
            before = untaken_bytes
            waiter = self._room_waiter = self._loop.create_future()
            await self._until(waiter, timeout_s)
        if self.is_gone:
            raise ClientGoneError

    @property
    def takes_files(self) -> bool:
        """True: `send_file` can be used."""
        return not self.is_secure

    async def send_file(self, send: Callable[[Outlet], Awaitable[int]], timeout_s: float) -> int:
        """Let `send` put bytes into the socket, behind the transport's back, and return how many it did.

        Raises:
            ClientGoneError: the client left, or took nothing for `timeout_s`.
        """
        await self._empty(timeout_s)
        if self._outlet is None:
            self._outlet = Outlet(self._transport.get_extra_info("socket").fileno())
        try:
            while not (count := await send(self._outlet)):
                await self._wait_until_writable(self._outlet, timeout_s)
        except ConnectionError as error:
            raise ClientGoneError from error
        # The client may have it, and have gone since: then the next call tells.
        return count

    def _untaken_bytes(self) -> int:
        """Return what was written and the client has not taken, be it here or in the kernel."""
        held_bytes = self._transport.get_write_buffer_size()
        socket = self._transport.get_extra_info("socket")
        # One that speaks TLS has no socket any more shortly before we hear that it is lost.
        return held_bytes if socket is None else held_bytes + queued_bytes(socket.fileno())

    async def _empty(self, timeout_s: float) -> None:
        """Return when the transport has sent all that was written."""
        if self.is_gone:
            raise ClientGoneError
        if not self._transport.get_write_buffer_size():
            return
        # From now on anything is too much, so it tells at once that it is full, and later that it is empty.
        self._transport.set_write_buffer_limits(0)
        await self.wait_for_room(timeout_s)
        self._transport.set_write_buffer_limits()

    async def _wait_until_writable(self, outlet: Outlet, timeout_s: float) -> None:
        self.is_full = True
        self._loop.add_writer(outlet.fileno(), self.resume_writing)
        try:
            await self.wait_for_room(timeout_s)
        finally:
            self._loop.remove_writer(outlet.fileno())

    def stop(self) -> None:
        """Answer what has been asked for, and then close."""
        self.is_stopping = True
        if self._current is None and not self._reader.queue:
            self._close()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def look(self, now: int) -> None:
        """Decide what becomes of a connection whose deadline has come."""
        untaken_bytes = self._untaken_bytes()
        if 0 < untaken_bytes < self._untaken_before:
            # It is slow and not silent.
            self._untaken_before = untaken_bytes
            self.deadline = now + self._server.limits.body_s
        elif self._is_leaving or untaken_bytes:
            self.abort()
        else:
            self._close()

    def _take_in(self, data: bytes) -> None:
        reader = self._reader
        current = self._current
        self._ahead = reader.feed(data, is_busy=current is not None)
        if current is None:
            self._go_on(is_first=True)
        elif current.held_bytes or current.body_is_complete:
            _wake(self._body_waiter)
        self._hold_back()

    def _hold_back(self) -> None:
        """Pause reading where enough has come that nobody has taken."""
        queue = self._reader.queue
        first = self._current or (queue[0] if queue else None)
        is_enough = self._ahead or (first is not None and first.held_bytes >= _AHEAD_BYTES)
        if is_enough and not self._has_paused and not self.is_gone:
            self._has_paused = True
            self._transport.pause_reading()

    def _go_on(self, *, is_first: bool = False) -> None:
        """Begin the next request, or wait for it; the one before is answered, and most of the answer taken.

        `is_first` means that none was there before, so that it may run at once.
        """
        if self._is_leaving or self.is_gone or self.is_full:
            return
        reader = self._reader
        if not reader.queue and self._ahead:
            self._ahead = reader.feed(self._ahead, is_busy=False)
        if reader.queue:
            self.deadline = NEVER
            exchange = self._current = reader.queue.popleft()
            if self._ahead:
                # It may begin with the rest of a body.
                self._ahead = reader.feed(self._ahead, is_busy=True)
            if is_first:
                self._run_on(self._run(exchange))
            else:
                self._task = self._loop.create_task(self._run(exchange))
        elif reader.refusal is not None:
            self.write(self.heads.refusal(reader.refusal))
            self._leave(is_clean=False)
        elif self._has_ended or self.is_stopping or reader.is_over:
            self._leave(is_clean=True)
        self.read_on()

    def _run_on(self, running: Coroutine[Any, Any, None]) -> None:
        """Run the application as far as it goes without waiting: mostly to the end, and no task is needed (3 µs saved).

        Nor is one while it waits for what comes soon (5 µs).

        What answers in that time goes out together with the answers of all connections that were heard in this turn.
        """
        try:
            awaited = running.send(None)
        except StopIteration:
            return
        if isinstance(awaited, Soon):
            awaited.add_done_callback(lambda _: self._run_on(running))
        else:
            self._task = self._loop.create_task(_rest(running, awaited))

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._server.app(exchange)
        except Exception:  # noqa: BLE001 - ends this connection, and no other
            _LOG.exception("An answer could not be given.")
        finally:
            if self._outlet is not None:
                self._outlet.close()
                self._outlet = None
        self._task = None
        self._current = None
        for piece in exchange.outgoing:
            self.write(piece)
        if self.is_gone or self._is_leaving:
            return
        if not exchange.is_ended:
            self._give_up(exchange)
        elif exchange.closes:
            self._leave(is_clean=exchange.body_is_complete and not self._ahead)
        elif self.is_full:
            self._expect_room()
        else:
            self._expect_a_head()
            self._go_on()

    def _give_up(self, exchange: Exchange) -> None:
        # Half an answer must not look like a whole one.
        if exchange.is_started or self._reader.refusal is None:
            self.abort()
        else:
            self._reader.queue.clear()
            self._go_on()

    def _leave(self, *, is_clean: bool) -> None:
        """End the connection once everything is sent, `is_clean` meaning that nothing comes that nobody reads."""
        self._is_leaving = True
        self._ahead = b""
        if is_clean or self._has_ended:
            self._close()
            return
        # Closed with bytes unread, the kernel would throw away what is on its way to the client.
        self._expect_room(within_s=_LINGER_S)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.read_on()

    def _close(self) -> None:
        self._is_leaving = True
        self._expect_room(within_s=_LINGER_S)
        self._transport.close()

    def _expect_a_head(self) -> None:
        self.deadline = self._server.now + self._server.limits.head_s
        self._untaken_before = NEVER

    def _expect_room(self, within_s: int | None = None) -> None:
        self._untaken_before = NEVER
        self.deadline = self._server.now + (within_s or self._server.limits.body_s)

    async def _until(self, waiter: asyncio.Future[None], timeout_s: float) -> None:
        timer = self._loop.call_later(timeout_s, _wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def _rest(running: Coroutine[Any, Any, None], awaited: Any) -> None:  # noqa: ANN401 - whatever a loop takes
    """Go on with a coroutine that has begun outside of a task, and waits."""
    # From Python 3.12 on a task takes no generator, whatever it is decorated with.
    await _steps(running, awaited)


@types.coroutine
def _steps(running: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:  # noqa: ANN401 - as above
    while True:
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 - it is for the coroutine, cancellation too
            step = partial(running.throw, error)
        else:
            step = partial(running.send, value)
        try:
            awaited = step()
        except StopIteration:
            return
