from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import header_text, hoisted, object_headers, response_overrides, wire_value

PRESIGNED = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AK/20130524/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "86400",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0" * 64,
}


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"plain", "plain"), ("ü".encode(), "ü"), (b"\xfc", "ü"), (b"\xff\xfe", "ÿþ"), (b"", "")],
    ids=["ascii", "utf-8", "latin-1", "anything", "empty"],
)
def test_header_is_read_as_utf_8_and_else_as_latin_1(raw: bytes, text: str) -> None:
    assert header_text(raw) == text


def test_default_content_type_is_amazons() -> None:
    assert object_headers({}) == {"content-type": "binary/octet-stream"}
    assert object_headers({"content-type": ""}) == {"content-type": "binary/octet-stream"}


def test_what_belongs_to_the_object_is_kept_and_nothing_else() -> None:
    kept = {
        "content-type": "image/png",
        "cache-control": "no-store",
        "content-disposition": 'attachment; filename="a.png"',
        "content-encoding": "gzip",
        "content-language": "de",
        "expires": "whenever",
        "x-amz-meta-colour": "blue",
        "x-amz-meta-empty": "",
        "x-amz-website-redirect-location": "/other",
        "x-amz-storage-class": "STANDARD_IA",
    }
    passing = {
        "content-length": "3",
        "host": "h",
        "x-amz-acl": "private",
        "x-amz-date": "x",
        "x-amz-metadata": "x",
    }
    assert object_headers(kept | passing) == kept


def test_standard_storage_class_is_not_worth_keeping() -> None:
    assert "x-amz-storage-class" not in object_headers({"x-amz-storage-class": "STANDARD"})


@pytest.mark.parametrize("wanted", ["", "standard", "OUTPOSTS", "COLD"])
def test_unknown_storage_class_is_refused(wanted: str) -> None:
    with pytest.raises(S3Error) as caught:
        object_headers({"x-amz-storage-class": wanted})
    assert caught.value.code is Code.INVALID_STORAGE_CLASS
    assert dict(caught.value.details) == {"StorageClassRequested": wanted}


def test_redirect_must_lead_somewhere() -> None:
    with pytest.raises(S3Error) as caught:
        object_headers({"x-amz-website-redirect-location": "javascript:alert(1)"})
    assert caught.value.code is Code.INVALID_REDIRECT_LOCATION


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("aws-chunked", None),
        ("aws-chunked,gzip", "gzip"),
        ("gzip, aws-chunked", "gzip"),
        ("AWS-Chunked , gzip,br", "gzip,br"),
        ("gzip, br", "gzip, br"),
        ("", None),
    ],
)
def test_aws_chunked_is_no_encoding_of_the_object(sent: str, kept: str | None) -> None:
    assert object_headers({"content-encoding": sent}).get("content-encoding") == kept


def test_metadata_of_2048_bytes_is_taken_and_one_more_is_not() -> None:
    assert object_headers({"x-amz-meta-ab": "x" * 2046})["x-amz-meta-ab"] == "x" * 2046
    with pytest.raises(S3Error) as caught:
        object_headers({"x-amz-meta-ab": "x" * 2047})
    assert caught.value.code is Code.METADATA_TOO_LARGE
    assert dict(caught.value.details) == {"Size": "2049", "MaxSizeAllowed": "2048"}


def test_metadata_is_measured_in_utf_8_over_all_its_headers() -> None:
    headers = {"x-amz-meta-a": "ü" * 512, "x-amz-meta-b": "ü" * 511}
    assert object_headers(headers)["x-amz-meta-a"] == "ü" * 512
    with pytest.raises(S3Error):
        object_headers(headers | {"x-amz-meta-c": "1"})


