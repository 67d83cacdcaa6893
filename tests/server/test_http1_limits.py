"""How long and how many: what the HTTP server does with those who keep it waiting."""

from __future__ import annotations

import pytest
from tests.server.http1_site import connect, running_site, until_closed

from valetkey.server.http1 import Limits

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n"
QUICK = Limits(head_s=1, body_s=1, connections=1000)


@pytest.mark.parametrize("sent", [b"", b"GET /a HT", GET + b"A: ", GET + b"\r\n"])
def test_silence_ends_a_connection(sent: bytes) -> None:
    with running_site(limits=QUICK) as site, connect(site) as connection:
        connection.sendall(sent)
        received = until_closed(connection)
    assert (b" 200 OK" in received) == sent.endswith(b"\r\n\r\n")


def test_a_head_that_trickles_is_given_up() -> None:
    with running_site(limits=QUICK) as site, connect(site) as connection:
        connection.settimeout(0.1)
        for byte in GET + b"A" * 300:
            try:
                connection.sendall(bytes([byte]))
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
        pytest.fail("the server waited on")


def test_whoever_takes_nothing_is_given_up() -> None:
    with running_site(limits=QUICK, body_timeout_s=1) as site, connect(site) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
        assert site.gone.wait(20)


def test_beyond_the_most_connections_new_ones_wait() -> None:
    few = Limits(head_s=20, body_s=20, connections=2)
    with running_site(limits=few) as site, connect(site) as first, connect(site) as second:
        for each in (first, second):
            each.sendall(GET + b"\r\n")
            assert each.recv(12) == b"HTTP/1.1 200"
        with connect(site) as third:
            third.sendall(GET + b"\r\n")
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(12)
            first.close()
            third.settimeout(20)
            assert third.recv(12) == b"HTTP/1.1 200"
