from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.listing import (
    ListBucketsRequest,
    ListPartsRequest,
    ListUploadsRequest,
    ListV1Request,
    ListV2Request,
    ListVersionsRequest,
    parse_list_buckets,
    parse_list_parts,
    parse_list_uploads,
    parse_list_v1,
    parse_list_v2,
    parse_list_versions,
    parse_part_number,
)
from valetkey.s3.tokens import encode_token

KEY = b"k" * 32


def _parse_v2(query: dict[str, str]) -> ListV2Request:
    return parse_list_v2(query, token_key=KEY, bucket="photos")


def _parse_buckets(query: dict[str, str]) -> ListBucketsRequest:
    return parse_list_buckets(query, token_key=KEY)


def test_list_v1_defaults() -> None:
    assert parse_list_v1({}) == ListV1Request(
        prefix="", delimiter="", marker="", max_keys=1000, encoding_type=None
    )


def test_list_v1_reads_its_parameters() -> None:
    query = {"prefix": "a", "delimiter": "/", "marker": "b", "max-keys": "7", "encoding-type": "URL"}
    assert parse_list_v1(query) == ListV1Request(
        prefix="a", delimiter="/", marker="b", max_keys=7, encoding_type="URL"
    )


def test_list_v2_defaults() -> None:
    wanted = _parse_v2({"list-type": "2"})
    assert wanted == ListV2Request(
        prefix="",
        delimiter="",
        start_after="",
        token_text=None,
        after="",
        max_keys=1000,
        fetch_owner=False,
        encoding_type=None,
    )


def test_list_v2_reads_its_parameters() -> None:
    token = encode_token("c", key=KEY, scope="photos")
    query = {
        "prefix": "a", "delimiter": "/", "start-after": "b", "continuation-token": token, "max-keys": "7",
        "fetch-owner": "true", "encoding-type": "url",
    }  # fmt: skip
    wanted = _parse_v2(query)
    assert wanted == ListV2Request(
        prefix="a",
        delimiter="/",
        start_after="b",
        token_text=token,
        after="c",
        max_keys=7,
        fetch_owner=True,
        encoding_type="url",
    )
    assert _parse_v2({"start-after": "b"}).after == "b"


@pytest.mark.parametrize("value", ["TRUE", "1", "", "false"])
def test_owner_is_fetched_for_true_alone(value: str) -> None:
    assert _parse_v2({"fetch-owner": value}).fetch_owner is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("-0", 0), ("1", 1), ("007", 7), ("1000", 1000), ("1001", 1000), ("2147483647", 1000), ("", 1000),
     ("0" * 5000 + "5", 5)],
    ids=["0", "-0", "1", "007", "1000", "1001", "largest", "empty", "many zeros"],
)  # fmt: skip
def test_max_keys(text: str, expected: int) -> None:
    assert parse_list_v1({"max-keys": text}).max_keys == expected
    assert _parse_v2({"max-keys": text}).max_keys == expected
    assert parse_list_versions({"max-keys": text}).max_keys == expected


@pytest.mark.parametrize(
    "text",
    ["abc", "1.0", "+1", " 1", "1 ", "2147483648", "-2147483649", "٣", "--1", "-", "9" * 5000],
    ids=lambda t: t[:12],
)
def test_max_keys_that_is_no_integer(text: str) -> None:
    for parse in (parse_list_v1, _parse_v2):
        with pytest.raises(S3Error) as caught:
            parse({"max-keys": text})
        assert caught.value.message == "Provided max-keys not an integer or within integer range"
        assert dict(caught.value.details) == {"ArgumentName": "max-keys", "ArgumentValue": text}


def test_max_keys_below_zero() -> None:
    with pytest.raises(S3Error) as caught:
        parse_list_v1({"max-keys": "-01"})
    assert caught.value.message == "Argument maxKeys must be an integer between 0 and 2147483647"
    assert dict(caught.value.details) == {"ArgumentName": "maxKeys", "ArgumentValue": "-1"}


@pytest.mark.parametrize("value", ["", "base64", "url "])
def test_other_encoding_is_refused(value: str) -> None:
    for parse in (parse_list_v1, _parse_v2, parse_list_uploads):
        with pytest.raises(S3Error) as caught:
            parse({"encoding-type": value})
        assert caught.value.message == "Invalid Encoding Method specified in Request"


