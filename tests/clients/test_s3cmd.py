"""s3cmd, set up by a file as `s3cmd --configure` writes it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.clients.boto import ODD_KEYS, S3Client
from tests.clients.links import download, refused

from valetkey.testing.server import RunningServer

pytestmark = pytest.mark.needs_program("s3cmd")

S3cmd = Callable[..., str]

CONFIGURATION = """\
[default]
access_key = {server.access_key}
secret_key = {server.secret_key}
host_base = {server.host}:{server.port}
host_bucket = {server.host}:{server.port}
bucket_location = {server.region}
multipart_chunk_size_mb = 5
multipart_copy_chunk_size_mb = 5
use_https = False
"""


@pytest.fixture
def s3cmd(server: RunningServer, tmp_path: Path) -> S3cmd:
    """Run `s3cmd` in an empty folder and return what it printed."""
    (tmp_path / ".s3cfg").write_text(CONFIGURATION.format(server=server))

    def run(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            ["s3cmd", "--config", ".s3cfg", "--no-progress", *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_a_bucket_is_made_and_removed(s3cmd: S3cmd, new_name: Callable[[str], str]) -> None:
    name = new_name("s3cmd")
    assert f"Bucket 's3://{name}/' created" in s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}\n" in s3cmd("ls")
    s3cmd("rb", f"s3://{name}")
    assert f"s3://{name}\n" not in s3cmd("ls")
    assert "NoSuchBucket" in s3cmd("ls", f"s3://{name}", status=12)


def test_a_file_is_put_listed_copied_moved_and_deleted(
    s3cmd: S3cmd, plain_bucket: str, tmp_path: Path
) -> None:
    there = f"s3://{plain_bucket}"
    (tmp_path / "a b+ü.txt").write_bytes(b"0123456789")
    s3cmd("put", "a b+ü.txt", f"{there}/folder/")
    assert s3cmd("ls", there).split() == ["DIR", f"{there}/folder/"]
    assert s3cmd("ls", "--recursive", there).split(maxsplit=3)[2:] == ["10", f"{there}/folder/a b+ü.txt\n"]
    s3cmd("cp", f"{there}/folder/a b+ü.txt", f"{there}/copy")
    s3cmd("mv", f"{there}/copy", f"{there}/moved ü")
    s3cmd("get", f"{there}/moved ü", "down")
    assert (tmp_path / "down").read_bytes() == b"0123456789"
    (tmp_path / "down").write_bytes(b"0123")
    s3cmd("get", "--continue", f"{there}/moved ü", "down")
    assert (tmp_path / "down").read_bytes() == b"0123456789"
    assert s3cmd("du", there).split()[:3] == ["20", "2", "objects"]
    s3cmd("del", f"{there}/moved ü")
    s3cmd("del", "--recursive", "--force", there)
    assert s3cmd("ls", "--recursive", there) == ""


def test_a_large_file_goes_up_and_is_copied_in_parts(
    s3cmd: S3cmd, plain_s3: S3Client, plain_bucket: str, parts_file: Path, tmp_path: Path
) -> None:
    there = f"s3://{plain_bucket}"
    s3cmd(
        "put",
        str(parts_file),
        f"{there}/up",
        "--mime-type",
        "text/x-own",
        "--add-header",
        "x-amz-meta-colour:blue",
    )
    assert plain_s3.head_object(Bucket=plain_bucket, Key="up")["ETag"].endswith('-3"')
    s3cmd("cp", f"{there}/up", f"{there}/copy")
    head = plain_s3.head_object(Bucket=plain_bucket, Key="copy")
    assert (head["ContentType"], head["Metadata"]["colour"]) == ("text/x-own", "blue")
    s3cmd("get", f"{there}/copy", "down")
    assert (tmp_path / "down").read_bytes() == parts_file.read_bytes()


def test_a_folder_is_synchronised_both_ways(s3cmd: S3cmd, plain_bucket: str, tmp_path: Path) -> None:
    there = f"s3://{plain_bucket}/tree/"
    for name in ("a.txt", "b/c.txt", "b/d e+ü.txt"):
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_text(name)
    assert s3cmd("sync", "up/", there).count("upload:") == 3
    assert s3cmd("sync", "up/", there).count("upload:") == 0
    (tmp_path / "up/a.txt").write_text("changed")
    (tmp_path / "up/b/c.txt").unlink()
    changes = s3cmd("sync", "--delete-removed", "up/", there)
    assert (changes.count("upload:"), changes.count("delete:")) == (1, 1)
    s3cmd("sync", there, "down/")
    found = {
        path.relative_to(tmp_path / "down").as_posix(): path.read_text()
        for path in (tmp_path / "down").rglob("*.txt")
    }
    assert found == {"a.txt": "changed", "b/d e+ü.txt": "b/d e+ü.txt"}
    s3cmd("sync", there, f"s3://{plain_bucket}/second/")
    assert s3cmd("ls", "--recursive", f"s3://{plain_bucket}/second/").count("\n") == 2


def test_what_is_known_of_a_file_and_a_bucket_is_shown(
    s3cmd: S3cmd, plain_s3: S3Client, plain_bucket: str
) -> None:
    plain_s3.put_object(
        Bucket=plain_bucket, Key="a", Body=b"content", ContentType="text/x-own", Metadata={"colour": "blue"}
    )
    of_file = s3cmd("info", f"s3://{plain_bucket}/a")
    assert "MIME type: text/x-own" in of_file
    assert "x-amz-meta-colour: blue" in of_file
    of_bucket = s3cmd("info", f"s3://{plain_bucket}")
    assert "Location:  us-east-1" in of_bucket
    assert "Payer:     BucketOwner" in of_bucket
    assert "Expiration Rule: none" in of_bucket


def test_metadata_is_modified(s3cmd: S3cmd, plain_s3: S3Client, plain_bucket: str) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="a", Body=b"content", Metadata={"colour": "blue"})
    s3cmd("modify", "--add-header", "Cache-Control:no-store", f"s3://{plain_bucket}/a")
    head = plain_s3.head_object(Bucket=plain_bucket, Key="a")
    assert (head["CacheControl"], head["Metadata"]["colour"]) == ("no-store", "blue")


def test_a_link_needs_no_client(s3cmd: S3cmd, plain_s3: S3Client, plain_bucket: str) -> None:
    key = "folder/a b+ü.txt"
    plain_s3.put_object(Bucket=plain_bucket, Key=key, Body=b"content")
    url = s3cmd("signurl", f"s3://{plain_bucket}/{key}", "+60").strip()
    assert download(url) == b"content"
    assert refused(url.replace("folder", "f0lder")) == 403


def test_rules_of_expiration_are_set_shown_and_removed(
    s3cmd: S3cmd, plain_bucket: str, tmp_path: Path
) -> None:
    there = f"s3://{plain_bucket}"
    (tmp_path / "rules.xml").write_text(
        "<LifecycleConfiguration><Rule><ID>one</ID><Filter><Prefix>old/</Prefix></Filter>"
        "<Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>"
    )
    s3cmd("setlifecycle", "rules.xml", there)
    assert "<ID>one</ID>" in s3cmd("getlifecycle", there)
    assert "objects with key prefix 'old/' will expire in '3' day(s)" in s3cmd("info", there)
    s3cmd("dellifecycle", there)
    assert "Expiration Rule: none" in s3cmd("info", there)


@pytest.mark.parametrize(
    "name", ["plus", "percent", "looks-encoded", "space", "question-mark", "emoji", "two-slashes", "dot-dot"]
)
def test_odd_keys_come_back(
    s3cmd: S3cmd, plain_s3: S3Client, plain_bucket: str, tmp_path: Path, name: str
) -> None:
    key = ODD_KEYS[name]
    (tmp_path / "up").write_bytes(b"content")
    s3cmd("put", "up", f"s3://{plain_bucket}/{key}")
    assert plain_s3.get_object(Bucket=plain_bucket, Key=key)["Body"].read() == b"content"
    s3cmd("get", f"s3://{plain_bucket}/{key}", "down")
    assert (tmp_path / "down").read_bytes() == b"content"
    s3cmd("del", f"s3://{plain_bucket}/{key}")
    assert plain_s3.list_objects_v2(Bucket=plain_bucket)["KeyCount"] == 0


def test_errors_keep_their_names(s3cmd: S3cmd, plain_bucket: str, tmp_path: Path) -> None:
    assert "404 (NoSuchKey)" in s3cmd("info", f"s3://{plain_bucket}/not-there", status=12)
    (tmp_path / "up").write_bytes(b"content")
    wrong = ("--secret_key", "wrong")
    refused_put = s3cmd("put", "up", f"s3://{plain_bucket}/k", *wrong, status=77)
    assert "403 (SignatureDoesNotMatch)" in refused_put
    assert "The request signature we calculated does not match" in refused_put
