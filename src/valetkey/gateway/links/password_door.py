"""Asking for the password of a link: in a header, or proved a while ago by a page of ours."""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from valetkey.gateway.call import Request
from valetkey.links import LinkRefusedError, Rule
from valetkey.links.model import Link
from valetkey.links.passwords import MAX_CHARS, require_password

HEADER: Final = b"x-valetkey-password"

PROVED_S: Final = 15 * 60
"""How long a password that was right need not be computed again, nor typed into our page."""

MOST_WRONG: Final = 10
WRONG_WINDOW_S: Final = 60.0
"""So many wrong passwords of one link in so many seconds; beyond them none is tried, right or wrong, by this worker."""

_MOST_REMEMBERED: Final = 4096
_THREADS: Final = 2
"""Each takes 19 MiB while it computes."""


class PasswordDoor:
    """Checks the passwords of links in one process."""

    def __init__(self, secret_key: bytes) -> None:
        self._secret_key = secret_key
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="valetkey-password")
        self._proved: OrderedDict[bytes, float] = OrderedDict()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    async def require(self, link: Link, request: Request) -> None:
        """Return if the request brings the link's password, or needs none.

        Raises:
            LinkRefusedError
        """
        if link.grant.password_hash is None or request.is_password_proved:
            return
        given = [value for name, value in request.headers if name == HEADER]
        if len(given) != 1:
            raise LinkRefusedError(Rule.PASSWORD)
        await self.require_right(link, given[0], now_s=request.now.timestamp())

    async def require_right(self, link: Link, password: bytes, *, now_s: float) -> None:
        """Return if it is the link's password.

        Raises:
            LinkRefusedError: it is not; or so many were wrong lately that none is tried.
        """
        kept = link.grant.password_hash
        assert kept is not None
        # An HMAC of it, so that neither memory nor the time that a look-up takes tells of the password.
        mark = hmac.digest(
            self._secret_key, b"\0".join((link.id.encode(), kept.encode(), password)), "sha256"
        )
        # Neither holds longer, whatever has happened to the clock.
        if now_s < self._proved.get(mark, 0.0) <= now_s + PROVED_S:
            return
        wrong = self._wrong.setdefault(link.id, deque(maxlen=MOST_WRONG))
        self._wrong.move_to_end(link.id)
        if len(self._wrong) > _MOST_REMEMBERED:
            self._wrong.popitem(last=False)
        is_too_many = len(wrong) == MOST_WRONG and now_s - WRONG_WINDOW_S < wrong[0] <= now_s
        if is_too_many or not 0 < len(password) <= 4 * MAX_CHARS:
            raise LinkRefusedError(Rule.PASSWORD)
        # Counted before it is tried: many at once are no way around.
        wrong.append(now_s)
        await asyncio.get_running_loop().run_in_executor(self._threads, require_password, kept, password)
        wrong.clear()
        self._proved[mark] = now_s + PROVED_S
        if len(self._proved) > _MOST_REMEMBERED:
            self._proved.popitem(last=False)
