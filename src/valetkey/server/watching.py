"""What is told of each request when it is over: here it goes to whoever keeps or counts it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Final

from valetkey.gateway.call import Request, Rules
from valetkey.gateway.log_delivery import deliver_logs
from valetkey.gateway.operations.kept_settings import LOGGING
from valetkey.links import Ledger, LinkError
from valetkey.links.history import file
from valetkey.links.history.reader import HistoryReader
from valetkey.links.history.recorder import open_recorder
from valetkey.links.history.retention import trim
from valetkey.processes.backlog import Backlog
from valetkey.processes.migrations import NewerFormatError
from valetkey.server.counts import ADMIN, Counts
from valetkey.server.hooks import Hooks
from valetkey.server.log_file import LogFile
from valetkey.server.observed import Allowance, Notes, Observed, Over, claimed_key, observed
from valetkey.server.own_paths import Numbers
from valetkey.server.server_log import Logged, ServerLog
from valetkey.server.settings import Settings, SettingsError
from valetkey.sigv4.claims import AuthType
from valetkey.store.errors import StoreError
from valetkey.store.model import Bucket
from valetkey.store.store import Store

_LOG: Final = logging.getLogger("valetkey")

TRIM_EVERY_S: Final = 60.0
COUNT_EVERY_S: Final = 1.0
COUNT_LINKS_EVERY_S: Final = 30.0
CLOSE_S: Final = 5.0

# A name of a module is looked up quicker than a member of an enumeration.
_HEADER: Final = AuthType.HEADER
_DAY_MS: Final = 86_400_000
_MB: Final = 1024 * 1024


class Watching:
    """One worker's eyes. Opened after the store, and closed before it."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        ledger: Ledger,
        rules: Rules,
        host_id: str,
        master: bytes,
        new_id: Callable[[], str],
    ) -> None:
        """Open what the settings ask for.

        Raises:
            SettingsError: the history or the log cannot be had.
        """
        self._settings = settings
        self._store = store
        self._ledger = ledger
        self._active_links = 0
        self._rules = rules
        self._new_id = new_id
        self._recorder: Backlog[Observed] | None = None
        self._allowance = Allowance()
        self._is_closing = False
        """True: what a thread still does for us shall end."""
        self.history: HistoryReader | None = None
        """None where none is kept."""
        if settings.history_days or settings.webhook_hosts:
            _prepare_history(settings)
        self._hooks = Hooks(settings, ledger=ledger, master=master) if settings.webhook_hosts else None
        if settings.history_days:
            self._recorder = open_recorder(settings.data, finish=Notes())
            self.history = HistoryReader(settings.data)
        try:
            self._log = ServerLog(_log_file(settings), data=settings.data, rules=rules, host_id=host_id)
        except OSError as error:
            raise SettingsError(f"The server access log cannot be opened: {error}") from error
        self._is_all_logged = self._log.is_for_all
        self._counts = None if settings.metrics == "off" else Counts(settings.data)

    def numbers(self) -> Numbers | None:
        """Return what `/-/metrics` tells, or None where that is off."""
        if self._counts is None:
            return None
        # It takes a while to load, and is needed where somebody asks for it.
        from valetkey.server.metrics import CONTENT_TYPE, Metrics  # noqa: PLC0415

        token = self._settings.metrics_token if self._settings.metrics == "token" else None
        metrics = Metrics(self._counts, active_links=lambda: self._active_links)
        return Numbers(metrics.text, CONTENT_TYPE.encode(), token)

    def note(self, over: Over) -> None:
        """Take note of a request that is over."""
        if self._counts is not None:
            self._count(self._counts, over)
        if over.is_own and over.is_about_us:
            return
        if self._hooks is not None:
            self._hooks.note(over)
        trail = over.request.trail
        bucket = trail.bucket or self._asked_bucket(over.request)
        if self._is_all_logged or (bucket is not None and LOGGING in bucket.settings):
            self._log.add(Logged(over, bucket))
        if self._recorder is None:
            return
        signer = self._signer(over.request)
        if signer is not None:
            owner = "" if bucket is None else self._rules.owner_of(bucket)
            self._recorder.add(observed(over, signer, owner))

    def _count(self, counts: Counts, over: Over) -> None:
        status, error = over.outcome
        counts.note(
            ADMIN if over.is_about_us else over.request.trail.operation,
            status,
            error,
            duration_ns=over.ended_ns - over.started_ns,
            received_bytes=over.received_bytes,
            sent_bytes=over.sent_bytes,
        )

    def _signer(self, request: Request) -> str | None:
        """Return which link or key a presigned URL names; None for requests of another kind."""
        trail = request.trail
        if trail.proof is not None:
            return None if trail.proof.auth_type is _HEADER else trail.proof.access_key
        if trail.link is not None:
            return trail.link.id
        claimed = claimed_key(request)
        return claimed if claimed is not None and self._allowance.take(time.monotonic()) else None

    def tasks(self) -> Iterable[Coroutine[object, object, None]]:
        """Return what is to run in the background."""
        if self._recorder is not None:
            yield self._trim()
        if self._counts is not None and self._recorder is not None:
            yield self._count_lost(self._counts, self._recorder)
        if self._counts is not None:
            yield self._count_links()
        yield self._deliver()

    def close(self) -> None:
        """Write what waits."""
        self._is_closing = True
        self._log.close(timeout_s=CLOSE_S)
        if self._hooks is not None:
            self._hooks.close(timeout_s=CLOSE_S)
        if self._recorder is not None:
            self._recorder.close(timeout_s=CLOSE_S)
        if self.history is not None:
            self.history.close()
        if self._counts is not None:
            self._counts.close()

    def _asked_bucket(self, request: Request) -> Bucket | None:
        """Return the bucket of a request that was refused before anybody looked for it."""
        target = request.trail.target
        if target is None or target.bucket is None:
            return None
        try:
            return self._store.buckets.find(target.bucket)
        except StoreError:
            return None

    async def _trim(self) -> None:
        settings = self._settings
        while True:
            before_ms = time.time_ns() // 1_000_000 - settings.history_days * _DAY_MS
            try:
                await asyncio.to_thread(
                    trim,
                    settings.data,
                    before_ms=before_ms,
                    most_bytes=settings.history_max_mb * _MB,
                    goes_on=lambda: not self._is_closing,
                )
            except (OSError, sqlite3.Error) as error:
                _LOG.warning("The history could not be trimmed (%s); it is tried again.", error)
            except Exception:  # noqa: BLE001 - what fails once must not let the history grow from then on
                _LOG.exception("The history could not be trimmed; it is tried again.")
            await asyncio.sleep(TRIM_EVERY_S)

    async def _deliver(self) -> None:
        while True:
            await asyncio.sleep(self._settings.log_delivery_s)
            try:
                await deliver_logs(
                    self._store, self._settings.data, self._rules, now=datetime.now(UTC), new_id=self._new_id
                )
            except Exception:  # noqa: BLE001 - a failed delivery must not end the next one
                _LOG.exception("Server access logs could not be delivered; it is tried again.")

    async def _count_lost(self, counts: Counts, recorder: Backlog[Observed]) -> None:
        while True:
            counts.set_lost(recorder.lost)
            await asyncio.sleep(COUNT_EVERY_S)

    async def _count_links(self) -> None:
        while True:
            try:
                self._active_links = await self._ledger.count_active(now_ms=time.time_ns() // 1_000_000)
            except LinkError as error:
                _LOG.warning("The links could not be counted (%s); it is tried again.", error)
            await asyncio.sleep(COUNT_LINKS_EVERY_S)


def _prepare_history(settings: Settings) -> None:
    try:
        file.prepare(settings.data)
    except (OSError, sqlite3.Error, NewerFormatError) as error:
        raise SettingsError(f"The history in {settings.data} cannot be opened: {error}") from error


def _log_file(settings: Settings) -> LogFile | None:
    if settings.server_log is None:
        return None
    return LogFile(
        settings.server_log, most_bytes=settings.server_log_max_mb * _MB, kept=settings.server_log_kept
    )
