"""The thread of each worker that keeps what is to be told; one of them, at any time, tells it too."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Final

from valetkey.links.history.file import open_writer
from valetkey.links.webhooks import queue
from valetkey.links.webhooks.address import AllowedHost, Network
from valetkey.links.webhooks.events import HookEvent
from valetkey.links.webhooks.sending import Outcome, send
from valetkey.processes.backlog import Backlog
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
        self._connection: sqlite3.Connection | None = None
        self._lock = FileLock(folder / _LOCK_NAME)
        self._is_ours = False
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="webhook")
        self._events: Backlog[HookEvent] = Backlog(
            "What is told to webhooks",
            name="webhooks",
            every_s=LOOK_EVERY_S,
            most=MOST_OFFERED,
            handle=self._handle,
            end=self._end,
        )

    def offer(self, event: HookEvent) -> None:
        """Tell of an event soon. Waits for nothing; for one thread, that of the event loop."""
        self._events.add(event)

    @property
    def lost(self) -> int:
        """How many events could not be kept."""
        return self._events.lost

    def close(self, *, timeout_s: float) -> None:
        """Keep what was offered, for at most that long. What could not be told yet is told after the next start."""
        self._events.close(timeout_s=timeout_s)

    def _handle(self, events: Sequence[HookEvent], is_last: bool) -> int:  # noqa: FBT001 - as `Backlog` calls it
        connection = self._connection = self._connection or open_writer(self._folder)
        lost = self._keep(connection, events)
        # It ends with the process, and another one has it then.
        self._is_ours = self._is_ours or self._lock.take_at_once()
        if self._is_ours and not is_last:
            try:
                self._tell(connection)
            except (sqlite3.Error, OSError):
                _LOG.warning("Messages to webhooks could not be sent; they are tried again.")
        return lost

    def _end(self) -> None:
        self._senders.shutdown(wait=False, cancel_futures=True)
        self._lock.close()
        if self._connection is not None:
            self._connection.close()

    def _keep(self, connection: sqlite3.Connection, events: Sequence[HookEvent]) -> int:
        if not events:
            return 0
        return queue.keep(
            connection,
            events,
            most_refusals=self._rules.most_refusals,
            new_id=self._new_id,
            now_ms=self._now_ms(),
        )

    def _tell(self, connection: sqlite3.Connection) -> None:
        deliveries = queue.due(connection, now_ms=self._now_ms(), limit=_AT_ONCE)
        if not deliveries:
            return
        outcomes = list(self._senders.map(self._send, deliveries))
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
