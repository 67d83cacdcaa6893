"""A form's body in pieces: the fields, then the file and nothing but the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.form_reader import Fields, FormReader, boundary_of
from valetkey.s3.limits import MAX_FORM_FIELDS_BYTES

BOUNDARY = b"----formboundary7MA4YWxk"


def part(name: str, content: bytes, *, filename: str | None = None, more: str = "") -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'Content-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + content + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"


def read(body: bytes, *, step: int | None = None) -> tuple[Fields, bytes]:
    reader = FormReader(BOUNDARY)
    content = b""
    for start in range(0, len(body), step or len(body)):
        content += b"".join(reader.feed(body[start : start + (step or len(body))]))
    reader.require_whole()
    assert reader.fields is not None
    return reader.fields, content


FORM = (
    part("key", b"a/${filename}")
    + part("x-amz-meta-\u00fc", "w\u00e4rme".encode())
    + part("File", b"\r\n--content\r\n-\r", filename="\u65e5\u672c.txt", more="Content-Type: text/plain\r\n")
)


@pytest.mark.parametrize("step", [1, 2, 7, 64, None])
def test_form_reads_alike_in_pieces_of_any_size(step: int | None) -> None:
    fields, content = read(FORM + END, step=step)
    assert fields.values == (("key", "a/${filename}"), ("x-amz-meta-\u00fc", "w\u00e4rme"))
    assert fields.filename == "\u65e5\u672c.txt"
    assert content == b"\r\n--content\r\n-\r"


@pytest.mark.parametrize("step", [1, 5, None])
@pytest.mark.parametrize(
    "after",
    [
        pytest.param(part("submit", b"Upload") + END, id="a-button"),
        pytest.param(part("file", b"another", filename="b") + END, id="another-file"),
        pytest.param(END + b"epilogue \r\n--" + BOUNDARY, id="an-epilogue"),
        pytest.param(part("x", b"y" * MAX_FORM_FIELDS_BYTES) + END, id="a-long-field"),
        pytest.param(b"--" + BOUNDARY + b"\r\nnot a header", id="rubbish"),
    ],
)
def test_what_follows_the_file_counts_for_nothing(after: bytes, step: int | None) -> None:
    body = part("key", b"k") + part("file", b"content", filename="a") + after
    fields, content = read(body, step=step)
    assert fields.values == (("key", "k"),)
    assert content == b"content"


@given(
    content=st.lists(st.sampled_from([b"\r\n", b"--", BOUNDARY[:9], b"x", b"\0\xff", b"\r"])).map(b"".join),
    step=st.integers(1, 40),
)
def test_content_comes_through_as_it_is(content: bytes, step: int) -> None:
    assert read(part("key", b"k") + part("file", content) + END, step=step)[1] == content


def test_file_is_told_by_its_name_and_not_by_having_a_file_name() -> None:
    body = part("key", b"k", filename="key") + part("file", b"content", filename="") + END
    fields, content = read(body)
    assert (fields.values, fields.filename, content) == ((("key", "k"),), "", b"content")
    assert read(part("file", b"content") + END)[0].filename is None


def test_empty_file_is_a_file() -> None:
    assert read(part("key", b"k") + part("file", b"", filename="a") + END)[1] == b""


def test_backslash_in_a_file_name_stays() -> None:
    assert read(part("file", b"", filename="a\\b.txt") + END)[0].filename == "a\\b.txt"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(part("key", b"k") + part("file", b"conte")[:-2], id="in-the-file"),
        pytest.param(b"no form at all, but long enough for any boundary to show", id="no-boundary"),
        pytest.param(b"--" + BOUNDARY + b"\r\nno colon\r\n\r\nx\r\n" + END, id="header"),
        pytest.param(b"--" + BOUNDARY + b"\r\nA: b\r\n\r\nx\r\n" + END, id="no-disposition"),
        pytest.param(
            b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, id="no-name"
        ),
        pytest.param(
            b"--" + BOUNDARY + b'\r\nContent-Disposition: attachment; name="file"\r\n\r\nx\r\n' + END,
            id="no-form-data",
        ),
    ],
)
@pytest.mark.parametrize("step", [1, None])
def test_broken_form_is_refused(body: bytes, step: int | None) -> None:
    with pytest.raises(S3Error) as caught:
        read(body, step=step)
    assert caught.value.code is Code.MALFORMED_POST_REQUEST


@pytest.mark.parametrize("body", [END, part("key", b"k") + END], ids=["empty", "fields-alone"])
def test_form_without_a_file_is_refused(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        read(body)
    assert caught.value.message == "POST requires exactly one file upload per request."
    assert dict(caught.value.details) == {"ArgumentName": "file", "ArgumentValue": "0"}


@pytest.mark.parametrize(
    "front",
    [
        pytest.param(part("x", b"y" * MAX_FORM_FIELDS_BYTES), id="one-long-field"),
        pytest.param(part("x", b"") * 400, id="many-empty-ones"),
        pytest.param(part("y" * MAX_FORM_FIELDS_BYTES, b""), id="a-long-name"),
    ],
)
@pytest.mark.parametrize("step", [100, None])
def test_too_much_before_the_file_is_refused(front: bytes, step: int | None) -> None:
    with pytest.raises(S3Error) as caught:
        read(front + part("file", b"content") + END, step=step)
    assert caught.value.code in (Code.MAX_POST_PRE_DATA_LENGTH_EXCEEDED, Code.MALFORMED_POST_REQUEST)


def test_the_last_byte_before_the_file_counts() -> None:
    head = len(part("x", b"")) + len(part("file", b"")) - len(b"\r\n")
    room = MAX_FORM_FIELDS_BYTES - head
    end = part("file", b"content" * 10_000) + END
    assert len(read(part("x", b"y" * room) + end)[0].values[0][1]) == room
    with pytest.raises(S3Error) as caught:
        read(part("x", b"y" * (room + 1)) + end)
    assert caught.value.code is Code.MAX_POST_PRE_DATA_LENGTH_EXCEEDED
    assert dict(caught.value.details) == {"MaxPostPreDataLengthBytes": "20480"}


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        pytest.param("multipart/form-data; boundary=abc", b"abc", id="plain"),
        pytest.param('Multipart/Form-Data; charset=utf-8; Boundary="a b"', None, id="other-case"),
        pytest.param('multipart/form-data; charset=utf-8; boundary="a;b"', b"a;b", id="quoted"),
    ],
)
def test_boundary(content_type: str, boundary: bytes | None) -> None:
    if boundary is None:
        assert boundary_of(content_type) == b"a b"
    else:
        assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        pytest.param("", Code.PRECONDITION_FAILED, id="none"),
        pytest.param("application/x-www-form-urlencoded", Code.PRECONDITION_FAILED, id="other-form"),
        pytest.param("multipart/form-data", Code.MALFORMED_POST_REQUEST, id="no-boundary"),
        pytest.param("multipart/form-data; boundary=", Code.MALFORMED_POST_REQUEST, id="empty-boundary"),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, code: Code) -> None:
    with pytest.raises(S3Error) as caught:
        boundary_of(content_type)
    assert caught.value.code is code


def test_endless_boundary_is_refused() -> None:
    with pytest.raises(S3Error):
        FormReader(b"a" * 5000)


@given(body=st.binary(max_size=300), step=st.integers(1, 50))
def test_whatever_comes_is_read_or_refused(body: bytes, step: int) -> None:
    reader = FormReader(b"b")
    try:
        for start in range(0, len(body), step):
            reader.feed(b"--b\r\n" * (start == 0) + body[start : start + step])
        reader.require_whole()
    except S3Error:
        pass
