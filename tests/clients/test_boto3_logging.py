"""Server access logs: into a file, and into a target bucket, set up by boto3."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.boto import S3Client, open_client
from tests.clients.identities import allow, new_user, policy, root_of
from tests.raw.door import Door, open_door

from valetkey.testing.server import RunningServer, running_server

FIELDS = re.compile(r'\[[^\]]*\]|"[^"]*"|[^ ]+')
_LONG_S = 30.0


@pytest.fixture(scope="module")
def logging_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("logging")
    environment = {"VALETKEY_LOG_DELIVERY_S": "1", "VALETKEY_SERVER_LOG": str(folder / "access.log")}
    with running_server(folder / "data", workers=2, environment=environment) as server:
        yield server


@pytest.fixture(scope="module")
def logged_s3(logging_server: RunningServer) -> Iterator[S3Client]:
    client = open_client(logging_server, "s3v4")
    yield client
    client.close()


def eventually(find: Callable[[], list[Any]], number: int) -> list[Any]:
    deadline = time.monotonic() + _LONG_S
    while len(found := find()) < number:
        assert time.monotonic() < deadline, found
    return found


def delivered(s3: S3Client, bucket: str, prefix: str) -> list[list[str]]:
    """Return the fields of all lines under a prefix."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    texts = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode() for item in listed]
    return [FIELDS.findall(line) for text in texts for line in text.splitlines()]


def turn_on(s3: S3Client, source: str, target: str, prefix: str, **more: Any) -> None:
    enabled = {"TargetBucket": target, "TargetPrefix": prefix, **more}
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": enabled})


def test_requests_come_into_the_target_bucket(logging_server: RunningServer, logged_s3: S3Client) -> None:
    door: Door = open_door(logging_server, "source-1")
    logged_s3.create_bucket(Bucket="target-1")
    turn_on(logged_s3, "source-1", "target-1", "of-1/")
    door.put("folder/ü", b"content")
    assert door.presigned("GET", "folder/ü", unsigned={"User-Agent": 'a "quoted" agent'}).status == 200
    assert door.presigned("GET", "none").status == 404
    target = door.key.presign("GET", door.path("forged"))
    assert door.send("GET", target[:-1] + "g").status == 403

    def found() -> list[list[str]]:
        return [line for line in delivered(logged_s3, "target-1", "of-1/") if "OBJECT" in line[6]]

    lines = eventually(found, 4)
    put, got, missing, forged = (
        next(line for line in lines if (line[6], line[7], line[10]) == wanted)
        for wanted in (
            ("REST.PUT.OBJECT", "folder/%C3%BC", "-"),
            ("REST.GET.OBJECT", "folder/%C3%BC", "-"),
            ("REST.GET.OBJECT", "none", "NoSuchKey"),
            ("REST.GET.OBJECT", "forged", "SignatureDoesNotMatch"),
        )
    )
    owner = logged_s3.list_buckets()["Owner"]["ID"]
    assert got[:2] == [owner, "source-1"]
    assert got[3:5] == ["127.0.0.1", owner]
    assert got[6:8] == ["REST.GET.OBJECT", "folder/%C3%BC"]
    assert got[8].startswith('"GET /source-1/folder/%C3%BC?X-Amz-Algorithm=')
    assert got[8].endswith('X-Amz-Signature=REDACTED HTTP/1.1"')
    assert got[9:13] == ["200", "-", "7", "7"]
    assert got[16] == '"a %22quoted%22 agent"'
    assert got[19:22] == ["SigV4", "-", "QueryString"]
    assert got[26] == "us-east-1"
    assert (put[9], put[11], put[12]) == ("200", "-", "7")
    assert (missing[4], missing[9]) == (owner, "404")
    assert (forged[4], forged[9]) == ("-", "403")
    for line in lines:
        assert len(line) == 27
    key = logged_s3.list_objects_v2(Bucket="target-1")["Contents"][0]["Key"]
    assert re.fullmatch(r"of-1/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}", key)


def test_keys_may_be_partitioned(logging_server: RunningServer, logged_s3: S3Client) -> None:
    open_door(logging_server, "source-2")
    logged_s3.create_bucket(Bucket="target-2")
    form = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    turn_on(logged_s3, "source-2", "target-2", "", TargetObjectKeyFormat=form)
    assert logged_s3.get_bucket_logging(Bucket="source-2")["LoggingEnabled"]["TargetObjectKeyFormat"] == form
    logged_s3.list_objects_v2(Bucket="source-2")
    (item, *_) = eventually(lambda: logged_s3.list_objects_v2(Bucket="target-2").get("Contents", []), 1)
    assert re.fullmatch(
        r"\d{12}/us-east-1/source-2/\d{4}/\d\d/\d\d/[\d-]{10}-00-00-00-[0-9A-F]{16}", item["Key"]
    )


def test_a_bucket_may_be_its_own_target_without_an_end(
    logging_server: RunningServer, logged_s3: S3Client
) -> None:
    door = open_door(logging_server, "source-3")
    turn_on(logged_s3, "source-3", "source-3", "log/")
    door.put("object", b"x")

    def puts() -> list[list[str]]:
        return [line for line in delivered(logged_s3, "source-3", "log/") if line[6] == "REST.PUT.OBJECT"]

    assert [line[7] for line in eventually(puts, 1)] == ["object"]
    # What delivers the log is not a request, so that the next deliveries tell of no other.
    door.put("another", b"x")
    assert sorted(line[7] for line in eventually(puts, 2)) == ["another", "object"]


def test_logging_is_turned_off_again(logging_server: RunningServer, logged_s3: S3Client) -> None:
    open_door(logging_server, "source-4")
    turn_on(logged_s3, "source-4", "source-4", "log/")
    assert logged_s3.get_bucket_logging(Bucket="source-4")["LoggingEnabled"]["TargetPrefix"] == "log/"
    logged_s3.put_bucket_logging(Bucket="source-4", BucketLoggingStatus={})
    assert "LoggingEnabled" not in logged_s3.get_bucket_logging(Bucket="source-4")


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_target_must_be_there_and_writable(logging_server: RunningServer, logged_s3: S3Client) -> None:
    for name in ("source-5", "target-5"):
        open_door(logging_server, name)
    assert refused(lambda: turn_on(logged_s3, "source-5", "nowhere-5", "")) == "InvalidTargetBucketForLogging"
    statements = policy(allow("s3:PutBucketLogging"), allow("s3:PutObject", "arn:aws:s3:::target-5/mine/*"))
    user = new_user(root_of(logging_server), "logger", statements).client("s3")
    assert refused(lambda: turn_on(user, "source-5", "target-5", "other/")) == "AccessDenied"
    turn_on(user, "source-5", "target-5", "mine/")


def test_the_file_has_a_line_for_each_request_and_no_signature(logging_server: RunningServer) -> None:
    door = open_door(logging_server, "filed")
    targets = [door.key.presign("GET", door.path(f"file/{number}")) for number in range(20)]
    for target in targets:
        door.send("GET", target)
    file = logging_server.data.with_name("access.log")

    def lines() -> list[str]:
        return [line for line in file.read_text().splitlines() if " file/" in line]

    found = eventually(lines, 20)
    assert {FIELDS.findall(line)[7] for line in found} == {f"file/{number}" for number in range(20)}
    text = file.read_text()
    for target in targets:
        assert target.rpartition("=")[2] not in text
    assert json.dumps(text).isascii()
