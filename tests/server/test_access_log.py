"""The access log: one object a line, without what opens a door, and never in the way."""

import io
import json
import os
import threading

import pytest

from valetkey.server.access_log import FLUSH_LINES, MAX_WAITING, AccessLog, redacted_target


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", "/b/k"),
        (b"X-Amz-Date=1&X-Amz-Signature=abc", "/b/k?X-Amz-Date=1&X-Amz-Signature=REDACTED"),
        (b"Signature=abc%3D&Expires=1", "/b/k?Signature=REDACTED&Expires=1"),
        (b"a=1&x-amz-security-token=t&b=2", "/b/k?a=1&x-amz-security-token=REDACTED&b=2"),
        (b"X-Amz-Signature=a&X-Amz-Signature=b", "/b/k?X-Amz-Signature=REDACTED&X-Amz-Signature=REDACTED"),
        (b"X-Amz-S%69gnature=abc", "/b/k?X-Amz-S%69gnature=REDACTED"),
    ],
    ids=["no query", "SigV4", "SigV2", "token in any case", "twice", "name escaped"],
)
def test_signatures_and_tokens_are_taken_out(query: bytes, expected: str) -> None:
    assert redacted_target(b"/b/k", query) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"/b/k?X-Amz-Sigature={'0a' * 32}&x=1", "/b/k?X-Amz-Sigature=REDACTED&x=1"),
        (f"/b/k?X-Amz-Signature&{'0A' * 32}", "/b/k?X-Amz-Signature&REDACTED"),
        (f"/b/k?X-Amz-Signature%{'e9' * 32}", "/b/k?X-Amz-Signature%REDACTED"),
        ("/b/k?Sig=abcdefghijklmnopqrstuvw%2F%2B12%3D&Expires=1", "/b/k?Sig=REDACTED&Expires=1"),
        (f"/b/k&amp;X-Amz-Credential=A&amp;Sig={'0a' * 32}", "/b/k&amp;X-Amz-Credential=A&amp;Sig=REDACTED"),
        (f"/b/{'0a' * 32}?list-type=2", f"/b/{'0a' * 32}?list-type=2"),
        (f"/b/{'0a' * 32}?X-Amz-Credential=A&x=1", f"/b/{'0a' * 32}?X-Amz-Credential=A&x=1"),
    ],
    ids=[
        "letter lost",
        "no =",
        "escape",
        "SigV2",
        "in the path",
        "a key that is a digest",
        "and a link to it",
    ],
)
def test_a_value_that_looks_like_a_signature_is_taken_for_one(target: str, expected: str) -> None:
    path, _, query = target.partition("?")
    assert redacted_target(path.encode(), query.encode()) == expected


def test_each_entry_is_one_line_whatever_it_holds() -> None:
    stream = io.StringIO()
    log = AccessLog(stream)
    log.add({"user_agent": 'a\n"b"\u2028'})
    log.add({"n": 2})
    log.close()
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"user_agent": 'a\n"b"\u2028'},
        {"n": 2},
    ]


def test_a_reader_that_is_stuck_costs_lines_and_not_requests() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream:
        log = AccessLog(stream)
        for number in range(FLUSH_LINES * (MAX_WAITING + 40)):
            log.add({"number": number, "padding": "x" * 200})
        # All of it returned although nobody has read a byte. Now somebody does.
        taken = bytearray()
        reader = threading.Thread(target=lambda: drain(read_end, taken))
        reader.start()
        log.close()
        log.add({"last": True})
    reader.join(10)
    assert taken.count(b"\n") > FLUSH_LINES


def drain(descriptor: int, taken: bytearray) -> None:
    while block := os.read(descriptor, 65536):
        taken += block
    os.close(descriptor)


def test_without_a_reader_nothing_is_made() -> None:
    assert not AccessLog(None).is_on
