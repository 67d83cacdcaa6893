"""A connection's socket, for whoever sends behind the transport's back."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import threading
from types import TracebackType


class Outlet:
    """A descriptor of its own for a socket. Threads that send hold it open, as a context, after it was closed too.

    The transport closes its descriptor when it likes, and the number is another connection's at once.
    """

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is that of the transport."""
        self._descriptor = os.dup(descriptor)
        self._lock = threading.Lock()
        self._holders = 0
        self._is_closed = False

    def fileno(self) -> int:
        """Return the number of the descriptor, as long as it is not closed."""
        return self._descriptor

    def close(self) -> None:
        """Let nobody more send, and close the descriptor when those have ended who do."""
        with self._lock:
            self._is_closed = True
            is_free = not self._holders
        if is_free:
            os.close(self._descriptor)

    def __enter__(self) -> int:
        with self._lock:
            if self._is_closed:
                raise ConnectionAbortedError
            self._holders += 1
        return self._descriptor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._holders -= 1
            is_free = self._is_closed and not self._holders
        if is_free:
            os.close(self._descriptor)


def queued_bytes(descriptor: int) -> int:
    """Return what the kernel holds of a socket's output because the other side has not taken it; 0 where it won't tell.

    It says that there is room no sooner than a third of its buffer is free, which may be a megabyte.
    """
    count = bytearray(4)
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, count)
    except (OSError, ValueError):
        # It may be closed already.
        return 0
    (queued,) = struct.unpack("i", count)
    return int(queued)
