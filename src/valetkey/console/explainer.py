"""Explaining with the secrets that the server knows, each for its owner only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

from valetkey.explain.amazon import amazon_facts
from valetkey.explain.causes import Cause, Finding
from valetkey.explain.change import Hints, KnownKey
from valetkey.explain.form import form_facts
from valetkey.explain.kept import KeptRequest
from valetkey.explain.paste import Paste, read_paste
from valetkey.explain.place import operation_of
from valetkey.explain.report import Report, explain
from valetkey.explain.sent import Sent
from valetkey.gateway.call import Request, Rules
from valetkey.gateway.faults import UnknownAccessKeyError
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.refused_requests import RefusedRequests
from valetkey.links.errors import LinkRefusedError
from valetkey.links.history.model import Sight
from valetkey.links.model import is_link_id
from valetkey.links.rules import require_asked, require_open
from valetkey.s3.errors import S3Error
from valetkey.s3.target import parse_target
from valetkey.sigv4.errors import SignatureError


class Explainer:
    """Explains, one request at a time, on a thread: trying what may have been signed takes a while."""

    def __init__(self, refused: RefusedRequests, *, links: LinkDoor, rules: Rules) -> None:
        self.refused = refused
        self._links = links
        self._rules = rules
        self._turn = asyncio.Semaphore(1)

    async def read(self, text: str) -> Paste:
        """Return what a text holds."""
        async with self._turn:
            return await asyncio.to_thread(read_paste, text)

    async def explain_kept(self, kept: KeptRequest) -> Report:
        """Return why a kept request was refused, judged by the instant at which it came."""
        at = datetime.fromtimestamp(kept.at_ms / 1000, UTC)
        hints = replace(self._hints(kept.access_key), seal=self.refused.seal)
        return await self._explain(kept.paste(), hints, at)

    async def explain_paste(
        self, paste: Paste, sight: Sight, *, hosts: tuple[str, ...], now: datetime
    ) -> Report:
        """Return the explanation of what a caller pasted; the signature is checked if the key is the caller's."""
        access_key = _claimed(paste)
        owner = self.refused.owner_of(access_key) if access_key else None
        is_own = owner is not None and (
            sight.is_all or (owner.account == sight.party.account and sight.party.user in {"", owner.user})
        )
        hints = self._hints(access_key if is_own else "")
        if is_own and is_link_id(access_key) and paste.sent is not None:
            paste = self._by_link(paste, paste.sent, now)
        return await self._explain(paste, replace(hints, hosts=(*hosts, *hints.hosts)), now)

    def _by_link(self, paste: Paste, sent: Sent, now: datetime) -> Paste:
        """Return a request by a managed link with what its own door says: a link may be used otherwise than signed."""
        received = sent.received()
        request = Request(
            received.method, received.raw_path, received.raw_query, received.headers, _no_body, now
        )
        try:
            host = sent.host.encode("latin-1", "replace")
            target = parse_target(received.raw_path, host, self._rules.domains)
            _, _, link = self._links.authenticate(request, target)
            proved = replace(paste, is_proved=True)
            require_open(link, now_ms=request.now_ms)
            asked = replace(sent, method=sent.method or link.grant.verbs[0].method)
            require_asked(
                link.grant,
                operation=operation_of(asked, bucket=target.bucket or "", key=target.key or ""),
                bucket=target.bucket,
                key=target.key,
                prefix=sent.values().get("prefix", ""),
            )
        except LinkRefusedError as refused:
            finding = Finding(cause=Cause.REFUSED, detail=f"The link is refused: {refused.rule.value}.")
            return replace(paste, is_proved=True, findings=(*paste.findings, finding))
        except (S3Error, SignatureError, UnknownAccessKeyError):
            return paste
        return proved

    async def _explain(self, paste: Paste, hints: Hints, now: datetime) -> Report:
        async with self._turn:
            return await asyncio.to_thread(explain, paste, hints, now=now)

    def _hints(self, access_key: str) -> Hints:
        rules = self._rules
        found = self._links.find_signer(access_key) if access_key else None
        return Hints(
            hosts=tuple(host.host.decode("latin-1") for host in rules.signed_hosts),
            prefixes=tuple(host.path_prefix.decode("latin-1") for host in rules.signed_hosts),
            domains=rules.domains,
            regions=(rules.region,),
            keys=() if found is None else (KnownKey(access_key=access_key, secret=found[0]),),
        )


async def _no_body() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def _claimed(paste: Paste) -> str:
    if paste.form is not None:
        return form_facts(paste.form).access_key
    facts = None if paste.sent is None else amazon_facts(paste.sent)
    if facts is not None:
        return facts.access_key
    return "" if paste.fault is None else paste.fault.elements.get("AWSAccessKeyId", "")
