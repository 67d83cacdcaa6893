"""What is observed of a request by a presigned URL, and the attempt that the history keeps of it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from valetkey.gateway.call import Answer, Request, Trail
from valetkey.links.history.model import NOBODY, Attempt, Party
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.server.access_log import MOST_AGENT_CHARS, redacted

UNPROVED_PER_S: Final = 50
"""How many attempts with a wrong signature are remembered: whoever has no key must not flood the history."""

_MOST_KEY_CHARS: Final = 128
_MOST_HOST_CHARS: Final = 255

_CLAIMS: Final = re.compile(rb"(?:^|&)(?:X-Amz-Credential=([^&/%]+)|AWSAccessKeyId=([^&]+))", re.IGNORECASE)
_KEY_ID: Final = re.compile(rb"[!-~]{1,%d}" % _MOST_KEY_CHARS)


class Over(NamedTuple):
    """A request that is over."""

    request: Request
    answer: Answer | None
    """None: the client left before there was one."""
    is_own: bool
    """It went to a path of ours."""
    request_id: str
    started_ns: int
    answered_ns: int
    """When the first byte of the answer was ready; 0 where there is none."""
    ended_ns: int
    sent_bytes: int
    """Of the answer's body."""
    received_bytes: int
    """Of the request's body."""

    @property
    def is_about_us(self) -> bool:
        """True: it asked for nothing in the store. What a short address serves is in it."""
        return self.is_own and self.request.trail.target is None

    @property
    def outcome(self) -> tuple[int, str | None]:
        """The status, 0 where there is none, and the code of the error."""
        return (0, None) if self.answer is None else (self.answer.status, self.answer.error_code)


class Observed(NamedTuple):
    """What is at hand when a request is over. Nothing is worked out then that can wait."""

    started_ns: int
    signer: str
    owner: Party
    trail: Trail
    status: int
    error: str | None
    sent_bytes: int
    received_bytes: int
    duration_ns: int
    address: str
    agent: bytes
    referrer: bytes
    request_id: str


def attempt_of(seen: Observed) -> Attempt:
    """Return what the history keeps: no signature, no token, no password, no query."""
    trail, target = seen.trail, seen.trail.target
    return Attempt(
        seen.started_ns // 1_000_000,
        seen.signer,
        trail.proof is not None or trail.link is not None,
        party_of(trail.principal),
        seen.owner,
        trail.operation,
        None if target is None or target.bucket is None else _storable(target.bucket),
        None if target is None or target.key is None else _plain(_storable(target.key)),
        seen.status,
        max(seen.sent_bytes, 0),
        seen.received_bytes,
        seen.duration_ns // 1000,
        seen.address,
        _plain(seen.agent[:MOST_AGENT_CHARS].decode("latin-1")),
        referring_host(seen.referrer) if seen.referrer else "",
        seen.error,
        seen.request_id,
    )


def party_of(principal: Principal | None) -> Party:
    """Return whose attempts those of a caller are: a user's own, else its account's."""
    if principal is None or principal.kind is PrincipalKind.ANONYMOUS:
        return NOBODY
    user = principal.name if principal.kind is PrincipalKind.USER else ""
    return Party(principal.account_id, user)


def claimed_key(request: Request) -> str | None:
    """Return the access key id that a presigned URL names, or None if the request has no such URL."""
    found = _CLAIMS.search(request.raw_query)
    if found is None:
        return None
    key = unquote_to_bytes(found[1] or found[2]).partition(b"/")[0]
    return key.decode("ascii") if _KEY_ID.fullmatch(key) else ""


def referring_host(referrer: bytes) -> str:
    """Return the host of a `Referer`, in lower case; empty where there is none."""
    try:
        host = urlsplit(referrer.decode("latin-1")).hostname
    except ValueError:
        return ""
    return (host or "")[:_MOST_HOST_CHARS]


def _plain(text: str) -> str:
    """Return the text without what is secret; there is nothing of that where nothing is said to equal anything."""
    return redacted(text) if "=" in text or "%" in text else text


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class Allowance:
    """So many things a second, and no more."""

    def __init__(self, per_s: int = UNPROVED_PER_S) -> None:
        self._per_s = per_s
        self._left = float(per_s)
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Return whether there is room for one more at this instant, in seconds of a clock that never goes back."""
        if self._at_s is not None:
            self._left = min(float(self._per_s), self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
