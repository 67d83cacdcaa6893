"""The worker processes, and how others take their place when the certificate changes.

The HTTP library reads a certificate when a worker starts. So new workers take the place of the old ones, which
finish what they have begun, however long that takes.
"""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from granian.net import SocketSpec  # type: ignore[attr-defined]
from granian.server.mp import MPServer, WorkerProcess

from valetkey.server.settings import SettingsError

_LOG: Final = logging.getLogger("valetkey")

LOOK_EVERY_S: Final = 2.0
"""How soon a changed certificate is noticed."""

TAKE_OVER_S: Final = 1.0
"""How long old and new workers both accept connections. What comes when none does waits, and is not lost."""

_Print = tuple[tuple[int, int, int] | None, ...]


class Workers(MPServer):
    """The library's supervisor, which learns about certificates.

    It changes what the library keeps to itself; the tests of certificates tell when a new version differs there.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(*args, **options)
        self._pair = [path for path in (options["ssl_cert"], options["ssl_key"]) if path is not None]
        self._leaving: list[WorkerProcess] = []

    def serve(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on
        """Run the workers until SIGTERM or SIGINT."""
        stop = threading.Event()
        if self._pair:
            threading.Thread(target=self._watch_pair, args=(stop,), name="certificate", daemon=True).start()
        try:
            super().serve(*args, **options)
        finally:
            stop.set()

    def _watch_pair(self, stop: threading.Event) -> None:
        served = _print_of(self._pair)
        before = served
        while not stop.wait(LOOK_EVERY_S):
            now = _print_of(self._pair)
            # Not while it is being written, nor before the key has followed.
            if now != served and now == before and _is_pair(self._pair):
                served = now
                self.signal_handler_reload()  # type: ignore[no-untyped-call]
            before = now

    def _spawn_worker(self, *args: Any, **options: Any) -> WorkerProcess:  # noqa: ANN401 - handed on
        worker = super()._spawn_worker(*args, **options)
        worker.inner.start = partial(_start_held, worker.inner.start)
        return worker

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()  # type: ignore[no-untyped-call]
        if not self._pair or self._shd is not None:
            return
        # A socket for each worker is quicker, but takes the connections that wait in it along when it closes.
        self._ssp = None
        shared = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._shd = shared  # type: ignore[assignment]  # the library declares no type
        self._sfd = shared.get_fd()
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)

    def _reload(self, spawn_target: Callable[..., None], target_loader: Callable[..., Any]) -> None:
        self.reload_signal = False
        self.main_loop_interrupt.clear()
        self.respawned_wrks.clear()
        try:
            if self._pair:
                require_pair(*self._pair)
        except SettingsError as error:
            _LOG.error("%s The one before stays in use.", error)
            return
        for index in range(self.workers):
            old = self.wrks[index]
            new = self._spawn_worker(idx=index, target=spawn_target, callback_loader=target_loader)
            new.start()  # type: ignore[no-untyped-call]
            self.wrks[index] = new
            time.sleep(TAKE_OVER_S)
            old.terminate()  # type: ignore[no-untyped-call]
            self._leaving.append(old)
        self._leaving = [worker for worker in self._leaving if worker.inner.is_alive()]
        _LOG.info(
            "New workers have taken over%s.", " with the certificate as it is now" if self._pair else ""
        )

    def _stop_workers(self) -> None:
        self.wrks += self._leaving
        super()._stop_workers()  # type: ignore[no-untyped-call]


def _start_held(start: Callable[[], None]) -> None:
    """Start a process that hears SIGTERM no sooner than it says so, by `hear_stop`.

    Until it has handlers of its own it has a copy of ours, which would swallow the signal: it would go on serving, and
    be waited for in vain.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hear_stop() -> None:
    """Let SIGTERM end this process, from now on and if it came before, until the library has its own way."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def require_pair(certificate: Path, key: Path) -> None:
    """Return if the files hold a certificate and its key.

    Raises:
        SettingsError: they do not, or the key needs a password; the text says which.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise SettingsError(
            f"The certificate {certificate} and the key {key} cannot be used: {reason}."
        ) from error


def _no_password() -> str:
    raise ValueError("the key needs a password")


def _is_pair(pair: Sequence[Path]) -> bool:
    try:
        require_pair(*pair)
    except SettingsError:
        return False
    return True


def _print_of(pair: Sequence[Path]) -> _Print:
    """Return what changes when one of the files does."""
    prints: list[tuple[int, int, int] | None] = []
    for path in pair:
        try:
            found = path.stat()
            prints.append((found.st_ino, found.st_size, found.st_mtime_ns))
        except OSError:
            prints.append(None)
    return tuple(prints)
