"""boto3 asks for attributes of objects."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal

ALL: Final = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
PART_BYTES: Final = 5 * 1024 * 1024


def test_what_was_asked_for_and_nothing_else(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    put = plain_s3.put_object(**place, Body=b"body", ChecksumAlgorithm="SHA256")
    answer = plain_s3.get_object_attributes(**place, ObjectAttributes=ALL)
    assert answer["ETag"] == put["ETag"].strip('"')
    assert answer["Checksum"] == {"ChecksumSHA256": put["ChecksumSHA256"], "ChecksumType": "FULL_OBJECT"}
    assert answer["ObjectSize"] == 4
    assert answer["StorageClass"] == "STANDARD"
    assert answer["LastModified"] == plain_s3.head_object(**place)["LastModified"]
    assert "ObjectParts" not in answer
    assert "VersionId" not in answer
    few = plain_s3.get_object_attributes(**place, ObjectAttributes=["ObjectSize"])
    assert not {"ETag", "Checksum", "StorageClass"} & few.keys()


def test_a_version_and_a_marker(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = plain_s3.put_object(**place, Body=b"1")["VersionId"]
    plain_s3.put_object(**place, Body=b"22")
    answer = plain_s3.get_object_attributes(**place, VersionId=first, ObjectAttributes=["ObjectSize"])
    assert (answer["VersionId"], answer["ObjectSize"]) == (first, 1)
    marker = plain_s3.delete_object(**place)["VersionId"]
    for options, expected in (({}, (404, "NoSuchKey")), ({"VersionId": marker}, (405, "MethodNotAllowed"))):
        with pytest.raises(ClientError) as caught:
            plain_s3.get_object_attributes(**place, **options, ObjectAttributes=ALL)
        assert refusal(caught.value) == expected
        headers: Any = caught.value.response
        assert headers["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"


@pytest.mark.parametrize("algorithm", [None, "SHA256"], ids=["without-checksums", "with-checksums"])
def test_parts_come_page_by_page(plain_s3: S3Client, plain_bucket: str, algorithm: str | None) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    options = {} if algorithm is None else {"ChecksumAlgorithm": algorithm}
    upload = plain_s3.create_multipart_upload(**place, **options)["UploadId"]
    parts = []
    for number, body in enumerate((bytes(PART_BYTES), bytes(PART_BYTES), b"end"), start=1):
        part = {"PartNumber": number, "UploadId": upload, **options}
        put = plain_s3.upload_part(**place, **part, Body=body)
        sums = {name: value for name, value in put.items() if name.startswith("Checksum")}
        parts.append({"PartNumber": number, "ETag": put["ETag"], **(sums if algorithm else {})})
    plain_s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})

    answer = plain_s3.get_object_attributes(**place, ObjectAttributes=["ObjectParts"], MaxParts=2)
    page = answer["ObjectParts"]
    assert page["TotalPartsCount"] == 3
    assert page["IsTruncated"]
    assert [part["Size"] for part in page["Parts"]] == [PART_BYTES, PART_BYTES]
    if algorithm is not None:
        assert [part["ChecksumSHA256"] for part in page["Parts"]] == [
            part["ChecksumSHA256"] for part in parts[:2]
        ]
    rest = plain_s3.get_object_attributes(
        **place, ObjectAttributes=["ObjectParts"], PartNumberMarker=page["NextPartNumberMarker"]
    )["ObjectParts"]
    assert not rest["IsTruncated"]
    assert [(part["PartNumber"], part["Size"]) for part in rest["Parts"]] == [(3, 3)]


def test_an_object_under_a_key_of_the_client_takes_that_key(plain_s3: S3Client, plain_bucket: str) -> None:
    place = {"Bucket": plain_bucket, "Key": "key"}
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    plain_s3.put_object(**place, Body=b"body", **key)
    # For this operation alone boto3 leaves the encoding to its caller.
    raw = key["SSECustomerKey"].encode()
    key["SSECustomerKey"] = b64encode(raw).decode()
    key["SSECustomerKeyMD5"] = b64encode(hashlib.md5(raw).digest()).decode()
    answer = plain_s3.get_object_attributes(**place, **key, ObjectAttributes=["ObjectSize"])
    assert answer["ObjectSize"] == 4
    with pytest.raises(ClientError) as caught:
        plain_s3.get_object_attributes(**place, ObjectAttributes=["ObjectSize"])
    assert refusal(caught.value) == (400, "InvalidRequest")


def test_an_attribute_that_there_is_not(plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="key", Body=b"body")
    with pytest.raises(ClientError) as caught:
        plain_s3.get_object_attributes(Bucket=plain_bucket, Key="key", ObjectAttributes=["Colour"])
    assert refusal(caught.value) == (400, "InvalidArgument")
