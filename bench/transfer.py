"""A client of little and constant cost for large bodies and for HEAD, in one thread.

wrk reads 8 KiB at a time and takes an answer to HEAD for one with a body. This one throws received bodies away in
the kernel (MSG_TRUNC), and sends files with sendfile.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BufferedReader
from itertools import cycle, takewhile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.usage import Done

_CHUNK_BYTES: Final = 1024 * 1024
_QUIET_S: Final = 60.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sending:
    """A request."""

    head: bytes
    """With the body behind it, if that is small."""
    file: Path | None = None
    """What is sent as the body."""
    length: int = 0
    answered_bytes: int | None = None
    """The Content-Length that the answer must have; None: any."""


class _Connection:
    """One keep-alive connection, and how far its request is."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=_QUIET_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.head = b""
        self._unsent = b""
        self._body: BufferedReader | None = None
        self._offset, self._length = 0, 0
        self._left = 0
        self._is_head = False
        self._expected: int | None = None
        self._scrap = bytearray(_CHUNK_BYTES)

    def start(self, sending: Sending) -> bool:
        """Begin with a request; return whether all of it is sent already."""
        self.head = b""
        self._left = 0
        self._is_head = sending.head.startswith(b"HEAD ")
        self._expected = sending.answered_bytes
        self._unsent = sending.head
        self._body = sending.file.open("rb") if sending.file else None
        self._offset, self._length = 0, sending.length
        return self.send()

    def send(self) -> bool:
        """Send what the socket takes; return whether all of the request is sent."""
        try:
            if self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            while self._body and not self._unsent and self._offset < self._length:
                wanted = self._length - self._offset
                self._offset += os.sendfile(self.socket.fileno(), self._body.fileno(), self._offset, wanted)
        except BlockingIOError:
            return False
        is_sent = not self._unsent and self._offset == self._length
        if self._body and is_sent:
            self._body.close()
        return is_sent

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self.socket.close()
        if self._body:
            self._body.close()

    def receive(self) -> bool:
        """Take what has arrived; return whether the answer is complete.

        Raises:
            RuntimeError: it is no success, or its length is not told.
            ConnectionError: the server has closed before its end.
        """
        if self._left:
            return self._discard()
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"The server closed the connection: {self.head!r}")
        data = self.head + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.head = data
            return False
        self.head = data[: end + 4]
        if data[9:10] != b"2":
            raise RuntimeError(f"A request was refused or failed, so this measures nothing: {data[:500]!r}")
        length = self._body_bytes()
        if self._expected is not None and length != self._expected:
            raise RuntimeError(f"An answer is not of {self._expected} bytes: {self.head!r}")
        self._left = 0 if self._is_head else length - (len(data) - end - 4)
        return self._left == 0

    def _discard(self) -> bool:
        while self._left:
            try:
                taken = self.socket.recv_into(self._scrap, min(self._left, _CHUNK_BYTES), socket.MSG_TRUNC)
            except BlockingIOError:
                return False
            if not taken:
                raise ConnectionError("The server closed the connection in the midst of a body.")
            self._left -= taken
        return True

    def _body_bytes(self) -> int:
        if match := _LENGTH.search(self.head):
            return int(match[1])
        if self.head.startswith((b"HTTP/1.1 204", b"HTTP/1.0 204")):
            return 0
        raise RuntimeError(f"An answer does not tell its length: {self.head!r}")

    @property
    def is_last(self) -> bool:
        """Whether the server closes the connection after this answer."""
        lowered = self.head.lower()
        return b"\r\nconnection: close\r\n" in lowered or (
            lowered.startswith(b"http/1.0") and b"\r\nconnection: keep-alive\r\n" not in lowered
        )


class Client:
    """Sends requests over several connections at a time."""

    def __init__(self, endpoint: str, *, connections: int) -> None:
        parts = urlsplit(endpoint)
        self._address = (str(parts.hostname), int(parts.port or 80))
        self._width = connections
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._pending: dict[int, int] = {}

    def send_all(self, sendings: Iterator[Sending]) -> list[bytes]:
        """Send every request and return the heads of the answers, in the order of the requests.

        Raises:
            RuntimeError: an answer is no success, or does not tell its length; or nothing moved for a minute.
            ConnectionError: the server closed too early.
        """
        heads: dict[int, bytes] = {}
        numbered = enumerate(sendings)
        with closing(self._poll):
            try:
                for _ in range(self._width):
                    self._begin(numbered, None)
                while self._open:
                    self._turn(numbered, heads)
            finally:
                for connection in self._open.values():
                    connection.close()
        return [heads[number] for number in sorted(heads)]

    def _turn(self, numbered: Iterator[tuple[int, Sending]], heads: dict[int, bytes]) -> None:
        events = self._poll.poll(_QUIET_S)
        if not events:
            raise RuntimeError(f"Nothing moved for {_QUIET_S} s.")
        for descriptor, event in events:
            connection = self._open[descriptor]
            if event & select.EPOLLOUT:
                if connection.send():
                    self._poll.modify(descriptor, select.EPOLLIN)
            elif connection.receive():
                heads[self._pending.pop(descriptor)] = connection.head
                self._begin(numbered, connection)

    def _begin(self, numbered: Iterator[tuple[int, Sending]], connection: _Connection | None) -> None:
        """Send the next request on the connection or on a new one; close it if there is no more."""
        following = next(numbered, None)
        if connection is not None and (following is None or connection.is_last):
            del self._open[connection.socket.fileno()]
            connection.close()
            connection = None
        if following is None:
            return
        is_new = connection is None
        connection = connection or _Connection(self._address)
        descriptor = connection.socket.fileno()
        self._open[descriptor] = connection
        self._pending[descriptor], sending = following
        event = select.EPOLLIN if connection.start(sending) else select.EPOLLOUT
        if is_new:
            self._poll.register(descriptor, event)
        elif event == select.EPOLLOUT:
            self._poll.modify(descriptor, event)


def transferring(
    endpoint: str, sendings: Sequence[Sending], *, connections: int, amount_each: float = 1.0
) -> Callable[[float], Done]:
    """Return what sends requests by turns for so many seconds, and then waits for the answers that are due."""
    endless = cycle(sendings)

    def work(seconds: float) -> Done:
        started = time.perf_counter()
        until = started + seconds
        meant = takewhile(lambda _: time.perf_counter() < until, endless)
        done = len(Client(endpoint, connections=connections).send_all(meant))
        return Done(requests=done, seconds=time.perf_counter() - started, amount=done * amount_each)

    return work
