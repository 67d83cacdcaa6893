"""Plain reads of small objects that were answered a moment ago, and come again when nothing has changed since.

What a request is answered hangs on the request itself, on the clock, on the settings, and on what stands in store and
ledger. Where the same plain URL comes again (see `admissions`), the counters that all processes share tell that
nothing of the last has changed; then the answer is the same. To know that takes a third of what deciding it takes.

An answer is kept where it hangs on nothing else: whoever signed owns the bucket and all that is in it, nobody else has
a say in that. Whether the URL was taken back is looked at each time. Of managed links, those that ask nobody who they
are, as long as they stand as they are. The flow decides about all others, each time.

A bare URL, which says no more than who signed and for when, is answered as any other of the same signer, method, host
and path. So a new one only has its signature and its time verified: half of what the flow takes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple
from weakref import ReferenceType, ref

from valetkey.gateway.admissions import Admissions, Admitted, Place
from valetkey.gateway.authenticate import authenticate_plain
from valetkey.gateway.authority import Authority
from valetkey.gateway.call import Answer, Keys, Request, Rules
from valetkey.gateway.links.door import ZIP
from valetkey.gateway.links.taken_back import require_not_taken_back
from valetkey.gateway.operations.get_object import CHOOSING_HEADERS
from valetkey.links import Ledger, LinkError
from valetkey.links.model import Link
from valetkey.policy.principal import Principal
from valetkey.processes.marks import Stamp
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType
from valetkey.sigv4.parameters import REQUIRED
from valetkey.sigv4.verify import Proof, SignedHost
from valetkey.store.errors import StoreError
from valetkey.store.model import Bucket, StoredObject
from valetkey.store.store import Store

MOST_PASSES: Final = 4096
"""Answers that one process remembers, without their content, and URLs too; each takes about 1 KiB."""

_TELLING_HEADERS: Final = frozenset(name.encode() for name in (*CHOOSING_HEADERS, "origin"))
"""With one of these the answer may be another. With one of Amazon's own, a URL has no place among the plain ones."""

_BARE: Final = frozenset(REQUIRED)
"""The parameters of a bare URL."""

Spot = tuple[str, bytes, bytes, tuple[SignedHost, ...]]
"""A place without its query."""


class _Pass(NamedTuple):
    """An answer, with all that it hangs on but a signature."""

    target: Target
    operation: str
    principal: Principal
    link: Link | None
    bucket: Bucket
    found: ReferenceType[StoredObject]
    """What is there now must be the same value. Weak: how much of content stays in memory, the store decides."""
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    of_store: Stamp
    of_link: Stamp | None


class _Url(NamedTuple):
    """A URL whose signature is right."""

    proof: Proof
    since: datetime
    """When that was seen. Before: the clock was set back, and the URL may not be valid yet."""
    until: datetime
    passed: _Pass


