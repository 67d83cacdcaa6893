from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.target import Target, parse_target

DOMAINS = ("s3.example.com", "localhost")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"/", Target(None, None, False), id="service"),
        pytest.param(b"/bucket", Target("bucket", None, False), id="bucket"),
        pytest.param(b"/bucket/", Target("bucket", None, False), id="bucket with slash"),
        pytest.param(b"/bucket/key", Target("bucket", "key", False), id="object"),
        pytest.param(b"/bucket//key", Target("bucket", "/key", False), id="leading slash in key"),
        pytest.param(b"/bucket/a//b/", Target("bucket", "a//b/", False), id="slashes stay"),
        pytest.param(b"/bucket/a/../b/./c", Target("bucket", "a/../b/./c", False), id="dots stay"),
        pytest.param(b"/bucket/a+b", Target("bucket", "a+b", False), id="plus stays"),
        pytest.param(b"/bucket/a%2Bb%20c", Target("bucket", "a+b c", False), id="escapes"),
        pytest.param(b"/bucket/a%2fb", Target("bucket", "a/b", False), id="small hex digits"),
        pytest.param(b"/bucket/%C3%BC", Target("bucket", "ü", False), id="utf-8 escaped"),
        pytest.param("/bucket/ü".encode(), Target("bucket", "ü", False), id="utf-8 raw"),
        pytest.param(b"/bucket/a%00b", Target("bucket", "a\x00b", False), id="nul"),
        pytest.param(b"/bucket/%2525", Target("bucket", "%25", False), id="decoded once"),
        pytest.param(b"/a%2Fb/c", Target("a/b", "c", False), id="escaped slash separates nothing"),
        pytest.param(b"/buck%65t/k", Target("bucket", "k", False), id="escape in the bucket"),
    ],
)
def test_path_style(path: bytes, expected: Target) -> None:
    assert parse_target(path, b"127.0.0.1:9000", DOMAINS) == expected
    assert parse_target(path, b"", ()) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param(b"photos.s3.example.com", Target("photos", "a/b", True), id="plain"),
        pytest.param(b"photos.s3.example.com:9000", Target("photos", "a/b", True), id="port"),
        pytest.param(b"Photos.S3.Example.COM", Target("photos", "a/b", True), id="capitals"),
        pytest.param(b"my.photos.s3.example.com", Target("my.photos", "a/b", True), id="dots in the name"),
        pytest.param(b"photos.localhost:9000", Target("photos", "a/b", True), id="second domain"),
        pytest.param(b"s3.example.com", Target("a", "b", False), id="the domain itself"),
        pytest.param(b"notmys3.example.com", Target("a", "b", False), id="no dot before the domain"),
        pytest.param(b"photos.s3.example.com.evil.org", Target("a", "b", False), id="domain in the middle"),
        pytest.param(b"[::1]:9000", Target("a", "b", False), id="ipv6"),
        pytest.param(b"\xff.s3.example.com", Target("ÿ", "a/b", True), id="no ascii"),
    ],
)
def test_bucket_in_the_host(host: bytes, expected: Target) -> None:
    assert parse_target(b"/a/b", host, DOMAINS) == expected


@pytest.mark.parametrize(
    ("path", "key"),
    [(b"/", None), (b"//a", "/a"), (b"/a%20b", "a b"), (b"/a/", "a/")],
    ids=["bucket itself", "leading slash", "escape", "trailing slash"],
)
def test_whole_path_is_the_key_where_the_bucket_is_in_the_host(path: bytes, key: str | None) -> None:
    assert parse_target(path, b"photos.localhost", DOMAINS) == Target("photos", key, True)


def test_longest_domain_wins() -> None:
    domains = ("example.com", "s3.example.com")
    assert parse_target(b"/k", b"b.s3.example.com", domains) == Target("b", "k", True)
    assert parse_target(b"/b/k", b"s3.example.com", domains) == Target("b", "k", False)


@pytest.mark.parametrize(
    "path",
    [b"", b"*", b"bucket/key", b"/b/%", b"/b/%4", b"/b/%zz", b"/b/%+4", b"/b/%C3", b"/b/\xff", b"/%ED%A0%80/k", b"/b/%C0%80"],
    ids=repr,
)  # fmt: skip
def test_path_that_cannot_be_parsed_is_an_invalid_uri(path: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_target(path, b"", ())
    assert caught.value.code is Code.INVALID_URI


@pytest.mark.parametrize(
    ("path", "host"),
    [(b"//", b""), (b"//key", b""), (b"/key", b".localhost")],
    ids=["slashes", "key", "host"],
)
def test_empty_bucket_name_is_refused(path: bytes, host: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_target(path, host, DOMAINS)
    assert caught.value.code is Code.INVALID_BUCKET_NAME


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_any_bytes_are_a_target_or_refused(
    refusal_of: Callable[..., Code | None], path: bytes, host: bytes
) -> None:
    code = refusal_of(parse_target, b"/" + path, host, DOMAINS)
    assert code in (None, Code.INVALID_URI, Code.INVALID_BUCKET_NAME)
    if code is None:
        target = parse_target(b"/" + path, host, DOMAINS)
        assert target.bucket != ""
        assert target.key != ""
        (target.key or "").encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_key_comes_back_from_its_url(key: str) -> None:
    path = b"/bucket/" + quote(key, safe="/-_.~").encode()
    assert parse_target(path, b"", ()) == Target("bucket", key, False)
    assert parse_target(path[7:], b"bucket.localhost", DOMAINS) == Target("bucket", key, True)
