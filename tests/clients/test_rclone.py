"""rclone, with a remote that knows no more than the endpoint and the credentials."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clients.boto import ODD_KEYS, S3Client
from tests.clients.links import download, refused

from valetkey.testing.server import RunningServer

pytestmark = pytest.mark.needs_program("rclone")

Rclone = Callable[..., str]


either_listing = pytest.mark.parametrize(
    "rclone", ["1", "2"], ids=["first-listing", "second-listing"], indirect=True
)


@pytest.fixture
def rclone(request: pytest.FixtureRequest, server: RunningServer, tmp_path: Path) -> Rclone:
    """Run `rclone` in an empty folder and return what it printed; `store:` is the server.

    The parameter is the version of the listing. Of a store that it does not know it asks for the first.
    """
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "RCLONE_CONFIG": str(tmp_path / ".rclone.conf"),
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": server.access_key,
        "RCLONE_CONFIG_STORE_ENDPOINT": server.endpoint,
        "RCLONE_CONFIG_STORE_LIST_VERSION": getattr(request, "param", "1"),
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_REGION": server.region,
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": server.secret_key,
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
        "RCLONE_RETRIES": "1",
    }
    (tmp_path / ".rclone.conf").touch()

    def run(*arguments: str, text: str = "", status: int = 0) -> str:
        done = subprocess.run(
            ["rclone", *arguments],
            cwd=tmp_path, env=environment, input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


def listed(rclone: Rclone, path: str, *options: str) -> dict[str, Any]:
    return {entry["Path"]: entry for entry in json.loads(rclone("lsjson", *options, path))}


def make_tree(folder: Path) -> None:
    for name in ("a.txt", "b/c.txt", "b/deep/d e+ü.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@either_listing
def test_a_bucket_is_made_and_purged(rclone: Rclone, new_name: Callable[[str], str]) -> None:
    name = new_name("rclone")
    rclone("mkdir", f"store:{name}")
    assert f" {name}\n" in rclone("lsd", "store:")
    rclone("rcat", f"store:{name}/folder/a", text="content")
    rclone("purge", f"store:{name}")
    assert f" {name}\n" not in rclone("lsd", "store:")
    rclone("lsf", f"store:{name}", status=3)


@either_listing
def test_a_folder_is_copied_checked_and_listed(rclone: Rclone, plain_bucket: str, tmp_path: Path) -> None:
    there = f"store:{plain_bucket}/tree"
    make_tree(tmp_path / "up")
    rclone("copy", "up", there)
    rclone("check", "up", there)
    rclone("check", "--download", "up", there)
    top = listed(rclone, there)
    assert (top["a.txt"]["Size"], top["a.txt"]["IsDir"], top["b"]["IsDir"]) == (5, False, True)
    everything = listed(rclone, there, "--recursive", "--hash")
    assert set(everything) == {"a.txt", "b", "b/c.txt", "b/deep", "b/deep/d e+ü.txt"}
    assert len(everything["a.txt"]["Hashes"]["md5"]) == 32
    (tmp_path / "up/a.txt").write_text("other")
    rclone("check", "up", there, status=1)


@either_listing
def test_a_folder_is_synchronised_both_ways(rclone: Rclone, plain_bucket: str, tmp_path: Path) -> None:
    there = f"store:{plain_bucket}/tree"
    make_tree(tmp_path / "up")
    rclone("sync", "up", there)
    (tmp_path / "up/a.txt").write_text("changed")
    (tmp_path / "up/b/c.txt").unlink()
    rclone("sync", "up", there)
    rclone("sync", there, "down")
    rclone("check", "up", "down")
    # The time of a file stands in its metadata, and comes back.
    times = [(tmp_path / folder / "a.txt").stat().st_mtime_ns for folder in ("up", "down")]
    assert abs(times[0] - times[1]) < 1_000_000
    # A time that has changed while the content has not is written by a copy of the object onto itself.
    os.utime(tmp_path / "up/a.txt", (1_700_000_000, 1_700_000_000))
    rclone("sync", "up", there)
    assert listed(rclone, there)["a.txt"]["ModTime"].startswith("2023-11-14T22:13:20")


def test_files_are_moved_and_deleted_there(rclone: Rclone, plain_bucket: str, tmp_path: Path) -> None:
    there = f"store:{plain_bucket}"
    make_tree(tmp_path / "up")
    rclone("move", "up", f"{there}/one")
    assert not (tmp_path / "up/a.txt").exists()
    rclone("moveto", f"{there}/one/a.txt", f"{there}/two/renamed ü.txt")
    rclone("copyto", f"{there}/two/renamed ü.txt", f"{there}/two/copy.txt")
    assert rclone("cat", f"{there}/two/copy.txt") == "a.txt"
    assert rclone("cat", "--offset", "2", "--count", "3", f"{there}/two/copy.txt") == "txt"
    rclone("move", f"{there}/one", f"{there}/three")
    assert set(listed(rclone, there)) == {"three", "two"}
    rclone("deletefile", f"{there}/two/copy.txt")
    assert json.loads(rclone("size", "--json", there))["count"] == 3
    rclone("delete", f"{there}/two")
    rclone("purge", f"{there}/three")
    assert listed(rclone, there) == {}


def test_a_large_file_goes_up_in_parts_and_is_copied(
    rclone: Rclone, plain_s3: S3Client, plain_bucket: str, parts_file: Path, tmp_path: Path
) -> None:
    there = f"store:{plain_bucket}"
    in_parts = ("--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M")
    rclone("copyto", *in_parts, "--header-upload", "Content-Type: text/x-own", str(parts_file), f"{there}/up")
    head = plain_s3.head_object(Bucket=plain_bucket, Key="up")
    assert head["ETag"].endswith('-3"')
    assert head["ContentType"] == "text/x-own"
    rclone("copyto", f"{there}/up", f"{there}/copy")
    rclone("copyto", f"{there}/copy", "down")
    assert (tmp_path / "down").read_bytes() == parts_file.read_bytes()
    assert "md5chksum" in head["Metadata"]


def test_a_large_file_is_copied_in_parts(
    rclone: Rclone, plain_s3: S3Client, plain_bucket: str, parts_file: Path
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="up", Body=parts_file.read_bytes())
    rclone("copyto", "--s3-copy-cutoff", "5M", f"store:{plain_bucket}/up", f"store:{plain_bucket}/copy")
    copy = plain_s3.get_object(Bucket=plain_bucket, Key="copy")
    assert copy["ETag"].endswith('-3"')
    assert copy["Body"].read() == parts_file.read_bytes()


def test_a_stream_of_unknown_length_goes_up(rclone: Rclone, plain_bucket: str) -> None:
    text = "0123456789" * 100_000
    rclone("rcat", "--streaming-upload-cutoff", "1k", f"store:{plain_bucket}/stream", text=text)
    assert rclone("cat", f"store:{plain_bucket}/stream") == text


def test_a_link_needs_no_client(rclone: Rclone, plain_s3: S3Client, plain_bucket: str) -> None:
    key = "folder/a b+ü.txt"
    plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=b"content")
    url = rclone("link", "--expire", "1m", f"store:{plain_bucket}/{key}").strip()
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403


def test_unfinished_uploads_are_listed_and_cleaned_up(
    rclone: Rclone, plain_s3: S3Client, plain_bucket: str
) -> None:
    plain_s3.create_multipart_upload(Bucket=plain_bucket, Key="unfinished")
    found = json.loads(rclone("backend", "list-multipart-uploads", f"store:{plain_bucket}"))
    assert [upload["Key"] for upload in found[plain_bucket]] == ["unfinished"]
    rclone("backend", "cleanup", "-o", "max-age=0", f"store:{plain_bucket}")
    assert plain_s3.list_multipart_uploads(Bucket=plain_bucket).get("Uploads", []) == []


@either_listing
@pytest.mark.parametrize(
    "name", ["plus", "percent", "looks-encoded", "space", "question-mark", "umlauts", "emoji", "control"]
)
def test_odd_keys_come_back(rclone: Rclone, plain_s3: S3Client, plain_bucket: str, name: str) -> None:
    key = ODD_KEYS[name]
    plain_s3.put_object(Bucket=plain_bucket, Key=f"in/{key}", Body=b"content")
    rclone("copy", f"store:{plain_bucket}/in", f"store:{plain_bucket}/out")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=f"out/{key}")["Body"].read() == b"content"
    rclone("check", "--download", f"store:{plain_bucket}/in", f"store:{plain_bucket}/out")
    rclone("delete", f"store:{plain_bucket}/out")
    assert plain_s3.list_objects_v2(Bucket=plain_bucket, Prefix="out/")["KeyCount"] == 0


@either_listing
def test_a_folder_of_several_pages_is_listed(rclone: Rclone, plain_s3: S3Client, plain_bucket: str) -> None:
    keys = {f"{number:02} ü.txt" for number in range(25)}
    for key in keys:
        plain_s3.put_object(Bucket=plain_bucket, Key=f"folder/{key}", Body=b"content")
    found = rclone("lsf", "--s3-list-chunk", "10", f"store:{plain_bucket}/folder")
    assert set(found.splitlines()) == keys


def test_metadata_goes_up_and_comes_back(rclone: Rclone, plain_s3: S3Client, plain_bucket: str) -> None:
    there = f"store:{plain_bucket}"
    plain_s3.put_object(
        Bucket=plain_bucket,
        Key="a",
        Body=b"content",
        ContentType="text/x-own",
        CacheControl="no-store",
        Metadata={"colour": "blue"},
    )
    found = listed(rclone, there, "--metadata")["a"]["Metadata"]
    assert (found["colour"], found["cache-control"], found["content-type"]) == (
        "blue",
        "no-store",
        "text/x-own",
    )
    rclone("copyto", "--metadata", f"{there}/a", "down")
    rclone("copyto", "--metadata", "--metadata-set", "colour=red", "down", f"{there}/b")
    assert plain_s3.head_object(Bucket=plain_bucket, Key="b")["Metadata"]["colour"] == "red"


def test_errors_keep_their_names(rclone: Rclone, plain_bucket: str) -> None:
    wrong = ("--s3-secret-access-key", "wrong")
    assert "SignatureDoesNotMatch" in rclone("lsf", f"store:{plain_bucket}", *wrong, status=1)
    assert "doesn't exist" in rclone("deletefile", f"store:{plain_bucket}/not-there", status=1)
    assert "NoSuchBucket" in rclone("rcat", "store:no-such-bucket-at-all/k", "--s3-no-check-bucket", status=1)
