"""Headers that ask for what is not done are refused, and those that change nothing pass."""

from __future__ import annotations

import pytest

from valetkey.gateway.operations.refusals import refuse_object_options, require_expected_owner
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-amz-tagging", "a=b", Code.NOT_IMPLEMENTED),
        ("x-amz-tagging-directive", "REPLACE", Code.NOT_IMPLEMENTED),
        ("x-amz-write-offset-bytes", "10", Code.NOT_IMPLEMENTED),
        ("x-amz-object-lock-mode", "GOVERNANCE", Code.NOT_IMPLEMENTED),
        ("x-amz-server-side-encryption", "AES256", Code.NOT_IMPLEMENTED),
        ("x-amz-acl", "public-read", Code.ACCESS_CONTROL_LIST_NOT_SUPPORTED),
        ("x-amz-grant-read", "id=1", Code.ACCESS_CONTROL_LIST_NOT_SUPPORTED),
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
        ("x-amz-acl", "private"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-meta-tagging", "x"),
        ("content-type", "text/plain"),
    ],
)
def test_what_changes_nothing_passes(name: str, value: str) -> None:
    refuse_object_options({name: value})


@pytest.mark.parametrize("name", ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"])
def test_another_owner_than_expected_is_refused(name: str) -> None:
    require_expected_owner({name: "ours"}, owner_id="ours")
    require_expected_owner({}, owner_id="ours")
    with pytest.raises(S3Error) as caught:
        require_expected_owner({name: "111122223333"}, owner_id="ours")
    assert caught.value.code is Code.ACCESS_DENIED
