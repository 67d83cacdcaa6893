from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.limits import MAX_BUCKET_TAGS, MAX_OBJECT_TAGS
from valetkey.s3.tags import parse_tagging, parse_tagging_header

KEY_INVALID = "The TagKey you have provided is invalid"
VALUE_INVALID = "The TagValue you have provided is invalid"


def _document(*tags: tuple[str, str]) -> bytes:
    inner = "".join([f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags])
    return f"<Tagging><TagSet>{inner}</TagSet></Tagging>".encode()


def _parse(*tags: tuple[str, str]) -> dict[str, str]:
    return parse_tagging(_document(*tags), most=MAX_OBJECT_TAGS)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        ("&&", {}),
        ("foo=bar&bar", {"foo": "bar", "bar": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c%20d%2B", {"a b": "c d+"}),
        ("%C3%BC=%E6%97%A5", {"ü": "日"}),
    ],
    ids=["empty", "separators", "no value", "second sign", "spaces", "utf-8"],
)
def test_header(text: str, tags: dict[str, str]) -> None:
    assert parse_tagging_header(text) == tags


@pytest.mark.parametrize("text", ["a=1&a=2", "a=1,b=2", "a&%61", "a=%", "a=%zz", "a=%FF", "ü=1"])
def test_header_that_is_not_encoded_as_it_shall(text: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_tagging_header(text)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == (
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
        "tag name duplicates."
    )
    assert caught.value.details["ArgumentName"] == "x-amz-tagging"


def test_document_as_botocore_sends_it() -> None:
    body = (
        b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>b</Key><Value>1</Value></Tag>'
        b"<Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>"
    )
    assert list(parse_tagging(body, most=10).items()) == [("b", "1"), ("a", "")]


def test_document_without_tags() -> None:
    assert parse_tagging(b"<Tagging><TagSet/></Tagging>", most=10) == {}
    assert parse_tagging(b"<Tagging/>", most=10) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"<Tagging><TagSet/><TagSet/></Tagging>",
        b"<Tagging><Tag><Key>a</Key><Value>b</Value></Tag></Tagging>",
        b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        b"<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
        b"<Tagging><TagSet><Other><Key>a</Key><Value>b</Value></Other></TagSet></Tagging>",
        b"<TagSet/>",
        b"<Tagging>",
    ],
)
def test_document_is_malformed(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_tagging(body, most=10)
    assert caught.value.code is Code.MALFORMED_XML


def test_key_that_comes_twice_is_named() -> None:
    with pytest.raises(S3Error) as caught:
        _parse(("a", "1"), ("a", "1"))
    assert caught.value.code is Code.INVALID_TAG
    assert caught.value.message == "Cannot provide multiple Tags with the same key"
    assert dict(caught.value.details) == {"TagKey": "a"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k" * 128, "v" * 256),
        ("ü" * 128, "日" * 256),
        ("+ - = . _ : / @", "+ - = . _ : / @"),
        ("٣ Ⅷ", "½"),
        ("something:aws:stuff", "aws:x"),
    ],
    ids=["longest", "longest of letters", "signs", "numbers", "aws inside"],
)
def test_tag_is_taken(key: str, value: str) -> None:
    assert _parse((key, value)) == {key: value}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("", "v", KEY_INVALID),
        ("k" * 129, "v", KEY_INVALID),
        ("𝒜" * 65, "v", KEY_INVALID),
        ("ke!y", "v", KEY_INVALID),
        ("te\tst", "v", KEY_INVALID),
        ("k", "v" * 257, VALUE_INVALID),
        ("k", "a*b", VALUE_INVALID),
        ("k", "value\u0345", VALUE_INVALID),
        ("k", "😀", VALUE_INVALID),
        ("aws:sometag", "v", "Your TagKey cannot be prefixed with aws:"),
        ("AWS:sometag", "v", "Your TagKey cannot be prefixed with aws:"),
    ],
    ids=["empty key", "long key", "long key in utf-16", "sign in key", "tab in key", "long value", "sign in value",
         "combining mark", "emoji", "reserved", "reserved in capitals"],
)  # fmt: skip
def test_tag_is_invalid(key: str, value: str, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        _parse((key, value))
    assert caught.value.code is Code.INVALID_TAG
    assert caught.value.message == message
    assert caught.value.details["TagKey"] == key


def test_value_that_is_invalid_is_named_with_its_key() -> None:
    with pytest.raises(S3Error) as caught:
        parse_tagging_header("key=inv%26alid")
    assert dict(caught.value.details) == {"TagKey": "key", "TagValue": "inv&alid"}


def test_buckets_have_no_system_tags_set_by_users() -> None:
    with pytest.raises(S3Error) as caught:
        parse_tagging(_document(("aws:sometag", "v")), most=MAX_BUCKET_TAGS)
    assert caught.value.message == "System tags cannot be added/updated by requester"


@pytest.mark.parametrize(
    ("most", "message"),
    [
        (MAX_OBJECT_TAGS, "Object tags cannot be greater than 10"),
        (MAX_BUCKET_TAGS, "Bucket tag count cannot be greater than 50"),
    ],
    ids=["object", "bucket"],
)
def test_number_of_tags_is_bounded(most: int, message: str) -> None:
    tags = [(str(number), "") for number in range(most + 1)]
    assert len(parse_tagging(_document(*tags[:-1]), most=most)) == most
    with pytest.raises(S3Error) as caught:
        parse_tagging(_document(*tags), most=most)
    assert (caught.value.code, caught.value.message) == (Code.BAD_REQUEST, message)


def test_number_of_tags_in_a_header_is_bounded() -> None:
    with pytest.raises(S3Error) as caught:
        parse_tagging_header("&".join([f"t{number}" for number in range(11)]))
    assert caught.value.code is Code.BAD_REQUEST


@given(st.text(max_size=40))
def test_any_header_is_tags_or_refused(refusal_of: Callable[..., Code | None], text: str) -> None:
    allowed = (None, Code.INVALID_ARGUMENT, Code.INVALID_TAG, Code.BAD_REQUEST)
    assert refusal_of(parse_tagging_header, text) in allowed
