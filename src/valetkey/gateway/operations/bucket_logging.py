"""Whether requests for a bucket are written into a log, and where that goes."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, empty
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES
from valetkey.gateway.operations.kept_settings import LOGGING, lock_configuration_of, logging_of
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.logging_status import LoggingEnabled
from valetkey.s3.setting_answers import Logging
from valetkey.s3.xml.logging_status import parse_logging
from valetkey.s3.xml.writer import render
from valetkey.store.errors import NoSuchBucketError


async def get_bucket_logging(call: Call) -> Answer:
    """GetBucketLogging: empty where there is none."""
    return document(Logging(enabled=logging_of(call.bucket)))


async def put_bucket_logging(call: Call) -> Answer:
    """PutBucketLogging: an empty document turns the log off."""
    wanted = parse_logging(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    text = None
    if wanted is not None:
        _require_target(call, wanted)
        text = render(Logging(enabled=wanted)).decode()
    await call.store.buckets.put_setting(call.bucket, LOGGING, text)
    return empty()


def _require_target(call: Call, wanted: LoggingEnabled) -> None:
    """Return if the log may go there.

    Amazon asks whether the log's own service may write into the target. Here nobody but the server writes the log, so
    whoever turns it on must be somebody who may write there.

    Raises:
        S3Error: InvalidTargetBucketForLogging.
        AccessDeniedError: the caller may not write there.
    """
    details = {"TargetBucket": wanted.target_bucket}
    try:
        target = call.store.buckets.find(wanted.target_bucket)
    except NoSuchBucketError as error:
        message = "The target bucket for logging does not exist"
        raise S3Error(Code.INVALID_TARGET_BUCKET_FOR_LOGGING, message, details) from error
    if call.rules.owner_of(target) != call.rules.owner_of(call.bucket):
        message = "The owner for the bucket to be logged and the target bucket must be the same."
        raise S3Error(Code.INVALID_TARGET_BUCKET_FOR_LOGGING, message, details)
    configuration = lock_configuration_of(target)
    if configuration is not None and configuration.default is not None:
        message = "The target bucket for logging must not have a default retention."
        raise S3Error(Code.INVALID_TARGET_BUCKET_FOR_LOGGING, message, details)
    call.authority.at(target, wanted.target_prefix or "log").require("s3:PutObject")
