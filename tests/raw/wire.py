"""HTTP as bytes on a socket: requests that no client library would send, and S3's refusals taken apart."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

TIMEOUT_S: Final = 30.0

_IMPOSSIBLE: Final = re.compile(rb"&#x(?:[0-8bcef]|1[0-9a-f]|fff[ef]);")

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """S3's error document."""

    code: str
    message: str
    details: Mapping[str, str]
    """The elements after `Message`, in the order of the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of the header `name`, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def fault(self) -> Fault:
        """The body as S3's error document."""
        # S3 writes references to characters that XML does not have, and its clients put up with them.
        root = ET.fromstring(_IMPOSSIBLE.sub(b"?", self.body))
        assert root.tag == "Error", self.body
        elements = {child.tag: child.text or "" for child in root}
        assert len(elements) == len(root), self.body
        code, message = elements.pop("Code"), elements.pop("Message")
        assert [child.tag for child in root][:2] == ["Code", "Message"]
        return Fault(code=code, message=message, details=elements)

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and S3's code."""
        return self.status, self.fault.code


def connect(port: int, *, timeout_s: float = TIMEOUT_S, source: str = "127.0.0.1") -> socket.socket:
    """Return a connection to a server on this machine, from the loopback address `source`."""
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_s, source_address=(source, 0))


def head(method: str, target: str | bytes, headers: Headers) -> bytes:
    """Return a request's head as it stands on the wire."""
    raw_target = target if isinstance(target, bytes) else target.encode("latin-1")
    lines = [method.encode() + b" " + raw_target + b" HTTP/1.1"]
    lines += [f"{name}: {value}".encode() for name, value in _pairs(headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def read_reply(connection: socket.socket, method: str) -> Reply:
    """Read one answer; interim ones are passed over."""
    with HTTPResponse(connection, method=method) as response:
        response.begin()
        body = response.read()
        return Reply(status=response.status, headers=tuple(response.getheaders()), body=body)


def exchange(
    port: int,
    method: str,
    target: str | bytes,
    *,
    host: str | None = None,
    headers: Headers = (),
    body: bytes = b"",
    has_length: bool = True,
    source: str = "127.0.0.1",
) -> Reply:
    """Send one request on a connection of its own, and return the answer.

    `Content-Length` is added where there is a body or the method is known to have one, unless the headers
    hold it already or `has_length` is false.
    """
    pairs = [("Host", host or f"127.0.0.1:{port}"), *_pairs(headers), ("Connection", "close")]
    names = {name.lower() for name, _ in pairs}
    if has_length and "content-length" not in names and (body or method in ("PUT", "POST")):
        pairs.append(("Content-Length", str(len(body))))
    with connect(port, source=source) as connection:
        connection.sendall(head(method, target, pairs))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(body)
        return read_reply(connection, method)


def fetch(
    url: str, method: str = "GET", *, headers: Headers = (), body: bytes = b"", has_length: bool = True
) -> Reply:
    """Use a URL as it is, without a client library that could mend it. Every name stands for this machine."""
    parts = urlsplit(url)
    assert parts.port is not None
    target = (
        url[url.index("/", len(parts.scheme) + 3) :]
        if parts.path
        else "/" + "?" * bool(parts.query) + parts.query
    )
    return exchange(
        parts.port, method, target, host=parts.netloc, headers=headers, body=body, has_length=has_length
    )


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)
