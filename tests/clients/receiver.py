"""A server of somebody's own, on loopback, that webhooks are sent to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LONG_S = 40.0


@dataclass
class Message:
    """What came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Keeps what comes; answers with the statuses in `answers`, one after the other, and then with 204."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    location: str = ""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait(self, number: int, *, path: str) -> list[Message]:
        """Return the messages to a path once there are so many."""
        deadline = time.monotonic() + _LONG_S
        with self.arrived:
            while len(found := [one for one in self.messages if one.path == path]) < number:
                left = deadline - time.monotonic()
                assert left > 0, f"{len(found)} of {number} messages came"
                self.arrived.wait(left)
            return found


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Run a receiver for the length of a `with` block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.arrived:
                status = receiver.answers.pop(0) if receiver.answers else 204
                receiver.messages.append(Message(self.path, dict(self.headers.items()), body))
                receiver.arrived.notify_all()
            self.send_response(status)
            if 300 <= status <= 399:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
