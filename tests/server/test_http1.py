"""The HTTP server: framing, order, and what is no request at all."""

from __future__ import annotations

import inspect
import re
import socket
from collections.abc import Iterator

import pytest
from tests.server.http1_site import Site, ask, connect, running_site, until_closed

from valetkey.server.http1.connection import _rest

H = b"Host: h\r\n"
PUT = b"PUT /b HTTP/1.1\r\n" + H
GET = b"GET /a HTTP/1.1\r\n" + H
CHUNKED = PUT + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


def statuses(received: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


REFUSED = {
    "length-and-coding": (400, PUT + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "coding-and-length": (400, PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    "two-lengths": (400, PUT + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "one-length-twice": (400, PUT + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "list-of-lengths": (400, PUT + b"Content-Length: 3, 3\r\n\r\nabc"),
    "negative-length": (400, PUT + b"Content-Length: -3\r\n\r\n"),
    "signed-length": (400, PUT + b"Content-Length: +3\r\n\r\nabc"),
    "hexadecimal-length": (400, PUT + b"Content-Length: 0x3\r\n\r\nabc"),
    "huge-length": (400, PUT + b"Content-Length: 99999999999999999999999\r\n\r\n"),
    "empty-length": (400, PUT + b"Content-Length: \r\n\r\n"),
    "other-coding": (400, PUT + b"Transfer-Encoding: gzip\r\n\r\n"),
    "two-codings": (400, PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked-twice": (400, PUT + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked-in-two-headers": (400, PUT + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n"),
    "nearly-chunked": (400, PUT + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "quoted-chunked": (400, PUT + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "identity": (400, PUT + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc"),
    "vertical-tab-before-chunked": (400, PUT + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "chunked-in-1.0": (400, b"PUT /b HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "folded-header": (400, GET + b"A: b\r\n c\r\n\r\n"),
    "space-before-colon": (400, GET + b"A : b\r\n\r\n"),
    "space-before-name": (400, GET.replace(H, b" A: b\r\n" + H) + b"\r\n"),
    "no-name": (400, GET + b": b\r\n\r\n"),
    "no-colon": (400, GET + b"abc\r\n\r\n"),
    "bare-line-feeds": (400, b"GET /a HTTP/1.1\nHost: h\n\n"),
    "bare-line-feed-after-header": (400, GET + b"A: b\nC: d\r\n\r\n"),
    "bare-carriage-return": (400, GET + b"A: b\rc\r\n\r\n"),
    "nul-in-value": (400, GET + b"A: b\0c\r\n\r\n"),
    "control-in-value": (400, GET + b"A: b\x01c\r\n\r\n"),
    "nul-in-name": (400, GET + b"A\0: b\r\n\r\n"),
    "space-in-target": (400, b"GET /a b HTTP/1.1\r\n" + H + b"\r\n"),
    "tab-in-target": (400, b"GET /a\tb HTTP/1.1\r\n" + H + b"\r\n"),
    "nul-in-target": (400, b"GET /a\0b HTTP/1.1\r\n" + H + b"\r\n"),
    "fragment": (400, b"GET /a#b HTTP/1.1\r\n" + H + b"\r\n"),
    "no-slash": (400, b"GET a HTTP/1.1\r\n" + H + b"\r\n"),
    "no-host": (400, b"GET /a HTTP/1.1\r\n\r\n"),
    "two-hosts": (400, GET + H + b"\r\n"),
    "unknown-method": (501, GET.replace(b"GET", b"FETCH") + b"\r\n"),
    "method-in-lower-case": (501, GET.replace(b"GET", b"get") + b"\r\n"),
    "connect": (405, b"CONNECT h:80 HTTP/1.1\r\n" + H + b"\r\n"),
    "preface-of-http-2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http-2": (505, GET.replace(b"1.1", b"2.0") + b"\r\n"),
    "http-1.2": (400, GET.replace(b"1.1", b"1.2") + b"\r\n"),
    "http-0.9": (505, b"GET /\r\n\r\n"),
    "tls": (501, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "long-target": (414, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + H + b"\r\n"),
    "endless-target": (414, b"GET /" + b"a" * 300_000),
    "long-header": (431, GET + b"A: " + b"a" * 132_000 + b"\r\n\r\n"),
    "endless-header": (431, GET + b"A: " + b"a" * 300_000),
    "many-headers": (431, GET + b"A: b\r\n" * 100 + b"\r\n"),
    "endless-lines-before": (431, b"\r\n" * 100_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_understood_in_two_ways_is_refused(site: Site, name: str) -> None:
    status, sent = REFUSED[name]
    site.seen.clear()
    with connect(site) as connection:
        connection.sendall(sent + b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        received = until_closed(connection)
    assert statuses(received) == [status]
    assert b"\r\nconnection: close\r\n" in received
    assert site.seen == []


CUT = {
    "negative-chunk": CHUNKED + b"-1\r\n",
    "huge-chunk": CHUNKED + b"ffffffffffffffffff\r\n",
    "signed-chunk": CHUNKED + b"+1\r\na\r\n0\r\n\r\n",
    "prefixed-chunk": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "space-after-size": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "bare-line-feed-after-size": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "bare-line-feed-after-chunk": CHUNKED + b"1\r\na\n0\r\n\r\n",
    "chunk-longer-than-said": CHUNKED + b"1\r\nabc\r\n0\r\n\r\n",
    "endless-extension": CHUNKED + b"1;" + b"a" * 300_000,
    "endless-trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 60_000,
    "bare-line-feed-in-trailers": CHUNKED + b"0\r\nA: b\n\r\n",
}


@pytest.mark.parametrize("name", CUT)
def test_a_body_that_is_none_is_no_whole_one(site: Site, name: str) -> None:
    with connect(site) as connection:
        connection.sendall(CUT[name] + b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        assert statuses(until_closed(connection)) == [400]
    assert b"/smuggled" not in [path for _, path, _ in site.seen]


def test_targets_arrive_as_they_were_sent(site: Site) -> None:
    for target, path, query in (
        (b"/%41/../b//c;d?x=%2F&y=+?z", b"/%41/../b//c;d", b"x=%2F&y=+?z"),
        (b"//host/a", b"//host/a", b""),
        (b"/?", b"/", b""),
        (b"http://other/a/b?c", b"/a/b", b"c"),
        (b"HTTPS://other", b"/", b""),
        (b"http://other?a/b", b"/", b"a/b"),
        (b"*", b"*", b""),
    ):
        site.seen.clear()
        method = b"OPTIONS" if target == b"*" else b"GET"
        assert statuses(ask(site, method + b" " + target + b" HTTP/1.1\r\n" + H + b"\r\n")) == [200]
        assert site.seen == [(method.decode(), path, query)]


def test_headers_keep_order_and_repetition(site: Site) -> None:
    received = ask(site, GET + b"B: 1\r\nA: 2\r\nb: 3\r\nX_y: \xc3\xa4\xff \t\r\n\r\n")
    assert b"GET /a ?  [b,a,b,x_y] " in received


def test_requests_in_one_go_are_answered_in_order(site: Site) -> None:
    one = PUT + b"Content-Length: 5\r\n\r\nfirst"
    two = CHUNKED + b"3;ext=1\r\nsec\r\n3\r\nond\r\n0\r\nTrailer: t\r\nHost: t\r\n\r\n"
    received = ask(site, one + GET + b"\r\n" + two + b"\r\n" + one + GET + b"Connection: close\r\n\r\n")
    bodies = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert [b"first" in bodies[0], bodies[1][:6], b"second" in bodies[2]] == [True, b"GET /a", True]
    assert b"railer" not in received
    assert [b"first" in bodies[3], bodies[4][:6], len(bodies)] == [True, b"GET /a", 5]


def test_thousands_in_one_go_are_answered_too(site: Site) -> None:
    received = ask(site, (GET + b"\r\n") * 3000 + PUT + b"Content-Length: 40000\r\n\r\n" + b"x" * 40_000)
    assert statuses(received) == [200] * 3001
    assert received.endswith(b"x" * 40_000)


def test_after_a_refusal_what_was_asked_before_is_answered_first(site: Site) -> None:
    assert statuses(ask(site, (GET + b"\r\n") * 3 + b"nonsense\r\n\r\n")) == [200, 200, 200, 501]


def test_after_close_nothing_is_answered(site: Site) -> None:
    received = ask(site, GET + b"Connection: close\r\n\r\n" + GET + b"\r\n")
    assert statuses(received) == [200]
    assert b"\r\nconnection: close\r\n" in received


def test_http_1_0_closes_unless_asked(site: Site) -> None:
    old = b"GET /a HTTP/1.0\r\n"
    assert b"\r\nconnection: close\r\n" in ask(site, old + b"\r\n" + old + b"\r\n")
    kept = ask(site, old + b"Connection: keep-alive\r\n\r\n" + old + b"\r\n")
    assert statuses(kept) == [200, 200]
    assert b"\r\nconnection: keep-alive\r\n" in kept
    pieces = ask(site, b"GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert pieces.endswith(b"\r\nconnection: close\r\n\r\npiecepiecepiece")
    assert b"transfer-encoding" not in pieces


def test_a_body_of_unknown_length_comes_in_chunks(site: Site) -> None:
    received = ask(site, b"GET /pieces HTTP/1.1\r\n" + H + b"\r\n" + GET + b"\r\n")
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert b"content-length" not in head
    assert rest.startswith(b"5\r\npiece\r\n" * 3 + b"0\r\n\r\nHTTP/1.1 200 OK")


def test_head_tells_the_length_and_sends_no_body(site: Site) -> None:
    received = ask(site, b"HEAD /a HTTP/1.1\r\n" + H + b"\r\n" + b"HEAD /pieces HTTP/1.1\r\n" + H + b"\r\n")
    first, second, end = received.split(b"\r\n\r\n")
    assert b"content-length: %d" % len(b"HEAD /a ?  [] ") in first
    assert b"transfer-encoding" not in second
    assert end == b""


def test_no_content_has_no_length(site: Site) -> None:
    received = ask(site, b"GET /none HTTP/1.1\r\n" + H + b"\r\n" + GET + b"\r\n")
    assert statuses(received) == [204, 200]
    assert b"content-length" not in received.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("path", [b"/short", b"/long"])
def test_a_body_of_another_length_than_was_said_is_cut(site: Site, path: bytes) -> None:
    received = ask(site, b"GET " + path + b" HTTP/1.1\r\n" + H + b"\r\n" + GET + b"\r\n")
    assert statuses(received) in ([], [200])
    assert len(received.partition(b"\r\n\r\n")[2]) < 4


def test_a_header_that_is_two_is_never_sent(site: Site) -> None:
    assert ask(site, b"GET /split HTTP/1.1\r\n" + H + b"\r\n") == b""


class TestConsent:
    """`Expect: 100-continue`."""

    HEAD = b"Content-Length: 4\r\nExpect: 100-Continue\r\n\r\n"

    def test_the_body_is_asked_for_when_it_is_read(self, site: Site) -> None:
        with connect(site) as connection:
            connection.sendall(PUT + self.HEAD)
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"body")
            assert connection.recv(1000).endswith(b"body")

    def test_a_body_that_nobody_reads_is_not(self, site: Site) -> None:
        with connect(site) as connection:
            connection.sendall(b"PUT /early HTTP/1.1\r\n" + H + self.HEAD)
            received = until_closed(connection)
        assert statuses(received) == [403]
        assert b"\r\nconnection: close\r\n" in received

    def test_nor_one_that_has_come(self, site: Site) -> None:
        assert statuses(ask(site, PUT + self.HEAD + b"body")) == [200]

    def test_http_1_0_knows_no_consent(self, site: Site) -> None:
        with connect(site) as connection:
            connection.sendall(b"PUT /b HTTP/1.0\r\n" + self.HEAD + b"body")
            assert statuses(until_closed(connection)) == [200]


@pytest.mark.parametrize("body", [b"body", b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"])
def test_after_a_body_that_nobody_read_the_connection_ends(site: Site, body: bytes) -> None:
    head = b"PUT /early HTTP/1.1\r\n" + H + b"Content-Length: %d\r\n\r\n" % len(body)
    for sent in (head + body + GET + b"\r\n", head):
        with connect(site) as connection:
            connection.sendall(sent)
            received = until_closed(connection)
        assert statuses(received) == [403]
        assert b"\r\nconnection: close\r\n" in received
    assert b"/smuggled" not in [path for _, path, _ in site.seen]


@pytest.mark.parametrize("more", [b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n"])
def test_no_other_protocol_is_ever_spoken(site: Site, more: bytes) -> None:
    sent = GET + more + b"\r\n" + PUT + more + b"Content-Length: 4\r\n\r\nbody"
    received = ask(site, sent + CHUNKED[:-2] + more + b"\r\n4\r\nmore\r\n0\r\n\r\n" + GET + b"\r\n")
    assert statuses(received) == [200, 200, 200, 200]
    assert b"] bodyHTTP/1.1" in received
    assert b"] moreHTTP/1.1" in received


def test_whoever_sends_no_more_still_gets_the_answer(site: Site) -> None:
    assert statuses(ask(site, GET + b"\r\n")) == [200]


def test_a_client_that_leaves_in_the_middle_is_noticed() -> None:
    with running_site() as site:
        with connect(site) as connection:
            connection.sendall(PUT + b"Content-Length: 100\r\n\r\nabc")
        assert site.gone.wait(20)
        site.gone.clear()
        with connect(site) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\n" + H + b"\r\n")
            connection.recv(1000)
        assert site.gone.wait(20)


def test_a_body_that_nobody_asks_for_stays_with_the_client() -> None:
    with running_site() as site, connect(site) as connection:
        connection.sendall(b"PUT /hold HTTP/1.1\r\n" + H + b"Content-Length: 100000000\r\n\r\n")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.sendall(bytes(100_000_000))
        assert site.is_held.wait(20)
        assert 128 * 1024 <= site.held_bytes <= 512 * 1024


def test_a_shutdown_of_the_socket_in_a_body_is_no_end_of_it(site: Site) -> None:
    with connect(site) as connection:
        connection.sendall(PUT + b"Content-Length: 100\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        assert until_closed(connection) == b""


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/soon", b"there, no task"),
        ("/never", b"never, no task"),
        ("/soon-and-later", b"there, in a task"),
    ],
)
def test_what_waits_for_what_comes_soon_is_gone_on_with(site: Site, path: str, told: bytes) -> None:
    request = b"GET %b HTTP/1.1\r\n" % path.encode() + H
    # What comes behind another one is in a task from the beginning.
    answers = ask(site, request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert statuses(answers) == [200, 200]
    _, first, second = answers.split(b"\r\n\r\n")
    assert first.startswith(told)
    assert second == told.replace(b"no task", b"in a task")


def test_what_a_task_goes_on_with_is_a_coroutine() -> None:
    # Python 3.11 takes a generator, too; 3.12 and later do not.
    async def nothing() -> None:
        pass

    running = nothing()
    rest = _rest(running, None)
    assert inspect.iscoroutine(rest)
    rest.close()
    running.close()
