"""Signatures that were found right a moment ago, for the URL that comes again: a video's ranges, a page's images.

To verify a URL takes half of the time that a small object takes in all. It depends on four things only where
nothing but the host is signed: method, path, query and host. So the same four need not be verified twice while
the key has the same secret and the URL has not ended. What the signer may do, and whatever else may have
changed since, is still decided for each request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from valetkey.gateway.call import Request
from valetkey.links.model import Link
from valetkey.policy.principal import Principal
from valetkey.s3.operations import Operation
from valetkey.s3.target import Target
from valetkey.sigv4.claims import AuthType, SignatureVersion
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.verify import Proof, SignedHost

MOST_ADMISSIONS: Final = 4096
"""URLs that one process remembers; each takes about 1 KiB."""

MOST_PLACE_BYTES: Final = 4096
"""Of path, query and host. A longer URL is verified each time: else whoever has a key could fill our memory with them."""

_READS: Final = frozenset({"GET", "HEAD"})
_HOST_ALONE: Final = "host"

Place = tuple[str, bytes, bytes, bytes, tuple[SignedHost, ...]]


class Admitted(NamedTuple):
    """What a request asks for, and who proved to ask."""

    target: Target
    query: Mapping[str, str]
    operation: Operation
    principal: Principal
    proof: Proof | None
    stand_ins: Mapping[str, str]
    """Headers that stand in the signed query."""
    link: Link | None = None
    """The managed link that signed, as it is now."""


class _Kept(NamedTuple):
    admitted: Admitted
    secret: Secret
    verified_at: datetime
    expires_at: datetime


class Admissions:
    """The URLs last admitted by one process. Nothing but a right signature gets in."""

    def __init__(
        self,
        find_signer: Callable[[str], tuple[Secret, Principal] | None],
        *,
        is_current: Callable[[Link], bool],
    ) -> None:
        """`find_signer` returns a key's secret, the same value as long as all that it stands for is the same.

        `is_current` tells whether a link is the value that is found by now.
        """
        self._find_signer = find_signer
        self._is_current = is_current
        self._kept: OrderedDict[Place, _Kept] = OrderedDict()

    def find(self, place: Place | None, request: Request) -> Admitted | None:
        """Return what was admitted for the same URL before, if that still holds at `request.now`.

        `place` is that of the request, by `place_of`.
        """
        if place is None:
            return None
        kept = self._kept.get(place)
        if kept is None:
            return None
        known = self._find_signer(kept.admitted.proof.access_key) if kept.admitted.proof else None
        if (
            known is None
            or known[0] is not kept.secret
            # Before: the clock was set back, and the URL may not be valid yet.
            or not kept.verified_at <= request.now < kept.expires_at
        ):
            del self._kept[place]
            return None
        self._kept.move_to_end(place)
        return kept.admitted

    def find_again(self, place: Place, request: Request) -> Admitted | None:
        """Return the same, but nothing for a URL that came with this very request for the first time."""
        kept = self._kept.get(place)
        return None if kept is None or kept.verified_at is request.now else self.find(place, request)

    def keep(self, place: Place | None, request: Request, admitted: Admitted) -> None:
        """Remember a request whose signature has just been found right, if it is of the plain kind."""
        proof = admitted.proof
        if (
            place is None
            or proof is None
            or proof.auth_type is not AuthType.QUERY
            or proof.version is not SignatureVersion.V4
            or proof.expires_at is None
            or admitted.query.get("X-Amz-SignedHeaders") != _HOST_ALONE
            # A client's own key among them is not kept longer than its request.
            or any(name.endswith("customer-key") for name in admitted.stand_ins)
        ):
            return
        known, link = self._find_signer(proof.access_key), admitted.link
        # Another worker may have changed the link, or its issuer, since it was looked up for this request. Kept under the
        # secret that it has by now, what it was before would count until it changes again.
        if known is None or known[1] != admitted.principal or not (link is None or self._is_current(link)):
            return
        self._kept[place] = _Kept(admitted, known[0], request.now, proof.expires_at)
        if len(self._kept) > MOST_ADMISSIONS:
            self._kept.popitem(last=False)


def place_of(request: Request) -> Place | None:
    """Return all that the signature of a plain URL depends on; None where a header makes it another kind, or it is long."""
    if request.method not in _READS:
        return None
    host = None
    for name, value in request.headers:
        if name == b"host":
            if host is not None:
                return None
            host = value
        elif name.startswith(b"x-amz-") or name in (b"authorization", b"content-md5"):
            return None
    if host is None or len(request.raw_path) + len(request.raw_query) + len(host) > MOST_PLACE_BYTES:
        return None
    return request.method, request.raw_path, request.raw_query, host, request.forwarded_hosts
