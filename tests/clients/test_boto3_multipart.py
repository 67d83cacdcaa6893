"""boto3's multipart uploads step by step, and every checksum that SDKs know."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from awscrt import checksums
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, refusal

MIB: Final = 1024 * 1024
PARTS: Final = (os.urandom(5 * MIB), os.urandom(5 * MIB + 1), b"the last part may be small")


def crc(compute: Callable[[bytes], int], size_bytes: int) -> Callable[[bytes], bytes]:
    return lambda content: compute(content).to_bytes(size_bytes, "big")


DIGESTS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "CRC32": crc(checksums.crc32, 4),
    "CRC32C": crc(checksums.crc32c, 4),
    "CRC64NVME": crc(checksums.crc64nvme, 8),
    "SHA1": lambda content: hashlib.sha1(content).digest(),
    "SHA256": lambda content: hashlib.sha256(content).digest(),
}


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def start(s3: S3Client, bucket: str, key: str = "a", **options: Any) -> str:
    upload_id: str = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
    return upload_id


def upload(
    s3: S3Client, bucket: str, upload_id: str, contents: tuple[bytes, ...], **options: Any
) -> list[dict[str, Any]]:
    """Upload parts and return what a completion says of them."""
    listed = []
    for number, content in enumerate(contents, start=1):
        part = s3.upload_part(
            Bucket=bucket, Key="a", UploadId=upload_id, PartNumber=number, Body=content, **options
        )
        told = {name: value for name, value in part.items() if name == "ETag" or name.startswith("Checksum")}
        listed.append({"PartNumber": number, **told})
    return listed


def complete(s3: S3Client, bucket: str, upload_id: str, parts: list[dict[str, Any]], **options: Any) -> Any:
    return s3.complete_multipart_upload(
        Bucket=bucket, Key="a", UploadId=upload_id, MultipartUpload={"Parts": parts}, **options
    )


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_each_checksum_of_a_put_is_kept(s3: S3Client, bucket: str, algorithm: str) -> None:
    content = b"0123456789" * 10_000
    expected = b64(DIGESTS[algorithm](content))
    put = s3.put_object(Bucket=bucket, Key="a", Body=content, ChecksumAlgorithm=algorithm)
    assert (put[f"Checksum{algorithm}"], put["ChecksumType"]) == (expected, "FULL_OBJECT")
    for answer in (
        s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED"),
        s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED"),
    ):
        assert (answer[f"Checksum{algorithm}"], answer["ChecksumType"]) == (expected, "FULL_OBJECT")
    entry = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == ([algorithm], "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_composite_checksum_is_made_of_the_parts(s3: S3Client, bucket: str, algorithm: str) -> None:
    digest = DIGESTS[algorithm]
    upload_id = start(s3, bucket, ChecksumAlgorithm=algorithm)
    parts = upload(s3, bucket, upload_id, PARTS, ChecksumAlgorithm=algorithm)
    assert [part[f"Checksum{algorithm}"] for part in parts] == [b64(digest(content)) for content in PARTS]
    expected = b64(digest(b"".join(digest(content) for content in PARTS))) + "-3"
    completed = complete(s3, bucket, upload_id, parts)
    assert (completed[f"Checksum{algorithm}"], completed["ChecksumType"]) == (expected, "COMPOSITE")
    got = s3.get_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == expected
    assert got["Body"].read() == b"".join(PARTS)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_full_object_checksum_is_that_of_the_whole(s3: S3Client, bucket: str, algorithm: str) -> None:
    whole = b64(DIGESTS[algorithm](b"".join(PARTS)))
    upload_id = start(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    parts = upload(s3, bucket, upload_id, PARTS, ChecksumAlgorithm=algorithm)
    given = {f"Checksum{algorithm}": whole, "ChecksumType": "FULL_OBJECT"}
    completed = complete(s3, bucket, upload_id, parts, **given)
    assert (completed[f"Checksum{algorithm}"], completed["ChecksumType"]) == (whole, "FULL_OBJECT")
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (whole, "FULL_OBJECT")


def test_a_wrong_checksum_of_the_whole_completes_nothing(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = upload(s3, bucket, upload_id, PARTS[2:], ChecksumAlgorithm="CRC32")
    with pytest.raises(ClientError) as raised:
        complete(s3, bucket, upload_id, parts, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
    assert refusal(raised.value) == (400, "BadDigest")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_sha256_of_a_whole_cannot_be_put_together(s3: S3Client, bucket: str) -> None:
    with pytest.raises(ClientError) as raised:
        start(s3, bucket, ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
    assert refusal(raised.value) == (400, "InvalidRequest")


def test_a_part_must_have_the_checksum_that_was_announced(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket, ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError) as raised:
        upload(s3, bucket, upload_id, (b"part",), ChecksumAlgorithm="CRC32C")
    assert refusal(raised.value) == (400, "InvalidRequest")


def test_an_upload_shows_nothing_until_it_is_complete(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"before")
    upload_id = start(s3, bucket, Metadata={"a": "b"}, ContentType="text/x-own")
    parts = upload(s3, bucket, upload_id, PARTS)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"before"
    completed = complete(s3, bucket, upload_id, parts)
    assert (completed["Bucket"], completed["Key"]) == (bucket, "a")
    got = s3.get_object(Bucket=bucket, Key="a")
    assert got["Body"].read() == b"".join(PARTS)
    assert (got["Metadata"], got["ContentType"]) == ({"a": "b"}, "text/x-own")
    assert got["ETag"] == completed["ETag"]
    assert got["ETag"].endswith('-3"')


def test_a_range_may_lie_over_the_border_of_two_parts(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    complete(s3, bucket, upload_id, upload(s3, bucket, upload_id, PARTS))
    first, last = 5 * MIB - 10, 10 * MIB + 20
    got = s3.get_object(Bucket=bucket, Key="a", Range=f"bytes={first}-{last}")
    assert got["Body"].read() == b"".join(PARTS)[first : last + 1]


def test_parts_are_listed_in_pages(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    for number in (7, 2, 10_000, 40, 1):
        s3.upload_part(Bucket=bucket, Key="a", UploadId=upload_id, PartNumber=number, Body=b"x" * number)
    pages = list(
        s3.get_paginator("list_parts").paginate(
            Bucket=bucket, Key="a", UploadId=upload_id, PaginationConfig={"PageSize": 2}
        )
    )
    listed = [(part["PartNumber"], part["Size"]) for page in pages for part in page["Parts"]]
    assert listed == [(number, number) for number in (1, 2, 7, 40, 10_000)]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert pages[0]["Parts"][0]["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
    assert pages[0]["Owner"]["ID"] == pages[0]["Initiator"]["ID"]


def test_a_part_that_comes_again_replaces_the_first(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    upload(s3, bucket, upload_id, (b"old",))
    complete(s3, bucket, upload_id, upload(s3, bucket, upload_id, (b"new",)))
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"new"


def test_uploads_are_listed_and_aborted(s3: S3Client, bucket: str) -> None:
    ids = {key: start(s3, bucket, key) for key in ("a", "b/1", "b/2", "c", "ü +")}
    again = start(s3, bucket, "c")
    everything = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [entry["Key"] for entry in everything] == ["a", "b/1", "b/2", "c", "c", "ü +"]
    assert {entry["UploadId"] for entry in everything} == {*ids.values(), again}
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [entry["Key"] for entry in grouped["Uploads"]] == ["a", "c", "c", "ü +"]
    assert [entry["Prefix"] for entry in grouped["CommonPrefixes"]] == ["b/"]
    within = s3.list_multipart_uploads(Bucket=bucket, Prefix="b/")
    assert [entry["Key"] for entry in within["Uploads"]] == ["b/1", "b/2"]
    for key, upload_id in [*ids.items(), ("c", again)]:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("page", [1, 2, 4])
def test_uploads_are_listed_in_pages(s3: S3Client, bucket: str, page: int) -> None:
    started = [(key, start(s3, bucket, key)) for key in ("a", "b", "b", "b", "c/1", "c/2", "d")]
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": page}
    )
    listed = [(entry["Key"], entry["UploadId"]) for answer in pages for entry in answer.get("Uploads", [])]
    assert sorted(listed) == sorted(started)
    assert [key for key, _ in listed] == [key for key, _ in started]


def test_an_aborted_upload_is_gone(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    parts = upload(s3, bucket, upload_id, (b"part",))
    s3.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=upload_id)
    with pytest.raises(ClientError) as abort:
        s3.abort_multipart_upload(Bucket=bucket, Key="a", UploadId=upload_id)
    assert refusal(abort.value) == (404, "NoSuchUpload")
    with pytest.raises(ClientError) as part:
        upload(s3, bucket, upload_id, (b"part",))
    assert refusal(part.value) == (404, "NoSuchUpload")
    with pytest.raises(ClientError) as finish:
        complete(s3, bucket, upload_id, parts)
    assert refusal(finish.value) == (404, "NoSuchUpload")


def test_parts_must_be_named_in_order(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    parts = upload(s3, bucket, upload_id, PARTS)
    with pytest.raises(ClientError) as raised:
        complete(s3, bucket, upload_id, parts[::-1])
    assert refusal(raised.value) == (400, "InvalidPartOrder")


def test_a_part_that_was_not_uploaded_cannot_be_named(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    parts = upload(s3, bucket, upload_id, (b"part",))
    for wrong in ([*parts, {"PartNumber": 2, "ETag": parts[0]["ETag"]}], [parts[0] | {"ETag": '"other"'}]):
        with pytest.raises(ClientError) as raised:
            complete(s3, bucket, upload_id, wrong)
        assert refusal(raised.value) == (400, "InvalidPart")


def test_only_the_last_part_may_be_small(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    parts = upload(s3, bucket, upload_id, (b"small", b"last"))
    with pytest.raises(ClientError) as raised:
        complete(s3, bucket, upload_id, parts)
    assert refusal(raised.value) == (400, "EntityTooSmall")


def test_an_upload_without_parts_cannot_be_completed(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    with pytest.raises(ClientError) as raised:
        complete(s3, bucket, upload_id, [])
    assert refusal(raised.value) == (400, "MalformedXML")


def test_an_upload_belongs_to_its_key(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket, "another-key")
    with pytest.raises(ClientError) as raised:
        upload(s3, bucket, upload_id, (b"part",))
    assert refusal(raised.value) == (404, "NoSuchUpload")


def test_parts_may_be_left_out(s3: S3Client, bucket: str) -> None:
    upload_id = start(s3, bucket)
    parts = upload(s3, bucket, upload_id, PARTS)
    complete(s3, bucket, upload_id, [parts[0], parts[2]])
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == PARTS[0] + PARTS[2]


@pytest.mark.parametrize("contents", [(b"",), (PARTS[0], b"")], ids=["alone", "behind another"])
def test_a_part_without_bytes_is_read_without_a_range(
    s3: S3Client, bucket: str, contents: tuple[bytes, ...]
) -> None:
    upload_id = start(s3, bucket)
    complete(s3, bucket, upload_id, upload(s3, bucket, upload_id, contents))
    answer = s3.get_object(Bucket=bucket, Key="a", PartNumber=len(contents))
    assert answer["Body"].read() == b""
    assert answer["PartsCount"] == len(contents)
    assert "ContentRange" not in answer
