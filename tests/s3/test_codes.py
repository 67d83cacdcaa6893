from __future__ import annotations

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, header_not_implemented, invalid_argument


def test_no_two_codes_share_a_name() -> None:
    assert len({code.wire for code in Code}) == len(Code)


@pytest.mark.parametrize("code", Code, ids=lambda code: code.wire)
def test_member_name_is_the_wire_name_in_capitals(code: Code) -> None:
    words = code.name.replace("_", "").lower()
    assert code.wire.lower().removesuffix("exception") == words
    assert 400 <= code.status <= 599
    assert code.message


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (Code.ACCESS_DENIED, 403, "Access Denied"),
        (Code.NO_SUCH_KEY, 404, "The specified key does not exist."),
        (Code.NO_SUCH_BUCKET, 404, "The specified bucket does not exist"),
        (Code.MISSING_CONTENT_LENGTH, 411, "You must provide the Content-Length HTTP header."),
        (Code.INVALID_RANGE, 416, "The requested range is not satisfiable"),
        (Code.NOT_IMPLEMENTED, 501, "A header you provided implies functionality that is not implemented"),
        (Code.SLOW_DOWN, 503, "Please reduce your request rate."),
    ],
    ids=lambda value: value.wire if isinstance(value, Code) else None,
)
def test_code_has_the_status_and_text_that_clients_match_on(code: Code, status: int, message: str) -> None:
    assert (code.status, code.message) == (status, message)


def test_full_disk_is_told_with_507() -> None:
    assert (Code.INSUFFICIENT_STORAGE.wire, Code.INSUFFICIENT_STORAGE.status) == ("InsufficientStorage", 507)


def test_error_says_its_codes_text_unless_given_another() -> None:
    assert S3Error(Code.NO_SUCH_KEY).message == "The specified key does not exist."
    assert S3Error(Code.INVALID_REQUEST, "Odd.").message == "Odd."
    assert S3Error(Code.INVALID_REQUEST, "").message == ""


def test_error_without_details_has_empty_ones() -> None:
    error = S3Error(Code.NO_SUCH_KEY)
    assert (dict(error.details), dict(error.headers)) == ({}, {})


def test_error_reads_well_in_a_log() -> None:
    assert str(S3Error(Code.NO_SUCH_KEY)) == "NoSuchKey: The specified key does not exist."


def test_argument_is_named_with_its_value_where_there_is_one() -> None:
    assert dict(invalid_argument("Bad.", "max-keys", "x").details) == {
        "ArgumentName": "max-keys",
        "ArgumentValue": "x",
    }
    assert dict(invalid_argument("Bad.", "start-after").details) == {"ArgumentName": "start-after"}


def test_unimplemented_header_is_named() -> None:
    assert dict(header_not_implemented("x-amz-tagging").details) == {"Header": "x-amz-tagging"}
