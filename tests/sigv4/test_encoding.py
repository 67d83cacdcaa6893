"""Percent-encoding against the standard library's."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.sigv4.encoding import (
    canonical_component,
    canonical_path,
    decode_component,
    encode_component,
    encode_path,
    encode_paths,
    query_pairs,
)


@given(st.text())
def test_encoder_is_the_standard_librarys(text: str) -> None:
    assert encode_component(text) == quote(text, safe="")
    assert encode_path(text) == quote(text, safe="/")


# With the characters that could be taken for something of its own: hidden letters, escapes, the separator.
@given(st.lists(st.text() | st.text(st.sampled_from("aZxX\\%~/ \0\x01\x1a\x1f\x7fdü日"))))
def test_many_at_once_are_encoded_as_one_by_one(texts: list[str]) -> None:
    assert encode_paths(texts) == [quote(text, safe="/") for text in texts]


@given(st.text())
def test_what_we_write_is_canonical_already(text: str) -> None:
    component, path = encode_component(text).encode(), encode_path(f"/{text}").encode()
    assert canonical_component(component) == component
    assert canonical_path(path) == path
    assert decode_component(component).decode() == text


@given(st.binary())
def test_canonical_form_is_stable_and_means_the_same(raw: bytes) -> None:
    component, path = canonical_component(raw), canonical_path(raw)
    assert canonical_component(component) == component
    assert canonical_path(path) == path
    assert decode_component(component) == unquote_to_bytes(raw.replace(b"+", b" "))


@given(st.binary())
def test_query_of_any_bytes_is_canonical_piece_by_piece(raw: bytes) -> None:
    expected = []
    for piece in raw.split(b"&") if raw else []:
        name, _, value = piece.partition(b"=")
        expected.append((canonical_component(name), canonical_component(value)))
    assert query_pairs(raw) == expected


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"", b"/"),
        (b"/a//b/./../c", b"/a//b/./../c"),
        (b"/a%2Fb%2fc%41", b"/a%2Fb%2fc%41"),
        (b"/a+b(c)!'*", b"/a%2Bb%28c%29%21%27%2A"),
        (b"/100%", b"/100%25"),
        (b"/%zz%4", b"/%25zz%254"),
        ("/é".encode(), b"/%C3%A9"),
        (b"/a\nb", b"/a%0Ab"),
    ],
)
def test_path_that_arrived(raw: bytes, canonical: bytes) -> None:
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"uploads", [(b"uploads", b"")]),
        (b"uploads=", [(b"uploads", b"")]),
        (b"a=1&b=2", [(b"a", b"1"), (b"b", b"2")]),
        (b"a=b=c&d", [(b"a", b"b%3Dc"), (b"d", b"")]),
        (b"a=x+y&b=%7E%2d%2f", [(b"a", b"x%20y"), (b"b", b"~-%2f")]),
        (b"a=/:@", [(b"a", b"%2F%3A%40")]),
        (b"a=%&b=%4", [(b"a", b"%25"), (b"b", b"%254")]),
        (b"a=1&&b=2&", [(b"a", b"1"), (b"", b""), (b"b", b"2"), (b"", b"")]),
    ],
)
def test_query_that_arrived(raw: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    assert query_pairs(raw) == pairs
