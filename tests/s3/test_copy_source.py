from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.copy_source import CopySource, parse_copy_source
from valetkey.s3.errors import S3Error


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("photos/a", CopySource(bucket="photos", key="a", version_id=None)),
        ("/photos/a/b", CopySource(bucket="photos", key="a/b", version_id=None)),
        ("photos/%C3%BC%3Fb+c%2B", CopySource(bucket="photos", key="ü?b c+", version_id=None)),
        ("photos%2Fa%2Fb", CopySource(bucket="photos", key="a/b", version_id=None)),
        ("/photos//a/", CopySource(bucket="photos", key="/a/", version_id=None)),
        ("photos/a?versionId=v1", CopySource(bucket="photos", key="a", version_id="v1")),
        ("photos/a?versionId=null", CopySource(bucket="photos", key="a", version_id="null")),
        (
            "photos/%3FversionId=x?versionId=v%2F1",
            CopySource(bucket="photos", key="?versionId=x", version_id="v/1"),
        ),
        ("photos/a?", CopySource(bucket="photos", key="a", version_id=None)),
    ],
    ids=[
        "plain",
        "slash",
        "encoded",
        "encoded slash",
        "slashes",
        "version",
        "null version",
        "encoded query",
        "empty query",
    ],
)
def test_source(text: str, source: CopySource) -> None:
    assert parse_copy_source(text) == source


@pytest.mark.parametrize("text", ["", "/", "photos", "photos/", "/photos", "photos?versionId=v1"])
def test_source_without_bucket_or_key_is_refused(text: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_copy_source(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert dict(caught.value.details) == {"ArgumentName": "x-amz-copy-source", "ArgumentValue": text}


def test_empty_version_id_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        parse_copy_source("photos/a?versionId=")
    assert caught.value.message == "Version id cannot be the empty string"
    assert dict(caught.value.details) == {"ArgumentName": "versionId", "ArgumentValue": ""}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_a_source_or_refused(refusal_of: Callable[..., Code | None], text: str) -> None:
    allowed = (None, Code.INVALID_ARGUMENT, Code.INVALID_URI, Code.INVALID_BUCKET_NAME)
    assert refusal_of(parse_copy_source, text) in allowed
