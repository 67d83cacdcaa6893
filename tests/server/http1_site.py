"""A small application behind the HTTP server, in a thread of its own, and raw bytes to and from it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

from valetkey.processes.outcomes import Soon
from valetkey.server.address import listen_at
from valetkey.server.http1 import ClientGoneError, Exchange, Limits, Server
from valetkey.server.setting_values import Listen

TIMEOUT_S = 20.0
BLOCK = bytes(range(256)) * 256

WAITING = (b"/soon", b"/never", b"/soon-and-later")

LIMITS = Limits(head_s=20, body_s=20, connections=1000)


@dataclass
class Site:
    """Remembers what it was asked, and answers by the path."""

    body_timeout_s: float = 20.0
    seen: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    """Method, path and query of each request."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set once a client has gone in the middle of a body."""
    is_held: threading.Event = field(default_factory=threading.Event)
    held_bytes: int = 0
    port: int = 0

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request."""
        self.seen.append((exchange.method, exchange.raw_path, exchange.raw_query))
        try:
            await (_wait if exchange.raw_path in WAITING else self._answer)(exchange)
        except ClientGoneError:
            self.gone.set()

    async def _answer(self, exchange: Exchange) -> None:
        match exchange.raw_path:
            case b"/early":
                exchange.answer(403, [], b"no", length=2)
            case b"/none":
                exchange.answer(204, [], b"", length=None)
            case b"/split":
                exchange.answer(200, [(b"a", b"b\r\nset-cookie: c")], b"", length=0)
            case b"/short" | b"/long":
                exchange.start(200, [], length=4)
                await exchange.send(b"abc" if exchange.raw_path == b"/short" else b"abcde", timeout_s=1)
                exchange.end()
            case b"/pieces" | b"/endless":
                exchange.start(200, [], length=None)
                for _ in range(3 if exchange.raw_path == b"/pieces" else 10_000):
                    await exchange.send(
                        b"piece" if exchange.raw_path == b"/pieces" else BLOCK, timeout_s=self.body_timeout_s
                    )
                exchange.end()
            case b"/hold":
                # Whoever does not ask for the body does not get more of it than a little.
                while exchange.held_bytes < 128 * 1024:  # noqa: ASYNC110 - what is to be seen is that nothing happens
                    await asyncio.sleep(0.01)
                for _ in range(50):
                    await asyncio.sleep(0.01)
                self.held_bytes = exchange.held_bytes
                self.is_held.set()
                exchange.answer(200, [], b"", length=0)
            case _:
                await self._echo(exchange)

    async def _echo(self, exchange: Exchange) -> None:
        body = b""
        while not exchange.body_is_read:
            body += await exchange.receive(timeout_s=self.body_timeout_s)
        names = b",".join(name for name, _ in exchange.headers if name != b"host")
        told = b"%b %b ? %b [%b] " % (exchange.method.encode(), exchange.raw_path, exchange.raw_query, names)
        exchange.answer(200, [], told + body, length=len(told) + len(body))


async def _wait(exchange: Exchange) -> None:
    """Wait for what comes soon, and tell what came and whether a task is running."""
    loop = asyncio.get_running_loop()
    soon: Soon[bytes] = Soon(loop=loop)
    if exchange.raw_path == b"/never":
        loop.call_later(0.01, soon.set_exception, OSError("never"))
    else:
        loop.call_later(0.01, soon.set_result, b"there")
    try:
        came = await soon
    except OSError as error:
        came = str(error).encode()
    if exchange.raw_path == b"/soon-and-later":
        await asyncio.sleep(0.01)
    told = came + (b", no task" if asyncio.current_task() is None else b", in a task")
    exchange.answer(200, [], told, length=len(told))


@contextlib.contextmanager
def running_site(
    *,
    limits: Limits = LIMITS,
    body_timeout_s: float = 20.0,
    site: Site | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    """Run a site for the length of a `with` block."""
    site = site or Site(body_timeout_s=body_timeout_s)
    listener = listen_at(Listen(host="127.0.0.1", port=0), socket_mode=0o600)
    site.port = listener.getsockname()[1]
    started, loops = threading.Event(), []
    stop = asyncio.Event()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        server = Server(site.serve, listener, limits, tls=tls)
        server.start()
        started.set()
        await stop.wait()
        await server.stop(0.1)

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(TIMEOUT_S)
        yield site
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


def connect(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=TIMEOUT_S)


def until_closed(connection: socket.socket) -> bytes:
    """Return what comes until the server has closed the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def ask(site: Site, sent: bytes) -> bytes:
    """Send bytes, say that no more will come, and return everything that comes back."""
    with connect(site) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return until_closed(connection)
