"""obstore, the Python face of the Rust crate object_store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, PermissionDeniedError, PreconditionError
from obstore.store import S3Store
from tests.clients.boto import ODD_KEYS, S3Client
from tests.clients.links import download, refused, upload

from valetkey.testing.server import RunningServer

MIB = 1024 * 1024


def open_store(server: RunningServer, bucket: str, **options: Any) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.endpoint,
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        region=server.region,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=30)},
        **options,
    )


@pytest.fixture
def store(server: RunningServer, plain_bucket: str) -> S3Store:
    return open_store(server, plain_bucket)


def paths(entries: Sequence[Any]) -> list[str]:
    return sorted(entry["path"] for entry in entries)


def test_small_objects_are_read_whole_and_in_ranges(store: S3Store) -> None:
    key = "folder/a b+ü.txt"
    done = obstore.put(store, key, b"0123456789")
    got = obstore.get(store, key)
    assert bytes(got.bytes()) == b"0123456789"
    assert got.meta["e_tag"] == done["e_tag"] == obstore.head(store, key)["e_tag"]
    assert bytes(obstore.get_range(store, key, start=3, length=4)) == b"3456"
    pieces = obstore.get_ranges(store, key, starts=[0, 8], ends=[2, 10])
    assert [bytes(piece) for piece in pieces] == [b"01", b"89"]
    last: Any = {"range": {"suffix": 2}}
    assert bytes(obstore.get(store, key, options=last).bytes()) == b"89"
    with pytest.raises(FileNotFoundError):
        obstore.head(store, "not-there")


def test_attributes_are_kept(store: S3Store, plain_s3: S3Client, plain_bucket: str) -> None:
    attributes: Any = {"Content-Type": "text/x-own", "Cache-Control": "no-store", "colour": "blue"}
    obstore.put(store, "a", b"content", attributes=attributes)
    assert dict(obstore.get(store, "a").attributes) == attributes
    head = plain_s3.head_object(Bucket=plain_bucket, Key="a")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-own", {"colour": "blue"})


def test_tags_go_along(store: S3Store, plain_s3: S3Client, plain_bucket: str) -> None:
    obstore.put(store, "a", b"content", tags={"colour": "blue"})
    tags = plain_s3.get_object_tagging(Bucket=plain_bucket, Key="a")["TagSet"]
    assert tags == [{"Key": "colour", "Value": "blue"}]


def test_a_large_object_goes_up_in_parts(store: S3Store, parts_file: Path) -> None:
    done = obstore.put(store, "large", parts_file, use_multipart=True, chunk_size=5 * MIB)
    assert str(done["e_tag"]).endswith('-3"')
    assert b"".join(bytes(piece) for piece in obstore.get(store, "large")) == parts_file.read_bytes()
    with obstore.open_writer(store, "written", buffer_size=5 * MIB) as writer:
        writer.write(parts_file.read_bytes())
    reader = obstore.open_reader(store, "written")
    reader.seek(10 * MIB)
    assert bytes(reader.read(5)) == parts_file.read_bytes()[10 * MIB :][:5]


def test_a_listing_shows_folders(store: S3Store) -> None:
    for key in ("a", "folder/b", "folder/c", "folder/deep/d"):
        obstore.put(store, key, b"content")
    assert paths(obstore.list(store).collect()) == ["a", "folder/b", "folder/c", "folder/deep/d"]
    assert paths(obstore.list(store, offset="folder/b").collect()) == ["folder/c", "folder/deep/d"]
    found = obstore.list_with_delimiter(store, "folder")
    assert (paths(found["objects"]), list(found["common_prefixes"])) == (
        ["folder/b", "folder/c"],
        ["folder/deep"],
    )


def test_objects_are_copied_renamed_and_deleted(store: S3Store) -> None:
    obstore.put(store, "folder/a b+ü.txt", b"content")
    obstore.copy(store, "folder/a b+ü.txt", "copy")
    obstore.rename(store, "copy", "renamed ü")
    assert bytes(obstore.get(store, "renamed ü").bytes()) == b"content"
    keys = paths(obstore.list(store).collect())
    assert keys == ["folder/a b+ü.txt", "renamed ü"]
    obstore.delete(store, keys)
    assert list(obstore.list(store).collect()) == []


def test_a_copy_may_demand_that_nothing_is_there(server: RunningServer, plain_bucket: str) -> None:
    store = open_store(server, plain_bucket, copy_if_not_exists="multipart")
    obstore.put(store, "a", b"content")
    obstore.copy(store, "a", "b", overwrite=False)
    assert bytes(obstore.get(store, "b").bytes()) == b"content"
    with pytest.raises(AlreadyExistsError):
        obstore.copy(store, "a", "b", overwrite=False)


def test_a_write_may_demand_what_is_there(store: S3Store) -> None:
    first = obstore.put(store, "a", b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "a", b"other", mode="create")
    expected: Any = {"e_tag": first["e_tag"]}
    obstore.put(store, "a", b"second", mode=expected)
    with pytest.raises(PreconditionError):
        obstore.put(store, "a", b"third", mode=expected)
    assert bytes(obstore.get(store, "a").bytes()) == b"second"


def test_links_need_no_client(store: S3Store) -> None:
    key = "folder/a b+ü.txt"
    assert upload(obstore.sign(store, "PUT", key, timedelta(minutes=1)), b"content") == 200
    url = obstore.sign(store, "GET", key, timedelta(minutes=1))
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403


@pytest.mark.parametrize("name", ["plus", "percent", "looks-encoded", "space", "question-mark", "emoji"])
def test_odd_keys_come_back(store: S3Store, plain_s3: S3Client, plain_bucket: str, name: str) -> None:
    key = ODD_KEYS[name]
    obstore.put(store, key, b"content")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=key)["Body"].read() == b"content"
    assert bytes(obstore.get(store, key).bytes()) == b"content"
    assert paths(obstore.list(store).collect()) == [key]
    obstore.copy(store, key, "copy")
    obstore.delete(store, key)
    assert paths(obstore.list(store).collect()) == ["copy"]


def test_a_listing_comes_in_pages(store: S3Store) -> None:
    for number in range(25):
        obstore.put(store, f"folder/{number:02}", b"content")
    found = list(obstore.list(store, "folder", chunk_size=10))
    assert [len(chunk) for chunk in found] == [10, 10, 5]
    assert [entry["path"] for chunk in found for entry in chunk] == [f"folder/{n:02}" for n in range(25)]


def test_wrong_credentials_are_refused(server: RunningServer, plain_bucket: str) -> None:
    stranger = open_store(replace(server, secret_key="wrong"), plain_bucket)
    with pytest.raises(PermissionDeniedError, match="SignatureDoesNotMatch"):
        obstore.put(stranger, "a", b"content")
    with pytest.raises(FileNotFoundError):
        obstore.put(open_store(server, "no-such-bucket-at-all"), "a", b"content")