@pytest.mark.parametrize(
    "name", ["x-amz-meta-a\r\nset-cookie", "x-amz-meta-a b", "x-amz-meta-ü", "x-amz-meta-a:b"]
)
def test_metadata_name_that_is_no_header_name_is_refused(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        object_headers({name: "x"})
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ('inline; filename="ü €"', b'inline; filename="\xc3\xbc \xe2\x82\xac"'),
        ("a ü\r\nset-cookie: x", b"=?UTF-8?Q?a_=C3=BC=0D=0Aset-cookie:_x?="),
        ("ü\x85", b"=?UTF-8?Q?=C3=BC=C2=85?="),
    ],
    ids=["unicode", "line break", "control character of ISO 8859"],
)
def test_header_of_the_content_goes_out_as_it_came_in(text: str, wire: bytes) -> None:
    assert wire_value("content-disposition", text) == wire


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("plain text = as it is?", b"plain text = as it is?"),
        ("", b""),
        ("=?UTF-8?Q?=C3=BC?=", b"=?UTF-8?Q?=C3=BC?="),
        ("ü", b"=?UTF-8?Q?=C3=BC?="),
        ("a ü_=?", b"=?UTF-8?Q?a_=C3=BC=5F=3D=3F?="),
        ("a\r\nset-cookie: x", b"=?UTF-8?Q?a=0D=0Aset-cookie:_x?="),
        ("\x7f", b"=?UTF-8?Q?=7F?="),
    ],
    ids=["ascii", "empty", "encoded word stays", "unicode", "special", "line break", "delete"],
)
def test_metadata_goes_out_in_ascii(text: str, wire: bytes) -> None:
    assert wire_value("x-amz-meta-a", text) == wire


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_every_value_comes_back_from_its_encoded_words(text: str) -> None:
    text += "ü"
    wire = wire_value("x-amz-meta-a", text).decode("ascii")
    assert wire.isprintable()
    assert all(len(word) <= 75 for word in wire.split(" "))
    assert str(make_header(decode_header(wire))) == text


def test_query_without_overrides_overrides_nothing() -> None:
    assert response_overrides(PRESIGNED) == {}


def test_six_headers_can_be_overridden() -> None:
    query = {
        "response-cache-control": "no-cache",
        "response-content-disposition": "attachment; filename*=UTF-8''M%C3%A4rz.pdf",
        "response-content-encoding": "br",
        "response-content-language": "fr",
        "response-content-type": "text/plain",
        "response-expires": "0",
    }
    unknown = {"response-location": "/", "Response-Content-Type": "x"}
    assert response_overrides(query | unknown) == {
        name.removeprefix("response-"): value for name, value in query.items()
    }


def test_override_may_hold_latin_1() -> None:
    assert response_overrides({"response-content-disposition": "x=ü"}) == {"content-disposition": "x=ü"}


def test_empty_override_leaves_the_objects_own_header() -> None:
    assert response_overrides({"response-content-type": ""}) == {}


@pytest.mark.parametrize("value", ["März – Bericht", "a\r\nb: c", "\x00", "\x7f", "\x85", "😀"], ids=ascii)
def test_override_that_cannot_be_a_header_is_refused(value: str) -> None:
    with pytest.raises(S3Error) as caught:
        response_overrides({"response-content-disposition": value})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == "Header value cannot be represented using ISO-8859-1."
    assert dict(caught.value.details) == {
        "ArgumentName": "response-content-disposition",
        "ArgumentValue": value,
    }


def test_plain_presigned_query_holds_no_headers() -> None:
    assert hoisted(PRESIGNED) == {}
    assert hoisted(PRESIGNED | {"response-content-type": "x", "x-id": "GetObject", "foo": "1"}) == {}


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-meta-colour",
        "x-amz-storage-class",
        "x-amz-acl",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-copy-source",
        "x-amz-copy-source-if-match",
        "x-amz-metadata-directive",
        "If-None-Match",
        "If-Match",
        "X-Amz-Meta-Colour",
    ],
)
def test_header_in_the_query_acts_as_a_header(name: str) -> None:
    assert hoisted(PRESIGNED | {name: " v "}) == {name.lower(): "v"}


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-tagging",
        "x-amz-checksum-crc32",
        "x-amz-checksum-sha256",
        "x-amz-checksum-algorithm",
        "x-amz-sdk-checksum-algorithm",
        "X-Amz-Content-Sha256",
        "x-amz-content-sha256",
        "X-Amz-Security-Token",
        "x-amz-security-token",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
        "Content-Type",
        "Range",
        "Host",
    ],
)
def test_what_s3_passes_over_in_a_query_stays_passed_over(name: str) -> None:
    assert hoisted(PRESIGNED | {name: "v"}) == {}


def test_first_of_two_spellings_counts() -> None:
    assert hoisted({"x-amz-acl": "private", "X-Amz-Acl": "public-read"}) == {"x-amz-acl": "private"}
