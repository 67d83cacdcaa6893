"""The worker processes: started, replaced when they end, and stopped.

A worker is a fork of this process, which has everything imported and neither threads nor an open store. It inherits
the listening socket, so that connections wait there and are not lost when a worker ends.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, NoReturn

from valetkey.server.certificate import PairWatch

_LOG: Final = logging.getLogger("valetkey")

LOOK_EVERY_S: Final = 2.0
"""How soon a changed certificate is noticed."""

PAUSE_S: Final = 1.0
"""Before a worker is replaced that ended as soon as it was started."""

MOST_PAUSE_S: Final = 30.0
"""Each time that a worker fails to start in the place of one that failed, the pause is twice as long, up to this."""

SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})

_STOP: Final = (signal.SIGTERM, signal.SIGINT)
_MORE_S: Final = 5.0
"""What a worker that is to stop has beyond its time, to close what it has open."""

_ID: Final = struct.Struct("=i")
"""How a worker writes its process id."""

Work = Callable[[int, Callable[[], None]], int]
"""What a worker does, returning its exit code: it gets a pipe that ends when this process does, and says when it serves."""


class NoWorkerError(Exception):
    """None of the workers could start."""


class _Place(NamedTuple):
    """One of the workers that are to run."""

    since_s: float
    """When it was started, or is to be."""
    failures: int
    """How many before it, in a row, ended without ever serving."""


class Workers:
    """Runs so many workers at a time until it is told to stop."""

    def __init__(self, work: Work, count: int, *, watch: PairWatch | None, stop_within_s: float) -> None:
        """`work` begins with `SIGNALS` blocked, so that none is lost before it has handlers of its own."""
        self._work = work
        self._count = count
        self._watch = watch
        self._stop_within_s = stop_within_s
        self._running: dict[int, _Place] = {}
        """By process id."""
        self._missing: list[_Place] = []
        """Those that are to take the place of workers that have ended."""
        self._serving: set[int] = set()
        self._has_served = False
        self._kill_at_s: float | None = None
        self._pipe: tuple[int, int]
        self._said: tuple[int, int]
        """Where workers say that they serve."""

    def run(self, *, at_stop: Callable[[], None]) -> None:
        """Run the workers until SIGTERM or SIGINT, calling `at_stop` before they are told of it.

        Raises:
            NoWorkerError: all of them ended before any had served.
        """
        self._pipe, self._said = os.pipe(), os.pipe()
        os.set_blocking(self._said[0], False)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            # What is here now stays: no worker's collector need touch, and so copy, the memory it shares with us.
            gc.collect()
            gc.freeze()
            for _ in range(self._count):
                self._start(failures=0)
            while self._running or self._missing:
                self._hear(at_stop)
                if not (self._running or self._has_served or self._kill_at_s):
                    at_stop()
                    raise NoWorkerError
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for end in (*self._pipe, *self._said):
                os.close(end)

    def _hear(self, at_stop: Callable[[], None]) -> None:
        heard = signal.sigtimedwait(SIGNALS, self._wait_s())
        number = None if heard is None else heard.si_signo
        if number in _STOP and self._kill_at_s is None:
            at_stop()
            self._missing.clear()
            self._kill_at_s = time.monotonic() + self._stop_within_s + _MORE_S
            self._tell(signal.SIGTERM)
        elif number == signal.SIGHUP or (
            number is None and self._watch is not None and self._watch.has_news()
        ):
            self._tell(signal.SIGHUP)
        self._reap()
        now_s = time.monotonic()
        due = [place for place in self._missing if place.since_s <= now_s]
        self._missing = [place for place in self._missing if place.since_s > now_s]
        for place in due:
            self._start(failures=place.failures)
        if self._kill_at_s is not None and now_s >= self._kill_at_s:
            self._tell(signal.SIGKILL)

    def _wait_s(self) -> float:
        now_s = time.monotonic()
        ends = [*(place.since_s for place in self._missing), now_s + LOOK_EVERY_S]
        if self._kill_at_s is not None:
            ends.append(self._kill_at_s)
        return max(0.0, min(ends) - now_s)

    def _start(self, *, failures: int) -> None:
        try:
            process_id = os.fork()
        except OSError as error:
            # Too many processes, or too little memory: no reason to end the others as well.
            _LOG.error("A worker cannot be started: %s", error.strerror)
            self._missing.append(_Place(time.monotonic() + PAUSE_S, failures))
            return
        if process_id == 0:
            self._become_worker()
        self._running[process_id] = _Place(time.monotonic(), failures)

    def _become_worker(self) -> NoReturn:
        code = 1
        try:
            os.close(self._pipe[1])
            os.close(self._said[0])
            code = self._work(self._pipe[0], self._say_serving)
        except Exception:  # noqa: BLE001 - ends this worker, which another one replaces
            _LOG.exception("A worker has failed.")
        finally:
            logging.shutdown()
            # Nothing of what the parent still has to do is to be done here.
            os._exit(code)

    def _say_serving(self) -> None:
        os.write(self._said[1], _ID.pack(os.getpid()))

    def _reap(self) -> None:
        waited = [os.waitpid(process_id, os.WNOHANG) for process_id in self._running]
        # After that, so that all is here that those have said.
        self._listen()
        for process_id, status in waited:
            if process_id == 0:
                continue
            place = self._running.pop(process_id)
            if self._kill_at_s is None:
                self._replace(place, has_served=process_id in self._serving, status=status)
            self._serving.discard(process_id)

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            while said := os.read(self._said[0], 1024 * _ID.size):
                self._serving.update(process_id for (process_id,) in _ID.iter_unpack(said))
        self._has_served = self._has_served or bool(self._serving)

    def _replace(self, place: _Place, *, has_served: bool, status: int) -> None:
        now_s = time.monotonic()
        failures = 0 if has_served else place.failures + 1
        pause_s = 0.0
        if failures:
            pause_s = min(PAUSE_S * 2 ** (failures - 1), MOST_PAUSE_S)
        elif now_s - place.since_s <= PAUSE_S:
            pause_s = PAUSE_S
        self._missing.append(_Place(now_s + pause_s, failures))
        if self._has_served:
            when = f"in {pause_s:.0f} s" if pause_s else "at once"
            code = os.waitstatus_to_exitcode(status)
            _LOG.error("A worker has ended (%d), and another one takes its place %s.", code, when)

    def _tell(self, number: signal.Signals) -> None:
        for process_id in self._running:
            with suppress(ProcessLookupError):
                os.kill(process_id, number)
