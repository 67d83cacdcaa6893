"""One try to tell something: one connection, to the address that was checked, and no redirect followed."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Final

from valetkey.links.webhooks.address import (
    AllowedHost,
    HookRefusedError,
    HookTarget,
    Network,
    require_target,
    resolve,
)
from valetkey.links.webhooks.events import SIGNATURE_HEADER, signature_of

_CONNECT_S: Final = 5.0
_MOST_S: Final = 10.0
"""From the connection to the end of the answer's head."""

_GONE: Final = 410


class Outcome(Enum):
    """What came of a try."""

    TAKEN = "taken"
    FAILED = "failed"
    """It may be tried again."""
    REFUSED = "refused"
    """Trying again helps nobody: the receiver is gone for good, or its host is not allowed any more."""


def send(
    url: str,
    body: str,
    *,
    secret: str,
    at_s: int,
    hosts: Sequence[AllowedHost],
    networks: Sequence[Network],
) -> Outcome:
    """Send a message once, and return what came of it. An answer with a status of 200 to 299 takes it."""
    try:
        target = require_target(url, hosts)
    except HookRefusedError:
        return Outcome.REFUSED
    try:
        # What is checked is what is connected to: a name that resolves otherwise a moment later changes nothing.
        addresses = resolve(target, networks=networks)
    except (HookRefusedError, OSError, UnicodeError):
        return Outcome.FAILED
    raw = body.encode()
    headers = {
        "Host": target.host_header,
        "Content-Type": "application/json",
        "Content-Length": str(len(raw)),
        "Connection": "close",
        "User-Agent": "Valetkey-Webhook",
        SIGNATURE_HEADER: signature_of(raw, secret=secret, at_s=at_s),
    }
    for address in addresses:
        status = _post(target, address, raw, headers)
        if status is not None:
            if status == _GONE:
                return Outcome.REFUSED
            return Outcome.TAKEN if 200 <= status <= 299 else Outcome.FAILED
    return Outcome.FAILED


def _post(target: HookTarget, address: str, body: bytes, headers: dict[str, str]) -> int | None:
    """Return the status that the receiver answered; None where there was no answer."""
    try:
        plain = socket.create_connection((address, target.port), timeout=_CONNECT_S)
    except OSError:
        return None
    # A receiver that sends a byte now and then would hold the thread for ever: its connection is cut.
    twin = plain.dup()
    cut = threading.Timer(_MOST_S, _cut, [twin])
    cut.daemon = True
    cut.start()
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        plain.settimeout(_MOST_S)
        connection.sock = _secured(plain, target)
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        # The body of the answer may be of any length, and is not read.
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        cut.cancel()
        connection.close()
        plain.close()
        twin.close()


def _secured(plain: socket.socket, target: HookTarget) -> socket.socket:
    if target.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _cut(twin: socket.socket) -> None:
    with suppress(OSError):
        twin.shutdown(socket.SHUT_RDWR)
