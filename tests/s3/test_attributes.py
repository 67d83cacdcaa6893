from __future__ import annotations

import pytest

from valetkey.s3.attributes import Attribute, AttributesRequest, parse_attributes
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

HEADER = "x-amz-object-attributes"


def test_defaults() -> None:
    assert parse_attributes({HEADER: "ETag"}) == AttributesRequest(
        attributes=frozenset({Attribute.ETAG}), max_parts=1000, part_number_marker=0
    )


def test_all_parameters() -> None:
    headers = {
        HEADER: "ETag, Checksum,ObjectParts,,StorageClass,ObjectSize,ETag",
        "x-amz-max-parts": "2",
        "x-amz-part-number-marker": "3",
    }
    assert parse_attributes(headers) == AttributesRequest(
        attributes=frozenset(Attribute), max_parts=2, part_number_marker=3
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("1001", 1000), ("-1", 1000), ("x", 1000), ("", 1000)]
)
def test_max_parts(text: str, expected: int) -> None:
    assert parse_attributes({HEADER: "ObjectParts", "x-amz-max-parts": text}).max_parts == expected


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: " , "}], ids=["missing", "empty", "comma"])
def test_no_attribute_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        parse_attributes(headers)
    assert caught.value.code is Code.INVALID_REQUEST
    assert caught.value.message == (
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
    )


@pytest.mark.parametrize("name", ["Dummy", "etag", "ETags"])
def test_unknown_attribute_is_named(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_attributes({HEADER: f"ETag,{name}"})
    assert caught.value.message == "Invalid attribute name specified."
    assert dict(caught.value.details) == {"ArgumentName": HEADER, "ArgumentValue": name}
