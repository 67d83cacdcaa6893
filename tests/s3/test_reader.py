from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.checksums import Algorithm
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.reader import (
    CompletedPart,
    DeleteKey,
    DeleteRequest,
    NewBucket,
    parse_complete_upload,
    parse_create_bucket,
    parse_delete,
)

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
PARSERS: list[Callable[[bytes], object]] = [parse_complete_upload, parse_delete, parse_create_bucket]
PART = b"<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>"


def _complete(content: bytes) -> list[CompletedPart]:
    return parse_complete_upload(b"<CompleteMultipartUpload>" + content + b"</CompleteMultipartUpload>")


def _delete(content: str) -> DeleteRequest:
    return parse_delete(f"<Delete>{content}</Delete>".encode())


def _key(key: str) -> DeleteKey:
    return DeleteKey(key=key, version_id=None, etag=None)


def test_completion_as_botocore_sends_it() -> None:
    body = (
        f'<CompleteMultipartUpload {NAMESPACE}><Part><ETag>"a1"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>'
        "<PartNumber>1</PartNumber></Part><Part><ETag>&quot;b2&quot;</ETag><PartNumber>2</PartNumber></Part>"
        "</CompleteMultipartUpload>"
    ).encode()
    assert parse_complete_upload(body) == [
        CompletedPart(number=1, etag="a1", checksums={Algorithm.CRC32: "AAAAAA=="}),
        CompletedPart(number=2, etag="b2", checksums={}),
    ]


