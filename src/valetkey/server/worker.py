"""One worker process, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from typing import Final

import uvloop

from valetkey.links import LinkError
from valetkey.server.app import App
from valetkey.server.certificate import Pair, pair_of
from valetkey.server.http1 import Limits, Server
from valetkey.server.settings import Settings, SettingsError
from valetkey.server.workers import SIGNALS
from valetkey.store.errors import StoreError

_LOG: Final = logging.getLogger("valetkey")

_HEAD_S: Final = 20
"""How long a client may take to send a request's head, and how long an idle connection is kept."""


def work(
    settings: Settings,
    listener: socket.socket,
    parent: int,
    say_serving: Callable[[], None],
    *,
    most_connections: int,
) -> int:
    """Serve until SIGTERM, SIGINT or the end of the parent, and return the exit code.

    `parent` is a pipe that ends with the parent: a worker without one would go on serving a folder that a new server
    may take over.
    """
    limits = Limits(
        head_s=_HEAD_S, body_s=max(1, round(settings.body_timeout_s)), connections=most_connections
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(settings, listener, parent, say_serving, limits))


async def _work(
    settings: Settings,
    listener: socket.socket,
    parent: int,
    say_serving: Callable[[], None],
    limits: Limits,
) -> int:
    told = _hear_stop(parent)
    app, pair = App(settings), pair_of(settings)
    try:
        app.open()
        server = Server(app.serve, listener, limits, tls=None if pair is None else pair.context())
    except (StoreError, LinkError, SettingsError) as error:
        _LOG.error("A worker cannot start: %s", error)
        return 1
    if pair is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _renew, server, pair)
    server.start()
    say_serving()
    await told.wait()
    await server.stop(settings.shutdown_timeout_s)
    await app.close()
    return 0


def _hear_stop(parent: int) -> asyncio.Event:
    """Return what is set when this worker is to stop, also where it was told so before now."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        loop.remove_reader(parent)
        told.set()

    loop.add_reader(parent, orphaned)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    return told


def _renew(server: Server, pair: Pair) -> None:
    """Secure new connections by the files as they are now; those that are open go on as they are."""
    try:
        server.tls = pair.context()
    except SettingsError as error:
        _LOG.error("%s The one before stays in use.", error)
        return
    _LOG.info("The certificate as it is now is in use.")
