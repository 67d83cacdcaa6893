"""A server with short days does what boto3's lifecycle rules say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from tests.clients.boto import S3Client, open_client

from valetkey.testing.server import running_server

PATIENCE_S: Final = 30.0


@pytest.fixture(scope="module")
def quick_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Client]:
    """A client of a server, with two workers, whose days last a second."""
    folder = tmp_path_factory.mktemp("quick") / "data"
    with running_server(folder, workers=2, environment={"VALETKEY_LIFECYCLE_DAY_S": "1"}) as running:
        client = open_client(running, "s3v4")
        yield client
        client.close()


@pytest.fixture
def quick_bucket(quick_s3: S3Client, new_name: Callable[[str], str]) -> str:
    name = new_name("quick")
    quick_s3.create_bucket(Bucket=name)
    return name


def await_answer(look: Callable[[], Any], expected: object) -> None:
    """Return once `look` returns what is expected; fail if it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := look()) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def set_rule(s3: S3Client, bucket: str, **actions: Any) -> None:
    rule = {"ID": "rule", "Status": "Enabled", "Filter": {"Prefix": "old/"}, **actions}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})


def keys(s3: S3Client, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_objects_expire_and_tell_when(quick_s3: S3Client, quick_bucket: str) -> None:
    set_rule(quick_s3, quick_bucket, Expiration={"Days": 2})
    put = quick_s3.put_object(Bucket=quick_bucket, Key="old/key", Body=b"body")
    assert 'rule-id="rule"' in put["Expiration"]
    other = quick_s3.put_object(Bucket=quick_bucket, Key="key", Body=b"body")
    assert "Expiration" not in other
    await_answer(lambda: keys(quick_s3, quick_bucket), ["key"])


def test_versions_and_then_their_marker_expire(quick_s3: S3Client, quick_bucket: str) -> None:
    quick_s3.put_bucket_versioning(Bucket=quick_bucket, VersioningConfiguration={"Status": "Enabled"})
    quick_s3.put_object(Bucket=quick_bucket, Key="old/key", Body=b"1")
    quick_s3.put_object(Bucket=quick_bucket, Key="old/key", Body=b"2")
    set_rule(
        quick_s3,
        quick_bucket,
        Expiration={"Days": 1},
        NoncurrentVersionExpiration={"NoncurrentDays": 1},
    )

    def look() -> int:
        answer = quick_s3.list_object_versions(Bucket=quick_bucket)
        return len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))

    await_answer(look, 0)


def test_uploads_are_given_up_and_tell_when(quick_s3: S3Client, quick_bucket: str) -> None:
    set_rule(quick_s3, quick_bucket, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})
    begun = quick_s3.create_multipart_upload(Bucket=quick_bucket, Key="old/key")
    assert begun["AbortRuleId"] == "rule"
    assert "AbortDate" in begun
    await_answer(lambda: quick_s3.list_multipart_uploads(Bucket=quick_bucket).get("Uploads", []), [])
