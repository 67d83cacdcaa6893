from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.operations import OPERATIONS, Level, Operation
from valetkey.s3.query import parse_query
from valetkey.s3.route import find_operation
from valetkey.s3.target import ACCOUNT, Target

SERVICE = Target(None, None, False)
BUCKET = Target("bucket", None, False)
OBJECT = Target("bucket", "key", False)
AT = {Level.SERVICE: SERVICE, Level.BUCKET: BUCKET, Level.OBJECT: OBJECT, Level.ACCOUNT: ACCOUNT}

COPY = {"x-amz-copy-source": "/a/b"}
WHOSE = {"x-amz-account-id": "000000000007"}


def _find(method: str, target: Target, query: str = "", headers: dict[str, str] | None = None) -> Operation:
    return find_operation(method, target, parse_query(query.encode()), headers or {})


@pytest.mark.parametrize(
    ("method", "target", "query", "headers", "name"),
    [
        ("GET", SERVICE, "", {}, "ListBuckets"),
        ("GET", SERVICE, "x-id=ListBuckets&max-buckets=2", {}, "ListBuckets"),
        ("PUT", BUCKET, "", {}, "CreateBucket"),
        ("HEAD", BUCKET, "", {}, "HeadBucket"),
        ("DELETE", BUCKET, "", {}, "DeleteBucket"),
        ("GET", BUCKET, "location", {}, "GetBucketLocation"),
        ("GET", BUCKET, "", {}, "ListObjects"),
        ("GET", BUCKET, "prefix=acl&delimiter=/", {}, "ListObjects"),
        ("GET", BUCKET, "list-type=1", {}, "ListObjects"),
        ("GET", BUCKET, "list-type=2", {}, "ListObjectsV2"),
        ("GET", BUCKET, "uploads", {}, "ListMultipartUploads"),
        ("POST", BUCKET, "delete", {}, "DeleteObjects"),
        ("GET", OBJECT, "", {}, "GetObject"),
        ("GET", OBJECT, "response-content-type=a&X-Amz-Date=x&x-id=GetObject&foo=1", {}, "GetObject"),
        ("GET", OBJECT, "partNumber=2", {}, "GetObject"),
        ("GET", OBJECT, "versionId=null", {}, "GetObject"),
        ("GET", OBJECT, "Acl", {}, "GetObject"),
        ("GET", OBJECT, "location", {}, "GetObject"),
        ("HEAD", OBJECT, "", {}, "HeadObject"),
        ("PUT", OBJECT, "", {}, "PutObject"),
        ("PUT", OBJECT, "", COPY, "CopyObject"),
        ("DELETE", OBJECT, "", {}, "DeleteObject"),
        ("POST", OBJECT, "uploads", {}, "CreateMultipartUpload"),
        ("PUT", OBJECT, "partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", OBJECT, "partNumber=1&uploadId=u", COPY, "UploadPartCopy"),
        ("GET", BUCKET, "versions", {}, "ListObjectVersions"),
        ("POST", OBJECT, "uploadId=u", {}, "CompleteMultipartUpload"),
        ("DELETE", OBJECT, "uploadId=u", {}, "AbortMultipartUpload"),
        ("GET", OBJECT, "uploadId=u&max-parts=3", {}, "ListParts"),
        ("GET", ACCOUNT, "", WHOSE, "GetAccountPublicAccessBlock"),
        ("DELETE", ACCOUNT, "", WHOSE, "DeleteAccountPublicAccessBlock"),
        ("GET", SERVICE, "", WHOSE, "ListBuckets"),
        ("PUT", OBJECT, "", WHOSE, "PutObject"),
    ],
)
def test_request_finds_its_operation(
    method: str, target: Target, query: str, headers: dict[str, str], name: str
) -> None:
    assert _find(method, target, query, headers).name == name


@pytest.mark.parametrize(
    ("method", "target", "query", "headers", "details"),
    [
        ("PUT", BUCKET, "replication", {}, {"Method": "PUT", "ResourceType": "REPLICATION"}),
        ("PUT", OBJECT, "renameObject", {}, {"Method": "PUT", "ResourceType": "RENAMEOBJECT"}),
        ("POST", OBJECT, "select&select-type=2", {}, {"Method": "POST", "ResourceType": "SELECT"}),
    ],
)
def test_what_is_not_implemented_says_so(
    method: str, target: Target, query: str, headers: dict[str, str], details: dict[str, str]
) -> None:
    with pytest.raises(S3Error) as caught:
        _find(method, target, query, headers)
    assert caught.value.code is Code.NOT_IMPLEMENTED
    assert dict(caught.value.details) == details


