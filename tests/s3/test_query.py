from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.query import parse_query


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"uploads", {"uploads": ""}, id="no value"),
        pytest.param(b"uploads=", {"uploads": ""}, id="empty value"),
        pytest.param(b"a=1&b=2", {"a": "1", "b": "2"}, id="two"),
        pytest.param(b"a=1&a=2", {"a": "1"}, id="the first counts"),
        pytest.param(b"a=b=c", {"a": "b=c"}, id="the first equals sign divides"),
        pytest.param(b"a=1&&b=2&", {"a": "1", "b": "2"}, id="empty pieces"),
        pytest.param(b"=x", {"": "x"}, id="no name"),
        pytest.param(b"prefix=a+b", {"prefix": "a b"}, id="plus is a space"),
        pytest.param(b"prefix=a%2Bb%20c", {"prefix": "a+b c"}, id="escapes"),
        pytest.param(
            b"X-Amz-Credential=AK%2F20130524%2Fs3", {"X-Amz-Credential": "AK/20130524/s3"}, id="slashes"
        ),
        pytest.param(b"a=%252F", {"a": "%2F"}, id="decoded once"),
        pytest.param(b"a=%26%3D", {"a": "&="}, id="escaped separators"),
        pytest.param(b"%61=1&a=2", {"a": "1"}, id="names are compared decoded"),
        pytest.param(b"a=%C3%BC", {"a": "ü"}, id="utf-8 escaped"),
        pytest.param("a=ü".encode(), {"a": "ü"}, id="utf-8 raw"),
        pytest.param("a=%41ü".encode(), {"a": "Aü"}, id="raw and escaped"),
        pytest.param(b"a=1;b=2", {"a": "1;b=2"}, id="semicolon separates nothing"),
    ],
)
def test_query_is_decoded(raw: bytes, expected: dict[str, str]) -> None:
    assert parse_query(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [b"a=%", b"a=%2", b"a=%zz", b"%=1", b"a=%%2F", b"a=%2%2F", b"a=\xff", b"a=%FF", b"a=%ED%A0%80"],
    ids=repr,
)
def test_query_that_cannot_be_decoded_is_an_invalid_uri(raw: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_query(raw)
    assert caught.value.code is Code.INVALID_URI


@given(st.binary(max_size=80))
def test_any_bytes_are_parameters_or_refused(refusal_of: Callable[..., Code | None], raw: bytes) -> None:
    code = refusal_of(parse_query, raw)
    assert code in (None, Code.INVALID_URI)
    if code is None:
        # Where we accept, we read what everybody reads.
        expected: dict[str, str] = {}
        for name, value in parse_qsl(raw.decode(), keep_blank_values=True):
            expected.setdefault(name, value)
        assert parse_query(raw) == expected


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=6), st.sampled_from([quote, quote_plus]))
def test_every_parameter_comes_back(parameters: dict[str, str], encode: object) -> None:
    assert callable(encode)
    raw = "&".join(f"{encode(name, safe='')}={encode(value, safe='')}" for name, value in parameters.items())
    assert parse_query(raw.encode()) == parameters
