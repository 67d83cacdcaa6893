"""Whom the server listens to at all: by address, and by how often an address has just been refused."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from valetkey.gateway.call import Answer
from valetkey.gateway.flow import render_fault
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.server.forwarded import is_within
from valetkey.server.setting_values import Network
from valetkey.server.settings import Settings

MOST_ADDRESSES: Final = 16_384
"""That a worker remembers refusals of; the one that was refused longest ago is forgotten first."""

_IPV6_PREFIX: Final = 64
"""Whoever has one IPv6 address has as many as this leaves."""

_REFUSED: Final = frozenset({401, 403})
_TOO_MANY: Final = 429
_MINUTE_S: Final = 60.0


@dataclass(slots=True)
class _Spell:
    """How many refusals an address has left, at a moment."""

    left: float
    at_s: float


class Refusals:
    """Counts refusals by address: so many at once, and as many again in a minute, evenly spread."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._spells: OrderedDict[str, _Spell] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> int:
        """Return for how many seconds an address has to wait; 0 for none. `now_s` is of a steady clock."""
        spell = self._spells.get(_neighbourhood(address)) if self._spells else None
        if spell is None:
            return 0
        self._refill(spell, now_s)
        return 0 if spell.left >= 1 else math.ceil((1 - spell.left) * _MINUTE_S / self._per_minute)

    def note(self, address: str, now_s: float) -> None:
        """Count a refusal."""
        place = _neighbourhood(address)
        spell = self._spells.setdefault(place, _Spell(self._per_minute, now_s))
        self._refill(spell, now_s)
        spell.left = max(0.0, spell.left - 1)
        self._spells.move_to_end(place)
        if len(self._spells) > MOST_ADDRESSES:
            self._spells.popitem(last=False)

    def _refill(self, spell: _Spell, now_s: float) -> None:
        gained = max(0.0, now_s - spell.at_s) * self._per_minute / _MINUTE_S
        spell.left, spell.at_s = min(float(self._per_minute), spell.left + gained), now_s


class Gatekeeper:
    """Turns requests away before anybody looks at them."""

    def __init__(self, networks: tuple[Network, ...], refusals: Refusals | None) -> None:
        self._networks = networks
        self._refusals = refusals

    def is_heard(self, address: str, now_s: float) -> bool:
        """Return whether a client gets further."""
        return self._is_allowed(address) and not self._wait_s(address, now_s)

    def _is_allowed(self, address: str) -> bool:
        return not self._networks or is_within(address, self._networks)

    def _wait_s(self, address: str, now_s: float) -> int:
        return self._refusals.wait_s(address, now_s) if self._refusals is not None else 0

    def turned_away(
        self, address: str, method: str, *, request_id: str, host_id: str, now_s: float
    ) -> Answer | None:
        """Return the answer for a client that gets no further; None for one that does."""
        if not self._is_allowed(address):
            error = S3Error(Code.ACCESS_DENIED)
            return render_fault(error, method, request_id=request_id, host_id=host_id)
        wait_s = self._wait_s(address, now_s)
        # What a browser asks beforehand opens nothing, and without an answer its page could not read this one.
        if not wait_s or method == "OPTIONS":
            return None
        answer = render_fault(S3Error(Code.SLOW_DOWN), method, request_id=request_id, host_id=host_id)
        answer.status = _TOO_MANY
        answer.headers.append((b"retry-after", b"%d" % wait_s))
        return answer

    def note(self, address: str, answer: Answer, now_s: float) -> None:
        """Count an answer, if it is a refusal of what the client asked for."""
        if self._refusals is not None and answer.status in _REFUSED:
            self._refusals.note(address, now_s)


def gatekeeper(settings: Settings) -> Gatekeeper | None:
    """Return who turns requests away by `settings`; None where nobody is."""
    limit = settings.refusals_per_minute
    if not limit and not settings.allowed_networks:
        return None
    # Workers do not know of each other's refusals, and a client cannot choose the worker: each has its share.
    share = math.ceil(limit / settings.workers)
    return Gatekeeper(settings.allowed_networks, Refusals(share) if limit else None)


def _neighbourhood(address: str) -> str:
    if ":" not in address:
        return address
    return str(ip_network((ip_address(address), _IPV6_PREFIX), strict=False))
