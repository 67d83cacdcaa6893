"""Whatever the bytes and however they come in pieces, the same requests are read, or they are refused."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.server.http1.connection import Connection
from valetkey.server.http1.exchange import Exchange
from valetkey.server.http1.reader import RequestReader

PIPELINE = (
    b"GET /a?b=c HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
    b"PUT /d HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\nGET / H"
    b"\r\nPOST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n"
    b"DELETE /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
)
READ = [
    ("GET", b"/a", b"b=c", [b"host", b"x"], b""),
    ("PUT", b"/d", b"", [b"host", b"content-length"], b"GET / H"),
    ("POST", b"/e", b"", [b"host", b"transfer-encoding"], b"hello!"),
    ("DELETE", b"/f", b"", [b"host", b"connection"], b""),
]


@dataclass
class Ear:
    """Stands where the connection stands, and takes each request as soon as its head is there."""

    taken: list[Exchange] = field(default_factory=list)
    is_cut: bool = False

    def head_begins(self) -> None:
        pass

    def body_is_cut(self) -> None:
        self.is_cut = True


def read(pieces: list[bytes]) -> tuple[RequestReader, Ear]:
    ear = Ear()
    reader = RequestReader(cast(Connection, ear))
    for piece in pieces:
        left = piece
        while left:
            left = reader.feed(left, is_busy=False)
            while reader.queue:
                ear.taken.append(reader.queue.popleft())
    return reader, ear


def told(exchange: Exchange) -> tuple[str, bytes, bytes, list[bytes], bytes]:
    names = [name for name, _ in exchange.headers]
    return exchange.method, exchange.raw_path, exchange.raw_query, names, b"".join(exchange._held)


def test_a_cut_at_any_byte_changes_nothing() -> None:
    for at in range(len(PIPELINE) + 1):
        _, ear = read([PIPELINE[:at], PIPELINE[at:]])
        assert [told(each) for each in ear.taken] == READ, at
        assert all(each.body_is_complete for each in ear.taken)


def test_byte_by_byte() -> None:
    _, ear = read([bytes([byte]) for byte in PIPELINE])
    assert [told(each) for each in ear.taken] == READ


@given(cuts=st.lists(st.integers(0, len(PIPELINE)), max_size=20))
def test_nor_do_many_cuts(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(PIPELINE)]
    _, ear = read([PIPELINE[start:end] for start, end in itertools.pairwise(bounds)])
    assert [told(each) for each in ear.taken] == READ


@given(pieces=st.lists(st.binary(max_size=200), max_size=8))
def test_garbage_is_waited_for_or_refused(pieces: list[bytes]) -> None:
    reader, ear = read(pieces)
    assert ear.taken == []
    assert reader.refusal in (None, 400, 414, 431, 501, 505)


@given(at=st.integers(0, len(PIPELINE) - 1), byte=st.binary(min_size=1, max_size=3))
def test_a_request_with_other_bytes_in_it_is_read_the_same_however_it_comes(at: int, byte: bytes) -> None:
    sent = PIPELINE[:at] + byte + PIPELINE[at + 1 :]
    whole, ear = read([sent])
    single, slow = read([bytes([each]) for each in sent])
    # In the piece that is refused, a request whose body had only begun is not begun at all.
    ends = [each for each in ear.taken if each.body_is_complete]
    assert [told(each) for each in ends] == [told(each) for each in slow.taken if each.body_is_complete]
    assert whole.refusal == single.refusal


@pytest.mark.parametrize(("size", "times"), [(1, 500), (1000, 500), (200_000, 5)])
def test_what_follows_the_next_request_is_handed_back(size: int, times: int) -> None:
    reader = RequestReader(cast(Connection, Ear()))
    one = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    left = reader.feed(one * times, is_busy=True)
    # Nobody takes a request: no more are read than are in one slice.
    assert 1 <= len(reader.queue) <= 400
    assert left
    count = 0
    while reader.queue or left:
        if reader.queue:
            assert b"".join(reader.queue.popleft()._held)[:1] == b"x"
            count += 1
        else:
            left = reader.feed(left, is_busy=False)
    assert count == times
