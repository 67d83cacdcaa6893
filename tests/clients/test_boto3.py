"""boto3 as people use it: every operation, with the bucket's name in the path and in the Host."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from tests.clients.boto import ODD_KEYS, S3Client, open_client, refusal
from tests.raw.signing import key_of, path_of

from valetkey.testing.server import RunningServer

MIB = 1024 * 1024


def put_all(s3: S3Client, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


class TestBuckets:
    def test_a_bucket_is_created_listed_and_deleted(
        self, s3: S3Client, new_name: Callable[[str], str]
    ) -> None:
        name = new_name("life-of-a-bucket")
        assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
        assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
        listed = {entry["Name"]: entry["CreationDate"] for entry in s3.list_buckets()["Buckets"]}
        assert abs(datetime.now(UTC) - listed[name]) < timedelta(minutes=1)
        s3.delete_bucket(Bucket=name)
        with pytest.raises(ClientError) as raised:
            s3.head_bucket(Bucket=name)
        assert refusal(raised.value) == (404, "404")

    def test_the_location_of_the_first_region_is_nothing(self, s3: S3Client, bucket: str) -> None:
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None

    def test_in_the_first_region_a_bucket_may_be_created_again(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "kept")
        s3.create_bucket(Bucket=bucket)
        assert s3.head_object(Bucket=bucket, Key="kept")["ContentLength"] == 4

    def test_a_bucket_with_an_object_in_it_stays(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "kept")
        with pytest.raises(ClientError) as raised:
            s3.delete_bucket(Bucket=bucket)
        assert refusal(raised.value) == (409, "BucketNotEmpty")

    def test_a_bucket_that_is_not_there_is_told(self, s3: S3Client) -> None:
        with pytest.raises(s3.exceptions.NoSuchBucket):
            s3.list_objects_v2(Bucket="no-such-bucket-at-all")
        with pytest.raises(s3.exceptions.NoSuchBucket):
            s3.put_object(Bucket="no-such-bucket-at-all", Key="a", Body=b"b")


class TestAnotherRegion:
    def test_a_bucket_is_created_where_the_server_is(self, frankfurt_server: RunningServer) -> None:
        s3 = open_client(frankfurt_server)
        here = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket="frankfurt", CreateBucketConfiguration=here)
        assert s3.get_bucket_location(Bucket="frankfurt")["LocationConstraint"] == "eu-central-1"
        with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket="frankfurt", CreateBucketConfiguration=here)
        with pytest.raises(ClientError) as raised:
            s3.create_bucket(Bucket="elsewhere")
        assert refusal(raised.value) == (400, "IllegalLocationConstraintException")
        s3.close()


class TestObjects:
    def test_what_was_put_comes_back(self, s3: S3Client, bucket: str) -> None:
        put = s3.put_object(Bucket=bucket, Key="a", Body=b"content")
        got = s3.get_object(Bucket=bucket, Key="a")
        assert got["Body"].read() == b"content"
        assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
        assert (got["ContentLength"], got["ContentType"]) == (7, "binary/octet-stream")
        assert abs(datetime.now(UTC) - got["LastModified"]) < timedelta(minutes=1)
        assert got["AcceptRanges"] == "bytes"

    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3 * MIB + 1])
    def test_small_and_large_objects_come_back(self, s3: S3Client, bucket: str, size: int) -> None:
        content = (b"0123456789abcde" * (size // 15 + 1))[:size]
        s3.put_object(Bucket=bucket, Key="a", Body=content)
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == content

    def test_headers_and_metadata_are_kept(self, s3: S3Client, bucket: str) -> None:
        kept: dict[str, Any] = {
            "CacheControl": "max-age=60",
            "ContentDisposition": 'attachment; filename="a.txt"',
            "ContentEncoding": "gzip",
            "ContentLanguage": "de",
            "ContentType": "text/plain; charset=utf-8",
            "Metadata": {"colour": "blue", "mixed-case": "VaLuE", "empty": ""},
            "StorageClass": "STANDARD_IA",
            "WebsiteRedirectLocation": "/elsewhere",
        }
        expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        s3.put_object(Bucket=bucket, Key="a", Body=b"content", Expires=expires, **kept)
        for answer in (s3.head_object(Bucket=bucket, Key="a"), s3.get_object(Bucket=bucket, Key="a")):
            assert {name: answer[name] for name in kept} == kept
            assert answer["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT"

    def test_a_new_put_replaces_content_and_headers(self, s3: S3Client, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"old", Metadata={"a": "b"}, ContentType="text/plain")
        s3.put_object(Bucket=bucket, Key="a", Body=b"new")
        got = s3.get_object(Bucket=bucket, Key="a")
        assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (
            b"new",
            {},
            "binary/octet-stream",
        )

    def test_a_deleted_object_is_gone_and_may_be_deleted_again(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "a")
        for _ in range(2):
            assert s3.delete_object(Bucket=bucket, Key="a")["ResponseMetadata"]["HTTPStatusCode"] == 204
        with pytest.raises(s3.exceptions.NoSuchKey) as raised:
            s3.get_object(Bucket=bucket, Key="a")
        assert raised.value.response["Error"]["Key"] == "a"
        with pytest.raises(ClientError) as head:
            s3.head_object(Bucket=bucket, Key="a")
        assert refusal(head.value) == (404, "404")

    def test_many_objects_are_deleted_at_once(self, s3: S3Client, bucket: str) -> None:
        keys = ["a", "b/c", "d & e", "ü", "not-there"]
        put_all(s3, bucket, "stays", *keys[:-1])
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        assert sorted(entry["Key"] for entry in answer["Deleted"]) == sorted(keys)
        assert "Errors" not in answer
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["stays"]
        quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "stays"}], "Quiet": True})
        assert "Deleted" not in quiet
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_answers_may_say_what_the_asker_wants(self, s3: S3Client, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"content", ContentType="text/plain")
        got = s3.get_object(
            Bucket=bucket,
            Key="a",
            ResponseCacheControl="no-store",
            ResponseContentDisposition='attachment; filename="b.txt"',
            ResponseContentEncoding="identity",
            ResponseContentLanguage="fr",
            ResponseContentType="text/html",
            ResponseExpires=datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC),
        )
        assert got["CacheControl"] == "no-store"
        assert got["ContentDisposition"] == 'attachment; filename="b.txt"'
        assert got["ContentEncoding"] == "identity"
        assert got["ContentLanguage"] == "fr"
        assert got["ContentType"] == "text/html"
        assert got["ExpiresString"] == "Thu, 02 Jan 2031 03:04:05 GMT"

    @pytest.mark.parametrize("key", ODD_KEYS.values(), ids=ODD_KEYS)
    def test_odd_keys_are_kept_as_they_are(self, s3: S3Client, bucket: str, key: str) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        assert [entry["Key"] for entry in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()
        s3.delete_object(Bucket=bucket, Key=key)
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["copy"]

    def test_keys_that_only_look_alike_are_different_objects(self, s3: S3Client, bucket: str) -> None:
        keys = ["a/b", "a//b", "/a/b", "a/./b", "a%2Fb", "A/B", "a/b/", "a b", "a+b", "a%20b", "ü", "u\u0308"]
        put_all(s3, bucket, *keys)
        contents = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}
        assert contents == {key: key for key in keys}
        listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        assert listed == sorted(keys, key=str.encode)


class TestRanges:
    @pytest.mark.parametrize(
        ("asked", "content", "told"),
        [
            ("bytes=0-0", b"0", "bytes 0-0/10"),
            ("bytes=2-4", b"234", "bytes 2-4/10"),
            ("bytes=7-", b"789", "bytes 7-9/10"),
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-30", b"0123456789", "bytes 0-9/10"),
            ("bytes=5-100", b"56789", "bytes 5-9/10"),
        ],
    )
    def test_a_part_of_an_object(
        self, s3: S3Client, bucket: str, asked: str, content: bytes, told: str
    ) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
        got = s3.get_object(Bucket=bucket, Key="a", Range=asked)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (206, content)
        assert (got["ContentRange"], got["ContentLength"]) == (told, len(content))

    def test_a_part_from_the_middle_of_a_large_object(self, s3: S3Client, bucket: str) -> None:
        content = bytes(range(256)) * 8192
        s3.put_object(Bucket=bucket, Key="a", Body=content)
        got = s3.get_object(Bucket=bucket, Key="a", Range="bytes=1000003-1500000")
        assert got["Body"].read() == content[1000003:1500001]

    @pytest.mark.parametrize("asked", ["bytes=10-", "bytes=-0", "bytes=100-200"])
    def test_nothing_beyond_the_end(self, s3: S3Client, bucket: str, asked: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
        with pytest.raises(ClientError) as raised:
            s3.get_object(Bucket=bucket, Key="a", Range=asked)
        assert refusal(raised.value) == (416, "InvalidRange")
        assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/xml"

    @pytest.mark.parametrize("asked", ["bytes=4-2", "lines=1-2", "bytes=a-b", "bytes=0-1,4-5"])
    def test_a_range_that_makes_no_sense_is_ignored(self, s3: S3Client, bucket: str, asked: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
        assert s3.get_object(Bucket=bucket, Key="a", Range=asked)["Body"].read() == b"0123456789"


class TestConditions:
    def test_a_read_may_depend_on_the_etag(self, s3: S3Client, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"content")["ETag"]
        assert s3.get_object(Bucket=bucket, Key="a", IfMatch=etag)["Body"].read() == b"content"
        assert s3.get_object(Bucket=bucket, Key="a", IfNoneMatch='"other"')["Body"].read() == b"content"
        with pytest.raises(ClientError) as same:
            s3.get_object(Bucket=bucket, Key="a", IfNoneMatch=etag)
        assert refusal(same.value) == (304, "304")
        with pytest.raises(ClientError) as other:
            s3.get_object(Bucket=bucket, Key="a", IfMatch='"other"')
        assert refusal(other.value) == (412, "PreconditionFailed")
        with pytest.raises(ClientError) as head:
            s3.head_object(Bucket=bucket, Key="a", IfMatch='"other"')
        assert refusal(head.value) == (412, "412")

    def test_a_read_may_depend_on_the_time(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "a")
        modified = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
        before, after = modified - timedelta(hours=1), modified
        assert s3.get_object(Bucket=bucket, Key="a", IfModifiedSince=before)["Body"].read() == b"a"
        assert s3.get_object(Bucket=bucket, Key="a", IfUnmodifiedSince=after)["Body"].read() == b"a"
        with pytest.raises(ClientError) as unmodified:
            s3.get_object(Bucket=bucket, Key="a", IfModifiedSince=after)
        assert refusal(unmodified.value) == (304, "304")
        with pytest.raises(ClientError) as changed:
            s3.get_object(Bucket=bucket, Key="a", IfUnmodifiedSince=before)
        assert refusal(changed.value) == (412, "PreconditionFailed")

    def test_only_the_first_of_two_creates(self, s3: S3Client, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"first", IfNoneMatch="*")
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=bucket, Key="a", Body=b"second", IfNoneMatch="*")
        assert refusal(raised.value) == (412, "PreconditionFailed")
        error: Any = raised.value.response["Error"]
        assert error["Condition"] == "If-None-Match"
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"first"

    def test_a_write_may_depend_on_the_etag(self, s3: S3Client, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"first")["ETag"]
        s3.put_object(Bucket=bucket, Key="a", Body=b"second", IfMatch=etag)
        with pytest.raises(ClientError) as stale:
            s3.put_object(Bucket=bucket, Key="a", Body=b"third", IfMatch=etag)
        assert refusal(stale.value) == (412, "PreconditionFailed")
        with pytest.raises(ClientError) as absent:
            s3.put_object(Bucket=bucket, Key="b", Body=b"third", IfMatch=etag)
        assert refusal(absent.value) == (404, "NoSuchKey")
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"second"

    def test_a_multipart_upload_may_depend_on_nothing_being_there(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "a")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
        etag = s3.upload_part(Bucket=bucket, Key="a", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        with pytest.raises(ClientError) as raised:
            s3.complete_multipart_upload(
                Bucket=bucket, Key="a", UploadId=upload, MultipartUpload=parts, IfNoneMatch="*"
            )
        assert refusal(raised.value) == (412, "PreconditionFailed")
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"


class TestCopies:
    def test_a_copy_has_content_and_headers(
        self, s3: S3Client, bucket: str, new_name: Callable[[str], str]
    ) -> None:
        other = new_name("copy-target")
        s3.create_bucket(Bucket=other)
        content = b"0123456789" * 20_000
        etag = s3.put_object(
            Bucket=bucket, Key="a b+ü", Body=content, Metadata={"a": "b"}, ContentType="text/plain"
        )["ETag"]
        result = s3.copy_object(Bucket=other, Key="copy", CopySource={"Bucket": bucket, "Key": "a b+ü"})
        assert result["CopyObjectResult"]["ETag"] == etag
        s3.delete_object(Bucket=bucket, Key="a b+ü")
        got = s3.get_object(Bucket=other, Key="copy")
        assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (
            content,
            {"a": "b"},
            "text/plain",
        )

    def test_a_copy_may_have_headers_of_its_own(self, s3: S3Client, bucket: str) -> None:
        s3.put_object(Bucket=bucket, Key="a", Body=b"content", Metadata={"a": "b"}, ContentType="text/plain")
        for target in ("b", "a"):
            s3.copy_object(
                Bucket=bucket,
                Key=target,
                CopySource=f"{bucket}/a",
                MetadataDirective="REPLACE",
                Metadata={"c": "d"},
                ContentType="text/html",
            )
            got = s3.get_object(Bucket=bucket, Key=target)
            assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (
                b"content",
                {"c": "d"},
                "text/html",
            )

    def test_a_copy_onto_itself_must_change_something(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "a")
        with pytest.raises(ClientError) as raised:
            s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a")
        assert refusal(raised.value) == (400, "InvalidRequest")

    def test_a_copy_of_nothing_is_refused(self, s3: S3Client, bucket: str) -> None:
        with pytest.raises(ClientError) as key:
            s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/not-there")
        assert refusal(key.value) == (404, "NoSuchKey")
        with pytest.raises(ClientError) as source:
            s3.copy_object(Bucket=bucket, Key="a", CopySource="no-such-bucket-at-all/a")
        assert refusal(source.value) == (404, "NoSuchBucket")

    def test_a_copy_may_depend_on_its_source(self, s3: S3Client, bucket: str) -> None:
        etag = s3.put_object(Bucket=bucket, Key="a", Body=b"content")["ETag"]
        modified = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
        hour = timedelta(hours=1)
        holds = [
            {"CopySourceIfMatch": etag},
            {"CopySourceIfNoneMatch": '"other"'},
            {"CopySourceIfModifiedSince": modified - hour},
            {"CopySourceIfUnmodifiedSince": modified},
            {"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": modified - hour},
        ]
        fails = [
            {"CopySourceIfMatch": '"other"'},
            {"CopySourceIfNoneMatch": etag},
            {"CopySourceIfModifiedSince": modified},
            {"CopySourceIfUnmodifiedSince": modified - hour},
        ]
        for condition in holds:
            s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", **condition)
        for condition in fails:
            with pytest.raises(ClientError) as raised:
                s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", **condition)
            assert refusal(raised.value) == (412, "PreconditionFailed")


class TestListings:
    KEYS = ("a", "b/1", "b/2", "b/c/3", "b0", "c/1", "c/2", "d", "e/1", "ü/1")

    def test_all_keys_come_in_order(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, *reversed(self.KEYS))
        answer = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)
        assert [entry["Key"] for entry in answer["Contents"]] == list(self.KEYS)
        assert (answer["KeyCount"], answer["IsTruncated"], answer["MaxKeys"]) == (10, False, 1000)
        first = answer["Contents"][0]
        assert (first["Size"], first["StorageClass"]) == (1, "STANDARD")
        assert first["ETag"] == f'"{hashlib.md5(b"a").hexdigest()}"'
        assert first["Owner"]["ID"] == s3.list_buckets()["Owner"]["ID"]

    @pytest.mark.parametrize("page", [1, 2, 3, 1000])
    @pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
    @pytest.mark.parametrize(
        ("asked", "keys", "prefixes"),
        [
            pytest.param({}, list(KEYS), [], id="all"),
            pytest.param({"Prefix": "b/"}, ["b/1", "b/2", "b/c/3"], [], id="prefix"),
            pytest.param({"Delimiter": "/"}, ["a", "b0", "d"], ["b/", "c/", "e/", "ü/"], id="delimiter"),
            pytest.param({"Prefix": "b/", "Delimiter": "/"}, ["b/1", "b/2"], ["b/c/"], id="both"),
            pytest.param({"Prefix": "z"}, [], [], id="nothing"),
        ],
    )
    def test_pages_together_make_the_listing(
        self, s3: S3Client, bucket: str, operation: str, page: int, asked: dict[str, str], keys: list[str],
        prefixes: list[str],
    ) -> None:  # fmt: skip
        put_all(s3, bucket, *self.KEYS)
        pages = list(
            s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": page}, **asked)
        )
        assert [entry["Key"] for answer in pages for entry in answer.get("Contents", [])] == keys
        assert [e["Prefix"] for answer in pages for e in answer.get("CommonPrefixes", [])] == prefixes
        sizes = [len(a.get("Contents", [])) + len(a.get("CommonPrefixes", [])) for a in pages]
        assert all(size == page for size in sizes[:-1])

    def test_a_listing_may_start_in_the_middle(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, *self.KEYS)
        later = s3.list_objects_v2(Bucket=bucket, StartAfter="b/2")
        assert [entry["Key"] for entry in later["Contents"]] == list(self.KEYS[3:])
        marked = s3.list_objects(Bucket=bucket, Marker="b/", Delimiter="/")
        assert [entry["Key"] for entry in marked["Contents"]] == ["b0", "d"]
        assert [entry["Prefix"] for entry in marked["CommonPrefixes"]] == ["c/", "e/", "ü/"]

    def test_no_keys_may_be_asked_for(self, s3: S3Client, bucket: str) -> None:
        put_all(s3, bucket, "a")
        answer = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
        assert (answer["KeyCount"], answer["IsTruncated"]) == (0, False)

    def test_a_token_of_another_making_is_refused(self, s3: S3Client, bucket: str) -> None:
        with pytest.raises(ClientError) as raised:
            s3.list_objects_v2(Bucket=bucket, ContinuationToken="made up")
        assert refusal(raised.value) == (400, "InvalidArgument")

    def test_a_thousand_keys_are_the_most_of_one_page(
        self, server: RunningServer, plain_s3: S3Client, plain_bucket: str
    ) -> None:
        put_all(plain_s3, plain_bucket, "0000")
        copies = [f"{number:04}" for number in range(1, 1005)]
        connection = HTTPConnection(server.host, server.port, timeout=30)
        for key in copies:
            source = [("x-amz-copy-source", f"{plain_bucket}/0000")]
            connection.request("PUT", key_of(server).presign("PUT", path_of(plain_bucket, key), query=source))
            with connection.getresponse() as response:
                assert (response.status, response.read()[:5]) == (200, b"<?xml")
        connection.close()
        first = plain_s3.list_objects_v2(Bucket=plain_bucket, MaxKeys=5000)
        assert (first["KeyCount"], first["IsTruncated"], first["MaxKeys"]) == (1000, True, 1000)
        second = plain_s3.list_objects_v2(
            Bucket=plain_bucket, ContinuationToken=first["NextContinuationToken"]
        )
        assert (second["KeyCount"], second["IsTruncated"]) == (5, False)
        everything = {"Objects": [{"Key": entry["Key"]} for entry in first["Contents"]]}
        assert len(plain_s3.delete_objects(Bucket=plain_bucket, Delete=everything)["Deleted"]) == 1000


def test_files_go_up_and_down_in_parts_on_many_threads(
    s3: S3Client, bucket: str, big_file: Path, tmp_path: Path
) -> None:
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8)
    s3.upload_file(
        str(big_file),
        bucket,
        "big",
        Config=config,
        ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "text/x-big"},
    )
    head = s3.head_object(Bucket=bucket, Key="big")
    parts = [
        big_file.read_bytes()[start : start + 5 * MIB] for start in range(0, big_file.stat().st_size, 5 * MIB)
    ]
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    assert head["ETag"] == f'"{digest}-{len(parts)}"'
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/x-big")
    s3.download_file(bucket, "big", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "down").read_bytes() == big_file.read_bytes()
    second = s3.get_object(Bucket=bucket, Key="big", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (parts[1], len(parts))
    assert second["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_stream_without_a_length_is_uploaded(s3: S3Client, bucket: str) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

    s3.upload_fileobj(Unseekable(b"streamed"), bucket, "stream")
    assert s3.get_object(Bucket=bucket, Key="stream")["Body"].read() == b"streamed"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"secret_key": "some other secret"}, "SignatureDoesNotMatch", id="secret"),
        pytest.param({"access_key": "AKIDNOBODY"}, "InvalidAccessKeyId", id="access-key"),
    ],
)
def test_wrong_credentials_are_refused(server: RunningServer, changed: dict[str, Any], code: str) -> None:
    s3 = open_client(replace(server, **changed))
    with pytest.raises(ClientError) as raised:
        s3.list_buckets()
    assert refusal(raised.value) == (403, code)
    s3.close()


def sha256_of(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_a_checksum_that_is_given_is_held_to(s3: S3Client, bucket: str) -> None:
    right = s3.put_object(Bucket=bucket, Key="a", Body=b"content", ChecksumSHA256=sha256_of(b"content"))
    assert right["ChecksumSHA256"] == sha256_of(b"content")
    with pytest.raises(ClientError) as raised:
        s3.put_object(Bucket=bucket, Key="b", Body=b"content", ChecksumSHA256=sha256_of(b"other"))
    assert refusal(raised.value) == (400, "BadDigest")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
