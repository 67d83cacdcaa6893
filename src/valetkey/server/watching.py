"""What is told of each request when it is over: here it goes to whoever keeps or counts it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Coroutine, Iterable
from typing import Final

from valetkey.gateway.call import Answer, Request, Rules
from valetkey.links.history import file
from valetkey.links.history.model import NOBODY, Party
from valetkey.links.history.reader import HistoryReader
from valetkey.links.history.recorder import Recorder
from valetkey.links.history.retention import trim
from valetkey.server.observed import Allowance, Observed, attempt_of, claimed_key
from valetkey.server.settings import Settings, SettingsError
from valetkey.sigv4.claims import AuthType
from valetkey.store.errors import StoreError
from valetkey.store.store import Store

_LOG: Final = logging.getLogger("valetkey")

TRIM_EVERY_S: Final = 60.0
CLOSE_S: Final = 5.0

_DAY_MS: Final = 86_400_000
_MB: Final = 1024 * 1024


class Watching:
    """One worker's eyes. Opened after the store, and closed before it."""

    def __init__(self, settings: Settings, *, store: Store, rules: Rules) -> None:
        """Open what the settings ask for.

        Raises:
            SettingsError: the history cannot be had.
        """
        self._settings = settings
        self._store = store
        self._rules = rules
        self._recorder: Recorder[Observed] | None = None
        self._allowance = Allowance()
        self.history: HistoryReader | None = None
        """None where none is kept."""
        if settings.history_days:
            try:
                file.prepare(settings.data)
            except (OSError, sqlite3.Error, file.NewerHistoryError) as error:
                raise SettingsError(f"The history in {settings.data} cannot be opened: {error}") from error
            self._recorder = Recorder(settings.data, finish=attempt_of)
            self.history = HistoryReader(settings.data)

    def note(
        self,
        request: Request,
        answer: Answer | None,
        *,
        request_id: str,
        started_ns: int,
        sent_bytes: int,
        received_bytes: int,
    ) -> None:
        """Take note of a request that is over. `answer` is None where the client left before there was one."""
        if self._recorder is None:
            return
        trail = request.trail
        if trail.proof is not None:
            if trail.proof.auth_type is AuthType.HEADER:
                return
            signer, owner = trail.proof.access_key, NOBODY
            if trail.bucket is not None:
                owner = Party(self._rules.owner_of(trail.bucket))
        else:
            claimed = claimed_key(request)
            if claimed is None or not self._allowance.take(time.monotonic()):
                return
            signer, owner = claimed, self._owner(request)
        agent = referrer = b""
        for name, value in request.headers:
            if name == b"user-agent":
                agent = value
            elif name == b"referer":
                referrer = value
        status, error = (0, None) if answer is None else (answer.status, answer.error_code)
        self._recorder.add(
            Observed(
                started_ns, signer, owner, trail, status, error, sent_bytes, received_bytes,
                time.time_ns() - started_ns, request.remote, agent, referrer, request_id,
            )
        )  # fmt: skip

    def tasks(self) -> Iterable[Coroutine[object, object, None]]:
        """Return what is to run in the background."""
        if self._recorder is not None:
            yield self._trim()

    def close(self) -> None:
        """Write what waits."""
        if self._recorder is not None:
            self._recorder.close(timeout_s=CLOSE_S)
        if self.history is not None:
            self.history.close()

    def _owner(self, request: Request) -> Party:
        """Return who owns the bucket of a request whose signer is not proved."""
        target = request.trail.target
        if target is None or target.bucket is None:
            return NOBODY
        try:
            return Party(self._rules.owner_of(self._store.buckets.find(target.bucket)))
        except StoreError:
            return NOBODY

    async def _trim(self) -> None:
        settings = self._settings
        while True:
            before_ms = time.time_ns() // 1_000_000 - settings.history_days * _DAY_MS
            try:
                await asyncio.to_thread(
                    trim, settings.data, before_ms=before_ms, most_bytes=settings.history_max_mb * _MB
                )
            except (OSError, sqlite3.Error) as error:
                _LOG.warning("The history could not be trimmed (%s); it is tried again.", error)
            await asyncio.sleep(TRIM_EVERY_S)
