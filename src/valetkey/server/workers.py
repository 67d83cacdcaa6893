"""The worker processes: started, replaced when they end, and stopped.

A worker is a fork of this process, which has everything imported and neither threads nor an open store. It inherits
the listening socket, so that connections wait there and are not lost when a worker ends.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from valetkey.server.certificate import PairWatch

_LOG: Final = logging.getLogger("valetkey")

LOOK_EVERY_S: Final = 2.0
"""How soon a changed certificate is noticed."""

PAUSE_S: Final = 1.0
"""Before a worker is replaced that ended as soon as it was started."""

SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})

_STOP: Final = (signal.SIGTERM, signal.SIGINT)
_MORE_S: Final = 5.0
"""What a worker that is to stop has beyond its time, to close what it has open."""


class Workers:
    """Runs so many workers at a time until it is told to stop."""

    def __init__(
        self, work: Callable[[int], int], count: int, *, watch: PairWatch | None, stop_within_s: float
    ) -> None:
        """`work` is what a worker does, returning its exit code: it gets a pipe that ends when this process does.

        It begins with `SIGNALS` blocked, so that none is lost before it has handlers of its own.
        """
        self._work = work
        self._count = count
        self._watch = watch
        self._stop_within_s = stop_within_s
        self._started_s: dict[int, float] = {}
        """When each worker was started, by its process id."""
        self._missing_s: list[float] = []
        """When others are to take the place of workers that have ended."""
        self._kill_at_s: float | None = None
        self._pipe: tuple[int, int]

    def run(self, *, at_stop: Callable[[], None]) -> None:
        """Run the workers until SIGTERM or SIGINT, calling `at_stop` before they are told of it."""
        self._pipe = os.pipe()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            # What is here now stays: no worker's collector need touch, and so copy, the memory it shares with us.
            gc.collect()
            gc.freeze()
            for _ in range(self._count):
                self._start()
            while self._started_s or self._missing_s:
                self._hear(at_stop)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for end in self._pipe:
                os.close(end)

    def _hear(self, at_stop: Callable[[], None]) -> None:
        heard = signal.sigtimedwait(SIGNALS, self._wait_s())
        number = None if heard is None else heard.si_signo
        if number in _STOP and self._kill_at_s is None:
            at_stop()
            self._missing_s.clear()
            self._kill_at_s = time.monotonic() + self._stop_within_s + _MORE_S
            self._tell(signal.SIGTERM)
        elif number == signal.SIGHUP or (
            number is None and self._watch is not None and self._watch.has_news()
        ):
            self._tell(signal.SIGHUP)
        self._reap()
        now_s = time.monotonic()
        for _ in [due_s for due_s in self._missing_s if due_s <= now_s]:
            self._start()
        self._missing_s = [due_s for due_s in self._missing_s if due_s > now_s]
        if self._kill_at_s is not None and now_s >= self._kill_at_s:
            self._tell(signal.SIGKILL)

    def _wait_s(self) -> float:
        now_s = time.monotonic()
        ends = [*self._missing_s, now_s + LOOK_EVERY_S]
        if self._kill_at_s is not None:
            ends.append(self._kill_at_s)
        return max(0.0, min(ends) - now_s)

    def _start(self) -> None:
        process_id = os.fork()
        if process_id == 0:
            self._become_worker()
        self._started_s[process_id] = time.monotonic()

    def _become_worker(self) -> NoReturn:
        code = 1
        try:
            os.close(self._pipe[1])
            code = self._work(self._pipe[0])
        except Exception:  # noqa: BLE001 - ends this worker, which another one replaces
            _LOG.exception("A worker has failed.")
        finally:
            logging.shutdown()
            # Nothing of what the parent still has to do is to be done here.
            os._exit(code)

    def _reap(self) -> None:
        for process_id, started_s in list(self._started_s.items()):
            ended, status = os.waitpid(process_id, os.WNOHANG)
            if ended == 0:
                continue
            del self._started_s[process_id]
            if self._kill_at_s is None:
                now_s = time.monotonic()
                _LOG.error("A worker has ended (%d), and another one takes its place.", status)
                self._missing_s.append(now_s if now_s - started_s > PAUSE_S else now_s + PAUSE_S)

    def _tell(self, number: signal.Signals) -> None:
        for process_id in self._started_s:
            with suppress(ProcessLookupError):
                os.kill(process_id, number)
