"""A version is named only where an operation is about one."""

from __future__ import annotations

import pytest
from tests.raw.door import Door

VERSION = ("versionId", "null")
COMPLETION = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"


@pytest.mark.parametrize(
    ("method", "query", "headers", "body"),
    [
        pytest.param("PUT", (), {}, b"new", id="PutObject"),
        pytest.param("PUT", (), {"x-amz-copy-source": "raw-requests/versioned"}, b"", id="CopyObject"),
        pytest.param("POST", (("uploads", ""),), {}, b"", id="CreateMultipartUpload"),
        pytest.param("PUT", (("partNumber", "1"), ("uploadId", "x")), {}, b"part", id="UploadPart"),
        pytest.param("POST", (("uploadId", "x"),), {}, COMPLETION, id="CompleteMultipartUpload"),
    ],
)
def test_operation_about_no_version_refuses_one(
    door: Door, method: str, query: tuple[tuple[str, str], ...], headers: dict[str, str], body: bytes
) -> None:
    door.put("versioned", b"old")
    reply = door.signed(method, door.path("versioned"), query=[*query, VERSION], headers=headers, body=body)
    assert reply.refusal == (400, "InvalidArgument")
    assert reply.fault.message == "This operation does not accept a version-id."
    assert reply.fault.details["ArgumentName"] == "versionId"
    assert door.content("versioned") == b"old"


@pytest.mark.parametrize("name", ["location", "list-type", "versions", "uploads", "versioning"])
def test_no_operation_on_a_bucket_takes_one(door: Door, name: str) -> None:
    reply = door.signed("GET", "/raw-requests", query=[(name, ""), VERSION])
    assert reply.refusal == (400, "InvalidArgument")


@pytest.mark.parametrize("name", [None, "tagging", "acl", "attributes"])
def test_operation_about_a_version_takes_one(door: Door, name: str | None) -> None:
    door.put("versioned", b"old")
    query = [VERSION] if name is None else [(name, ""), VERSION]
    headers = {"x-amz-object-attributes": "ETag"}
    assert door.signed("GET", door.path("versioned"), query=query, headers=headers).status == 200
