"""Headers that ask for what is not done are refused, and those that change nothing pass."""

from __future__ import annotations

import pytest

from valetkey.gateway.call import Rules
from valetkey.gateway.operations.refusals import (
    refuse_object_options,
    require_expected_owner,
    version_id_of,
)
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.store import Bucket


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-amz-write-offset-bytes", "10", Code.NOT_IMPLEMENTED),
    ],
)
def test_what_is_not_done_is_refused(name: str, value: str, code: Code) -> None:
    with pytest.raises(S3Error) as caught:
        refuse_object_options({name: value})
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-tagging-directive", "COPY"),
        ("x-amz-meta-tagging", "x"),
        ("content-type", "text/plain"),
    ],
)
def test_what_changes_nothing_passes(name: str, value: str) -> None:
    refuse_object_options({name: value})


OWNER_ID = "0" * 15 + "7" + "a" * 48
BUCKET = Bucket(
    id=1, name="bucket", created_ms=0, owner_id=OWNER_ID, versioning=None, is_lockable=False, settings={}
)


@pytest.mark.parametrize("expected", [None, OWNER_ID, "000000000007"], ids=["none", "id", "number"])
def test_the_owner_may_be_expected_by_id_and_by_number(expected: str | None) -> None:
    headers = {} if expected is None else {"x-amz-expected-bucket-owner": expected}
    require_expected_owner(headers, BUCKET, Rules(region="us-east-1"))


@pytest.mark.parametrize("expected", ["111122223333", "7", "", OWNER_ID.upper(), "000000000007 "])
def test_another_owner_than_expected_is_refused(expected: str) -> None:
    with pytest.raises(S3Error) as caught:
        require_expected_owner({"x-amz-expected-bucket-owner": expected}, BUCKET, Rules(region="us-east-1"))
    assert caught.value.code is Code.ACCESS_DENIED


def test_an_empty_version_id_is_refused() -> None:
    assert version_id_of({}) is None
    assert version_id_of({"versionId": "null"}) == "null"
    with pytest.raises(S3Error) as caught:
        version_id_of({"versionId": ""})
    assert caught.value.code is Code.INVALID_ARGUMENT
