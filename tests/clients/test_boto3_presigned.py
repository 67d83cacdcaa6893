"""Each operation by a URL that boto3 presigned, used by a client that knows nothing of S3.

In each style of boto3: SigV2, which it still presigns with by default in us-east-1, and SigV4; with the
bucket's name in the path and in the Host.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from tests.clients.boto import ODD_KEYS, S3Client, open_client
from tests.raw.wire import Reply, fetch

from valetkey.testing.server import RunningServer

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
MIB = 1024 * 1024


@pytest.fixture
def bucket(presigner: S3Client, new_name: Callable[[str], str]) -> str:
    """An empty bucket of the presigner's server."""
    name = new_name("presigned")
    presigner.create_bucket(Bucket=name)
    return name


def use(
    s3: S3Client,
    operation: str,
    method: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    **params: Any,
) -> Reply:
    """Presign an operation and use the URL, sending those of `headers` that the URL asks for."""
    url = s3.generate_presigned_url(operation, Params=params, ExpiresIn=600, HttpMethod=method)
    return fetch(url, method, headers=wanted(url, headers or {}), body=body)


def wanted(url: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the holder of `url` has to send: with V2, botocore puts the rest into the query."""
    query = parse_qs(urlsplit(url).query)
    if "X-Amz-SignedHeaders" not in query:
        return {name: value for name, value in headers.items() if not name.lower().startswith("x-amz-")}
    signed = query["X-Amz-SignedHeaders"][0].split(";")
    return {name: value for name, value in headers.items() if name.lower() in signed}


def texts(reply: Reply, path: str) -> list[str | None]:
    """Return the texts of elements of S3's XML. `path` is without the namespace."""
    assert reply.status == 200, reply.body
    steps = "/".join(NAMESPACE + step for step in path.split("/"))
    return [element.text for element in ET.fromstring(reply.body).findall(steps)]


def test_the_styles_are_what_they_say(presigner: S3Client, request: pytest.FixtureRequest) -> None:
    url = presigner.generate_presigned_url("get_object", Params={"Bucket": "some-bucket", "Key": "a"})
    style = request.node.callspec.params["presigner"]
    assert ("X-Amz-Algorithm" in url) == style.endswith("s3v4")
    assert urlsplit(url).path == ("/a" if style.startswith("virtual") else "/some-bucket/a")


class TestBuckets:
    def test_life_of_a_bucket(self, presigner: S3Client, new_name: Callable[[str], str]) -> None:
        name = new_name("presigned-life")
        assert use(presigner, "create_bucket", "PUT", Bucket=name).status == 200
        assert use(presigner, "head_bucket", "HEAD", Bucket=name).status == 200
        assert name in texts(use(presigner, "list_buckets", "GET"), "Buckets/Bucket/Name")
        location = use(presigner, "get_bucket_location", "GET", Bucket=name)
        assert (location.status, ET.fromstring(location.body).text) == (200, None)
        assert use(presigner, "delete_bucket", "DELETE", Bucket=name).status == 204
        assert use(presigner, "head_bucket", "HEAD", Bucket=name).status == 404

    def test_listings(self, presigner: S3Client, bucket: str) -> None:
        for key in ("a", "b/1", "b/2", "c d+ü"):
            presigner.put_object(Bucket=bucket, Key=key, Body=b"content")
        asked: dict[str, Any] = {"Bucket": bucket, "Delimiter": "/", "MaxKeys": 2}
        old = use(presigner, "list_objects", "GET", **asked)
        first = use(presigner, "list_objects_v2", "GET", **asked)
        for answer in (old, first):
            assert texts(answer, "Contents/Key") == ["a"]
            assert texts(answer, "CommonPrefixes/Prefix") == ["b/"]
            assert texts(answer, "IsTruncated") == ["true"]
        token = texts(first, "NextContinuationToken")[0]
        second = use(presigner, "list_objects_v2", "GET", ContinuationToken=token, **asked)
        # boto3 always asks for encoded keys, and decodes them where it parses the answer itself.
        assert [unquote((text or "").replace("+", " ")) for text in texts(second, "Contents/Key")] == [
            "c d+ü"
        ]

    def test_deleting_many(self, presigner: S3Client, bucket: str) -> None:
        for key in ("a", "b", "c"):
            presigner.put_object(Bucket=bucket, Key=key, Body=b"content")
        document = b"<Delete><Object><Key>a</Key></Object><Object><Key>c</Key></Object></Delete>"
        digest = base64.b64encode(hashlib.md5(document).digest()).decode()

        def sign_digest(request: Any, **_: Any) -> None:
            # botocore cannot presign a body; the digest of the one that will be sent is signed instead.
            request.data = b""
            request.headers["Content-MD5"] = digest

        events = presigner.meta.events
        events.register("before-sign.s3.DeleteObjects", sign_digest)
        reply = use(
            presigner, "delete_objects", "POST", Bucket=bucket, Delete={"Objects": [{"Key": "a"}]},
            headers={"Content-MD5": digest}, body=document,
        )  # fmt: skip
        events.unregister("before-sign.s3.DeleteObjects", sign_digest)
        assert texts(reply, "Deleted/Key") == ["a", "c"]
        assert [entry["Key"] for entry in presigner.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]


class TestObjects:
    def test_put_get_head_delete(self, presigner: S3Client, bucket: str) -> None:
        here: dict[str, Any] = {"Bucket": bucket, "Key": "folder/a b+ü.txt"}
        put = use(presigner, "put_object", "PUT", body=b"content", **here)
        assert (put.status, put.header("ETag")) == (200, f'"{hashlib.md5(b"content").hexdigest()}"')
        assert use(presigner, "get_object", "GET", **here).body == b"content"
        head = use(presigner, "head_object", "HEAD", **here)
        assert (head.status, head.header("Content-Length"), head.body) == (200, "7", b"")
        assert use(presigner, "delete_object", "DELETE", **here).status == 204
        gone = use(presigner, "get_object", "GET", **here)
        assert gone.refusal == (404, "NoSuchKey")

    @pytest.mark.parametrize("key", ODD_KEYS.values(), ids=ODD_KEYS)
    def test_odd_keys(self, presigner: S3Client, bucket: str, key: str) -> None:
        here: dict[str, Any] = {"Bucket": bucket, "Key": key}
        assert use(presigner, "put_object", "PUT", body=key.encode(), **here).status == 200
        assert use(presigner, "get_object", "GET", **here).body == key.encode()
        assert presigner.get_object(**here)["Body"].read() == key.encode()
        assert use(presigner, "delete_object", "DELETE", **here).status == 204
        assert presigner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_headers_and_metadata_that_were_signed_are_kept(self, presigner: S3Client, bucket: str) -> None:
        sent = {
            "Content-Type": "text/x-own",
            "Cache-Control": "max-age=60",
            "Content-Disposition": "inline",
            "x-amz-meta-colour": "blue",
            "x-amz-storage-class": "STANDARD_IA",
        }
        reply = use(
            presigner, "put_object", "PUT", body=b"content", headers=sent, Bucket=bucket, Key="a",
            ContentType="text/x-own", CacheControl="max-age=60", ContentDisposition="inline",
            Metadata={"colour": "blue"}, StorageClass="STANDARD_IA",
        )  # fmt: skip
        assert reply.status == 200, reply.body
        head = use(presigner, "head_object", "HEAD", Bucket=bucket, Key="a")
        assert head.header("Content-Type") == "text/x-own"
        assert head.header("x-amz-meta-colour") == "blue"
        assert head.header("x-amz-storage-class") == "STANDARD_IA"

    def test_another_content_type_than_was_signed_is_refused(self, presigner: S3Client, bucket: str) -> None:
        url = presigner.generate_presigned_url(
            "put_object", Params={"Bucket": bucket, "Key": "a", "ContentType": "image/png"}
        )
        reply = fetch(url, "PUT", headers={"Content-Type": "text/html"}, body=b"content")
        assert reply.refusal == (403, "SignatureDoesNotMatch")
        assert presigner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_ranges_and_conditions_by_plain_headers(self, presigner: S3Client, bucket: str) -> None:
        etag = presigner.put_object(Bucket=bucket, Key="a", Body=b"0123456789")["ETag"]
        url = presigner.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
        part = fetch(url, headers={"Range": "bytes=2-4"})
        assert (part.status, part.body, part.header("Content-Range")) == (206, b"234", "bytes 2-4/10")
        assert fetch(url, headers={"Range": "bytes=10-"}).refusal == (416, "InvalidRange")
        same = fetch(url, headers={"If-None-Match": etag})
        assert (same.status, same.body, same.header("ETag")) == (304, b"", etag)
        assert fetch(url, headers={"If-Match": '"other"'}).refusal == (412, "PreconditionFailed")
        assert fetch(url, headers={"Range": "bytes=2-4", "If-Range": etag}).status == 206
        assert fetch(url, headers={"Range": "bytes=2-4", "If-Range": '"other"'}).status == 200

    def test_only_the_first_of_two_uploads_creates(self, presigner: S3Client, bucket: str) -> None:
        url = presigner.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a"})
        headers = {"If-None-Match": "*"}
        assert fetch(url, "PUT", headers=headers, body=b"first").status == 200
        assert fetch(url, "PUT", headers=headers, body=b"second").refusal == (412, "PreconditionFailed")

    def test_the_issuer_says_what_the_answer_is_called(self, presigner: S3Client, bucket: str) -> None:
        presigner.put_object(Bucket=bucket, Key="a", Body=b"content")
        reply = use(
            presigner, "get_object", "GET", Bucket=bucket, Key="a",
            ResponseContentDisposition="attachment; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf",
            ResponseContentType="application/pdf", ResponseCacheControl="no-store",
        )  # fmt: skip
        assert reply.header("Content-Type") == "application/pdf"
        assert reply.header("Cache-Control") == "no-store"
        assert reply.header("Content-Disposition") == (
            "attachment; filename*=UTF-8''Bericht%20%E2%80%93%20M%C3%A4rz.pdf"
        )

    def test_a_copy(self, presigner: S3Client, bucket: str) -> None:
        presigner.put_object(Bucket=bucket, Key="a b", Body=b"content", Metadata={"a": "b"})
        reply = use(
            presigner, "copy_object", "PUT", Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b"},
            headers={"x-amz-copy-source": f"{bucket}/a%20b"},
        )  # fmt: skip
        assert reply.status == 200, reply.body
        assert b"<CopyObjectResult" in reply.body
        got = presigner.get_object(Bucket=bucket, Key="copy")
        assert (got["Body"].read(), got["Metadata"]) == (b"content", {"a": "b"})

    def test_a_checksum_that_was_signed_is_enforced(self, presigner: S3Client, bucket: str) -> None:
        digest = base64.b64encode(hashlib.sha256(b"content").digest()).decode()
        here: dict[str, Any] = {"Bucket": bucket, "Key": "a", "ChecksumSHA256": digest}
        url = presigner.generate_presigned_url("put_object", Params=here)
        headers = wanted(url, {"x-amz-checksum-sha256": digest, "x-amz-sdk-checksum-algorithm": "SHA256"})
        assert fetch(url, "PUT", headers=headers, body=b"content").status == 200
        other = fetch(url, "PUT", headers=headers, body=b"another").status
        # V2 has the value in the query alone, where S3 does not evaluate it.
        assert other == (400 if "X-Amz-Algorithm" in url else 200)


def test_a_multipart_upload_step_by_step(presigner: S3Client, bucket: str) -> None:
    here: dict[str, Any] = {"Bucket": bucket, "Key": "folder/big ü"}
    created = use(presigner, "create_multipart_upload", "POST", **here)
    upload = texts(created, "UploadId")[0]
    listed = use(presigner, "list_multipart_uploads", "GET", Bucket=bucket)
    assert texts(listed, "Upload/UploadId") == [upload]
    contents = [b"a" * 5 * MIB, b"the end"]
    document = ""
    for number, content in enumerate(contents, start=1):
        part = use(presigner, "upload_part", "PUT", body=content, UploadId=upload, PartNumber=number, **here)
        assert part.status == 200, part.body
        document += f"<Part><PartNumber>{number}</PartNumber><ETag>{part.header('ETag')}</ETag></Part>"
    parts = use(presigner, "list_parts", "GET", UploadId=upload, **here)
    assert texts(parts, "Part/Size") == [str(len(content)) for content in contents]
    done = use(
        presigner, "complete_multipart_upload", "POST", UploadId=upload, **here,
        body=f"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>".encode(),
    )  # fmt: skip
    assert texts(done, "Key") == ["folder/big ü"]
    assert presigner.get_object(**here)["Body"].read() == b"".join(contents)


def test_a_part_url_is_for_one_part(presigner: S3Client, bucket: str) -> None:
    here: dict[str, Any] = {"Bucket": bucket, "Key": "a"}
    upload = presigner.create_multipart_upload(**here)["UploadId"]
    url = presigner.generate_presigned_url(
        "upload_part", Params={"UploadId": upload, "PartNumber": 1, **here}
    )
    other = fetch(url.replace("partNumber=1", "partNumber=2"), "PUT", body=b"part")
    assert other.refusal == (403, "SignatureDoesNotMatch")
    assert fetch(url, "PUT", body=b"part").status == 200
    aborted = use(presigner, "abort_multipart_upload", "DELETE", UploadId=upload, **here)
    assert aborted.status == 204
    assert fetch(url, "PUT", body=b"part").refusal == (404, "NoSuchUpload")


def test_an_expired_v2_url_says_so(server: RunningServer) -> None:
    s3 = open_client(server)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "any-bucket", "Key": "a"}, ExpiresIn=-5)
    reply = fetch(url)
    assert (*reply.refusal, reply.fault.message) == (403, "AccessDenied", "Request has expired")
    s3.close()


def test_a_url_is_for_one_bucket_and_one_key(presigner: S3Client, bucket: str) -> None:
    for key in ("a", "b"):
        presigner.put_object(Bucket=bucket, Key=key, Body=key.encode())
    url = presigner.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
    assert fetch(url).body == b"a"
    assert fetch(url.replace("/a?", "/b?")).refusal == (403, "SignatureDoesNotMatch")


def test_a_region_with_sigv4_alone_needs_no_setting(frankfurt_server: RunningServer) -> None:
    s3 = open_client(frankfurt_server)
    s3.create_bucket(
        Bucket="presigned-frankfurt", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    s3.put_object(Bucket="presigned-frankfurt", Key="a", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned-frankfurt", "Key": "a"})
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    assert fetch(url).body == b"content"
    s3.close()
    elsewhere = open_client(frankfurt_server, "s3v4", region_name="us-east-1")
    wrong = elsewhere.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned-frankfurt", "Key": "a"}
    )
    reply = fetch(wrong)
    assert reply.refusal == (400, "AuthorizationQueryParametersError")
    assert reply.fault.details["Region"] == "eu-central-1"
    elsewhere.close()
