from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.ranges import Span, parse_copy_range, parse_range


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [
        ("bytes=0-0", 10, Span(0, 1)),
        ("bytes=0-9", 10, Span(0, 10)),
        ("bytes=2-5", 10, Span(2, 6)),
        ("bytes=2-", 10, Span(2, 10)),
        ("bytes=9-", 10, Span(9, 10)),
        ("bytes=5-999", 10, Span(5, 10)),
        ("bytes=-3", 10, Span(7, 10)),
        ("bytes=-999", 10, Span(0, 10)),
        (" bytes=0-1 ", 10, Span(0, 2)),
        ("bytes=0-9999999999999999999", 10, Span(0, 10)),
    ],
)
def test_range_is_a_span(value: str, size: int, expected: Span) -> None:
    assert parse_range(value, size) == expected


@pytest.mark.parametrize(
    "value",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4", "bytes= 0-1", "lines=0-1",
     "Bytes=0-1", "bytes=0-1;", "bytes=--1", "bytes=+1-2", "bytes=١-٢", "bytes=0-99999999999999999999", "0-1"],
    ids=repr,
)  # fmt: skip
def test_range_in_another_form_is_ignored(value: str) -> None:
    assert parse_range(value, 10) is None


@pytest.mark.parametrize(
    ("value", "size"),
    [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)],
)
def test_range_that_holds_no_byte_is_not_satisfiable(value: str, size: int) -> None:
    with pytest.raises(S3Error) as caught:
        parse_range(value, size)
    assert caught.value.code is Code.INVALID_RANGE
    assert list(caught.value.details.items()) == [("RangeRequested", value), ("ActualObjectSize", str(size))]


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_span_holds_exactly_the_bytes_asked_for(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    try:
        span = parse_range(f"bytes={first}-{last}", size)
    except S3Error:
        assert content[first : last + 1] == b""
    else:
        if span is None:
            assert last < first
        else:
            assert content[span.start : span.end] == content[first : last + 1]
            assert span.size == len(content[first : last + 1]) > 0


@pytest.mark.parametrize(
    ("text", "span"), [("bytes=0-4", Span(0, 5)), ("bytes=4-4", Span(4, 5)), (" bytes=00-1 ", Span(0, 2))]
)
def test_range_of_a_source(text: str, span: Span) -> None:
    assert parse_copy_range(text, 5) == span


@pytest.mark.parametrize(
    "text",
    ["", "0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5", "bytes=1-",
     "bytes=-1", "bytes=0-" + "9" * 20, "bytes=٣-٣"],
)  # fmt: skip
def test_range_of_a_source_has_one_form(text: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_copy_range(text, 5)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == (
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
        "zero-based offsets of the first and last bytes to copy"
    )
    assert dict(caught.value.details) == {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("bytes=0-5", Code.INVALID_RANGE),
        ("bytes=0-21", Code.INVALID_RANGE),
        ("bytes=5-5", Code.INVALID_REQUEST),
        ("bytes=3-2", Code.INVALID_ARGUMENT),
    ],
)
def test_range_that_the_source_does_not_have_is_refused(text: str, code: Code) -> None:
    with pytest.raises(S3Error) as caught:
        parse_copy_range(text, 5)
    assert caught.value.code is code
    if code is Code.INVALID_RANGE:
        assert caught.value.message == "Range specified is not valid for source object of size: 5"


def test_empty_source_has_no_range() -> None:
    with pytest.raises(S3Error):
        parse_copy_range("bytes=0-0", 0)


@given(st.text(max_size=30), st.integers(0, 2**63))
def test_any_text_is_a_span_or_ignored_or_refused(
    refusal_of: Callable[..., Code | None], value: str, size: int
) -> None:
    for text in (value, f"bytes={value}"):
        code = refusal_of(parse_range, text, size)
        assert code in (None, Code.INVALID_RANGE)
        span = parse_range(text, size) if code is None else None
        assert span is None or 0 <= span.start < span.end <= size
