"""Metadata that is not ASCII: kept as text, and told in the one form that HTTP headers can hold."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from tests.raw.door import Door


@pytest.mark.parametrize(
    "value", ["Grüße", "Bericht – März.pdf", "钥匙", "🔑", "a=b?c_d", "ends with ü", "plain"]
)
def test_any_text_may_be_metadata(door: Door, value: str) -> None:
    headers = {"x-amz-meta-title": value}
    assert door.presigned("PUT", "unicode-metadata", headers=headers, body=b"content").status == 200
    for method in ("GET", "HEAD"):
        told = door.presigned(method, "unicode-metadata").header("x-amz-meta-title")
        assert told is not None
        assert told.isascii()
        assert (told == value) == value.isascii()
        assert str(make_header(decode_header(told))) == value


def test_header_of_the_content_comes_back_in_the_bytes_that_it_came_in(door: Door) -> None:
    disposition = 'attachment; filename="Größe €.pdf"'
    door.put("unicode-disposition", b"content", headers={"content-disposition": disposition})
    for method in ("GET", "HEAD"):
        told = door.presigned(method, "unicode-disposition").header("content-disposition")
        assert told is not None
        assert told.encode("latin-1") == disposition.encode()


def test_an_encoded_word_is_kept_as_it_was_sent(door: Door) -> None:
    word = "=?UTF-8?B?R3LDvMOfZQ==?="
    door.put("encoded-word", b"content", headers={"x-amz-meta-title": word})
    assert door.presigned("HEAD", "encoded-word").header("x-amz-meta-title") == word


def test_names_come_back_in_lower_case_and_repeated_ones_joined(door: Door) -> None:
    target = door.key.presign("PUT", door.path("repeated"), headers={"x-amz-meta-tag": "a,b"})
    sent = [("X-Amz-Meta-Tag", "a"), ("x-amz-meta-TAG", "b")]
    assert door.send("PUT", target, headers=sent, body=b"content").status == 200
    reply = door.presigned("HEAD", "repeated")
    assert ("x-amz-meta-tag", "a,b") in [(name.lower(), value) for name, value in reply.headers]
