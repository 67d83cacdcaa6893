"""Who takes an answer slowly gets it whole, also when it was given long ago."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.proxies.certificates import write_certificate
from tests.server.http1_site import BLOCK, Site, connect, running_site, until_closed

from valetkey.server.http1 import Exchange, Limits

END = b"\r\n0\r\n\r\n"
LIMITS = Limits(head_s=1, body_s=20, connections=1000)


@dataclass
class FullSite(Site):
    """Answers `/` with as much as the kernel takes, and a little more."""

    answered_bytes: int = 0

    async def _answer(self, exchange: Exchange) -> None:
        exchange.start(200, [], length=None)
        while not exchange._connection._transport.get_write_buffer_size():
            await exchange.send(BLOCK[:16384], timeout_s=20)
        exchange.end()
        self.answered_bytes = exchange.sent_bytes
        self.is_held.set()


def answered(site: FullSite, more: bytes = b"", *, tls: ssl.SSLContext | None = None) -> socket.socket:
    """Return a connection on which all of an answer has been given, and nothing of it is read."""
    client = connect(site)
    if tls is not None:
        client = tls.wrap_socket(client, server_hostname="localhost")
    client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n" + more + b"\r\n")
    assert site.is_held.wait(20)
    return client


def pass_seconds(site: Site, count: int) -> None:
    """Return when the server has ended so many silent connections, one after the other: each takes a second or two."""
    for _ in range(count):
        with connect(site) as silent:
            until_closed(silent)


def is_whole(site: FullSite, client: socket.socket) -> bool:
    """Read the answer, and return whether it came to its end."""
    received = bytearray()
    while not received.endswith(END) and (piece := client.recv(65536)):
        received += piece
    return received.endswith(END) and len(received) > site.answered_bytes


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept-open", "closed"])
def test_an_answer_that_is_being_taken_is_not_cut_off(more: bytes) -> None:
    with running_site(limits=LIMITS, site=(site := FullSite())), answered(site, more) as client:
        pass_seconds(site, 3)
        assert is_whole(site, client)


def test_nor_by_the_end_of_tls(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with (
        running_site(limits=LIMITS, site=(site := FullSite()), tls=tls),
        answered(site, b"Connection: close\r\n", tls=trusting) as client,
    ):
        # More than who has taken everything may let pass before it ends TLS in its turn.
        pass_seconds(site, 7)
        assert is_whole(site, client)
