"""What Amazon answers where its documents are silent, and clients have come to count on.

Source: answers of Amazon S3 recorded by LocalStack (`tests/aws/services/s3/*.snapshot.json`, 2025 and 2026).
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from awscrt import checksums
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal

KEY = "key"


def enable_versions(s3: S3Client, bucket: str, status: str = "Enabled") -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def begin(s3: S3Client, bucket: str, **options: Any) -> dict[str, str]:
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=KEY, **options)["UploadId"]
    return {"Bucket": bucket, "Key": KEY, "UploadId": upload_id}


def refused(call: Any, /, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer: Any = caught.value.response
    return {**answer["Error"], "Status": answer["ResponseMetadata"]["HTTPStatusCode"]}


def test_a_date_that_is_yet_to_come_is_no_condition(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": KEY}
    plain_s3.put_object(**place, Body=b"body")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert plain_s3.get_object(**place, IfModifiedSince=tomorrow)["Body"].read() == b"body"
    copied = plain_s3.copy_object(
        Bucket=plain_bucket, Key="copy", CopySource=place, CopySourceIfModifiedSince=tomorrow
    )
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"body").hexdigest()}"'


def test_completion_on_condition_conflicts_with_what_came_after_its_upload(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    place = {"Bucket": plain_bucket, "Key": KEY}
    plain_s3.put_object(**place, Body=b"before")
    upload = begin(plain_s3, plain_bucket)
    etag = plain_s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    completion = {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}
    between = plain_s3.put_object(**place, Body=b"between")["ETag"]
    complete = plain_s3.complete_multipart_upload
    assert refused(complete, **upload, **completion, IfMatch='"other"')["Code"] == "PreconditionFailed"
    error = refused(complete, **upload, **completion, IfMatch=between)
    assert (error["Status"], error["Code"]) == (409, "ConditionalRequestConflict")
    assert (error["Condition"], error["Key"]) == ("If-Match", KEY)
    complete(**upload, **completion)
    assert plain_s3.get_object(**place)["Body"].read() == b"part"


def test_bucket_with_versions_left_says_so(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key=KEY, Body=b"")
    error = refused(plain_s3.delete_bucket, Bucket=plain_bucket)
    assert error["Message"] == "The bucket you tried to delete is not empty"
    enable_versions(plain_s3, plain_bucket)
    error = refused(plain_s3.delete_bucket, Bucket=plain_bucket)
    assert error["Code"] == "BucketNotEmpty"
    assert (
        error["Message"]
        == "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    )


def test_copied_part_has_a_checksum_only_where_the_upload_has_an_algorithm(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="source", Body=b"0123456789")
    source = {"Bucket": plain_bucket, "Key": "source"}
    for options, names in (
        ({}, {"ETag", "LastModified"}),
        ({"ChecksumAlgorithm": "SHA256"}, {"ETag", "LastModified", "ChecksumSHA256"}),
    ):
        upload = begin(plain_s3, plain_bucket, **options)
        copied = plain_s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)
        assert set(copied["CopyPartResult"]) == names


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [("bytes=1-0", 400, "InvalidArgument"), ("bytes=100-200", 400, "InvalidRequest")],
)
def test_range_of_a_copied_part_that_makes_no_sense(
    plain_s3: S3Client, plain_bucket: str, wanted: str, status: int, code: str
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="source", Body=b"0123456789")
    error = refused(
        plain_s3.upload_part_copy,
        **begin(plain_s3, plain_bucket),
        PartNumber=1,
        CopySource={"Bucket": plain_bucket, "Key": "source"},
        CopySourceRange=wanted,
    )
    assert (error["Status"], error["Code"]) == (status, code)


def test_what_is_said_of_a_version_is_not_said_of_a_delete_marker(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    enable_versions(plain_s3, plain_bucket)
    place = {"Bucket": plain_bucket, "Key": KEY}
    plain_s3.put_object(**place, Body=b"body")
    marker_id = plain_s3.delete_object(**place)["VersionId"]
    tagging = {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
    for version in ({}, {"VersionId": marker_id}):
        for call, arguments, method in (
            (plain_s3.get_object_tagging, {}, "GET"),
            (plain_s3.put_object_tagging, tagging, "PUT"),
            (plain_s3.delete_object_tagging, {}, "DELETE"),
            (plain_s3.put_object_acl, {"ACL": "private"}, "PUT"),
        ):
            error = refused(call, **place, **version, **arguments)
            assert (error["Status"], error["Code"]) == (405, "MethodNotAllowed")
            assert (error["Method"], error["ResourceType"]) == (method, "DeleteMarker")
    assert refused(plain_s3.get_object, **place)["Code"] == "NoSuchKey"


def test_part_of_a_composite_object_has_its_own_checksum_even_if_it_is_the_only_one(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    upload = begin(plain_s3, plain_bucket, ChecksumAlgorithm="SHA256")
    part = plain_s3.upload_part(**upload, PartNumber=1, Body=b"part", ChecksumAlgorithm="SHA256")
    named = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
    plain_s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [named]})
    got = plain_s3.head_object(Bucket=plain_bucket, Key=KEY, PartNumber=1, ChecksumMode="ENABLED")
    assert got["ChecksumSHA256"] == part["ChecksumSHA256"]
    whole = plain_s3.head_object(Bucket=plain_bucket, Key=KEY, ChecksumMode="ENABLED")
    assert whole["ChecksumSHA256"].endswith("-1")


def test_lists_of_uploads_and_parts_name_where_they_end(plain_s3: S3Client, plain_bucket: str) -> None:
    upload = begin(plain_s3, plain_bucket)
    listed = plain_s3.list_multipart_uploads(Bucket=plain_bucket)
    assert listed["IsTruncated"] is False
    assert (listed["NextKeyMarker"], listed["NextUploadIdMarker"]) == (KEY, upload["UploadId"])
    assert plain_s3.list_parts(**upload)["NextPartNumberMarker"] == 0
    plain_s3.upload_part(**upload, PartNumber=3, Body=b"part")
    assert plain_s3.list_parts(**upload)["NextPartNumberMarker"] == 3


def test_upload_that_is_unknown_comes_before_a_completion_that_says_nothing(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    place = {"Bucket": plain_bucket, "Key": KEY, "UploadId": "unknown"}
    error = refused(plain_s3.complete_multipart_upload, **place)
    assert (error["Status"], error["Code"], error["UploadId"]) == (404, "NoSuchUpload", "unknown")


def test_buckets_have_arns(plain_s3: S3Client, plain_bucket: str) -> None:
    arn = f"arn:aws:s3:::{plain_bucket}-2"
    assert plain_s3.create_bucket(Bucket=f"{plain_bucket}-2")["BucketArn"] == arn
    told = plain_s3.head_bucket(Bucket=f"{plain_bucket}-2")
    assert (told["BucketArn"], told["AccessPointAlias"]) == (arn, False)
    (listed,) = plain_s3.list_buckets(Prefix=f"{plain_bucket}-2")["Buckets"]
    assert listed["BucketArn"] == arn


def test_bucket_is_created_with_tags(plain_s3: S3Client, plain_bucket: str) -> None:
    name, tags = f"{plain_bucket}-tagged", [{"Key": "team", "Value": "blue"}]
    plain_s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
    assert plain_s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    bad = {"Tags": [{"Key": "aws:team", "Value": "blue"}]}
    error = refused(plain_s3.create_bucket, Bucket=f"{name}-2", CreateBucketConfiguration=bad)
    assert error["Code"] == "InvalidTag"
    assert refused(plain_s3.head_bucket, Bucket=f"{name}-2")["Status"] == 404


def test_tagging_without_a_set_removes_all_tags(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": KEY}
    plain_s3.put_object(**place, Body=b"", Tagging="a=b")

    def send_empty(params: dict[str, Any], **_: Any) -> None:
        params["body"] = b"<Tagging/>"
        params["headers"].pop("Content-MD5", None)

    plain_s3.meta.events.register_last("before-call.s3.PutObjectTagging", send_empty)
    try:
        plain_s3.put_object_tagging(**place, Tagging={"TagSet": []})
    finally:
        plain_s3.meta.events.unregister("before-call.s3.PutObjectTagging", send_empty)
    assert plain_s3.get_object_tagging(**place)["TagSet"] == []


def test_tags_in_a_header_are_joined_by_ampersands(plain_s3: S3Client, plain_bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        plain_s3.put_object(Bucket=plain_bucket, Key=KEY, Body=b"", Tagging="a=1,b=2")
    assert refusal(caught.value) == (400, "InvalidArgument")


def test_copy_into_a_suspended_bucket_is_the_null_version(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="source", Body=b"body")
    enable_versions(plain_s3, plain_bucket, "Suspended")
    assert "VersionId" not in plain_s3.put_object(Bucket=plain_bucket, Key=KEY, Body=b"")
    source = {"Bucket": plain_bucket, "Key": "source"}
    assert plain_s3.copy_object(Bucket=plain_bucket, Key=KEY, CopySource=source)["VersionId"] == "null"


def test_object_whose_upload_named_no_algorithm_has_a_crc64nvme(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    body = (b"x" * 5 * 1024 * 1024, b"rest")
    upload = begin(plain_s3, plain_bucket)
    # Without being asked for it, boto3 sends its own default with parts.
    parts = [
        plain_s3.upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm="CRC32")
        for number, part in enumerate(body, start=1)
    ]
    assert all("ChecksumCRC32" in part for part in parts)
    named = [
        {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        for number, part in enumerate(parts, start=1)
    ]
    expected = base64.b64encode(checksums.crc64nvme(b"".join(body)).to_bytes(8, "big")).decode()
    completed = plain_s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": named})
    assert (completed["ChecksumCRC64NVME"], completed["ChecksumType"]) == (expected, "FULL_OBJECT")
    place = {"Bucket": plain_bucket, "Key": KEY}
    whole = plain_s3.get_object(**place, ChecksumMode="ENABLED")
    assert whole["ChecksumCRC64NVME"] == expected
    assert whole["Body"].read() == b"".join(body)
    last = plain_s3.get_object(**place, PartNumber=2, ChecksumMode="ENABLED")
    own = base64.b64encode(checksums.crc64nvme(b"rest").to_bytes(8, "big")).decode()
    assert last["ChecksumCRC64NVME"] == own
    assert last["Body"].read() == b"rest"


def test_claim_of_a_completion_counts_whatever_algorithm_the_object_has(
    plain_s3: S3Client, plain_bucket: str
) -> None:
    upload = begin(plain_s3, plain_bucket)
    etag = plain_s3.upload_part(**upload, PartNumber=1, Body=b"part", ChecksumAlgorithm="CRC32")["ETag"]
    completion = {**upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}
    complete = plain_s3.complete_multipart_upload
    assert refused(complete, **completion, ChecksumCRC32="AAAAAA==")["Code"] == "BadDigest"
    assert refused(complete, **completion, ChecksumCRC32C="AAAAAA==")["Code"] == "InvalidRequest"
    right = base64.b64encode(checksums.crc32(b"part").to_bytes(4, "big")).decode()
    assert "ChecksumCRC64NVME" in complete(**completion, ChecksumCRC32=right)


def test_null_version_is_not_named_as_a_source(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="source", Body=b"body")
    source = {"Bucket": plain_bucket, "Key": "source"}
    enable_versions(plain_s3, plain_bucket)
    copied = plain_s3.copy_object(Bucket=plain_bucket, Key=KEY, CopySource=source)
    assert "CopySourceVersionId" not in copied
    version_id = plain_s3.put_object(**source, Body=b"again")["VersionId"]
    copied = plain_s3.copy_object(Bucket=plain_bucket, Key=KEY, CopySource=source)
    assert copied["CopySourceVersionId"] == version_id


def test_copy_onto_itself_where_the_bucket_encrypts_by_default(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": KEY}
    plain_s3.put_object(**place, Body=b"body")
    assert refused(plain_s3.copy_object, **place, CopySource=place)["Code"] == "InvalidRequest"
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    plain_s3.put_bucket_encryption(
        Bucket=plain_bucket, ServerSideEncryptionConfiguration={"Rules": [default]}
    )
    assert plain_s3.copy_object(**place, CopySource=place)["ServerSideEncryption"] == "AES256"
    assert plain_s3.get_object(**place)["Body"].read() == b"body"


def test_refusals_about_parts_name_them(plain_s3: S3Client, plain_bucket: str) -> None:
    upload = begin(plain_s3, plain_bucket)
    etag = plain_s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    for part in ({"PartNumber": 2, "ETag": etag}, {"PartNumber": 1, "ETag": '"other"'}):
        error = refused(plain_s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [part]})
        assert error["Code"] == "InvalidPart"
        assert (error["UploadId"], error["PartNumber"]) == (upload["UploadId"], str(part["PartNumber"]))
        assert error["ETag"] == str(part["ETag"]).strip('"')
    plain_s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    error = refused(plain_s3.get_object, Bucket=plain_bucket, Key=KEY, PartNumber=2)
    assert (error["Code"], error["ActualPartCount"]) == ("InvalidPartNumber", "1")
    assert error["PartNumberRequested"] == "2"
