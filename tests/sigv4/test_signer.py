"""The signing face: what the URLs look like, and what misuse answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import valetkey
from valetkey import MisuseError, PresignedURL, Secret, SignatureError, Signer
from valetkey.sigv4.endpoint import Addressing
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.verify import Proof

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def at_endpoint(
    endpoint: str | None, *, region: str = "us-east-1", addressing: Addressing = "auto"
) -> Signer:
    return Signer(ACCESS_KEY, SECRET_KEY, region=region, endpoint=endpoint, addressing=addressing)


def test_face_of_the_package() -> None:
    assert valetkey.__version__ == "0.1.0"
    assert all(hasattr(valetkey, name) for name in valetkey.__all__)
    assert issubclass(MisuseError, SignatureError)
    assert issubclass(MisuseError, ValueError)


def test_result_carries_what_the_holder_needs(signer: Signer, at: datetime) -> None:
    headers = {"Content-Type": "text/plain", "x-amz-meta-A": "  two   words "}
    presigned = signer.presign("PUT", "b", "k", expires=60, headers=headers, at=at)
    assert isinstance(presigned, PresignedURL)
    assert presigned.method == "PUT"
    assert presigned.expires_at == at + timedelta(minutes=1)
    assert dict(presigned.headers) == {"content-type": "text/plain", "x-amz-meta-a": "two words"}
    assert str(presigned) == f"{presigned}" == presigned.url
    assert "X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-meta-a&" in presigned.url


def test_payload_hash_is_a_header_to_send(
    signer: Signer, at: datetime, receive: Callable[..., ReceivedRequest], prove: Callable[..., Proof]
) -> None:
    digest = sha256(b"content").hexdigest()
    presigned = signer.presign("PUT", "b", "k", payload_sha256=digest, at=at)
    assert presigned.headers == {"x-amz-content-sha256": digest}
    proof = prove(receive(presigned.url, "PUT", presigned.headers))
    assert proof.payload.sha256_hex == digest


@pytest.mark.parametrize(
    ("signer", "bucket", "place"),
    [
        (at_endpoint("http://127.0.0.1:9000"), "b.c", "http://127.0.0.1:9000/b.c/k"),
        (at_endpoint("http://127.0.0.1:9000/"), "bucket", "http://127.0.0.1:9000/bucket/k"),
        (at_endpoint("http://localhost:80"), "bucket", "http://localhost/bucket/k"),
        (at_endpoint("https://S3.Example.com:443"), "bucket", "https://s3.example.com/bucket/k"),
        (at_endpoint("https://example.com:80"), "bucket", "https://example.com:80/bucket/k"),
        (at_endpoint("https://example.com/a/b/"), "bucket", "https://example.com/a/b/bucket/k"),
        (at_endpoint("http://[::1]:9000"), "bucket", "http://[::1]:9000/bucket/k"),
        (
            at_endpoint("https://example.com:8443/a", addressing="virtual"),
            "bucket",
            "https://bucket.example.com:8443/a/k",
        ),
        (at_endpoint(None), "bucket", "https://bucket.s3.us-east-1.amazonaws.com/k"),
        (at_endpoint(None), "b.c", "https://s3.us-east-1.amazonaws.com/b.c/k"),
        (at_endpoint(None, addressing="path"), "bucket", "https://s3.us-east-1.amazonaws.com/bucket/k"),
        (
            at_endpoint(None, region="cn-north-1"),
            "bucket",
            "https://bucket.s3.cn-north-1.amazonaws.com.cn/k",
        ),
    ],
)
def test_where_the_url_points(signer: Signer, bucket: str, place: str, at: datetime) -> None:
    assert signer.presign("GET", bucket, "k", at=at).url.partition("?")[0] == place


def test_url_of_bucket_and_service(signer: Signer, at: datetime) -> None:
    virtual = at_endpoint("https://example.com", addressing="virtual")
    assert signer.presign("GET", "b", at=at).url.startswith("http://127.0.0.1:9000/b?")
    assert virtual.presign("GET", "bb", at=at).url.startswith("https://bb.example.com/?")
    assert signer.presign("GET", None, at=at).url.startswith("http://127.0.0.1:9000/?")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a/b.txt", "/b/a/b.txt"),
        ("/leading", "/b//leading"),
        ("a//b/", "/b/a//b/"),
        ("../a/./b", "/b/../a/./b"),
        ("a+b %&?#", "/b/a%2Bb%20%25%26%3F%23"),
        ("März/日本.txt", "/b/M%C3%A4rz/%E6%97%A5%E6%9C%AC.txt"),
        ("😀\n\0", "/b/%F0%9F%98%80%0A%00"),
        ("~-_.", "/b/~-_."),
        (" ", "/b/%20"),
    ],
)
def test_keys_are_encoded_and_nothing_else(key: str, path: str, signer: Signer, at: datetime) -> None:
    assert urlsplit(signer.presign("GET", "b", key, at=at).url).path == path


def test_query_is_sorted_and_signature_comes_last(signer: Signer, at: datetime) -> None:
    query = {"versionId": "1/2 3", "uploads": "", "response-content-disposition": 'attachment; filename="ä"'}
    url = signer.presign("GET", "b", "k", query=query, at=at).url
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    assert names[-1] == "X-Amz-Signature"
    assert names[:-1] == sorted(names[:-1])
    assert {name: value for name, value in pairs if not name.startswith("X-Amz-")} == query


def test_session_token_is_signed(signer: Signer, at: datetime) -> None:
    temporary = Signer(ACCESS_KEY, SECRET_KEY, endpoint="http://h", session_token="to/ken==")
    assert "&X-Amz-Security-Token=to%2Fken%3D%3D&" in temporary.presign("GET", "b", "k", at=at).url
    assert temporary.sign_headers("GET", "http://h/b/k", at=at)["X-Amz-Security-Token"] == "to/ken=="


@pytest.mark.parametrize("expires", [timedelta(hours=2), 7200], ids=["timedelta", "seconds"])
def test_lifetime(expires: int | timedelta, signer: Signer, at: datetime) -> None:
    presigned = signer.presign("GET", "b", "k", expires=expires, at=at)
    assert "X-Amz-Expires=7200&" in presigned.url
    assert presigned.expires_at == at + timedelta(hours=2)


def test_instant_of_any_zone_is_the_same_instant(signer: Signer, at: datetime) -> None:
    elsewhere = at.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert signer.presign("GET", "b", "k", at=elsewhere) == signer.presign("GET", "b", "k", at=at)


def test_fractions_of_a_second_are_dropped(signer: Signer, at: datetime) -> None:
    later = at + timedelta(milliseconds=999)
    assert signer.presign("GET", "b", "k", at=later) == signer.presign("GET", "b", "k", at=at)


def test_without_an_instant_it_begins_now(signer: Signer) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    begins = signer.presign("GET", "b", "k", expires=1).expires_at - timedelta(seconds=1)
    assert before <= begins <= datetime.now(UTC)


def test_repeated_calls_do_not_mix(signer: Signer, at: datetime) -> None:
    def url(**changes: object) -> str:
        call: dict[str, object] = {
            "method": "GET",
            "bucket": "b",
            "key": "k",
            "expires": 60,
            "at": at,
            **changes,
        }
        return str(Signer.presign(signer, **call))  # type: ignore[arg-type]

    fresh = url()
    variants: list[dict[str, object]] = [
        {"method": "PUT"},
        {"bucket": "c"},
        {"key": "l"},
        {"expires": 61},
        {"at": at + timedelta(seconds=1)},
        {"query": {"a": "b"}},
        {"headers": {"a": "b"}},
        {"payload_sha256": "0" * 64},
    ]
    others = {url(**variant) for variant in variants}
    assert len(others) == len(variants)
    assert fresh not in others
    assert [url(**variant) for variant in variants for _ in range(2)][::2] == [
        url(**variant) for variant in variants
    ]
    assert url() == fresh


def test_plain_calls_that_follow_each_other_do_not_mix(signer: Signer) -> None:
    asked = [
        (method, bucket, key, expires)
        for method in ("GET", "PUT")
        for bucket in ("bucket", "other-bucket")
        for expires in (3600, timedelta(hours=1), 60)
        for key in ("a b c", "100%", "ключ", "a")
    ]
    for method, bucket, key, expires in [*asked, *reversed(asked)]:
        made = signer.presign(method, bucket, key, expires=expires)
        lifetime = expires if isinstance(expires, timedelta) else timedelta(seconds=expires)
        assert made == signer.presign(method, bucket, key, expires=expires, at=made.expires_at - lifetime)


@pytest.mark.parametrize("same_number", [3600.0, True])
def test_number_of_another_type_is_no_lifetime_after_the_same_number_either(
    same_number: Any, signer: Signer
) -> None:
    signer.presign("GET", "bucket", "key", expires=int(same_number))
    with pytest.raises(MisuseError, match="whole seconds"):
        signer.presign("GET", "bucket", "key", expires=same_number)


def test_many_are_what_one_by_one_gives(signer: Signer, at: datetime) -> None:
    keys = ["a", "/b", "ü", "c d"]
    many = signer.presign_many(
        "PUT", "b", iter(keys), expires=60, query={"x": "y"}, headers={"h": "v"}, at=at
    )
    assert list(many) == [
        signer.presign("PUT", "b", key, expires=60, query={"x": "y"}, headers={"h": "v"}, at=at).url
        for key in keys
    ]


def test_many_that_are_at_hand_are_the_same(signer: Signer, at: datetime) -> None:
    keys = [f"{name} {number}" for number in range(200) for name in ("a", "/b", "ü", "100%", "\0", "Й\tй")]
    wanted = [signer.presign("GET", "b", key, at=at).url for key in keys]
    assert list(signer.presign_many("GET", "b", keys, at=at)) == wanted
    assert list(signer.presign_many("GET", "b", tuple(keys), at=at)) == wanted
    assert list(signer.presign_many("GET", "b", [], at=at)) == []


def test_nothing_is_taken_ahead_of_keys_that_are_made_as_they_are_asked_for(
    signer: Signer, at: datetime
) -> None:
    keys = iter(["a", "b"])
    next(signer.presign_many("GET", "b", keys, at=at))
    assert next(keys) == "b"


@pytest.mark.parametrize("wrong", ["", "\ud800"])
def test_of_many_the_wrong_one_is_refused_when_its_turn_comes(
    signer: Signer, at: datetime, wrong: str
) -> None:
    urls = signer.presign_many("GET", "b", ["a", "ü", wrong, "c"], at=at)
    assert [next(urls), next(urls)] == [signer.presign("GET", "b", key, at=at).url for key in ("a", "ü")]
    with pytest.raises(MisuseError):
        next(urls)


def test_many_refuse_at_once_what_is_wrong_for_all(signer: Signer, at: datetime) -> None:
    with pytest.raises(MisuseError):
        signer.presign_many("GET", "b", ["k"], expires=0, at=at)
    urls = signer.presign_many("GET", "b", ["k", ""], at=at)
    assert next(urls)
    with pytest.raises(MisuseError, match="empty"):
        next(urls)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"at": datetime(2013, 5, 24)}, "naive datetime", id="naive instant"),  # noqa: DTZ001
        pytest.param({"at": datetime.max.replace(tzinfo=UTC)}, "year 9999", id="end of the calendar"),
        pytest.param({"expires": 0}, "between 1 and 604800 s", id="no lifetime"),
        pytest.param({"expires": -1}, "between 1 and 604800 s", id="negative lifetime"),
        pytest.param({"expires": 604_801}, "between 1 and 604800 s", id="lifetime above a week"),
        pytest.param({"expires": timedelta(days=8)}, "between 1 and 604800 s", id="eight days"),
        pytest.param({"expires": timedelta(seconds=1.5)}, "whole seconds", id="fraction"),
        pytest.param({"expires": 60.0}, "whole seconds", id="float"),
        pytest.param({"key": ""}, "key is empty", id="empty key"),
        pytest.param({"key": "\ud800"}, "surrogate", id="surrogate in the key"),
        pytest.param({"bucket": None}, "needs a bucket", id="key without bucket"),
        pytest.param({"bucket": ""}, "not a bucket name", id="empty bucket"),
        pytest.param({"bucket": "a/b"}, "not a bucket name", id="bucket with slash"),
        pytest.param({"method": "get"}, "capitals", id="small method"),
        pytest.param({"method": ""}, "not a method", id="no method"),
        pytest.param({"method": "GET\n"}, "not a method", id="method with line break"),
        pytest.param({"headers": {"a": "b\r\nc"}}, "line break", id="CR LF in a header"),
        pytest.param({"headers": {"a": "b\0"}}, "NUL", id="NUL in a header"),
        pytest.param({"headers": {"a b": "c"}}, "not a header name", id="space in a name"),
        pytest.param({"headers": {"": "c"}}, "not a header name", id="empty name"),
        pytest.param({"headers": {"a": "\udfff"}}, "surrogate", id="surrogate in a header"),
        pytest.param({"headers": {"A": "1", "a": "1"}}, "twice", id="header twice"),
        pytest.param({"headers": {"Host": "x"}}, "endpoint", id="host"),
        pytest.param({"headers": {"Authorization": "x"}}, "carries the signature", id="authorization"),
        pytest.param({"headers": {"x-amz-content-sha256": "x"}}, "payload_sha256", id="hash as header"),
        pytest.param({"payload_sha256": "A" * 64}, "64 lower-case hex", id="hash in capitals"),
        pytest.param({"payload_sha256": "UNSIGNED-PAYLOAD"}, "64 lower-case hex", id="no hash"),
        pytest.param({"query": {"X-Amz-Date": "x"}}, "signing writes it", id="parameter of the signature"),
        pytest.param({"query": {"": "x"}}, "no name", id="parameter without name"),
        pytest.param({"query": {"a": "\ud800"}}, "surrogate", id="surrogate in the query"),
    ],
)
def test_misuse_says_what_to_do(
    changes: dict[str, object], sentence: str, signer: Signer, at: datetime
) -> None:
    call: dict[str, object] = {"method": "GET", "bucket": "b", "key": "k", "at": at, **changes}
    with pytest.raises(MisuseError, match=re.escape(sentence)):
        Signer.presign(signer, **call)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"access_key": ""}, "access key"),
        ({"access_key": "a/b"}, "access key"),
        ({"access_key": "a b"}, "access key"),
        ({"secret_key": ""}, "secret key"),
        ({"secret_key": Secret("a\n")}, "secret key"),
        ({"session_token": ""}, "session token"),
        ({"region": ""}, "region"),
        ({"service": "é"}, "service"),
        ({"addressing": "host"}, "addressing"),
        ({"endpoint": "example.com"}, "not an endpoint"),
        ({"endpoint": "ftp://example.com"}, "not an endpoint"),
        ({"endpoint": "https://user@example.com"}, "not an endpoint"),
        ({"endpoint": "https://example.com?a=b"}, "not an endpoint"),
        ({"endpoint": "https://example.com/a b"}, "not an endpoint"),
        ({"endpoint": "https://"}, "not an endpoint"),
        ({"endpoint": "https://bücher.example"}, "not an endpoint"),
        ({"endpoint": "https://example.com:port"}, "not an endpoint"),
    ],
)
def test_misuse_of_the_constructor(changes: dict[str, object], sentence: str) -> None:
    call: dict[str, object] = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, **changes}
    with pytest.raises(MisuseError, match=sentence) as caught:
        Signer(**call)  # type: ignore[arg-type]
    assert SECRET_KEY not in str(caught.value)


@pytest.mark.parametrize("bucket", ["Bucket", "a_b", "-a"])
def test_bucket_that_cannot_stand_in_a_host(bucket: str, at: datetime) -> None:
    with pytest.raises(MisuseError, match="addressing='path'"):
        at_endpoint("https://example.com", addressing="virtual").presign("GET", bucket, "k", at=at)


def test_signer_does_not_show_its_secrets() -> None:
    signer = Signer(ACCESS_KEY, SECRET_KEY, endpoint="https://h:443/", session_token="hunter2")
    assert repr(signer) == f"Signer(access_key='{ACCESS_KEY}', region='us-east-1', endpoint='https://h')"
    assert (signer.access_key, signer.region, signer.endpoint) == (ACCESS_KEY, "us-east-1", "https://h")
    assert SECRET_KEY not in repr(signer._credentials)
    assert "hunter2" not in repr(signer._credentials)


def test_signed_headers_keep_what_was_given(signer: Signer, at: datetime) -> None:
    given = {"Content-Type": "text/plain", "User-Agent": "x", "authorization": "old", "x-amz-date": "old"}
    signed = signer.sign_headers("PUT", "http://127.0.0.1:9000/b/k?uploads", given, body=b"", at=at)
    assert {name: signed[name] for name in ("Content-Type", "User-Agent")} == {
        "Content-Type": "text/plain",
        "User-Agent": "x",
    }
    assert signed["X-Amz-Date"] == "20130524T000000Z"
    assert signed["X-Amz-Content-Sha256"] == sha256(b"").hexdigest()
    assert "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date," in signed["Authorization"]
    assert "old" not in signed.values()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"body": b"x", "payload_sha256": "0" * 64}, "either"),
        ({"payload_sha256": "x"}, "payload hash"),
        ({"url": "127.0.0.1/b"}, "not an encoded URL"),
        ({"url": "http://h/é"}, "not an encoded URL"),
        ({"url": "http://h/a#b"}, "not an encoded URL"),
        ({"url": "http://user@h/a"}, "not an endpoint"),
        ({"headers": {"A": "1", "a": "2"}}, "twice"),
        ({"headers": {"A": "1\n"}}, "line break"),
        ({"method": "put"}, "capitals"),
        ({"at": datetime(2013, 5, 24)}, "naive"),  # noqa: DTZ001
    ],
)
def test_misuse_of_header_signing(
    changes: dict[str, object], sentence: str, signer: Signer, at: datetime
) -> None:
    call: dict[str, object] = {"method": "PUT", "url": "http://h/b/k", "at": at, **changes}
    with pytest.raises(MisuseError, match=sentence):
        Signer.sign_headers(signer, **call)  # type: ignore[arg-type]


def test_a_stable_url_is_the_same_for_a_window() -> None:
    signer = Signer("AK", "SK", endpoint="http://127.0.0.1:9000")
    begin = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)

    def sign(seconds: float, **more: Any) -> PresignedURL:
        return signer.presign(
            "GET", "bucket", "key", expires=3600, at=begin + timedelta(seconds=seconds), **more
        )

    first, last = sign(0, stable_for=600), sign(599.9, stable_for=timedelta(minutes=10))
    assert first == last
    assert first.expires_at == begin + timedelta(seconds=4200)
    assert first.url != sign(600, stable_for=600).url
    assert first.url != sign(-1, stable_for=600).url


@pytest.mark.parametrize("window", [0, -1, 1.5, 7 * 86_400, timedelta(seconds=0.5)])
def test_a_window_that_cannot_be_is_refused(window: Any) -> None:
    with pytest.raises(MisuseError):
        Signer("AK", "SK").presign("GET", "bucket", "key", expires=3600, stable_for=window)
