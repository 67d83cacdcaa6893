"""The thread of each worker that keeps what is to be told; one of them, at any time, tells it too."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Final

from valetkey.links.history.file import open_writer
from valetkey.links.history.losses import Losses
from valetkey.links.webhooks import queue
from valetkey.links.webhooks.address import AllowedHost, Network
from valetkey.links.webhooks.events import HookEvent
from valetkey.links.webhooks.sending import Outcome, send
from valetkey.processes.file_lock import FileLock

_LOG: Final = logging.getLogger("valetkey")

LOOK_EVERY_S: Final = 0.5
MOST_OFFERED: Final = 20_000
"""Events that may wait for a slow disk; what is offered then is lost, and counted."""

_AT_ONCE: Final = 32
_SENDERS: Final = 8
_LOCK_NAME: Final = "webhooks.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRules:
    """What the settings say of webhooks."""

    hosts: tuple[AllowedHost, ...]
    """Empty: there are no webhooks."""
    networks: tuple[Network, ...]
    """Networks that are not public, to which they may go all the same."""
    most_refusals: int
    """Of a link; one more is told."""


class Teller:
    """Takes events, and sees to it that they are told."""

    def __init__(
        self,
        folder: Path,
        rules: HookRules,
        *,
        secret_of: Callable[[str], str],
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        """`secret_of` returns what an account's messages are signed with. The history's file has been prepared."""
        self._folder = folder
        self._rules = rules
        self._secret_of = secret_of
        self._new_id = new_id
        self._now_ms = now_ms
        self._offered: deque[HookEvent] = deque()
        self._dropped = 0
        self._failed = 0
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def offer(self, event: HookEvent) -> None:
        """Tell of an event soon. Waits for nothing; for one thread, that of the event loop."""
        if len(self._offered) < MOST_OFFERED:
            self._offered.append(event)
        else:
            self._dropped += 1

    @property
    def lost(self) -> int:
        """How many events could not be kept."""
        return self._dropped + self._failed

    def close(self, *, timeout_s: float) -> None:
        """Keep what was offered, for at most that long. What could not be told yet is told after the next start."""
        self._is_closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        lock = FileLock(self._folder / _LOCK_NAME)
        senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="webhook")
        losses = Losses("What is told to webhooks")
        is_ours, is_last = False, False
        try:
            while not is_last:
                is_last = self._is_closing.wait(LOOK_EVERY_S)
                events = [self._offered.popleft() for _ in range(len(self._offered))]
                try:
                    connection = connection or open_writer(self._folder)
                    self._keep(connection, events)
                    # It ends with the process, and another one has it then.
                    is_ours = is_ours or lock.take_at_once()
                    if is_ours and not is_last:
                        self._tell(connection, senders)
                except (sqlite3.Error, OSError):
                    self._failed += len(events)
                except Exception:  # noqa: BLE001 - a message that cannot be kept or sent must not end the others
                    self._failed += len(events)
                    _LOG.exception("Messages to webhooks could not be kept, or sent.")
                losses.tell(self.lost, has_more=bool(events))
        finally:
            senders.shutdown(wait=False, cancel_futures=True)
            lock.close()
            if connection is not None:
                connection.close()

    def _keep(self, connection: sqlite3.Connection, events: Sequence[HookEvent]) -> None:
        if events:
            self._failed += queue.keep(
                connection,
                events,
                most_refusals=self._rules.most_refusals,
                new_id=self._new_id,
                now_ms=self._now_ms(),
            )

    def _tell(self, connection: sqlite3.Connection, senders: ThreadPoolExecutor) -> None:
        deliveries = queue.due(connection, now_ms=self._now_ms(), limit=_AT_ONCE)
        if not deliveries:
            return
        outcomes = list(senders.map(self._send, deliveries))
        now_ms = self._now_ms()
        ended = []
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if outcome is not Outcome.FAILED:
                ended.append(delivery.id)
            elif not queue.later(connection, delivery, now_ms=now_ms, jitter=random()):  # noqa: S311 - spreads tries
                _LOG.warning(
                    "A message to a webhook of account %s was given up after a day.", delivery.account
                )
        queue.done(connection, ended)

    def _send(self, delivery: queue.Delivery) -> Outcome:
        return send(
            delivery.url,
            delivery.body,
            secret=self._secret_of(delivery.account),
            at_s=self._now_ms() // 1000,
            hosts=self._rules.hosts,
            networks=self._rules.networks,
        )
