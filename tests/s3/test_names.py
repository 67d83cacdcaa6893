from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.names import require_bucket_name, require_key


@pytest.mark.parametrize(
    "name",
    ["abc", "a1b", "my-bucket", "my.bucket", "a" * 63, "123", "1.2.3", "1.2.3.4.5", "a--b"],
)
def test_bucket_name_is_taken(name: str) -> None:
    assert require_bucket_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("ab", id="too short"),
        pytest.param("a" * 64, id="too long"),
        pytest.param("Bucket", id="capital"),
        pytest.param("my_bucket", id="underscore"),
        pytest.param("bücket", id="not ascii"),
        pytest.param("my bucket", id="space"),
        pytest.param("-abc", id="hyphen first"),
        pytest.param("abc-", id="hyphen last"),
        pytest.param(".abc", id="period first"),
        pytest.param("abc.", id="period last"),
        pytest.param("a..b", id="two periods"),
        pytest.param("a.-b", id="hyphen behind a period"),
        pytest.param("a-.b", id="hyphen before a period"),
        pytest.param("192.168.5.4", id="address"),
        pytest.param("999.999.999.999", id="form of an address"),
        pytest.param("xn--abc", id="punycode"),
        pytest.param("sthree-abc", id="reserved prefix"),
        pytest.param("amzn-s3-demo-abc", id="reserved demo prefix"),
        pytest.param("abc-s3alias", id="access point alias"),
        pytest.param("abc--ol-s3", id="object lambda alias"),
        pytest.param("abc.mrap", id="multi-region alias"),
        pytest.param("abc--x-s3", id="directory bucket"),
        pytest.param("abc--table-s3", id="table bucket"),
        pytest.param("abc\n", id="line feed last"),
        pytest.param("-", id="admin path"),
    ],
)
def test_bucket_name_is_refused(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        require_bucket_name(name)
    assert caught.value.code is Code.INVALID_BUCKET_NAME
    assert dict(caught.value.details) == {"BucketName": name}


@given(st.text(max_size=70))
def test_any_text_is_a_bucket_name_or_refused(refusal_of: Callable[..., Code | None], text: str) -> None:
    assert refusal_of(require_bucket_name, text) in (None, Code.INVALID_BUCKET_NAME)


@pytest.mark.parametrize("key", ["a", "/", "..", "a\x00b", "ü" * 512, "x" * 1024], ids=repr)
def test_key_of_at_most_1024_bytes_is_taken(key: str) -> None:
    assert require_key(key) == key


@pytest.mark.parametrize(("key", "size"), [("x" * 1025, "1025"), ("ü" * 513, "1026"), ("😀" * 257, "1028")])
def test_longer_key_is_refused_with_its_size(key: str, size: str) -> None:
    with pytest.raises(S3Error) as caught:
        require_key(key)
    assert caught.value.code is Code.KEY_TOO_LONG_ERROR
    assert dict(caught.value.details) == {"Size": size, "MaxSizeAllowed": "1024"}


def test_empty_key_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        require_key("")
    assert caught.value.code is Code.USER_KEY_MUST_BE_SPECIFIED
