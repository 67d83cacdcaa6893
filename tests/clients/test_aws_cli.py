"""The AWS CLI, told no more than the endpoint and the credentials."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.clients.aws_cli import AwsCli
from tests.clients.boto import ODD_KEYS, S3Client
from tests.raw.wire import fetch

GIB = 1024**3


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder with what they hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_bucket_is_made_and_removed(aws: AwsCli, new_name: Callable[[str], str]) -> None:
    name = new_name("cli-made")
    assert f"make_bucket: {name}" in aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "cp", "-", f"s3://{name}/a", text="content")
    assert "BucketNotEmpty" in aws("s3", "rb", f"s3://{name}", status=1)
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_files_are_copied_listed_moved_and_removed(aws: AwsCli, plain_bucket: str, tmp_path: Path) -> None:
    there = f"s3://{plain_bucket}"
    (tmp_path / "Bericht – März.txt").write_bytes(b"content")
    aws("s3", "cp", "Bericht – März.txt", f"{there}/folder/")
    listing = aws("s3", "ls", "--recursive", there)
    assert listing.split(maxsplit=3)[2:] == ["7", "folder/Bericht – März.txt\n"]
    assert aws("s3", "ls", f"{there}/").split() == ["PRE", "folder/"]
    aws("s3", "mv", f"{there}/folder/Bericht – März.txt", f"{there}/moved.txt")
    aws("s3", "cp", f"{there}/moved.txt", "down.txt")
    assert (tmp_path / "down.txt").read_bytes() == b"content"
    assert aws("s3", "cp", f"{there}/moved.txt", "-") == "content"
    aws("s3", "rm", f"{there}/moved.txt")
    assert aws("s3", "ls", "--recursive", there) == ""


def test_a_folder_is_synchronised_both_ways(aws: AwsCli, plain_bucket: str, tmp_path: Path) -> None:
    there = f"s3://{plain_bucket}/tree"
    up, down = tmp_path / "up", tmp_path / "down"
    files = {"a.txt": b"a", "b/c.txt": b"c" * 100_000, "b/d e+ü.txt": b"d", "b/empty": b""}
    for name, content in files.items():
        (up / name).parent.mkdir(parents=True, exist_ok=True)
        (up / name).write_bytes(content)
        # S3 knows whole seconds only: a file of this very second would count as newer than its own upload.
        os.utime(up / name, (1_700_000_000, 1_700_000_000))
    assert aws("s3", "sync", "up", there).count("upload:") == len(files)
    assert aws("s3", "sync", "up", there) == ""
    aws("s3", "sync", there, "down")
    assert tree(down) == files
    (up / "a.txt").write_bytes(b"changed")
    (up / "b/c.txt").unlink()
    changes = aws("s3", "sync", "--delete", "up", there)
    assert (changes.count("upload:"), changes.count("delete:")) == (1, 1)
    aws("s3", "sync", "--delete", there, "down")
    assert tree(down) == tree(up)
    aws("s3", "rm", "--recursive", there)
    assert aws("s3", "ls", "--recursive", f"s3://{plain_bucket}") == ""


def test_a_folder_is_moved_and_removed_but_for_some(aws: AwsCli, plain_bucket: str, tmp_path: Path) -> None:
    there = f"s3://{plain_bucket}"
    for name in ("a.txt", "b.log", "deep/er/c.txt"):
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_text(name)
    assert aws("s3", "mv", "--recursive", "up", f"{there}/one").count("move:") == 3
    assert tree(tmp_path / "up") == {}
    assert aws("s3", "mv", "--recursive", f"{there}/one", f"{there}/two").count("move:") == 3
    assert aws("s3", "sync", f"{there}/two", f"{there}/three", "--exclude", "*.log").count("copy:") == 2
    assert aws("s3", "rm", "--recursive", f"{there}/two", "--include", "*").count("delete:") == 3
    aws("s3", "mv", "--recursive", f"{there}/three", "down")
    assert tree(tmp_path / "down") == {"a.txt": b"a.txt", "deep/er/c.txt": b"deep/er/c.txt"}
    assert aws("s3", "ls", "--recursive", there) == ""


def test_a_large_file_is_uploaded_and_copied_in_parts(
    aws: AwsCli, plain_s3: S3Client, plain_bucket: str, parts_file: Path, tmp_path: Path
) -> None:
    there = f"s3://{plain_bucket}"
    (tmp_path / ".aws-config").write_text(
        "[default]\ns3 =\n  multipart_threshold = 5MB\n  multipart_chunksize = 5MB\n"
    )
    properties = ("--content-type", "text/x-own", "--metadata", "colour=blue")
    aws("s3", "cp", str(parts_file), f"{there}/up", *properties)
    head = plain_s3.head_object(Bucket=plain_bucket, Key="up")
    assert (head["ContentType"], head["Metadata"]) == ("text/x-own", {"colour": "blue"})
    # A copy in parts is a new object to this client: it takes no properties along.
    aws("s3", "cp", f"{there}/up", f"{there}/copy")
    aws("s3", "mv", f"{there}/copy", f"{there}/moved")
    assert plain_s3.head_object(Bucket=plain_bucket, Key="moved")["ETag"].endswith('-3"')
    aws("s3", "cp", f"{there}/moved", "down")
    assert (tmp_path / "down").read_bytes() == parts_file.read_bytes()


def test_a_presigned_url_needs_no_client(aws: AwsCli, plain_s3: S3Client, plain_bucket: str) -> None:
    key = "folder/a b+ü.txt"
    plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=b"content")
    url = aws("s3", "presign", f"s3://{plain_bucket}/{key}", "--expires-in", "60").strip()
    assert fetch(url).body == b"content"
    assert fetch(url.replace("folder", "f0lder")).refusal == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    "name", ["plus", "percent", "looks-encoded", "space", "emoji", "two-slashes", "dot-dot"]
)
def test_odd_keys_come_back(aws: AwsCli, plain_bucket: str, name: str) -> None:
    there = f"s3://{plain_bucket}/{ODD_KEYS[name]}"
    aws("s3", "cp", "-", there, text="content")
    assert aws("s3", "cp", there, "-") == "content"


def test_the_operations_beneath_answer_too(aws: AwsCli, plain_bucket: str) -> None:
    def api(*arguments: str) -> Any:
        printed = aws("s3api", *arguments, "--bucket", plain_bucket, "--output", "json")
        return json.loads(printed) if printed else None

    aws("s3", "cp", "-", f"s3://{plain_bucket}/a", text="content")
    head = api("head-object", "--key", "a", "--checksum-mode", "ENABLED")
    assert head["ContentLength"] == 7
    assert any(name.startswith("Checksum") for name in head)
    assert api("list-objects-v2", "--prefix", "a")["Contents"][0]["Key"] == "a"
    upload = api("create-multipart-upload", "--key", "b")["UploadId"]
    assert api("list-multipart-uploads")["Uploads"][0]["UploadId"] == upload
    assert api("abort-multipart-upload", "--key", "b", "--upload-id", upload) is None
    assert api("get-bucket-location") == {"LocationConstraint": None}


def test_a_listing_comes_in_pages(aws: AwsCli, plain_s3: S3Client, plain_bucket: str) -> None:
    for number in range(25):
        plain_s3.put_object(Bucket=plain_bucket, Key=f"folder/{number:02}", Body=b"content")
    there = f"s3://{plain_bucket}"
    assert len(aws("s3", "ls", "--recursive", "--page-size", "10", there).splitlines()) == 25
    pages = ("--max-items", "15", "--page-size", "10", "--output", "json")
    found = json.loads(aws("s3api", "list-objects-v2", "--bucket", plain_bucket, *pages))
    rest = ("--starting-token", found["NextToken"], "--output", "json")
    found["Contents"] += json.loads(aws("s3api", "list-objects-v2", "--bucket", plain_bucket, *rest))[
        "Contents"
    ]
    assert [entry["Key"] for entry in found["Contents"]] == [f"folder/{number:02}" for number in range(25)]
    assert aws("s3", "rm", "--recursive", "--page-size", "10", there).count("delete:") == 25


def test_properties_are_copied_or_given_anew(aws: AwsCli, plain_s3: S3Client, plain_bucket: str) -> None:
    there = f"s3://{plain_bucket}"
    properties = ("--content-type", "text/x-own", "--cache-control", "no-store", "--metadata", "colour=blue")
    aws("s3", "cp", "-", f"{there}/a", *properties, text="content")
    aws("s3", "cp", f"{there}/a", f"{there}/b")
    aws("s3", "mv", f"{there}/a", f"{there}/c", "--metadata-directive", "REPLACE", "--metadata", "colour=red")
    b, c = (plain_s3.head_object(Bucket=plain_bucket, Key=key) for key in "bc")
    assert (b["ContentType"], b["CacheControl"], b["Metadata"]) == (
        "text/x-own",
        "no-store",
        {"colour": "blue"},
    )
    assert (c.get("CacheControl"), c["Metadata"]) == (None, {"colour": "red"})
    assert "Contents" not in plain_s3.list_objects_v2(Bucket=plain_bucket, Prefix="a")


def test_errors_keep_their_names(aws: AwsCli, plain_bucket: str) -> None:
    once = ("s3api", "put-object", "--bucket", plain_bucket, "--key", "k", "--if-none-match", "*")
    aws(*once)
    assert "(PreconditionFailed)" in aws(*once, status=255)
    assert "(NoSuchBucket)" in aws("s3", "ls", "s3://no-such-bucket-at-all", status=255)
    assert "(404)" in aws("s3", "cp", f"s3://{plain_bucket}/not-there", "here", status=1)


def write_random(path: Path, size: int) -> str:
    """Write a file of which no two blocks are alike, and return its SHA-256."""
    digest = hashlib.sha256()
    noise = os.urandom(1024 * 1024)
    with path.open("wb") as file:
        for number in range(size // len(noise)):
            block = number.to_bytes(8, "big") + noise[8:]
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_gibibyte_goes_up_and_comes_down(
    aws: AwsCli, plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    expected = write_random(tmp_path / "up", GIB)
    there = f"s3://{plain_bucket}/gibibyte"
    aws("s3", "cp", "--no-progress", "up", there)
    (tmp_path / "up").unlink()
    assert plain_s3.head_object(Bucket=plain_bucket, Key="gibibyte")["ContentLength"] == GIB
    aws("s3", "cp", "--no-progress", there, "down")
    with (tmp_path / "down").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == expected
    (tmp_path / "down").unlink()
    plain_s3.delete_object(Bucket=plain_bucket, Key="gibibyte")
