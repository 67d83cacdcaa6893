from __future__ import annotations

import hashlib

import pytest

from valetkey.s3.etag import is_listed, multipart_etag, unquoted


@pytest.mark.parametrize(
    ("text", "tag"),
    [('"a"', "a"), ("a", "a"), (' "a" ', "a"), ('"', '"'), ('"a', '"a'), ('""', "")],
    ids=repr,
)
def test_tag_is_read_with_and_without_quotes(text: str, tag: str) -> None:
    assert unquoted(text) == tag


def test_tag_of_an_upload_in_parts_is_the_md5_of_the_md5s() -> None:
    parts = [hashlib.md5(part).hexdigest() for part in (b"a", b"b")]
    expected = hashlib.md5(hashlib.md5(b"a").digest() + hashlib.md5(b"b").digest()).hexdigest()
    assert multipart_etag(parts) == f"{expected}-2"


@pytest.mark.parametrize(
    ("condition", "weak", "expected"),
    [
        ('"abc"', False, True),
        ("abc", False, True),
        ("*", False, True),
        ('"x" , "abc"', False, True),
        ('"x"', False, False),
        ("", False, False),
        ('W/"abc"', False, False),
        ('W/"abc"', True, True),
        ('"x", W/"abc"', True, True),
        ('"ab', True, False),
        ('"ABC"', True, False),
    ],
)
def test_condition_names_a_tag(condition: str, weak: bool, expected: bool) -> None:
    assert is_listed("abc", condition, weak=weak) is expected
