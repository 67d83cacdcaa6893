"""The frame of a form: however its body is cut the same comes of it, and it is what a library reads."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.form_reader import FormReader
from valetkey.s3.limits import MAX_FORM_FIELDS_BYTES

BOUNDARY: Final = b"Bnd"
END: Final = b"\r\n--Bnd--\r\n"

Found = tuple[tuple[tuple[str, str], ...], str | None, bytes]


def headers_of(name: bytes, more: bytes = b"") -> bytes:
    return b'--Bnd\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (name, more)


def read(pieces: list[bytes]) -> Found | tuple[Code, str, tuple[tuple[str, str], ...]]:
    """Return what a form holds, or how it is refused."""
    reader = FormReader(BOUNDARY)
    content = b""
    try:
        for piece in pieces:
            content += b"".join(reader.feed(piece))
        reader.require_whole()
    except S3Error as error:
        return error.code, error.message, tuple(error.details.items())
    assert reader.fields is not None
    return reader.fields.values, reader.fields.filename, content


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


HEADERS: Final = st.builds(
    headers_of,
    st.sampled_from(
        [b"k", b"file", b"File", b"a\\b", b'a\\"b', b"a;b=c", b"\xc3\xbc", b"\xfc", b"", b"a\nb", b"n" * 300]
    ),
    st.sampled_from(
        [
            b"",
            b'; filename="x"',
            b'; FileName="x;y"; size=3',
            b"; filename=x; filename*=utf-8''y",
            b'; filename="C:\\a\\b.txt"',
            b'; filename="a"b"\r\nContent-Type: text/plain',
            b'; filename=""\r\ncontent-type:text/plain; charset="x"',
            b'\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="other"',
            b"\r\nX-A:\r\nX-B:   b",
        ]
    ),
)
CONTENT: Final = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b"--", b"--Bn", b"\r\n--Bn", b"\r\n--Bndx", b"\r\n--Bnd-", b"x", b" "]
    )
).map(b"".join)
PART: Final = st.tuples(HEADERS, CONTENT, st.just(b"\r\n")).map(b"".join)
RUBBISH: Final = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"--Bnd",
        b"--Bnd--",
        b"--",
        b" ",
        b":",
        b"x",
        b"\r\n--Bnd",
        b"\r\n--Bnd \r\n",
        b"A: b\r\n",
    ]
)
PLACES: Final = st.lists(st.integers(0, 10_000), max_size=20)


@given(body=st.lists(PART | RUBBISH | CONTENT, max_size=8).map(b"".join), places=PLACES)
def test_however_a_body_is_cut_the_same_comes_of_it(body: bytes, places: list[int]) -> None:
    whole = read([body])
    assert read(cut(body, places)) == whole
    assert read([body[at : at + 1] for at in range(len(body))]) == whole


@given(
    room=st.integers(-40, 40),
    after=st.sampled_from([b"", END, b"\rx", b"\r\n--Bnd x", b"y" * 9]),
    places=PLACES,
)
def test_at_the_limit_too(room: int, after: bytes, places: list[int]) -> None:
    front = headers_of(b"x") + b"y" * MAX_FORM_FIELDS_BYTES
    body = (
        front[: MAX_FORM_FIELDS_BYTES - len(headers_of(b"file")) + room]
        + b"\r\n"
        + headers_of(b"file")
        + after
    )
    whole = read([body])
    near = MAX_FORM_FIELDS_BYTES - 60
    assert read(cut(body, [near + place % 120 for place in places])) == whole
    assert read([body[:near], *(body[at : at + 1] for at in range(near, len(body)))]) == whole


def contents_by_library(body: bytes) -> list[bytes]:
    """Return the contents of all parts up to where a library refuses the body."""
    contents = [b""]

    def take(data: bytes, start: int, end: int) -> None:
        contents[-1] += data[start:end]

    parser = MultipartParser(BOUNDARY, {"on_part_data": take, "on_part_end": lambda: contents.append(b"")})
    with suppress(FormParserError):
        parser.write(body)
    return contents[:-1]


@given(
    fields=st.lists(st.tuples(st.sampled_from([b"a", b"b;c", b"\xc3\xbc"]), CONTENT), max_size=4),
    content=CONTENT,
)
def test_a_library_reads_the_same_frame(fields: list[tuple[bytes, bytes]], content: bytes) -> None:
    body = b"".join(headers_of(name) + value + b"\r\n" for name, value in fields)
    body += headers_of(b"file", b'; filename="f"\r\nContent-Type: text/plain') + content + END
    *values, found = contents_by_library(body) or [b""]
    # What ends a part may also have come about within its content.
    assume(len(values) == len(fields))
    expected = tuple((name.decode(), value.decode()) for (name, _), value in zip(fields, values, strict=True))
    assert read([body]) == (expected, "f", found)


@given(headers=HEADERS)
def test_plain_headers_are_read_as_those_one_by_one(headers: bytes) -> None:
    plain = headers_of(b"key") + b"k\r\n" + headers + b"content\r\n" + headers_of(b"file") + END
    # A header in front of the others leaves the short way.
    slow = plain.replace(b"Content-Disposition", b"X-First: 1\r\nContent-Disposition")
    assert read([plain]) == read([slow])


@pytest.mark.parametrize("padding", [b"", b" ", b"\t \t", b" " * 64], ids=["none", "space", "tabs", "most"])
def test_a_boundary_may_be_padded(padding: bytes) -> None:
    body = headers_of(b"k") + b"v\r\n" + headers_of(b"file") + b"content\r\n--Bnd--"
    assert read([body.replace(b"Bnd\r\n", b"Bnd" + padding + b"\r\n")]) == ((("k", "v"),), None, b"content")


@pytest.mark.parametrize("line", [b" x", b"\tx", b" --", b" " * 65], ids=["space", "tab", "last", "much"])
def test_a_boundary_with_anything_behind_its_padding_is_refused(line: bytes) -> None:
    body = headers_of(b"file") + b"content\r\n--Bnd" + line + b"\r\nmore" + END
    assert read([body])[0] is Code.MALFORMED_POST_REQUEST


def test_a_line_that_only_begins_with_the_boundary_is_content() -> None:
    content = b"a\r\n--Bnd2\r\n--Bnd-\r\n--Bnd\r"
    assert read([headers_of(b"file") + content + END]) == ((), None, content)


@pytest.mark.parametrize(
    ("front", "is_read"),
    [
        pytest.param(b"\r\n", True, id="empty-line"),
        pytest.param(b"\r\n\r\n", True, id="two"),
        pytest.param(b"x\r\n", False, id="text"),
        pytest.param(b"\r\nx\r\n", False, id="text-after-an-empty-line"),
    ],
)
def test_nothing_but_empty_lines_may_stand_in_front(front: bytes, is_read: bool) -> None:
    found = read([front + headers_of(b"file") + b"content" + END])
    assert found == ((), None, b"content") if is_read else found[0] is Code.MALFORMED_POST_REQUEST


def test_empty_lines_count_too() -> None:
    assert read([b"\r\n"] * MAX_FORM_FIELDS_BYTES)[0] is Code.MAX_POST_PRE_DATA_LENGTH_EXCEEDED


@pytest.mark.parametrize(
    "header",
    [b"A", b": b", b"A b: c", b" A: b", b"\xfc: b", b"A: b\rc", b"\n: b"],
    ids=["no-colon", "no-name", "space", "folded", "no-ascii", "bare-cr", "lf"],
)
def test_a_broken_header_is_refused(header: bytes) -> None:
    front = headers_of(b"file", b"\r\n" + header)
    assert read([front + b"content" + END])[0] is Code.MALFORMED_POST_REQUEST


@pytest.mark.parametrize(("count", "is_read"), [(16, True), (17, False)])
def test_a_part_has_sixteen_headers_at_most(count: int, is_read: bool) -> None:
    front = headers_of(b"file", b"\r\nA: b" * (count - 1))
    found = read([front + b"content" + END])
    assert found == ((), None, b"content") if is_read else found[0] is Code.MALFORMED_POST_REQUEST


@pytest.mark.parametrize("boundary", [b"a" * 257, b"a\r", b"a\nb"], ids=["long", "cr", "lf"])
def test_what_no_boundary_can_be_is_refused(boundary: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        FormReader(boundary)
    assert caught.value.code is Code.MALFORMED_POST_REQUEST


@pytest.mark.parametrize("piece", [b"\r\n--Bn", b"\r", b"\r\n--Bndx", b"\r\n--Bnd-"])
def test_of_the_file_no_more_is_kept_back_than_may_be_a_boundary(piece: bytes) -> None:
    reader = FormReader(BOUNDARY)
    reader.feed(headers_of(b"file"))
    given_back = 0
    for fed in range(1, 2000):
        given_back += sum(map(len, reader.feed(piece)))
        assert fed * len(piece) - given_back <= len(b"\r\n--Bnd-")
