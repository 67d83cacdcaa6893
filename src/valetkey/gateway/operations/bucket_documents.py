"""What a bucket is set up for in a document of its own: lifecycle, encryption, Object Lock, CORS."""

from __future__ import annotations

from functools import partial
from typing import Final

from valetkey.gateway.aside import parsed
from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document, no_content
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES, missing
from valetkey.gateway.operations.kept_settings import lock_configuration_of
from valetkey.s3.codes import Code
from valetkey.s3.lifecycle_checks import transition_min_size
from valetkey.s3.object_lock import LockConfiguration, require_versioned
from valetkey.s3.xml.cors import parse_cors, render_cors
from valetkey.s3.xml.encryption import parse_bucket_encryption, render_bucket_encryption
from valetkey.s3.xml.lifecycle_reader import parse_lifecycle
from valetkey.s3.xml.lifecycle_writer import render_lifecycle
from valetkey.s3.xml.object_lock import parse_lock_configuration, render_lock_configuration

_MAX_LIFECYCLE_BYTES: Final = 2 * 1024 * 1024
"""1,000 rules with ids, prefixes and some tags."""

_SMALLEST_HEADER: Final = "x-amz-transition-default-minimum-object-size"
_SMALLEST_SETTING: Final = "lifecycle-minimum-size"


async def get_bucket_lifecycle(call: Call) -> Answer:
    """GetBucketLifecycleConfiguration."""
    text = call.bucket.settings.get("lifecycle")
    if text is None:
        raise missing(call, Code.NO_SUCH_LIFECYCLE_CONFIGURATION)
    return kept_document(text, headers=_smallest(_kept_smallest(call)))


async def put_bucket_lifecycle(call: Call) -> Answer:
    """PutBucketLifecycleConfiguration. The default least size for transitions is kept, as the transitions are."""
    smallest = transition_min_size(call.headers.get(_SMALLEST_HEADER))
    body = await read_document(call, max_bytes=_MAX_LIFECYCLE_BYTES, is_integrity_required=True)
    text = render_lifecycle(await parsed(body, partial(parse_lifecycle, new_id=call.new_id)))
    if smallest != _kept_smallest(call):
        await call.store.buckets.put_setting(call.bucket, _SMALLEST_SETTING, smallest)
    await call.store.buckets.put_setting(call.bucket, "lifecycle", text)
    return empty(headers=_smallest(smallest))


async def delete_bucket_lifecycle(call: Call) -> Answer:
    """DeleteBucketLifecycle."""
    await call.store.buckets.put_setting(call.bucket, "lifecycle", None)
    if _SMALLEST_SETTING in call.bucket.settings:
        await call.store.buckets.put_setting(call.bucket, _SMALLEST_SETTING, None)
    return no_content()


def _kept_smallest(call: Call) -> str:
    return transition_min_size(call.bucket.settings.get(_SMALLEST_SETTING))


def _smallest(value: str) -> list[tuple[bytes, bytes]]:
    return [(_SMALLEST_HEADER.encode(), value.encode())]


async def get_bucket_encryption(call: Call) -> Answer:
    """GetBucketEncryption. Where Amazon names the encryption that every bucket has, here there may be none."""
    text = call.bucket.settings.get("encryption")
    if text is None:
        raise missing(call, Code.SERVER_SIDE_ENCRYPTION_CONFIGURATION_NOT_FOUND_ERROR)
    return kept_document(text)


async def put_bucket_encryption(call: Call) -> Answer:
    """PutBucketEncryption: for objects that are written from now on."""
    config = parse_bucket_encryption(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    await call.store.buckets.put_setting(call.bucket, "encryption", render_bucket_encryption(config))
    return empty()


async def delete_bucket_encryption(call: Call) -> Answer:
    """DeleteBucketEncryption."""
    await call.store.buckets.put_setting(call.bucket, "encryption", None)
    return no_content()


async def get_object_lock_configuration(call: Call) -> Answer:
    """GetObjectLockConfiguration."""
    if not call.bucket.is_lockable:
        raise missing(call, Code.OBJECT_LOCK_CONFIGURATION_NOT_FOUND_ERROR)
    config = lock_configuration_of(call.bucket) or LockConfiguration(default=None)
    return kept_document(render_lock_configuration(config))


async def put_object_lock_configuration(call: Call) -> Answer:
    """PutObjectLockConfiguration: gives a bucket with versions Object Lock, and what new versions get by default."""
    body = await read_document(call, max_bytes=MAX_SETTING_BYTES, is_integrity_required=True)
    config = parse_lock_configuration(body)
    require_versioned(call.bucket.versioning)
    if not call.bucket.is_lockable:
        await call.store.buckets.allow_locks(call.bucket)
    text = render_lock_configuration(config)
    await call.store.buckets.put_setting(call.bucket, "object-lock", text)
    return empty()


async def get_bucket_cors(call: Call) -> Answer:
    """GetBucketCors: the bucket's own rules; those of the server are no setting of the bucket."""
    text = call.bucket.settings.get("cors")
    if text is None:
        raise missing(call, Code.NO_SUCH_CORS_CONFIGURATION)
    return kept_document(text)


async def put_bucket_cors(call: Call) -> Answer:
    """PutBucketCors."""
    body = await read_document(call, max_bytes=MAX_SETTING_BYTES, is_integrity_required=True)
    await call.store.buckets.put_setting(call.bucket, "cors", render_cors(parse_cors(body)))
    return empty()


async def delete_bucket_cors(call: Call) -> Answer:
    """DeleteBucketCors."""
    await call.store.buckets.put_setting(call.bucket, "cors", None)
    return no_content()
