"""The bytes of an answer's head, and the parts of a request's target."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from valetkey.s3.dates import http_date

Header = tuple[bytes, bytes]

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

BODILESS: Final = frozenset({204, 304})
"""Answers that have no body whatever was asked. Source: RFC 9110, sections 15.3.5 and 15.4.5."""

_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


class MalformedHeadError(ValueError):
    """A header of an answer would have broken the answer apart, or does not say how long its body is."""


class MalformedTargetError(ValueError):
    """A request's target that no request of ours has."""


class HeadWriter:
    """Puts together the heads of a worker's answers."""

    def __init__(self) -> None:
        self._second = 0
        self._starts: dict[int, bytes] = {}
        """The first line and the date, by status; those of one second."""

    def head(self, status: int, headers: Sequence[Header]) -> bytes:
        """Return the bytes of an answer's head.

        Raises:
            MalformedHeadError: a name or value holds CR, LF or NUL.
        """
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._starts.clear()
        start = self._starts.get(status)
        if start is None:
            reason = _REASONS.get(status, b"")
            date = http_date(second * 1000).encode()
            start = self._starts[status] = b"HTTP/1.1 %d %b\r\ndate: %b\r\n" % (status, reason, date)
        if not headers:
            return start + b"\r\n"
        lines = b"\r\n".join(map(b": ".join, headers))
        # Whatever a header was made of, it is one line: three searches over the whole, 0.2 µs together.
        between = len(headers) - 1
        if lines.count(b"\n") != between or lines.count(b"\r") != between or b"\0" in lines:
            raise MalformedHeadError(f"a header of an answer with status {status} is no single line")
        return start + lines + b"\r\n\r\n"

    def refusal(self, status: int) -> bytes:
        """Return an answer without a body, after which the connection ends."""
        return self.head(status, [(b"connection", b"close"), (b"content-length", b"0")])


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query, both as they stood on the wire; of an absolute URL those that it holds.

    Raises:
        MalformedTargetError: it holds a fragment, which stays with the client.
    """
    if b"#" in target:
        raise MalformedTargetError
    if not target.startswith(b"/"):
        target = _without_authority(target)
    path, _, query = target.partition(b"?")
    return path, query


def _without_authority(target: bytes) -> bytes:
    # The host in it counts for nothing: what was signed is the header.
    scheme, found, rest = target.partition(b"://")
    if not found or scheme.lower() not in (b"http", b"https"):
        return target
    for position, byte in enumerate(rest):
        if byte in b"/?":
            return rest[position:] if byte == ord("/") else b"/" + rest[position:]
    return b"/"
