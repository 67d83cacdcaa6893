"""What is observed of a request by a presigned URL, and the attempt that the history keeps of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from valetkey.gateway.call import Answer, Request
from valetkey.links.history.model import Circumstances, Note, Party
from valetkey.policy.principal import PrincipalKind
from valetkey.server.access_log import MOST_AGENT_CHARS, redacted

UNPROVED_PER_S: Final = 50
"""How many attempts with a wrong signature are remembered: whoever has no key must not flood the history."""

_USER: Final = PrincipalKind.USER
_MOST_KEY_CHARS: Final = 128
_MOST_REFERRER_CHARS: Final = 2048
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


# Plain tuples of values: quicker to make than named ones, and the collector need not look at them while they wait.
Known = tuple[bool, str, str, str, str | None, str | None, int, str | None, str, bytes, bytes]
"""Circumstances as they came: is proved, account and user of the key, owner of the bucket, operation, bucket, status,
error, address, agent, referrer. Texts are empty where nobody knows."""

Observed = tuple[int, int, str, str | None, int, int, str, Known]
"""What is at hand when a request is over: its begin and end in ns, signer, key, bytes sent and received, its id, and
the rest. Nothing is worked out then that can wait."""


def observed(over: Over, signer: str, owner: str) -> Observed:
    """Return what the history needs of a request that is over: values alone, so that the request can be let go."""
    request, answer = over.request, over.answer
    trail, agent, referrer = request.trail, b"", b""
    for name, value in request.headers:
        if name == b"user-agent":
            agent = value[:MOST_AGENT_CHARS]
        elif name == b"referer":
            referrer = value[:_MOST_REFERRER_CHARS]
    target, principal = trail.target, trail.principal
    bucket = key = error = None
    account = user = ""
    status = 0
    if target is not None:
        bucket, key = target.bucket, target.key
    if principal is not None:
        account = principal.account_id
        if principal.kind is _USER:
            user = principal.name
    if answer is not None:
        status, error = answer.status, answer.error_code
    known = (
        trail.proof is not None or trail.link is not None, account, user, owner, trail.operation, bucket, status, error,
        request.remote, agent, referrer,
    )  # fmt: skip
    return (
        over.started_ns, over.ended_ns, signer, key, over.sent_bytes, over.received_bytes, over.request_id, known,
    )  # fmt: skip


_NOTE: Final = partial(tuple.__new__, Note)
_MOST_KNOWN: Final = 1024


class Notes:
    """Makes of what was observed what the history keeps: no signature, no token, no password, no query.

    It works on columns: that costs a sixth of what it does one by one. What was worked out of circumstances is kept
    for the next time.
    """

    def __init__(self) -> None:
        self._circumstances: dict[Known, Circumstances] = {}

    def __call__(self, seen: Sequence[Observed]) -> list[Note]:
        """Return the attempts, in the same order."""
        started, ended, signers, keys, sent, received, request_ids, known = zip(*seen, strict=True)
        durations = [(end - start) // 1000 for start, end in zip(started, ended, strict=True)]
        sent_bytes = sent if min(sent) >= 0 else [max(number, 0) for number in sent]
        columns = (
            [start // 1_000_000 for start in started],
            signers,
            _kept_keys(keys),
            sent_bytes,
            received,
            durations,
            request_ids,
            self._known(known),
        )
        return list(map(_NOTE, zip(*columns, strict=True)))

    def _known(self, known: Sequence[Known]) -> Sequence[Circumstances]:
        found = list(map(self._circumstances.get, known))
        if None in found:
            if len(self._circumstances) > _MOST_KNOWN:
                self._circumstances.clear()
            self._circumstances.update(
                (one, circumstances_of(one)) for one in set(known) - self._circumstances.keys()
            )
            found = list(map(self._circumstances.get, known))
        return [one for one in found if one is not None]


def circumstances_of(known: Known) -> Circumstances:
    """Return what the history keeps of the circumstances."""
    is_proved, account, user, owner, operation, bucket, status, error, address, agent, referrer = known
    return Circumstances(
        is_proved,
        Party(account, user),
        Party(owner),
        operation,
        None if bucket is None else _storable(bucket),
        status,
        address,
        _plain(agent.decode("latin-1")),
        referring_host(referrer) if referrer else "",
        error,
    )


def _kept_keys(keys: Sequence[str | None]) -> Sequence[str | None]:
    # Nearly always there is nothing to change, and one look at all of them tells.
    text = "".join(filter(None, keys))
    if text.isascii() and "=" not in text and "%" not in text:
        return keys
    return [None if key is None else _plain(_storable(key)) for key in keys]


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
