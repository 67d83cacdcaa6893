"""curl with a presigned URL, and curl that signs by itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.clients.boto import S3Client

from valetkey.testing.server import RunningServer

pytestmark = pytest.mark.needs_program("curl")


def curl(*arguments: str | Path, folder: Path, status: int = 0) -> str:
    """Run curl in a folder and return what it printed."""
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.decode()


def presign(s3: S3Client, operation: str, bucket: str, key: str = "folder/a b+ü.txt", **params: str) -> str:
    url: str = s3.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key, **params})
    return url


def test_an_upload_and_a_download(plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(b"0123456789" * 100_000)
    curl("--fail", "-T", "up", presign(plain_s3, "put_object", plain_bucket), folder=tmp_path)
    curl("--fail", "-o", "down", presign(plain_s3, "get_object", plain_bucket), folder=tmp_path)
    assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()


def test_an_upload_waits_for_the_servers_consent(
    plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "up").write_bytes(b"x" * 5_000_000)
    url = presign(plain_s3, "put_object", plain_bucket)
    curl(
        "--fail", "--expect100-timeout", "20", "-H", "Expect: 100-continue", "-T", "up", url, folder=tmp_path
    )
    changed = url[:-4] + ("0000" if not url.endswith("0000") else "1111")
    shown = curl(
        "-w",
        "%{http_code} %{size_upload}",
        "-H",
        "Expect: 100-continue",
        "-T",
        "up",
        changed,
        folder=tmp_path,
    )
    assert "<Code>SignatureDoesNotMatch</Code>" in shown
    assert shown.endswith("403 0")


def test_an_upload_from_a_pipe_has_no_length_and_is_refused(
    plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    url = presign(plain_s3, "put_object", plain_bucket)
    shown = curl("-w", "%{http_code}", "-T", ".", url, folder=tmp_path)
    assert "<Code>MissingContentLength</Code>" in shown
    assert shown.endswith("411")


def test_data_is_put_with_the_type_that_curl_gives_it(
    plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    url = presign(plain_s3, "put_object", plain_bucket)
    curl("--fail", "-X", "PUT", "--data-binary", "content", url, folder=tmp_path)
    kept = plain_s3.head_object(Bucket=plain_bucket, Key="folder/a b+ü.txt")
    assert (kept["ContentLength"], kept["ContentType"]) == (7, "application/x-www-form-urlencoded")


def test_head_with_a_link_for_get(plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="folder/a b+ü.txt", Body=b"0123456789")
    for operation in ("get_object", "head_object"):
        shown = curl("--fail", "-I", presign(plain_s3, operation, plain_bucket), folder=tmp_path).lower()
        assert shown.startswith("http/1.1 200 ")
        assert "\r\ncontent-length: 10\r\n" in shown


def test_a_range(plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="folder/a b+ü.txt", Body=b"0123456789")
    url = presign(plain_s3, "get_object", plain_bucket)
    assert curl("--fail", "-r", "2-4", url, folder=tmp_path) == "234"
    assert curl("--fail", "-r", "-3", url, folder=tmp_path) == "789"


def test_a_download_that_broke_off_is_resumed(plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    plain_s3.put_object(Bucket=plain_bucket, Key="folder/a b+ü.txt", Body=content)
    url = presign(plain_s3, "get_object", plain_bucket)
    (tmp_path / "down").write_bytes(content[:1_234_567])
    shown = curl(
        "--fail", "-w", "%{http_code} %{size_download}", "-C", "-", "-o", "down", url, folder=tmp_path
    )
    assert shown == f"206 {len(content) - 1_234_567}"
    assert (tmp_path / "down").read_bytes() == content


def test_a_deletion(plain_s3: S3Client, plain_bucket: str, tmp_path: Path) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="folder/a b+ü.txt", Body=b"content")
    url = presign(plain_s3, "delete_object", plain_bucket)
    assert curl("-w", "%{http_code}", "-X", "DELETE", url, folder=tmp_path) == "204"
    assert plain_s3.list_objects_v2(Bucket=plain_bucket)["KeyCount"] == 0


def test_a_download_is_called_as_the_issuer_said(
    plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="folder/a b+ü.txt", Body=b"content")
    asked = {"ResponseContentDisposition": 'attachment; filename="report.txt"'}
    curl("--fail", "-OJ", presign(plain_s3, "get_object", plain_bucket, **asked), folder=tmp_path)
    assert (tmp_path / "report.txt").read_bytes() == b"content"


def test_dots_in_a_path_are_kept_if_curl_is_told_so(
    plain_s3: S3Client, plain_bucket: str, tmp_path: Path
) -> None:
    plain_s3.put_object(Bucket=plain_bucket, Key="a/../b", Body=b"content")
    url = presign(plain_s3, "get_object", plain_bucket, key="a/../b")
    assert curl("--fail", "--path-as-is", url, folder=tmp_path) == "content"
    assert "SignatureDoesNotMatch" in curl(url, folder=tmp_path)


class TestSigningByItself:
    """`curl --aws-sigv4`."""

    def sign(self, server: RunningServer) -> list[str]:
        return [
            "--aws-sigv4", f"aws:amz:{server.region}:s3", "--user", f"{server.access_key}:{server.secret_key}",
            "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        ]  # fmt: skip

    def test_an_upload_and_a_download(
        self, server: RunningServer, plain_s3: S3Client, plain_bucket: str, tmp_path: Path
    ) -> None:
        (tmp_path / "up").write_bytes(b"0123456789" * 10_000)
        url = f"{server.endpoint}/{plain_bucket}/folder/signed.txt"
        curl("--fail", *self.sign(server), "-T", "up", url, folder=tmp_path)
        curl("--fail", *self.sign(server), "-o", "down", url, folder=tmp_path)
        assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()

    def test_a_listing(
        self, server: RunningServer, plain_s3: S3Client, plain_bucket: str, tmp_path: Path
    ) -> None:
        plain_s3.put_object(Bucket=plain_bucket, Key="a", Body=b"content")
        url = f"{server.endpoint}/{plain_bucket}/?list-type=2&prefix=a"
        assert "<Key>a</Key>" in curl("--fail", *self.sign(server), url, folder=tmp_path)

    def test_a_wrong_secret(self, server: RunningServer, plain_bucket: str, tmp_path: Path) -> None:
        arguments = [part.replace(server.secret_key, "some other secret") for part in self.sign(server)]
        shown = curl(*arguments, f"{server.endpoint}/{plain_bucket}/a", folder=tmp_path)
        assert "<Code>SignatureDoesNotMatch</Code>" in shown


def test_virtual_hosts_by_curls_own_resolver(virtual_server: RunningServer, tmp_path: Path) -> None:
    port = virtual_server.port
    there = ["--resolve", f"curl-bucket.localhost:{port}:127.0.0.1"]
    signed = TestSigningByItself().sign(virtual_server)
    url = f"http://curl-bucket.localhost:{port}/"
    (tmp_path / "up").write_bytes(b"content")
    curl("--fail", *there, *signed, "-X", "PUT", url, folder=tmp_path)
    curl("--fail", *there, *signed, "-T", "up", f"{url}folder/a.txt", folder=tmp_path)
    assert curl("--fail", *there, *signed, f"{url}folder/a.txt", folder=tmp_path) == "content"