@pytest.mark.parametrize("name", ["continuation-token", "start-after"])
def test_first_version_refuses_the_seconds_parameters(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_list_v1({name: ""})
    assert dict(caught.value.details) == {"ArgumentName": name}


def test_second_version_refuses_the_firsts_marker() -> None:
    with pytest.raises(S3Error) as caught:
        _parse_v2({"marker": "a"})
    assert caught.value.message == "Marker unsupported with REST.GET.BUCKET in list-type=2"


@pytest.mark.parametrize("token", ["", "AAAA", encode_token("c", key=KEY, scope="other")])
def test_token_that_is_not_the_buckets_is_refused(token: str) -> None:
    with pytest.raises(S3Error) as caught:
        _parse_v2({"continuation-token": token})
    assert caught.value.message == "The continuation token provided is incorrect"
    assert dict(caught.value.details) == {"ArgumentName": "continuation-token"}


def test_list_versions_defaults() -> None:
    assert parse_list_versions({"versions": ""}) == ListVersionsRequest(
        prefix="", delimiter="", key_marker="", version_id_marker="", max_keys=1000, encoding_type=None
    )


def test_list_versions_reads_its_parameters() -> None:
    query = {
        "prefix": "a", "delimiter": "/", "key-marker": "b", "version-id-marker": "v", "max-keys": "1001",
        "encoding-type": "url",
    }  # fmt: skip
    assert parse_list_versions(query) == ListVersionsRequest(
        prefix="a", delimiter="/", key_marker="b", version_id_marker="v", max_keys=1000, encoding_type="url"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"key-marker": "a", "version-id-marker": ""}, "A version-id marker cannot be empty."),
        ({"version-id-marker": "v"}, "A version-id marker cannot be specified without a key marker."),
        (
            {"key-marker": "", "version-id-marker": "v"},
            "A version-id marker cannot be specified without a key marker.",
        ),
    ],
    ids=["empty", "alone", "beside an empty key marker"],
)
def test_version_marker_that_says_nothing_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_list_versions(query)
    assert caught.value.message == message
    assert caught.value.details["ArgumentName"] == "version-id-marker"


def test_list_buckets() -> None:
    assert _parse_buckets({}) == ListBucketsRequest(prefix=None, after="", max_buckets=10_000)
    query = {"prefix": "", "max-buckets": "3", "continuation-token": encode_token("b", key=KEY, scope="")}
    assert _parse_buckets(query) == ListBucketsRequest(prefix="", after="b", max_buckets=3)


@pytest.mark.parametrize("value", ["0", "-1", "10001"])
def test_max_buckets_is_between_1_and_10000(value: str) -> None:
    with pytest.raises(S3Error) as caught:
        _parse_buckets({"max-buckets": value})
    assert dict(caught.value.details) == {"ArgumentName": "max-buckets", "ArgumentValue": value}


def test_list_parts() -> None:
    assert parse_list_parts({"uploadId": "u"}) == ListPartsRequest(part_number_marker=0, max_parts=1000)
    query = {"part-number-marker": "20000", "max-parts": "2000"}
    assert parse_list_parts(query) == ListPartsRequest(part_number_marker=20000, max_parts=1000)


@pytest.mark.parametrize("query", [{"max-parts": "x"}, {"max-parts": "-1"}, {"part-number-marker": "-1"}])
def test_list_parts_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        parse_list_parts(query)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_list_uploads() -> None:
    assert parse_list_uploads({"uploads": ""}) == ListUploadsRequest(
        prefix="", delimiter="", key_marker="", upload_id_marker="", max_uploads=1000, encoding_type=None
    )
    query = {
        "prefix": "a", "delimiter": "/", "key-marker": "b", "upload-id-marker": "u", "max-uploads": "5",
        "encoding-type": "url",
    }  # fmt: skip
    assert parse_list_uploads(query) == ListUploadsRequest(
        prefix="a", delimiter="/", key_marker="b", upload_id_marker="u", max_uploads=5, encoding_type="url"
    )


def test_upload_id_marker_means_nothing_without_a_key_marker() -> None:
    assert parse_list_uploads({"upload-id-marker": "u"}).upload_id_marker == ""


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("10000", 10_000), ("007", 7), ("0" * 5000 + "9", 9)])
def test_part_number(text: str, number: int) -> None:
    assert parse_part_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "10001", "00100099", "100000000", "x", "1.0", " 1", "1 ", "٣", "9" * 5000],
    ids=lambda t: t[:12],
)
def test_other_part_number_is_refused(text: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_part_number(text)
    assert caught.value.message == "Part number must be an integer between 1 and 10000, inclusive"
    assert dict(caught.value.details) == {"ArgumentName": "partNumber", "ArgumentValue": text}


_PARAMETERS = ["prefix", "delimiter", "marker", "max-keys", "encoding-type", "start-after", "continuation-token",
               "fetch-owner", "max-parts", "part-number-marker", "max-uploads", "key-marker", "max-buckets",
               "version-id-marker"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(_PARAMETERS), st.text(max_size=12) | st.integers().map(str)))
def test_any_query_is_a_listing_or_refused(
    refusal_of: Callable[..., Code | None], query: dict[str, str]
) -> None:
    parsers = (
        parse_list_v1,
        _parse_v2,
        parse_list_parts,
        parse_list_uploads,
        parse_list_versions,
        _parse_buckets,
    )
    for parse in parsers:
        assert refusal_of(parse, query) in (None, Code.INVALID_ARGUMENT)
