"""Forms that boto3 signs, by SigV2 as it does by default and by SigV4, sent as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.clients.boto import S3Client
from tests.raw.form import CONTENT_TYPE, encoded_form
from tests.raw.wire import Reply, fetch


def send(
    form: Any, content: bytes, *, filename: str = "photo.png", more: Mapping[str, str] | None = None
) -> Reply:
    body = encoded_form({**form["fields"], **(more or {})}, content, filename=filename)
    return fetch(form["url"], "POST", headers={"Content-Type": CONTENT_TYPE}, body=body)


@pytest.fixture
def bucket(presigner: S3Client, new_name: Any) -> str:
    name: str = new_name("forms")
    presigner.create_bucket(Bucket=name)
    return name


def test_a_form_uploads_its_file(presigner: S3Client, bucket: str) -> None:
    form = presigner.generate_presigned_post(
        bucket,
        "in/${filename}",
        Fields={"Content-Type": "image/png", "x-amz-meta-a": "1", "success_action_status": "201"},
        Conditions=[
            {"Content-Type": "image/png"},
            {"x-amz-meta-a": "1"},
            {"success_action_status": "201"},
            ["content-length-range", 1, 1000],
        ],
    )
    reply = send(form, b"content")
    assert reply.status == 201, reply.body
    got = presigner.get_object(Bucket=bucket, Key="in/photo.png")
    assert got["Body"].read() == b"content"
    assert (got["ContentType"], got["Metadata"]) == ("image/png", {"a": "1"})
    assert reply.header("ETag") == got["ETag"]


def test_a_field_that_was_not_signed_for_is_refused(presigner: S3Client, bucket: str) -> None:
    form = presigner.generate_presigned_post(bucket, "k")
    reply = send(form, b"content", more={"acl": "private"})
    assert reply.refusal == (403, "AccessDenied")
    assert reply.fault.message == "Invalid according to Policy: Extra input fields: acl"


def test_a_file_beyond_the_range_is_refused(presigner: S3Client, bucket: str) -> None:
    form = presigner.generate_presigned_post(bucket, "k", Conditions=[["content-length-range", 5, 7]])
    assert send(form, b"content").status == 204
    assert send(form, b"content!").refusal == (400, "EntityTooLarge")
    assert send(form, b"cont").refusal == (400, "EntityTooSmall")


def test_a_form_that_has_ended_is_refused(presigner: S3Client, bucket: str) -> None:
    form = presigner.generate_presigned_post(bucket, "k", ExpiresIn=-1)
    reply = send(form, b"content")
    assert reply.refusal == (403, "AccessDenied")
    assert reply.fault.message == "Invalid according to Policy: Policy expired."


def test_cors_rules_come_back_as_they_were_put(presigner: S3Client, bucket: str) -> None:
    rules = [
        {
            "ID": "one",
            "AllowedHeaders": ["x-amz-*"],
            "AllowedMethods": ["GET", "PUT"],
            "AllowedOrigins": ["https://*.example", "http://localhost:8080"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3000,
        },
        {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
    ]
    presigner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert presigner.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    presigner.delete_bucket_cors(Bucket=bucket)
    with pytest.raises(presigner.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        presigner.get_bucket_cors(Bucket=bucket)