class Passes:
    """The answers last given by one process that may be given again."""

    def __init__(
        self, admissions: Admissions, store: Store, ledger: Ledger, *, keys: Keys, rules: Rules
    ) -> None:
        self._admissions = admissions
        self._store = store
        self._ledger = ledger
        self._keys = keys
        self._rules = rules
        self._is_ageless = rules.guards.largest_age is None
        self._urls: OrderedDict[Place, _Url] = OrderedDict()
        self._spots: OrderedDict[Spot, _Pass | None] = OrderedDict()
        """What bare URLs are answered. None: one came by, and the next one makes a pass worth its while."""

    def answer(self, place: Place | None, request: Request) -> Answer | None:
        """Return what was answered to the same URL before, or one like it, if that is still the answer at `request.now`.

        Where a link counts, its use is yet to be spent.
        """
        if place is None:
            return None
        url = self._urls.get(place)
        passed = self._spots.get(_spot_of(place)) if url is None else url.passed
        if passed is None:
            return None
        for name, _ in request.headers:
            if name in _TELLING_HEADERS:
                return None
        found = self._still_found(passed)
        if found is None:
            self._forget(place, passed)
            return None
        if url is None:
            url = self._verified(place, request, passed)
            if url is None:
                return None
        elif url.since <= request.now < url.until:
            self._urls.move_to_end(place)
        else:
            del self._urls[place]
            return None
        if passed.link is None and self._is_taken_back(url, request):
            return None
        return self._again(url, request, found)

    def _is_taken_back(self, url: _Url, request: Request) -> bool:
        try:
            require_not_taken_back(url.proof, url.passed.target, self._ledger, now_ms=request.now_ms)
        except LinkError:
            # The flow comes to the same, and says so.
            return True
        return False

    def _still_found(self, passed: _Pass) -> StoredObject | None:
        """Return what a pass opens, if nothing has changed that its answer hangs on."""
        try:
            found = self._store.find_object(passed.target.bucket or "", passed.target.key or "")
        except StoreError:
            return None
        if found is not passed.found() or not passed.of_store.holds():
            return None
        return found if passed.of_link is None or passed.of_link.holds() else None

    def _forget(self, place: Place, passed: _Pass) -> None:
        self._urls.pop(place, None)
        spot = _spot_of(place)
        if self._spots.get(spot) is passed:
            self._spots[spot] = None

    def _verified(self, place: Place, request: Request, passed: _Pass) -> _Url | None:
        """Return a bare URL that comes for the first time, if it holds, and whoever signed it is whom the pass is for.

        The guards of `gateway/guards.py` are no question: where they ask for more than another had, nothing is kept.
        """
        proved = authenticate_plain(request, passed.target, keys=self._keys, rules=self._rules)
        if proved is None:
            return None
        principal, proof = proved
        if proof.expires_at is None or (principal is not passed.principal and principal != passed.principal):
            return None
        self._spots.move_to_end(_spot_of(place))
        return self._keep_url(place, _Url(proof, request.now, proof.expires_at, passed))

    def _again(self, url: _Url, request: Request, found: StoredObject) -> Answer:
        target, operation, principal, link, bucket, _, headers, length, _, _ = url.passed
        proof = url.proof
        trail = request.trail
        trail.target, trail.operation, trail.principal = target, operation, principal
        trail.proof, trail.bucket, trail.link = proof, bucket, link
        assert isinstance(found.content, bytes)
        content = b"" if request.method == "HEAD" else found.content
        answer = Answer(
            200, [*headers], content, length, None, operation, target.bucket, target.key, proof.access_key, AuthType.QUERY
        )  # fmt: skip
        if link is None:
            self._keys.note_use(proof.access_key, now_ms=request.now_ms)
        elif not link.is_counted and request.method == "GET":
            answer.on_sent = partial(self._ledger.note_sent, link.id, request.now_ms)
        return answer

    def keep(self, place: Place, request: Request, answer: Answer, authority: Authority) -> None:
        """Remember an answer that the flow has just given, if it hangs on nothing that may change unseen."""
        bucket, link = authority.bucket, request.trail.link
        if answer.status != 200 or not isinstance(answer.body, bytes) or bucket is None:
            return
        is_bare = link is None and request.raw_query.count(b"&") == len(_BARE) - 1
        if self._is_first(place, request, is_bare=is_bare):
            return
        of_store = self._store.stamp(bucket.name)
        of_link = None if link is None else self._ledger.stamp(link.id)
        # From here on all is looked at once more: what changed before the stamps were taken, they do not tell.
        again = self._admissions.find(place, request)
        if (
            of_store is None
            or (link is not None and of_link is None)
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
        # By the object and not by the content: two empty ones are the same value, and HEAD has none.
        if found is not answer.shown or not isinstance(found.content, bytes):
            return
        proof = again.proof
        if proof is None or proof.expires_at is None or answer.content_length is None:
            return
        passed = _Pass(
            again.target, again.operation.name, again.principal, link, bucket, ref(found), tuple(answer.headers),
            answer.content_length, of_store, of_link,
        )  # fmt: skip
        self._keep_url(place, _Url(proof, request.now, _end_of(proof.expires_at, link), passed))
        if is_bare and again.query.keys() == _BARE:
            self._spots[_spot_of(place)] = passed

    def _is_first(self, place: Place, request: Request, *, is_bare: bool) -> bool:
        """Return whether this is the first time that a URL is seen, or one like it. Many a one never comes again."""
        if not is_bare:
            return self._admissions.find_again(place, request) is None
        spot = _spot_of(place)
        if spot in self._spots:
            return False
        self._spots[spot] = None
        if len(self._spots) > MOST_PASSES:
            self._spots.popitem(last=False)
        return True

    def _keep_url(self, place: Place, url: _Url) -> _Url:
        self._urls[place] = url
        if len(self._urls) > MOST_PASSES:
            self._urls.popitem(last=False)
        return url

    def _may_keep(self, request: Request, admitted: Admitted, authority: Authority) -> bool:
        bucket = authority.bucket
        return (
            self._is_ageless
            and (admitted.link is None or _is_plain(admitted.link, admitted.query))
            and bucket is not None
            and authority.version_id is None
            and "partNumber" not in admitted.query
            and not any(name in _TELLING_HEADERS for name, _ in request.headers)
            and self._store.buckets.find(bucket.name) is bucket
            and authority.is_owners_alone()
        )


def _spot_of(place: Place) -> Spot:
    method, raw_path, _, host, forwarded_hosts = place
    return method, raw_path, host, forwarded_hosts


def _is_plain(link: Link, query: Mapping[str, str]) -> bool:
    """Return whether all that a link says of a read is when it ends, and how often it may happen."""
    grant = link.grant
    return grant.etag is None and not grant.addresses and grant.password_hash is None and ZIP not in query


def _end_of(url_ends_at: datetime, link: Link | None) -> datetime:
    """Return until when a URL opens; that of a link for the last millisecond is left to the flow."""
    if link is None:
        return url_ends_at
    return min(url_ends_at, datetime.fromtimestamp((link.grant.ends_ms - 1) / 1000, UTC))
