"""`kill -9` in the middle of runs of lifecycle rules: what is due goes all the same, and nothing else does."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.durability.test_kill import leaked_files, sweep_as_if_later

from valetkey.testing.server import RunningServer, free_port, start_server

BUCKET = "lifecycle"
ROUNDS = 8
LARGE = b"x" * 100_000
DAY_S = "1"
WAIT_S = 60.0


def client_of(server: RunningServer) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def start(data: Path, port: int) -> RunningServer:
    return start_server(
        data,
        workers=2,
        port=port,
        options=["--access-log", "off"],
        environment={"VALETKEY_LIFECYCLE_DAY_S": DAY_S},
    )


def rule(name: str, prefix: str, **what: object) -> dict[str, object]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, **what}


RULES = [
    rule("current", "due/", Expiration={"Days": 1}),
    rule("noncurrent", "due/", NoncurrentVersionExpiration={"NoncurrentDays": 1}),
    rule("markers", "due/", Expiration={"ExpiredObjectDeleteMarker": True}),
    rule("uploads", "due/", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
]


@pytest.mark.timeout(300)
def test_what_is_due_goes_and_the_rest_stays_through_power_cuts(tmp_path: Path) -> None:
    seed = random.Random(20261128)
    data, port = tmp_path / "data", free_port()
    server = start(data, port)
    s3 = client_of(server)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": RULES})
    kept: dict[tuple[str, str], bytes] = {}
    for number in range(ROUNDS):
        for place in range(30):
            for body in (b"small %d" % number, LARGE):
                s3.put_object(Bucket=BUCKET, Key=f"due/{number}/{place}", Body=body)
            key, body = f"kept/{number}/{place}", b"%d %d" % (number, place) + LARGE * (place % 2)
            kept[key, s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]] = body
        s3.create_multipart_upload(Bucket=BUCKET, Key=f"due/{number}/upload")
        time.sleep(seed.uniform(0.2, 1.5))  # the instant of the power cut is the point
        server.kill()
        server = start(data, port)
    wait_until_empty(s3)
    versions = [
        (version["Key"], version["VersionId"])
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
        for version in page.get("Versions", [])
    ]
    assert sorted(versions) == sorted(kept)
    for (key, version_id), body in kept.items():
        assert s3.get_object(Bucket=BUCKET, Key=key, VersionId=version_id)["Body"].read() == body
    assert server.stop() == 0
    asyncio.run(sweep_as_if_later(data))
    assert leaked_files(data) == set()


def wait_until_empty(s3: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        listed = s3.list_object_versions(Bucket=BUCKET, Prefix="due/")
        uploads = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="due/")
        left = [*listed.get("Versions", []), *listed.get("DeleteMarkers", []), *uploads.get("Uploads", [])]
        if not left:
            return
        assert time.monotonic() < deadline, f"{len(left)} are left"
        time.sleep(0.2)