@pytest.mark.parametrize(
    ("method", "target", "query", "resource"),
    [
        ("PUT", OBJECT, "lifecycle", "LIFECYCLE"),
        ("PUT", OBJECT, "versioning=", "VERSIONING"),
        ("DELETE", OBJECT, "policy", "POLICY"),
        ("DELETE", OBJECT, "versions", "VERSIONS"),
        ("PUT", BUCKET, "retention", "RETENTION"),
    ],
)
def test_what_is_meant_for_another_place_changes_nothing_here(
    method: str, target: Target, query: str, resource: str
) -> None:
    with pytest.raises(S3Error) as caught:
        _find(method, target, query)
    assert caught.value.code is Code.METHOD_NOT_ALLOWED
    assert dict(caught.value.details) == {"Method": method, "ResourceType": resource}


def test_a_parameter_with_a_value_is_nobodys_sub_resource() -> None:
    assert _find("PUT", OBJECT, "session=42").name == "PutObject"


@pytest.mark.parametrize(
    ("method", "target", "query", "resource", "allow"),
    [
        ("HEAD", SERVICE, "", "SERVICE", "GET"),
        ("DELETE", SERVICE, "", "SERVICE", "GET"),
        ("PATCH", BUCKET, "", "BUCKET", "DELETE, GET, HEAD, POST, PUT"),
        ("POST", OBJECT, "", "OBJECT", "DELETE, GET, HEAD, PUT"),
        ("BREW", OBJECT, "", "OBJECT", "DELETE, GET, HEAD, PUT"),
        ("GET", BUCKET, "delete", "MULTI_OBJECT_DELETE", "POST"),
        ("PUT", BUCKET, "location", "LOCATION", "GET"),
        ("GET", OBJECT, "uploads", "UPLOADS", "POST"),
        ("PUT", OBJECT, "uploadId=u", "UPLOAD", "DELETE, GET, POST"),
        ("GET", OBJECT, "uploadId=u&partNumber=1", "PART", "PUT"),
    ],
)
def test_method_without_meaning_is_not_allowed(
    method: str, target: Target, query: str, resource: str, allow: str
) -> None:
    with pytest.raises(S3Error) as caught:
        _find(method, target, query)
    assert caught.value.code is Code.METHOD_NOT_ALLOWED
    assert dict(caught.value.details) == {"Method": method, "ResourceType": resource}
    assert dict(caught.value.headers) == {"allow": allow}


def test_two_subresources_conflict() -> None:
    with pytest.raises(S3Error) as caught:
        _find("GET", BUCKET, "versioning&acl")
    assert caught.value.message == "Conflicting query string parameters: acl, versioning"
    assert dict(caught.value.details) == {"ArgumentName": "ResourceType", "ArgumentValue": "acl"}


@pytest.mark.parametrize("headers", [{}, COPY], ids=["put", "copy"])
def test_part_number_without_upload_is_refused_on_put(headers: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        _find("PUT", OBJECT, "partNumber=7", headers)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == "This operation does not accept partNumber without uploadId"
    assert dict(caught.value.details) == {"ArgumentName": "partNumber", "ArgumentValue": "7"}


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_every_row_is_found_by_what_it_asks_for(row: Operation) -> None:
    query = {name: "2" if name == "list-type" else "1" for name in row.queries}
    headers = {row.header: "/a/b"} if row.header else {}
    if row.implemented:
        assert find_operation(row.method, AT[row.level], query, headers) is row
    else:
        with pytest.raises(S3Error) as caught:
            find_operation(row.method, AT[row.level], query, headers)
        assert caught.value.code is Code.NOT_IMPLEMENTED


_NAMES = sorted({name for row in OPERATIONS for name in row.queries} | {"versionId", "x-id", "prefix"})


@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", ""]),
    target=st.sampled_from(list(AT.values())),
    query=st.dictionaries(st.sampled_from(_NAMES), st.text(max_size=3), max_size=4),
    headers=st.sampled_from([{}, COPY, WHOSE]),
)
def test_any_request_is_one_implemented_operation_or_refused(
    refusal_of: Callable[..., Code | None],
    method: str,
    target: Target,
    query: dict[str, str],
    headers: dict[str, str],
) -> None:
    code = refusal_of(find_operation, method, target, query, headers)
    assert code in (None, Code.NOT_IMPLEMENTED, Code.METHOD_NOT_ALLOWED, Code.INVALID_ARGUMENT)
    if code is None:
        found = find_operation(method, target, query, headers)
        assert found.implemented
        assert found.method == method
        assert AT[found.level] is target
        assert set(found.queries) <= query.keys()
        assert found.header is None or found.header in headers
