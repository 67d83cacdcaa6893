"""One JSON object for each request, with everything that opens a door taken out."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import Final, TextIO
from urllib.parse import unquote_to_bytes

from valetkey.gateway.call import Answer, Request

_SECRET_PARAMETERS: Final = frozenset(
    {
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-s3session-token",
        "signature",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-copy-source-server-side-encryption-customer-key",
    }
)

FLUSH_S: Final = 0.2
"""Lines are written together after this time, or when there are `FLUSH_LINES` of them."""

FLUSH_LINES: Final = 256

MAX_WAITING: Final = 64
"""Bundles of lines that may wait for a slow reader."""

CLOSE_S: Final = 1.0


MOST_TARGET_CHARS: Final = 4096
MOST_AGENT_CHARS: Final = 256
"""What a client writes at length is cut: a log line must not be many times as long as a usual one."""

# Wherever it stands: a link that was pasted wrongly (`&amp;`, `%3F` for `?`, `%3D` for `=`) is still a link.
_SECRET_VALUE: Final = re.compile(
    r"((?:signature|security-token|customer-key|secret[-_]?(?:access[-_]?)?key)(?:=|%(?:25)*3d))[^&\s]*",
    re.IGNORECASE,
)


# What a short address ends in opens its link.
_SHORT_ADDRESSES: Final = "/-/s/"
_TOKEN: Final = re.compile(r"(/-/s/)[^/]*")


# A name that was mistyped hides no value: whoever reads the log could mend it. So what is as long as a signature,
# and made of the same characters, is taken for one: in every query, and where else an access key stands beside it.
_SHAPE: Final = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{60,}|(?<![a-z0-9+/])(?:[a-z0-9+/]|%2[bf]){27}(?:=|%3d)", re.IGNORECASE
)
_SHORTEST_CHARS: Final = 28

# Looked for first, and by plain search: the expressions above would take longer than many a request.
_TELLING_WORDS: Final = ("signature", "security-token", "customer-key", "secret")
_LINK_WORDS: Final = ("amz-credential", "awsaccesskeyid")
_PLAIN_NAMES: Final = frozenset(
    {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"}
)


def redacted_target(raw_path: bytes, raw_query: bytes) -> str:
    """Return the request target with signatures and tokens replaced, at most 4,096 characters of it."""
    target = redacted(raw_path.decode("latin-1"))
    if _SHORT_ADDRESSES in target:
        target = _TOKEN.sub(r"\1REDACTED", target)
    if raw_query:
        pairs = [_redacted(pair) for pair in raw_query.decode("latin-1").split("&")]
        target = f"{target}?{'&'.join(pairs)}"
    return target[:MOST_TARGET_CHARS]


def redacted(text: str) -> str:
    """Return `text` with the value after each `signature=`, `security-token=` and their kin replaced.

    And in a text that looks like a link, whatever looks like a signature.
    """
    lower = text.lower()
    if any(word in lower for word in _TELLING_WORDS):
        text = _SECRET_VALUE.sub(r"\1REDACTED", text)
    if any(word in lower for word in _LINK_WORDS):
        text = _SHAPE.sub("REDACTED", text)
    return text


def _redacted(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    # A name with a needless escape in it is verified like the plain one, so it must be hidden like it too.
    plain = unquote_to_bytes(name).decode("latin-1") if "%" in name else name
    if equals and plain.lower() in _SECRET_PARAMETERS:
        return f"{name}=REDACTED"
    lower = pair.lower()
    if any(word in lower for word in _TELLING_WORDS):
        pair = _SECRET_VALUE.sub(r"\1REDACTED", pair)
    if name not in _PLAIN_NAMES and len(pair) >= _SHORTEST_CHARS:
        pair = _SHAPE.sub("REDACTED", pair)
    return pair


class AccessLog:
    """Gathers lines and writes them on a thread of its own: neither a slow nor a stuck reader holds up a request.

    When the reader is so far behind that `MAX_WAITING` bundles wait for it, further lines are dropped, and
    the next line that gets through says how many.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._dropped = 0
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._writer = threading.Thread(target=self._write_all, name="access-log", daemon=True)
        if stream is not None:
            self._writer.start()

    @property
    def is_on(self) -> bool:
        """False where nobody reads, so that the line need not be made."""
        return self._stream is not None

    def add(self, entry: Mapping[str, object]) -> None:
        """Write `entry` soon."""
        self._lines.append(json.dumps(entry, ensure_ascii=True, separators=(",", ":")))
        if len(self._lines) >= FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Hand over what has been gathered."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        if self._dropped:
            lines.append(json.dumps({"dropped_lines": self._dropped}))
        try:
            self._waiting.put_nowait("\n".join(lines) + "\n")
            self._dropped = 0
        except queue.Full:
            self._dropped += len(lines)

    def close(self) -> None:
        """Write what is left, for at most `CLOSE_S`."""
        if self._stream is None:
            return
        self.flush()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._writer.join(CLOSE_S)

    def _write_all(self) -> None:
        assert self._stream is not None  # the thread is not started otherwise
        while (text := self._waiting.get()) is not None:
            # A closed pipe or a full disk ends no request; later lines are tried again.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(text)
                self._stream.flush()


def open_access_log(choice: str) -> AccessLog:
    """Return the log for the setting `access_log`."""
    streams = {"stdout": sys.stdout, "stderr": sys.stderr, "off": None}
    return AccessLog(streams[choice])


def entry_of(request: Request, answer: Answer | None, request_id: str, sent_bytes: int) -> dict[str, object]:
    """Return the log line of a request. `status` 0 and `bytes_sent` -1: the client left before the end."""
    user_agent = next((value for name, value in request.headers if name == b"user-agent"), b"")
    entry: dict[str, object] = {
        "time": request.now.isoformat(timespec="milliseconds"),
        "request_id": request_id,
        "remote": request.remote or None,
        "method": request.method,
        "target": redacted_target(request.raw_path, request.raw_query),
        "status": answer.status if answer else 0,
        "bytes_sent": sent_bytes,
        "duration_ms": round((time.time_ns() - request.now.timestamp() * 1e9) / 1e6, 2),
        "user_agent": redacted(user_agent[:MOST_AGENT_CHARS].decode("latin-1")),
    }
    if answer is not None:
        entry |= {
            "operation": answer.operation,
            "bucket": answer.bucket,
            "key": redacted(answer.key) if answer.key else None,
            "access_key": answer.access_key,
            "auth_type": answer.auth_type.value if answer.auth_type else None,
            "error_code": answer.error_code,
        }
    return entry
