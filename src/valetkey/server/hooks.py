"""Which requests by links are told to webhooks, and the one that tells them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from valetkey.links import Ledger, LinkError, Rule
from valetkey.links.model import Link, LinkFilter
from valetkey.links.webhooks.events import HookEvent, HookKind
from valetkey.links.webhooks.teller import HookRules, Teller
from valetkey.server.access_log import MOST_AGENT_CHARS, redacted
from valetkey.server.master_key import derive
from valetkey.server.observed import Over
from valetkey.server.settings import Settings

_LOG: Final = logging.getLogger("valetkey")

_UPLOADS: Final = frozenset({"PutObject", "PostObject", "CompleteMultipartUpload"})
_USES: Final = _UPLOADS | {"GetObject", "DeleteObject"}
_FORBIDDEN: Final = 403


def secret_of(master: bytes, account: str) -> str:
    """Return what the messages of an account are signed with, 64 hex digits."""
    return derive(master, f"webhooks of {account}").hex()


class Hooks:
    """Offers what happens to links that name a webhook."""

    def __init__(self, settings: Settings, *, ledger: Ledger, master: bytes) -> None:
        """The history's file has been prepared."""
        self._ledger = ledger
        self._teller = Teller(
            settings.data,
            HookRules(
                hosts=settings.webhook_hosts,
                networks=settings.webhook_networks,
                most_refusals=settings.webhook_refusals,
            ),
            secret_of=partial(secret_of, master),
            new_id=partial(secrets.token_hex, 16),
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        self._checks: set[asyncio.Task[None]] = set()

    def note(self, over: Over) -> None:
        """Offer what a request that is over means to its link, if that names a webhook."""
        link = over.request.trail.link
        if link is None or link.grant.webhook is None:
            return
        status, error = over.outcome
        operation = over.request.trail.operation
        offer = partial(self._offer, link, link.grant.webhook, over)
        if status == _FORBIDDEN:
            offer(HookKind.REFUSED)
            if error == Rule.USED_UP.value:
                offer(HookKind.USED_UP)
        elif 200 <= status <= 299 and error is None and operation in _USES and over.request.method != "HEAD":
            offer(HookKind.FIRST_USE)
            if operation in _UPLOADS:
                offer(HookKind.UPLOAD_FINISHED)
            if link.is_counted:
                # The counters are read behind the request: it does not wait for that.
                check = asyncio.get_running_loop().create_task(self._check(link, offer))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    def close(self, *, timeout_s: float) -> None:
        """Keep what was offered."""
        for check in self._checks:
            check.cancel()
        self._teller.close(timeout_s=timeout_s)

    def _offer(self, link: Link, url: str, over: Over, kind: HookKind) -> None:
        self._teller.offer(
            HookEvent(
                kind=kind,
                link=link.id,
                account=link.issuer.account_id,
                url=url,
                at_ms=over.started_ns // 1_000_000,
                label=link.grant.label,
                facts=_facts(over),
            )
        )

    async def _check(self, link: Link, offer: Callable[[HookKind], None]) -> None:
        try:
            now = await self._ledger.get(link.id, LinkFilter(account_id=link.issuer.account_id))
        except LinkError as error:
            _LOG.warning("The counters of link %s cannot be read for its webhook: %s", link.id, error)
            return
        if _is_used_up(now):
            offer(HookKind.USED_UP)


def _is_used_up(link: Link) -> bool:
    grant, usage = link.grant, link.usage
    return any(
        most is not None and done >= most
        for most, done in (
            (grant.max_uses, usage.uses),
            (grant.max_objects, usage.objects),
            (grant.max_bytes, usage.bytes_sent),
        )
    )


def _facts(over: Over) -> Mapping[str, object]:
    request, (status, error) = over.request, over.outcome
    target = request.trail.target
    agent = next((value for name, value in request.headers if name == b"user-agent"), b"")
    return {
        "request_id": over.request_id,
        "operation": request.trail.operation,
        "bucket": None if target is None else target.bucket,
        "key": None if target is None or target.key is None else redacted(target.key),
        "status": status,
        "error_code": error,
        "bytes_sent": max(over.sent_bytes, 0),
        "bytes_received": over.received_bytes,
        "remote": request.remote,
        "user_agent": redacted(agent[:MOST_AGENT_CHARS].decode("latin-1")),
    }