def test_completion_with_declaration_spaces_comments_and_a_foreign_namespace() -> None:
    body = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
    <!-- by hand -->
    <s:CompleteMultipartUpload xmlns:s="urn:other">
      <s:Part>
        <s:PartNumber> 3 </s:PartNumber>
        <s:ETag> "c" </s:ETag>
      </s:Part>
    </s:CompleteMultipartUpload>
    """
    assert parse_complete_upload(body) == [CompletedPart(number=3, etag="c", checksums={})]


def test_order_of_the_document_is_kept() -> None:
    content = b"".join(b"<Part><PartNumber>%d</PartNumber><ETag>a</ETag></Part>" % n for n in (2, 1, 2))
    assert [part.number for part in _complete(content)] == [2, 1, 2]


def test_completion_names_at_most_ten_thousand_parts() -> None:
    assert len(_complete(PART * 10_000)) == 10_000
    with pytest.raises(S3Error):
        _complete(PART * 10_001)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="no part"),
        pytest.param(b"<Part/>", id="empty part"),
        pytest.param(b"<Part><PartNumber>1</PartNumber></Part>", id="no etag"),
        pytest.param(b"<Part><ETag>a</ETag></Part>", id="no number"),
        pytest.param(b"<Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>", id="no integer"),
        pytest.param(b"<Part><PartNumber>1.5</PartNumber><ETag>a</ETag></Part>", id="fraction"),
        pytest.param(
            "<Part><PartNumber>٣</PartNumber><ETag>a</ETag></Part>".encode(), id="digits of another script"
        ),
        pytest.param(
            b"<Part><PartNumber>1</PartNumber><PartNumber>1</PartNumber><ETag>a</ETag></Part>", id="twice"
        ),
        pytest.param(b"<Part><PartNumber>1</PartNumber><ETag><b>a</b></ETag></Part>", id="nested"),
        pytest.param(
            b"<Part><PartNumber>1</PartNumber><ETag>a</ETag><Size>3</Size></Part>", id="unknown field"
        ),
        pytest.param(PART + b"<Other/>", id="unknown element"),
        pytest.param(PART + b"<Part>", id="not closed"),
    ],
)
def test_completion_is_malformed(content: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        _complete(content)
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize("number", ["0", "-1", "10001", "4294967297"])
def test_number_that_no_part_can_have_is_named(number: str) -> None:
    with pytest.raises(S3Error) as caught:
        _complete(f"<Part><PartNumber>{number}</PartNumber><ETag>a</ETag></Part>".encode())
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.details["ArgumentValue"] == number


def test_deletion_as_botocore_sends_it() -> None:
    body = (
        f"<Delete {NAMESPACE}><Object><Key>a b</Key></Object><Object><Key>c</Key><VersionId>null</VersionId>"
        '<ETag>"d"</ETag></Object><Quiet>true</Quiet></Delete>'
    ).encode()
    assert parse_delete(body) == DeleteRequest(
        quiet=True, keys=[_key("a b"), DeleteKey(key="c", version_id="null", etag="d")]
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" spaces ", " spaces "),
        ("a&amp;b&lt;c&gt;", "a&b<c>"),
        ("&#xFC;&#10;", "ü\n"),
        ("<![CDATA[<&>]]>", "<&>"),
        ("a<!-- -->b", "ab"),
        ("😀", "😀"),
    ],
    ids=["spaces", "entities", "references", "cdata", "comment", "astral"],
)
def test_key_is_taken_to_the_letter(text: str, key: str) -> None:
    assert _delete(f"<Object><Key>{text}</Key></Object>").keys == [_key(key)]


@pytest.mark.parametrize(
    ("text", "quiet"),
    [("true", True), ("TRUE", True), (" true ", True), ("false", False), ("", False), ("1", False)],
)
def test_quiet(text: str, quiet: bool) -> None:
    assert _delete(f"<Quiet>{text}</Quiet><Object><Key>a</Key></Object>").quiet is quiet


def test_empty_version_is_none() -> None:
    assert _delete("<Object><Key>a</Key><VersionId/></Object>").keys == [_key("a")]


@pytest.mark.parametrize(
    "condition", ["<ETag/>", "<ETag>&quot;&quot;</ETag>", "<Size/>", "<LastModifiedTime/>"]
)
def test_empty_condition_is_not_passed_over(condition: str) -> None:
    with pytest.raises(S3Error) as caught:
        _delete(f"<Object><Key>a</Key>{condition}</Object>")
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize("time", ["Wed, 21 Oct 2015 07:28:00 GMT", "2015-10-21T07:28:00Z"])
def test_deletion_on_conditions(time: str) -> None:
    content = f"<Object><Key>a</Key><LastModifiedTime>{time}</LastModifiedTime><Size>0</Size></Object>"
    expected = DeleteKey(key="a", version_id=None, etag=None, modified_ms=1_445_412_480_000, size=0)
    assert _delete(content).keys == [expected]


def test_deletion_names_at_most_a_thousand_keys() -> None:
    entry = "<Object><Key>a</Key></Object>"
    assert len(_delete(entry * 1000).keys) == 1000
    with pytest.raises(S3Error) as caught:
        _delete(entry * 1001)
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<Quiet>true</Quiet>",
        "<Object/>",
        "<Object><VersionId>null</VersionId></Object>",
        "<Object><Key>a</Key><Key>b</Key></Object>",
        "<Object><Key>a</Key><Size>x</Size></Object>",
        "<Object><Key>a</Key><Size>1</Size><Size>1</Size></Object>",
        "<Object><Key>a</Key><LastModifiedTime>x</LastModifiedTime></Object>",
        "<Object><Key>a</Key></Object><Quiet>true</Quiet><Quiet>false</Quiet>",
        "<Object><Key>a</Key></Object><Force>true</Force>",
        "<Object><Key>a<b/></Key></Object>",
    ],
)
def test_deletion_is_malformed(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        _delete(content)
    assert caught.value.code is Code.MALFORMED_XML


def test_empty_key_is_told_apart() -> None:
    with pytest.raises(S3Error) as caught:
        _delete("<Object><Key>a</Key></Object><Object><Key/></Object>")
    assert caught.value.code is Code.USER_KEY_MUST_BE_SPECIFIED


@pytest.mark.parametrize(
    ("parse", "code"),
    [(parse_complete_upload, Code.MALFORMED_XML), (parse_delete, Code.MISSING_REQUEST_BODY_ERROR)],
)
def test_missing_body_is_refused(parse: Callable[[bytes], object], code: Code) -> None:
    with pytest.raises(S3Error) as caught:
        parse(b"")
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (b"", None),
        (b" \n", None),
        (b"<CreateBucketConfiguration/>", None),
        (b"<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>", None),
        (b"<CreateBucketConfiguration><LocationConstraint> eu-west-1\n</LocationConstraint></CreateBucketConfiguration>",
         "eu-west-1"),
        (f"<CreateBucketConfiguration {NAMESPACE}><LocationConstraint>EU</LocationConstraint>"
         "</CreateBucketConfiguration>".encode(), "EU"),
    ],
    ids=["empty", "blank", "no constraint", "empty constraint", "spaces", "namespace"],
)  # fmt: skip
def test_location_of_a_new_bucket(body: bytes, location: str | None) -> None:
    assert parse_create_bucket(body) == NewBucket(location=location, tags={})


def test_tags_of_a_new_bucket() -> None:
    content = (
        b"<Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags><LocationConstraint>eu</LocationConstraint>"
    )
    body = b"<CreateBucketConfiguration>" + content + b"</CreateBucketConfiguration>"
    assert parse_create_bucket(body) == NewBucket(location="eu", tags={"a": "b"})


@pytest.mark.parametrize("element", ["Location", "Bucket"])
def test_options_of_a_new_bucket_that_are_not_implemented(element: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_create_bucket(f"<CreateBucketConfiguration><{element}/></CreateBucketConfiguration>".encode())
    assert caught.value.code is Code.NOT_IMPLEMENTED


BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE Delete [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Delete><Object><Key>&b;</Key></Object></Delete>"""


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BOMB, id="entities"),
        pytest.param(b"<!DOCTYPE Delete><Delete/>", id="document type"),
        pytest.param(b'<!DOCTYPE Delete SYSTEM "file:///etc/passwd"><Delete/>', id="external subset"),
        pytest.param(
            b'<!DOCTYPE Delete [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>', id="external"
        ),
        pytest.param(b"<Delete>&x;</Delete>", id="undefined entity"),
        pytest.param(b'<!DOCTYPE Delete [<!ATTLIST Delete a CDATA "b">]><Delete/>', id="attribute list"),
        pytest.param(b"<a>" * 5000, id="deep"),
        pytest.param(b"<Other/>", id="another root"),
        pytest.param(b"<Delete/><Delete/>", id="two roots"),
        pytest.param(b"<x:Delete/>", id="undeclared prefix"),
        pytest.param("<Delete/>".encode("utf-16"), id="utf-16"),
        pytest.param(b'<?xml version="1.0" encoding="no-such"?><Other/>', id="unknown encoding"),
        pytest.param(b"<Delete><Object><Key>\xff</Key></Object></Delete>", id="no utf-8"),
        pytest.param(b"<Delete><Object><Key>&#0;</Key></Object></Delete>", id="nul"),
        pytest.param(b"{}", id="json"),
        pytest.param(b"\x00", id="nul byte"),
    ],
)
def test_document_of_another_kind_is_malformed(parse: Callable[[bytes], object], body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse(body)
    assert caught.value.code is Code.MALFORMED_XML


_SOUP = st.lists(
    st.sampled_from(
        ["<Delete>", "</Delete>", "<Object>", "</Object>", "<Key>", "</Key>", "<Quiet>", "</Quiet>", "<Part>",
         "</Part>", "<CompleteMultipartUpload>", "</CompleteMultipartUpload>", "<PartNumber>1</PartNumber>",
         "<ETag>a</ETag>", "<CreateBucketConfiguration>", "</CreateBucketConfiguration>", "<LocationConstraint>",
         "</LocationConstraint>", "a", "&amp;", "&x;", "<!DOCTYPE x>", "<![CDATA[", "]]>", "<!--", "-->", " ", "\x00"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(body=st.binary(max_size=60) | _SOUP.map(str.encode))
def test_any_bytes_are_a_value_or_refused(
    refusal_of: Callable[..., Code | None], parse: Callable[[bytes], object], body: bytes
) -> None:
    assert refusal_of(parse, body) in (
        None,
        Code.MALFORMED_XML,
        Code.MISSING_REQUEST_BODY_ERROR,
        Code.USER_KEY_MUST_BE_SPECIFIED,
        Code.INVALID_ARGUMENT,
        Code.NOT_IMPLEMENTED,
    )
