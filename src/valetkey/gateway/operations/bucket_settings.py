"""What a bucket is set up for in few words: versioning, tags, who pays, acceleration, notifications."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, empty, kept_document, no_content
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.limits import MAX_BUCKET_TAGS
from valetkey.s3.object_lock import require_versioning_change
from valetkey.s3.setting_answers import (
    Accelerate,
    NoNotifications,
    RequestPayment,
    Tagging,
    Versioning,
)
from valetkey.s3.tags import parse_tagging
from valetkey.s3.xml.settings_reader import (
    parse_accelerate,
    parse_request_payment,
    parse_versioning,
    require_no_notifications,
)
from valetkey.s3.xml.writer import render

MAX_SETTING_BYTES: Final = 64 * 1024
"""More than any of these documents needs; 50 tags at their longest, escaped, are half of it."""


def missing(call: Call, code: Code) -> S3Error:
    """Return the refusal to show what is not set up for the bucket."""
    return S3Error(code, None, {"BucketName": call.bucket_name})


async def get_bucket_versioning(call: Call) -> Answer:
    """GetBucketVersioning: empty if it never was enabled."""
    return document(Versioning(status=call.bucket.versioning))


async def put_bucket_versioning(call: Call) -> Answer:
    """PutBucketVersioning. Deletion with a second factor is not implemented."""
    wanted = parse_versioning(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    if wanted.mfa_delete == "Enabled":
        message = "Deletion with multi-factor authentication is not implemented."
        raise S3Error(Code.NOT_IMPLEMENTED, message, {"MfaDelete": "Enabled"})
    require_versioning_change(wanted.status, is_lockable=call.bucket.is_lockable)
    await call.store.buckets.set_versioning(call.bucket, wanted.status)
    return empty()


async def get_bucket_tagging(call: Call) -> Answer:
    """GetBucketTagging."""
    text = call.bucket.settings.get("tagging")
    if text is None:
        raise missing(call, Code.NO_SUCH_TAG_SET)
    return kept_document(text)


async def put_bucket_tagging(call: Call) -> Answer:
    """PutBucketTagging."""
    tags = parse_tagging(await read_document(call, max_bytes=MAX_SETTING_BYTES), most=MAX_BUCKET_TAGS)
    await call.store.buckets.put_setting(call.bucket, "tagging", render(Tagging(tags=tags)).decode())
    return no_content()


async def delete_bucket_tagging(call: Call) -> Answer:
    """DeleteBucketTagging."""
    await call.store.buckets.put_setting(call.bucket, "tagging", None)
    return no_content()


async def get_bucket_request_payment(call: Call) -> Answer:
    """GetBucketRequestPayment: the owner pays unless another payer was set."""
    text = call.bucket.settings.get("requestPayment")
    return document(RequestPayment(payer="BucketOwner")) if text is None else kept_document(text)


async def put_bucket_request_payment(call: Call) -> Answer:
    """PutBucketRequestPayment: kept and given back; nobody is charged here."""
    payer = parse_request_payment(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    text = render(RequestPayment(payer=payer)).decode()
    await call.store.buckets.put_setting(call.bucket, "requestPayment", text)
    return empty()


async def get_bucket_accelerate(call: Call) -> Answer:
    """GetBucketAccelerateConfiguration: empty if it never was set."""
    text = call.bucket.settings.get("accelerate")
    return document(Accelerate(status=None)) if text is None else kept_document(text)


async def put_bucket_accelerate(call: Call) -> Answer:
    """PutBucketAccelerateConfiguration: kept and given back; there is one way to this server."""
    status = parse_accelerate(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    if "." in call.bucket_name:
        message = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        raise S3Error(Code.INVALID_REQUEST, message)
    text = render(Accelerate(status=status)).decode()
    await call.store.buckets.put_setting(call.bucket, "accelerate", text)
    return empty()


async def get_bucket_notification(call: Call) -> Answer:
    """GetBucketNotificationConfiguration: there are none."""
    return document(NoNotifications())


async def put_bucket_notification(call: Call) -> Answer:
    """PutBucketNotificationConfiguration: removing all of them is all that can be done."""
    require_no_notifications(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    return empty()
