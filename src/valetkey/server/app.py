"""The application: what stands between the HTTP server and the gateway."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import getrandbits
from typing import Final

from valetkey.console.admin_api import PATHS as ADMIN_PATHS
from valetkey.console.admin_api import AdminApi
from valetkey.console.admin_api import render_fault as render_admin_fault
from valetkey.console.explainer import Explainer
from valetkey.console.hooks import HookDoor
from valetkey.console.short_door import ShortDoor
from valetkey.gateway.call import Answer, Request
from valetkey.gateway.flow import Gateway, render_fault
from valetkey.gateway.lifecycle_run import run_lifecycle
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.links.urls import SHORT_PATHS
from valetkey.gateway.refused_requests import RefusedRequests
from valetkey.gateway.session_tokens import PURPOSE, TokenBox
from valetkey.links import Ledger
from valetkey.processes.ring import Ring
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.server.access_log import FLUSH_S, AccessLog, entry_of, open_access_log
from valetkey.server.accounts import AccountKeys, all_accounts
from valetkey.server.bodies import IncomingBody, Sent, send_stream
from valetkey.server.forwarded import (
    Origin,
    RawHeaders,
    as_addressed,
    names_bucket,
    trusted_proxies,
)
from valetkey.server.gatekeeper import gatekeeper
from valetkey.server.hooks import secret_of
from valetkey.server.http1 import ClientGoneError, Exchange
from valetkey.server.master_key import derive, master_key
from valetkey.server.observed import Over
from valetkey.server.own_paths import HEALTH, OwnPaths
from valetkey.server.random_ids import RandomIds
from valetkey.server.rules import rules_of
from valetkey.server.settings import Settings, SettingsError
from valetkey.server.watching import Watching
from valetkey.store.store import Store

_LOG: Final = logging.getLogger("valetkey")

_SERVER: Final = (b"server", b"Valetkey")
_SERVED_PATHS: Final = (ADMIN_PATHS, SHORT_PATHS)
_OWN_PATHS: Final = b"/-/"
"""No bucket's name begins with a hyphen, so these paths are ours."""

NOTE_EVERY_S: Final = 0.8
"""What links without limits have done: so a crash loses less than a second of it."""
SWEEP_EVERY_S: Final = 3600.0
LIFECYCLE_EVERY_S: Final = 3600.0
"""Twice a day where days are shorter."""

_COLLECTIONS: Final = (10_000, 20, 20)
"""When Python's collector looks for cycles, by numbers of objects, in place of 700, 10 and 10."""

_new_id: Final = RandomIds().draw


