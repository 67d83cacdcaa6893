"""Plain reads of small objects that were answered a moment ago, and come again when nothing has changed since.

What a request is answered hangs on the request itself, on the clock, on the settings, and on what stands in store and
ledger. Where the same plain URL comes again (see `admissions`), the counters that all processes share tell that
nothing of the last has changed; then the answer is the same. To know that takes a third of what deciding it takes.

An answer is kept where it hangs on nothing else: whoever signed owns the bucket and all that is in it, nobody else has
a say in that, and no URL at all was taken back. Of managed links, those that count nothing and ask nobody who they are,
as long as they stand as they are. The flow decides about all others, each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple
from weakref import ReferenceType, ref

from valetkey.gateway.admissions import Admissions, Admitted, Place
from valetkey.gateway.authority import Authority
from valetkey.gateway.call import Answer, Request, Rules
from valetkey.gateway.links.door import ZIP
from valetkey.gateway.operations.get_object import CHOOSING_HEADERS
from valetkey.links import Ledger
from valetkey.links.model import Link
from valetkey.processes.marks import Stamp
from valetkey.sigv4.claims import AuthType
from valetkey.store.errors import StoreError
from valetkey.store.model import Bucket, StoredObject
from valetkey.store.store import Store

MOST_PASSES: Final = 4096
"""Answers that one process remembers, without their content; each takes about 1 KiB."""

_TELLING_HEADERS: Final = frozenset(name.encode() for name in (*CHOOSING_HEADERS, "origin"))
"""With one of these the answer may be another. With one of Amazon's own, a URL has no place among the plain ones."""


class _Pass(NamedTuple):
    admitted: Admitted
    bucket: Bucket
    found: ReferenceType[StoredObject]
    """What is there now must be the same value. Weak: how much of content stays in memory, the store decides."""
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    given_at: datetime
    expires_at: datetime
    of_store: Stamp
    of_ledger: Stamp


class Passes:
    """The answers last given by one process that may be given again."""

    def __init__(self, admissions: Admissions, store: Store, ledger: Ledger, rules: Rules) -> None:
        self._admissions = admissions
        self._store = store
        self._ledger = ledger
        self._is_ageless = rules.guards.largest_age is None
        self._kept: OrderedDict[Place, _Pass] = OrderedDict()

    def answer(self, place: Place | None, request: Request) -> Answer | None:
        """Return what was answered to the same URL before, if that is still the answer at `request.now`.

        Where a link counts, its use is yet to be spent.
        """
        if place is None or (known := self._kept.get(place)) is None:
            return None
        for name, _ in request.headers:
            if name in _TELLING_HEADERS:
                return None
        target = known.admitted.target
        bucket, key = target.bucket or "", target.key or ""
        try:
            found = self._store.find_object(bucket, key)
        except StoreError:
            return None
        if (
            found is not known.found()
            # Before: the clock was set back, and the URL may not be valid yet.
            or not known.given_at <= request.now < known.expires_at
            or not known.of_store.holds()
            or not known.of_ledger.holds()
        ):
            del self._kept[place]
            return None
        self._kept.move_to_end(place)
        return self._again(known, request, found)

    def _again(self, known: _Pass, request: Request, found: StoredObject) -> Answer:
        target, _, operation, principal, proof, _, link = known.admitted
        trail = request.trail
        trail.target, trail.operation, trail.principal = target, operation.name, principal
        trail.proof, trail.bucket, trail.link = proof, known.bucket, link
        assert proof is not None
        assert isinstance(found.content, bytes)
        content = b"" if request.method == "HEAD" else found.content
        answer = Answer(
            200, [*known.headers], content, known.length, None, operation.name, target.bucket, target.key,
            proof.access_key, AuthType.QUERY,
        )  # fmt: skip
        if link is not None and not link.is_counted and request.method == "GET":
            answer.on_sent = partial(self._ledger.note_sent, link.id, request.now_ms)
        return answer

    def keep(self, place: Place, request: Request, answer: Answer, authority: Authority) -> None:
        """Remember an answer that the flow has just given, if it hangs on nothing that may change unseen."""
        bucket = authority.bucket
        if answer.status != 200 or not isinstance(answer.body, bytes) or bucket is None:
            return
        link = request.trail.link
        of_store = self._store.stamp(bucket.name)
        of_ledger = self._ledger.stamp(None if link is None else link.id)
        # From here on all is looked at once more: what changed before the stamps were taken, they do not tell.
        again = self._admissions.find_again(place, request)
        if (
            of_store is None
            or of_ledger is None
            or again is None
            or again.link is not link
            or not self._may_keep(request, again, authority)
        ):
            return
        try:
            found = self._store.find_object(bucket.name, authority.key)
        except StoreError:
            # It was a listing, or the object is gone by now.
            return
        if not isinstance(found.content, bytes) or (
            request.method == "GET" and answer.body is not found.content
        ):
            return
        proof = again.proof
        if proof is None or proof.expires_at is None or answer.content_length is None:
            return
        self._kept[place] = _Pass(
            again, bucket, ref(found), tuple(answer.headers), answer.content_length,
            request.now, _end_of(proof.expires_at, link), of_store, of_ledger,
        )  # fmt: skip
        if len(self._kept) > MOST_PASSES:
            self._kept.popitem(last=False)

    def _may_keep(self, request: Request, admitted: Admitted, authority: Authority) -> bool:
        bucket = authority.bucket
        return (
            self._is_ageless
            and (admitted.link is None or _is_plain(admitted.link, admitted.query))
            and bucket is not None
            and authority.version_id is None
            and "partNumber" not in admitted.query
            and not any(name in _TELLING_HEADERS for name, _ in request.headers)
            and not self._ledger.revocations(now_ms=request.now_ms)
            and self._store.buckets.find(bucket.name) is bucket
            and authority.is_owners_alone()
        )


def _is_plain(link: Link, query: Mapping[str, str]) -> bool:
    """Return whether all that a link says of a read is when it ends, and how often it may happen."""
    grant = link.grant
    return grant.etag is None and not grant.addresses and grant.password_hash is None and ZIP not in query


def _end_of(url_ends_at: datetime, link: Link | None) -> datetime:
    """Return until when a URL opens; that of a link for the last millisecond is left to the flow."""
    if link is None:
        return url_ends_at
    return min(url_ends_at, datetime.fromtimestamp((link.grant.ends_ms - 1) / 1000, UTC))
