"""minio-py, told the endpoint, the credentials and the region."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio
from minio.commonconfig import ENABLED, REPLACE, ComposeSource, CopySource, Tags
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.versioningconfig import VersioningConfig
from tests.clients.boto import ODD_KEYS
from tests.clients.links import download, refused, upload
from tests.raw.form import CONTENT_TYPE, encoded_form
from tests.raw.wire import fetch

from valetkey.testing.server import RunningServer

MIB = 1024 * 1024


@pytest.fixture
def client(server: RunningServer) -> Minio:
    return Minio(
        f"{server.host}:{server.port}",
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=False,
        region=server.region,
    )


def put(client: Minio, bucket: str, key: str, content: bytes) -> None:
    client.put_object(bucket, key, io.BytesIO(content), len(content))


def read(client: Minio, bucket: str, key: str, offset: int = 0, length: int = 0) -> bytes:
    answer = client.get_object(bucket, key, offset=offset, length=length)
    try:
        return bytes(answer.read())
    finally:
        answer.close()
        answer.release_conn()


def keys(client: Minio, bucket: str, prefix: str = "", *, recursive: bool = True) -> list[str]:
    return [str(each.object_name) for each in client.list_objects(bucket, prefix, recursive=recursive)]


def test_a_bucket_is_made_and_removed(client: Minio, new_name: Callable[[str], str]) -> None:
    name = new_name("minio-py")
    client.make_bucket(name)
    assert client.bucket_exists(name)
    assert name in [bucket.name for bucket in client.list_buckets()]
    client.remove_bucket(name)
    assert not client.bucket_exists(name)


def test_the_region_is_looked_up(server: RunningServer, plain_bucket: str) -> None:
    client = Minio(
        f"{server.host}:{server.port}",
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=False,
    )
    put(client, plain_bucket, "a", b"content")
    assert read(client, plain_bucket, "a") == b"content"


def test_small_objects_are_read_listed_copied_and_removed(client: Minio, plain_bucket: str) -> None:
    key = "folder/a b+ü.txt"
    content = b"0123456789"
    client.put_object(
        plain_bucket, key, io.BytesIO(content), 10, content_type="text/x-own", metadata={"colour": "blue"}
    )
    assert read(client, plain_bucket, key) == content
    assert read(client, plain_bucket, key, 3, 4) == b"3456"
    found = client.stat_object(plain_bucket, key)
    assert (found.size, found.content_type) == (10, "text/x-own")
    assert found.metadata is not None
    assert found.metadata["x-amz-meta-colour"] == "blue"
    client.copy_object(plain_bucket, "copy", CopySource(plain_bucket, key))
    assert read(client, plain_bucket, "copy") == content
    assert keys(client, plain_bucket, recursive=False) == ["copy", "folder/"]
    assert keys(client, plain_bucket, "folder/") == [key]
    client.remove_object(plain_bucket, key)
    with pytest.raises(S3Error) as raised:
        client.stat_object(plain_bucket, key)
    assert raised.value.code == "NoSuchKey"


def test_a_copy_has_metadata_of_its_own(client: Minio, plain_bucket: str) -> None:
    put(client, plain_bucket, "a", b"content")
    client.copy_object(
        plain_bucket,
        "a",
        CopySource(plain_bucket, "a"),
        metadata={"colour": "red"},
        metadata_directive=REPLACE,
    )
    metadata = client.stat_object(plain_bucket, "a").metadata
    assert metadata is not None
    assert metadata["x-amz-meta-colour"] == "red"


def test_a_large_file_goes_up_in_parts_and_comes_down(
    client: Minio, plain_bucket: str, parts_file: Path, tmp_path: Path
) -> None:
    size = parts_file.stat().st_size
    done = client.fput_object(plain_bucket, "file", str(parts_file), part_size=5 * MIB)
    assert str(done.etag).endswith("-3")
    client.fget_object(plain_bucket, "file", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == parts_file.read_bytes()
    with parts_file.open("rb") as stream:
        client.put_object(plain_bucket, "stream", stream, -1, part_size=5 * MIB)
    assert read(client, plain_bucket, "stream", size - 5) == parts_file.read_bytes()[-5:]


def test_objects_are_composed_into_one(client: Minio, plain_bucket: str, parts_file: Path) -> None:
    content = parts_file.read_bytes()
    client.put_object(plain_bucket, "large", io.BytesIO(content), len(content))
    put(client, plain_bucket, "small", b"0123456789")
    client.compose_object(
        plain_bucket,
        "composed",
        [
            ComposeSource(plain_bucket, "large"),
            ComposeSource(plain_bucket, "large", offset=100, length=6 * MIB),
            ComposeSource(plain_bucket, "small", offset=2, length=3),
        ],
    )
    assert read(client, plain_bucket, "composed") == content + content[100 : 100 + 6 * MIB] + b"234"


def test_a_range_is_copied(client: Minio, plain_bucket: str) -> None:
    put(client, plain_bucket, "a", b"0123456789")
    client.copy_object(plain_bucket, "copy", CopySource(plain_bucket, "a", offset=2, length=3))
    assert read(client, plain_bucket, "copy") == b"234"


def test_many_objects_are_removed_at_once(client: Minio, plain_bucket: str) -> None:
    for number in range(12):
        put(client, plain_bucket, f"folder/{number:02}", b"content")
    gone = [DeleteObject(key) for key in keys(client, plain_bucket, "folder/")]
    assert list(client.remove_objects(plain_bucket, gone)) == []
    assert keys(client, plain_bucket) == []


def test_links_need_no_client(client: Minio, plain_bucket: str) -> None:
    key = "folder/a b+ü.txt"
    assert upload(client.presigned_put_object(plain_bucket, key), b"content") == 200
    url = client.presigned_get_object(
        plain_bucket, key, timedelta(minutes=1), response_headers={"response-content-type": "text/x-own"}
    )
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403
    client.remove_object(plain_bucket, key)
    assert refused(url) == 404


# minio-py itself asks for the time in a way that newer Pythons advise against.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_a_form_is_signed(client: Minio, server: RunningServer, plain_bucket: str) -> None:
    policy = PostPolicy(plain_bucket, datetime.now(UTC) + timedelta(minutes=5))
    policy.add_starts_with_condition("key", "folder/")
    fields = client.presigned_post_policy(policy)
    assert {"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"} <= fields.keys()
    body = encoded_form({"key": "folder/${filename}", **fields}, b"content", filename="a.txt")
    sent = fetch(
        f"{server.endpoint}/{plain_bucket}", "POST", headers={"Content-Type": CONTENT_TYPE}, body=body
    )
    assert sent.status == 204
    assert read(client, plain_bucket, "folder/a.txt") == b"content"


def test_tags_are_set_read_and_removed(client: Minio, plain_bucket: str) -> None:
    put(client, plain_bucket, "a", b"content")
    tags = Tags.new_object_tags()
    tags["colour"] = "blue + green"
    client.set_object_tags(plain_bucket, "a", tags)
    assert client.get_object_tags(plain_bucket, "a") == tags
    client.delete_object_tags(plain_bucket, "a")
    assert client.get_object_tags(plain_bucket, "a") is None
    of_bucket = Tags.new_bucket_tags()
    of_bucket["team"] = "one"
    client.set_bucket_tags(plain_bucket, of_bucket)
    assert client.get_bucket_tags(plain_bucket) == of_bucket
    client.delete_bucket_tags(plain_bucket)
    assert client.get_bucket_tags(plain_bucket) is None


def test_versions_are_kept_listed_and_removed(client: Minio, plain_bucket: str) -> None:
    client.set_bucket_versioning(plain_bucket, VersioningConfig(ENABLED))
    assert client.get_bucket_versioning(plain_bucket).status == ENABLED
    first = client.put_object(plain_bucket, "a", io.BytesIO(b"first"), 5).version_id
    assert first is not None
    put(client, plain_bucket, "a", b"second")
    client.remove_object(plain_bucket, "a")
    answer = client.get_object(plain_bucket, "a", version_id=first)
    with answer:
        assert answer.read() == b"first"
    answer.release_conn()
    listed = list(client.list_objects(plain_bucket, include_version=True))
    assert sorted(each.is_delete_marker for each in listed) == [False, False, True]
    gone = [DeleteObject(str(each.object_name), each.version_id) for each in listed]
    assert list(client.remove_objects(plain_bucket, gone)) == []
    client.remove_bucket(plain_bucket)


# minio-py itself refuses keys with `.` and `..` in them.
@pytest.mark.parametrize("key", [value for name, value in ODD_KEYS.items() if "dot" not in name])
def test_odd_keys_come_back(client: Minio, plain_bucket: str, key: str) -> None:
    put(client, plain_bucket, key, b"content")
    assert read(client, plain_bucket, key) == b"content"
    client.copy_object(plain_bucket, "copy", CopySource(plain_bucket, key))
    assert keys(client, plain_bucket) == sorted(["copy", key], key=str.encode)
    client.remove_object(plain_bucket, key)
    assert keys(client, plain_bucket) == ["copy"]


def test_errors_keep_their_names(client: Minio, server: RunningServer, plain_bucket: str) -> None:
    def code(act: Callable[[], object]) -> str:
        with pytest.raises(S3Error) as raised:
            act()
        return str(raised.value.code)

    assert code(lambda: put(client, "no-such-bucket-at-all", "k", b"content")) == "NoSuchBucket"
    assert code(lambda: read(client, plain_bucket, "not-there")) == "NoSuchKey"
    put(client, plain_bucket, "a", b"content")
    assert code(lambda: client.remove_bucket(plain_bucket)) == "BucketNotEmpty"
    wrong = Minio(client._base_url.host, server.access_key, "wrong", secure=False, region=server.region)
    assert code(lambda: read(wrong, plain_bucket, "a")) == "SignatureDoesNotMatch"
