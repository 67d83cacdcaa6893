"""Headers name a list in one of two ways, and everything else is refused."""

from __future__ import annotations

import pytest

from valetkey.policy.acl import CANNED_NAMES
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import (
    CANNED_ACLS,
    GranteeKind,
    Ownership,
    canned_acl,
    header_grants,
    parse_ownership,
)


def test_the_canned_names_are_those_that_can_be_decided() -> None:
    assert CANNED_ACLS == CANNED_NAMES


@pytest.mark.parametrize("name", sorted(CANNED_ACLS))
def test_a_canned_name_is_taken(name: str) -> None:
    assert canned_acl({"x-amz-acl": name}) == name


def test_no_header_names_no_list() -> None:
    assert canned_acl({"content-type": "text/plain"}) is None
    assert header_grants({"content-type": "text/plain"}) == ()


@pytest.mark.parametrize("name", ["", "public-ready", "Private"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        canned_acl({"x-amz-acl": name})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.details == {"ArgumentName": "x-amz-acl", "ArgumentValue": name}


def test_both_ways_at_once_are_refused() -> None:
    with pytest.raises(S3Error) as caught:
        canned_acl({"x-amz-acl": "private", "x-amz-grant-read": "id=a"})
    assert caught.value.code is Code.INVALID_REQUEST
    assert caught.value.message == "Specifying both Canned ACLs and Header Grants is not allowed"


def test_headers_grant_to_several_by_id_email_and_group() -> None:
    found = header_grants(
        {
            "x-amz-grant-full-control": 'id="ann"',
            "x-amz-grant-read": 'uri="all", emailAddress="bob@example.com",id=eve',
        }
    )
    assert [(one.permission, one.grantee.kind, one.grantee.value) for one in found] == [
        ("READ", GranteeKind.GROUP, "all"),
        ("READ", GranteeKind.EMAIL, "bob@example.com"),
        ("READ", GranteeKind.ID, "eve"),
        ("FULL_CONTROL", GranteeKind.ID, "ann"),
    ]


@pytest.mark.parametrize("value", ["", "ann", "name=ann", "id=", 'id=""', "id=ann,", "=ann"])
def test_a_malformed_grant_is_refused(value: str) -> None:
    with pytest.raises(S3Error) as caught:
        header_grants({"x-amz-grant-write-acp": value})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.details["ArgumentName"] == "x-amz-grant-write-acp"


def test_a_permission_that_there_is_not_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        header_grants({"x-amz-grant-everything": "id=ann"})
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_more_grants_than_a_list_holds_are_refused() -> None:
    assert len(header_grants({"x-amz-grant-read": ",".join(["id=ann"] * 100)})) == 100
    with pytest.raises(S3Error) as caught:
        header_grants({"x-amz-grant-read": ",".join(["id=ann"] * 101)})
    assert caught.value.code is Code.MALFORMED_ACL_ERROR


def test_an_ownership_is_one_of_three() -> None:
    assert parse_ownership("ObjectWriter") is Ownership.OBJECT_WRITER
    with pytest.raises(S3Error) as caught:
        parse_ownership("objectwriter")
    assert caught.value.code is Code.INVALID_ARGUMENT
