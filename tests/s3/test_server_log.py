"""A line of the server access log has Amazon's fields, whatever a client sent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.operations import OPERATIONS
from valetkey.s3.server_log import Record, operation_field, to_line

FIELDS = re.compile(r'\[[^\]]*\]|"[^"]*"|[^ ]+')

USUAL = Record(
    bucket_owner="79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
    bucket="amzn-s3-demo-bucket1",
    at=datetime(2019, 2, 6, 0, 0, 38, tzinfo=UTC),
    remote="192.0.2.3",
    requester="79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
    request_id="3E57427F3EXAMPLE",
    method="GET",
    operation="GetBucketVersioning",
    key=None,
    uri="/amzn-s3-demo-bucket1?versioning",
    status=200,
    error=None,
    sent_bytes=113,
    object_bytes=None,
    total_ms=7,
    turn_around_ms=None,
    referrer="",
    agent="S3Console/0.4",
    version_id=None,
    host_id="s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=",
    signature_version="SigV4",
    auth_type="AuthHeader",
    host="amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com",
    region="us-east-1",
)


def test_the_line_of_the_documents_comes_out() -> None:
    # Source: Amazon S3 User Guide, "Amazon S3 server access log format", the first example; TLS, access point and
    # ACL are unknown here.
    assert to_line(USUAL) == (
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 "
        "[06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be "
        '3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" '
        '"S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 - '
        "AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com - - - us-east-1\n"
    )


@pytest.mark.parametrize(
    ("method", "operation", "expected"),
    [
        # Source: the same page, and "Using Amazon S3 server access logs to identify requests".
        ("GET", "GetBucketLogging", "REST.GET.LOGGING_STATUS"),
        ("GET", "GetBucketPolicy", "REST.GET.BUCKETPOLICY"),
        ("PUT", "PutObject", "REST.PUT.OBJECT"),
        ("GET", "GetObject", "REST.GET.OBJECT"),
        ("HEAD", "HeadObject", "REST.HEAD.OBJECT"),
        ("PUT", "CopyObject", "REST.COPY.OBJECT"),
        ("PUT", "UploadPartCopy", "REST.COPY.PART"),
        ("PUT", "UploadPart", "REST.PUT.PART"),
        ("POST", "CreateMultipartUpload", "REST.POST.UPLOADS"),
        ("POST", "CompleteMultipartUpload", "REST.POST.UPLOAD"),
        ("POST", "DeleteObjects", "REST.POST.MULTI_OBJECT_DELETE"),
        ("GET", "ListObjectsV2", "REST.GET.BUCKET"),
    ],
)
def test_operations_have_amazons_names(method: str, operation: str, expected: str) -> None:
    assert operation_field(method, operation) == expected


def test_what_is_refused_at_once_tells_what_it_was_about() -> None:
    unknown = replace(USUAL, operation=None, method="PATCH")
    assert " REST.PATCH.BUCKET " in to_line(unknown)
    assert " REST.PATCH.OBJECT " in to_line(replace(unknown, key="x"))
    assert " REST.PATCH.SERVICE " in to_line(replace(unknown, bucket=None))


def test_every_operation_has_a_name() -> None:
    for row in OPERATIONS:
        assert re.fullmatch(r"REST\.[A-Z]+\.[A-Z_]+", operation_field(row.method, row.name)), row.name


@given(text=st.text(max_size=40))
def test_no_client_can_forge_a_field_or_a_line(text: str) -> None:
    line = to_line(
        replace(
            USUAL,
            key=text,
            uri=text,
            agent=text,
            referrer=text,
            host=text,
            method=text,
            bucket=text,
            error=text,
        )
    )
    assert line.endswith("\n")
    assert line.isascii()
    assert line[:-1].isprintable()
    assert len(FIELDS.findall(line[:-1])) == 27
    assert " ".join(FIELDS.findall(line[:-1])) == line[:-1]


def test_a_key_is_percent_encoded() -> None:
    assert ' folder/%C3%BC%20%22x%22 "GET ' in to_line(replace(USUAL, key='folder/ü "x"'))