class App:
    """One worker's application: opened, it serves, and is closed at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._host_id = b64encode(os.urandom(48)).decode()
        self._host_id_header = (b"x-amz-id-2", self._host_id.encode())
        self._proxies = trusted_proxies(settings)
        self._gatekeeper = gatekeeper(settings)
        self._log: AccessLog = open_access_log(settings.access_log)
        self._background: list[asyncio.Task[None]] = []
        self._store: Store
        self._ledger: Ledger
        self._gateway: Gateway
        self._admin: AdminApi
        self._short: ShortDoor
        self._watching: Watching
        self._own_paths: OwnPaths
        self._refused: RefusedRequests

    async def close(self) -> None:
        """End what goes on behind the requests, and close the store. Nothing is served any more."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._ledger.close()
        self._watching.close()
        self._refused.close()
        await self._store.close()
        self._log.close()

    def open(self) -> None:
        """Open the store, and begin what goes on behind the requests.

        Raises:
            StoreError, LinkError, SettingsError: there is something in the way; the text says what.
        """
        settings = self._settings
        master = master_key(settings)
        self._store = Store.open(
            settings.data, inline_limit_bytes=settings.inline_limit_bytes, master_key=master
        )
        self._ledger = Ledger.open(settings.data)
        rules = rules_of(settings, master)
        box = TokenBox(derive(master, PURPOSE))
        keys = AccountKeys(
            all_accounts(settings, master), self._store.identities, box, region=settings.region
        )
        links = LinkDoor(
            ledger=self._ledger, keys=keys, rules=rules, secret_key=derive(master, "links of the ledger")
        )
        self._watching = Watching(
            settings,
            store=self._store,
            ledger=self._ledger,
            rules=rules,
            host_id=self._host_id,
            master=master,
            new_id=_new_id,
        )
        self._own_paths = OwnPaths(self._watching.numbers(), server_header=_SERVER)
        self._refused = RefusedRequests(
            _open_ring(settings.data),
            links=links,
            keys=keys,
            identities=self._store.identities,
            seal=derive(master, "seals of signatures"),
        )
        self._admin = AdminApi(
            store=self._store,
            keys=keys,
            rules=rules,
            box=box,
            links=links,
            explainer=Explainer(self._refused, links=links, rules=rules),
            history=self._watching.history,
            hooks=HookDoor(hosts=settings.webhook_hosts, secret_of=partial(secret_of, master)),
        )
        self._gateway = Gateway(
            store=self._store,
            links=links,
            keys=keys,
            rules=rules,
            box=box,
            new_id=_new_id,
        )
        self._short = ShortDoor(links=links, gateway=self._gateway, rules=rules)
        self._begin(rules.lifecycle_day_ms)

    def _begin(self, lifecycle_day_ms: int) -> None:
        """Begin what goes on behind the requests."""
        self._background = [
            *map(asyncio.create_task, self._watching.tasks()),
            asyncio.create_task(self._flush_log()),
            asyncio.create_task(self._flush_ledger()),
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._run_lifecycle(lifecycle_day_ms, new_id=_new_id)),
        ]
        # What is loaded by now stays: a full collection need not walk over it while a request waits.
        gc.freeze()
        # A request leaves no cycles; to look for some after each few dozen takes an eighth of the time of a small GET.
        gc.set_threshold(*_COLLECTIONS)

    async def _flush_log(self) -> None:
        while self._log.is_on:
            await asyncio.sleep(FLUSH_S)
            self._log.flush()

    async def _flush_ledger(self) -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            self._ledger.flush()

    async def _sweep(self) -> None:
        while True:
            try:
                await self._store.sweep(now_s=time.time())
                await self._ledger.sweep(now_ms=time.time_ns() // 1_000_000)
            except Exception:  # noqa: BLE001 - a failed sweep must not end the next one
                _LOG.exception("The sweep failed; it is tried again in an hour.")
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _run_lifecycle(self, day_ms: int, *, new_id: Callable[[], str]) -> None:
        every_s = min(LIFECYCLE_EVERY_S, day_ms / 2000)
        while True:
            try:
                await run_lifecycle(
                    self._store, now_ms=time.time_ns() // 1_000_000, day_ms=day_ms, new_id=new_id
                )
            except Exception:  # noqa: BLE001 - nor must this one
                _LOG.exception("Lifecycle rules could not be run; it is tried again in %d s.", every_s)
            await asyncio.sleep(every_s)

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request."""
        started_ns = time.time_ns()
        raw_path = exchange.raw_path
        headers, origin = self._origin(exchange)
        # Where the Host names a bucket, `-/health` is a key in it like any other.
        is_own = raw_path.startswith(_OWN_PATHS) and not names_bucket(headers, self._settings.domains)
        if is_own and not raw_path.startswith(_SERVED_PATHS) and self._is_heard(raw_path, origin.remote):
            self._own_paths.answer(exchange)
            return
        # No secret, so no system call for it.
        request_id = f"{getrandbits(64):016X}"
        incoming = IncomingBody(exchange, timeout_s=self._settings.body_timeout_s)
        request = Request(
            exchange.method,
            raw_path,
            exchange.raw_query,
            headers,
            incoming.pieces,
            datetime.fromtimestamp(started_ns / 1e9, UTC),
            *origin,
        )
        sent_bytes, gone_bytes, answered_ns = -1, 0, 0
        answer = None
        try:
            answer = self._turned_away(request, request_id, is_own=is_own)
            if answer is None:
                answer = await self._answer(request, request_id, is_own=is_own)
                if self._gatekeeper is not None:
                    self._gatekeeper.note(request.remote, answer, time.monotonic())
            answered_ns = time.time_ns()
            sent_bytes = await self._send(answer, request_id, exchange)
        except ClientGoneError as gone:
            gone_bytes = gone.sent_bytes
        finally:
            if self._log.is_on:
                self._log.add(entry_of(request, answer, request_id, sent_bytes))
            if answer is not None and answer.status >= 400 and not is_own:
                self._refused.note(request, answer, request_id=request_id, now_s=time.monotonic())
            self._watching.note(
                Over(
                    request, answer, is_own, request_id, started_ns, answered_ns, time.time_ns(),
                    max(sent_bytes, gone_bytes), incoming.received_bytes,
                )
            )  # fmt: skip

    def _origin(self, exchange: Exchange) -> tuple[RawHeaders, Origin]:
        """Return the headers, with the Host that counts, and where the request comes from."""
        headers: RawHeaders = exchange.headers
        peer, is_secure = exchange.peer, exchange.is_secure
        if self._proxies is None:
            return headers, Origin(peer, is_secure)
        origin = self._proxies.origin(peer, headers, is_secure=is_secure)
        if origin.hosts:
            headers, hosts = as_addressed(headers, origin.hosts, self._settings.domains)
            origin = origin._replace(hosts=hosts)
        return headers, origin

    def _is_heard(self, raw_path: bytes, address: str) -> bool:
        # Whoever asks whether we are well is told in any case.
        return (
            self._gatekeeper is None
            or raw_path == HEALTH
            or self._gatekeeper.is_heard(address, time.monotonic())
        )

    def _turned_away(self, request: Request, request_id: str, *, is_own: bool) -> Answer | None:
        if self._gatekeeper is None:
            return None
        answer = self._gatekeeper.turned_away(
            request.remote,
            request.method,
            request_id=request_id,
            host_id=self._host_id,
            now_s=time.monotonic(),
        )
        if answer is not None and not is_own:
            self._gateway.open_to_pages(answer, request)
        return answer

    async def _answer(self, request: Request, request_id: str, *, is_own: bool) -> Answer:
        try:
            if request.raw_path.startswith(SHORT_PATHS) and is_own:
                return await self._short.answer(request, request_id=request_id, host_id=self._host_id)
            if is_own:
                return await self._admin.answer(request, request_id=request_id)
            return await self._gateway.answer(request, request_id=request_id, host_id=self._host_id)
        except ClientGoneError:
            raise
        except Exception:  # noqa: BLE001 - a fault of ours is an answer too, and ends no worker
            _LOG.exception("Request %s failed.", request_id)
            if is_own:
                return render_admin_fault(request_id=request_id)
            fault = S3Error(Code.INTERNAL_ERROR)
            failed = render_fault(fault, request.method, request_id=request_id, host_id=self._host_id)
            self._gateway.open_to_pages(failed, request)
            return failed

    async def _send(self, answer: Answer, request_id: str, exchange: Exchange) -> int:
        headers = answer.headers
        headers.append((b"x-amz-request-id", request_id.encode()))
        headers.append(self._host_id_header)
        headers.append(_SERVER)
        body, sent = answer.body, Sent()
        try:
            if isinstance(body, bytes):
                exchange.answer(answer.status, headers, body, length=answer.content_length)
                sent.count = len(body)
            else:
                exchange.start(answer.status, headers, length=answer.content_length)
                await send_stream(body, exchange, sent, timeout_s=self._settings.body_timeout_s)
            return sent.count
        finally:
            if not isinstance(body, bytes):
                body.close()
            if answer.on_sent is not None:
                answer.on_sent(-1 if sent.is_unread else sent.count)


def _open_ring(folder: Path) -> Ring:
    try:
        return Ring(folder / "refused")
    except OSError as error:
        raise SettingsError(f"The refused requests in {folder} cannot be kept: {error}") from error
