"""PutBucketLogging's document, and the keys of the log's pieces."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.logging_status import LoggingEnabled, Partition, log_key
from valetkey.s3.setting_answers import Logging
from valetkey.s3.xml.logging_status import parse_logging
from valetkey.s3.xml.writer import render


def status(content: str) -> bytes:
    return f"<BucketLoggingStatus>{content}</BucketLoggingStatus>".encode()


TARGET = "<TargetBucket>logs</TargetBucket><TargetPrefix>a/</TargetPrefix>"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("", LoggingEnabled(target_bucket="logs", target_prefix="a/", partition=None)),
        (
            "<TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat>",
            LoggingEnabled(target_bucket="logs", target_prefix="a/", partition=None, names_format=True),
        ),
        (
            "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource>"
            "</PartitionedPrefix></TargetObjectKeyFormat>",
            LoggingEnabled(
                target_bucket="logs", target_prefix="a/", partition=Partition.EVENT_TIME, names_format=True
            ),
        ),
    ],
    ids=["usual", "simple", "partitioned"],
)
def test_a_target_is_read_and_written_back(form: str, expected: LoggingEnabled) -> None:
    found = parse_logging(status(f"<LoggingEnabled>{TARGET}{form}</LoggingEnabled>"))
    assert found == expected
    assert parse_logging(render(Logging(enabled=found))) == expected


def test_an_empty_document_turns_it_off() -> None:
    assert parse_logging(b"<BucketLoggingStatus/>") is None


@pytest.mark.parametrize(
    "content",
    [
        "<Other/>",
        "<LoggingEnabled/>",
        "<LoggingEnabled><TargetBucket>logs</TargetBucket></LoggingEnabled>",
        f"<LoggingEnabled>{TARGET}</LoggingEnabled><LoggingEnabled>{TARGET}</LoggingEnabled>",
        f"<LoggingEnabled>{TARGET}<Other/></LoggingEnabled>",
        f"<LoggingEnabled>{TARGET}<TargetObjectKeyFormat/></LoggingEnabled>",
        f"<LoggingEnabled>{TARGET}<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>Never"
        "</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat></LoggingEnabled>",
        f"<LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>{'x' * 513}</TargetPrefix></LoggingEnabled>",
    ],
)
def test_what_is_not_as_the_schema_has_it_is_malformed(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_logging(status(content))
    assert caught.value.code is Code.MALFORMED_XML


def test_nobody_is_granted_anything() -> None:
    with pytest.raises(S3Error) as caught:
        parse_logging(
            status(f"<LoggingEnabled>{TARGET}<TargetGrants><Grant/></TargetGrants></LoggingEnabled>")
        )
    assert caught.value.code is Code.NOT_IMPLEMENTED


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        # Source: Amazon S3 User Guide, "Logging requests with server access logging", log object key format.
        (None, "logs/2023-11-02-21-32-16-E568B2907131C0C0"),
        (
            Partition.DELIVERY_TIME,
            "logs/123456789012/us-west-2/amzn-s3-demo-source-bucket/2023/11/02/2023-11-02-21-32-16-E568B2907131C0C0",
        ),
        (
            Partition.EVENT_TIME,
            "logs/123456789012/us-west-2/amzn-s3-demo-source-bucket/2023/11/01/2023-11-01-00-00-00-E568B2907131C0C0",
        ),
    ],
)
def test_keys_are_amazons(partition: Partition | None, expected: str) -> None:
    config = LoggingEnabled(target_bucket="x", target_prefix="logs/", partition=partition)
    key = log_key(
        config,
        source_account="123456789012",
        source_region="us-west-2",
        source_bucket="amzn-s3-demo-source-bucket",
        event_day=datetime(2023, 11, 1, tzinfo=UTC),
        now=datetime(2023, 11, 2, 21, 32, 16, tzinfo=UTC),
        unique="E568B2907131C0C0",
    )
    assert key == expected
