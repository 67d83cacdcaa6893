"""s3fs, the S3 that fsspec, pandas and Dask use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import s3fs
from tests.clients.boto import ODD_KEYS, S3Client
from tests.clients.links import download, refused

from valetkey.testing.server import RunningServer

MIB = 1024 * 1024


def open_fs(server: RunningServer, **options: Any) -> Any:
    return s3fs.S3FileSystem(
        key=server.access_key,
        secret=server.secret_key,
        endpoint_url=server.endpoint,
        client_kwargs={"region_name": server.region},
        **options,
    )


@pytest.fixture
def fs(server: RunningServer) -> Any:
    opened = open_fs(server)
    opened.invalidate_cache()
    return opened


def test_a_bucket_is_made_and_removed(fs: Any, new_name: Callable[[str], str]) -> None:
    name = new_name("s3fs")
    fs.mkdir(name)
    assert fs.exists(name)
    assert name in fs.ls("")
    fs.rmdir(name)
    assert not fs.exists(name)


def test_a_file_is_written_and_read(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/folder/a b+ü.txt"
    with fs.open(path, "w", encoding="utf-8") as file:
        file.write("first\nsecond\nthird\n")
    with fs.open(path, "r", encoding="utf-8") as file:
        assert file.readlines() == ["first\n", "second\n", "third\n"]
    with fs.open(path, "rb") as file:
        file.seek(6)
        assert file.read(6) == b"second"
    info = fs.info(path)
    assert (info["size"], info["type"]) == (19, "file")
    with pytest.raises(FileNotFoundError):
        fs.open(f"{plain_bucket}/not-there")


def test_ranges_are_read(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/a"
    fs.pipe(path, b"0123456789")
    assert fs.cat_file(path, start=3, end=7) == b"3456"
    assert fs.cat_file(path, start=-2) == b"89"
    assert fs.cat_ranges([path, path], [0, 8], [2, 10]) == [b"01", b"89"]
    assert (fs.head(path, 3), fs.tail(path, 3)) == (b"012", b"789")


def test_a_tree_is_found_moved_and_removed(fs: Any, plain_bucket: str) -> None:
    there = f"{plain_bucket}/tree"
    files = {f"{there}/{name}": name.encode() for name in ("a.txt", "b/c.txt", "b/d.log", "b/e ü/f.txt")}
    fs.pipe(files)
    assert fs.find(there) == sorted(files)
    assert fs.glob(f"{there}/**/*.txt") == [f"{there}/a.txt", f"{there}/b/c.txt", f"{there}/b/e ü/f.txt"]
    assert fs.ls(f"{there}/b") == [f"{there}/b/c.txt", f"{there}/b/d.log", f"{there}/b/e ü"]
    assert (fs.isdir(f"{there}/b"), fs.isfile(f"{there}/b")) == (True, False)
    assert fs.du(there) == sum(map(len, files.values()))
    assert fs.cat(sorted(files)) == files
    fs.copy(f"{there}/b", f"{there}/copy", recursive=True)
    assert fs.cat_file(f"{there}/copy/e ü/f.txt") == "b/e ü/f.txt".encode()
    fs.mv(f"{there}/b/c.txt", f"{there}/moved ü.txt")
    assert fs.cat_file(f"{there}/moved ü.txt") == b"b/c.txt"
    assert not fs.exists(f"{there}/b/c.txt")
    fs.rm(there, recursive=True)
    assert fs.find(plain_bucket) == []


def test_folders_go_up_and_down(fs: Any, plain_bucket: str, tmp_path: Path) -> None:
    (tmp_path / "up/deep").mkdir(parents=True)
    (tmp_path / "up/deep/a.txt").write_bytes(b"content")
    fs.put(f"{tmp_path}/up", f"{plain_bucket}/tree", recursive=True)
    fs.get(f"{plain_bucket}/tree", f"{tmp_path}/down", recursive=True)
    assert (tmp_path / "down/deep/a.txt").read_bytes() == b"content"


def test_a_large_file_goes_up_in_parts(
    fs: Any, plain_s3: S3Client, plain_bucket: str, parts_file: Path
) -> None:
    path = f"{plain_bucket}/large"
    content = parts_file.read_bytes()
    with fs.open(path, "wb", block_size=5 * MIB) as file:
        file.write(content[: 6 * MIB])
        file.write(content[6 * MIB :])
    assert "-" in plain_s3.head_object(Bucket=plain_bucket, Key="large")["ETag"]
    assert fs.cat_file(path) == content
    with fs.open(path, "rb", block_size=MIB) as file:
        file.seek(9 * MIB)
        assert file.read(5) == content[9 * MIB : 9 * MIB + 5]


def test_an_upload_may_be_discarded(fs: Any, plain_s3: S3Client, plain_bucket: str) -> None:
    file = fs.open(f"{plain_bucket}/large", "wb", block_size=5 * MIB, autocommit=False)
    file.write(b"x" * (6 * MIB))
    file.flush()
    file.close()
    file.discard()
    assert plain_s3.list_multipart_uploads(Bucket=plain_bucket).get("Uploads", []) == []
    assert fs.find(plain_bucket) == []


def test_a_large_file_is_appended_to_and_merged(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/large"
    fs.pipe(path, b"x" * (6 * MIB))
    with fs.open(path, "ab", block_size=5 * MIB) as file:
        file.write(b"tail")
    assert (fs.info(path)["size"], fs.tail(path, 5)) == (6 * MIB + 4, b"xtail")
    fs.merge(f"{plain_bucket}/merged", [path, path])
    assert fs.info(f"{plain_bucket}/merged")["size"] == 2 * (6 * MIB + 4)


def test_a_small_file_is_appended_to(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/small"
    fs.pipe(path, b"one")
    with fs.open(path, "ab") as file:
        file.write(b"two")
    assert fs.cat_file(path) == b"onetwo"


def test_metadata_is_kept_and_changed(fs: Any, plain_s3: S3Client, plain_bucket: str) -> None:
    path = f"{plain_bucket}/a.txt"
    fs.pipe_file(path, b"content", ContentType="text/x-own", Metadata={"colour": "blue"})
    assert fs.metadata(path) == {"colour": "blue"}
    assert fs.info(path)["ContentType"] == "text/x-own"
    fs.setxattr(path, copy_kwargs={"ContentType": "text/x-own"}, colour="red", size="big")
    head = plain_s3.head_object(Bucket=plain_bucket, Key="a.txt")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-own", {"colour": "red", "size": "big"})


def test_tags_are_put_and_merged(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/a"
    fs.pipe(path, b"content")
    fs.put_tags(path, {"colour": "blue"})
    fs.put_tags(path, {"size": "big"}, mode="m")
    assert fs.get_tags(path) == {"colour": "blue", "size": "big"}


def test_versions_are_opened(server: RunningServer, plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_bucket_versioning(Bucket=plain_bucket, VersioningConfiguration={"Status": "Enabled"})
    fs = open_fs(server, version_aware=True)
    path = f"{plain_bucket}/a"
    for content in (b"first", b"second"):
        with fs.open(path, "wb") as file:
            file.write(content)
    versions = fs.object_version_info(path)
    assert [each["IsLatest"] for each in versions] == [True, False]
    with fs.open(path, "rb", version_id=versions[1]["VersionId"]) as file:
        assert file.read() == b"first"


def test_a_link_needs_no_client(fs: Any, plain_bucket: str) -> None:
    path = f"{plain_bucket}/folder/a b+ü.txt"
    fs.pipe(path, b"content")
    url = fs.sign(path, expiration=60)
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403


@pytest.mark.parametrize(
    "name", ["plus", "percent", "looks-encoded", "space", "question-mark", "umlauts", "emoji", "dot-dot"]
)
def test_odd_keys_come_back(fs: Any, plain_s3: S3Client, plain_bucket: str, name: str) -> None:
    path = f"{plain_bucket}/{ODD_KEYS[name]}"
    fs.pipe_file(path, b"content")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=ODD_KEYS[name])["Body"].read() == b"content"
    assert fs.cat_file(path) == b"content"
    assert fs.find(plain_bucket) == [path]
    fs.cp_file(path, f"{plain_bucket}/copy")
    fs.rm_file(path)
    assert fs.find(plain_bucket, refresh=True) == [f"{plain_bucket}/copy"]


def test_errors_are_pythons_own(fs: Any, server: RunningServer, plain_bucket: str) -> None:
    with pytest.raises(FileNotFoundError):
        fs.cat_file(f"{plain_bucket}/not-there")
    with pytest.raises(FileNotFoundError):
        fs.pipe_file("no-such-bucket-at-all/k", b"content")
    fs.pipe_file(f"{plain_bucket}/a", b"content")
    with pytest.raises(FileExistsError):
        fs.pipe_file(f"{plain_bucket}/a", b"other", mode="create")
    stranger = s3fs.S3FileSystem(
        key=server.access_key,
        secret="wrong",
        endpoint_url=server.endpoint,
        client_kwargs={"region_name": server.region},
    )
    with pytest.raises(PermissionError):
        stranger.cat_file(f"{plain_bucket}/a")
