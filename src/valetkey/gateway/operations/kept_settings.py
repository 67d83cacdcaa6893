"""What a bucket is set up for, read from the documents that it keeps.

What clients are told of a lifecycle counts real days, also where a server under test runs it on shorter ones.
"""

from __future__ import annotations

from functools import lru_cache

from valetkey.s3.lifecycle import Rules, abort_headers, abort_of_upload, expiration_header, expiry_of_current
from valetkey.s3.object_lock import LockConfiguration
from valetkey.s3.xml.encryption import BucketEncryption, parse_bucket_encryption
from valetkey.s3.xml.lifecycle_reader import parse_lifecycle
from valetkey.s3.xml.object_lock import parse_lock_configuration
from valetkey.store.model import Bucket, StoredObject


def lifecycle_of(bucket: Bucket) -> Rules | None:
    """Return the lifecycle rules of a bucket, or None if it has none."""
    text = bucket.settings.get("lifecycle")
    return None if text is None else _lifecycle(text)


@lru_cache(maxsize=32)
def _lifecycle(text: str) -> Rules:
    return parse_lifecycle(text.encode(), new_id=str)


def default_encryption_of(bucket: Bucket) -> BucketEncryption | None:
    """Return how a bucket encrypts what asks for nothing else, or None if it was not set."""
    text = bucket.settings.get("encryption")
    return None if text is None else _encryption(text)


@lru_cache(maxsize=256)
def _encryption(text: str) -> BucketEncryption:
    return parse_bucket_encryption(text.encode())


def lock_configuration_of(bucket: Bucket) -> LockConfiguration | None:
    """Return the Object Lock configuration of a bucket, or None if it has none."""
    text = bucket.settings.get("object-lock")
    return None if text is None else _lock_configuration(text)


@lru_cache(maxsize=256)
def _lock_configuration(text: str) -> LockConfiguration:
    return parse_lock_configuration(text.encode())


def expiration_header_of(bucket: Bucket, found: StoredObject) -> str | None:
    """Return the value of `x-amz-expiration` for a current version, or None if no rule removes it."""
    rules = lifecycle_of(bucket)
    if rules is None:
        return None
    expiry = expiry_of_current(
        rules,
        key=found.key,
        size=found.size,
        tags=found.tags,
        modified_ms=found.modified_ms,
    )
    return None if expiry is None else expiration_header(*expiry)


def abort_headers_of(bucket: Bucket, key: str, initiated_ms: int) -> dict[str, str]:
    """Return the headers that tell when an upload is given up; none if no rule does that."""
    rules = lifecycle_of(bucket)
    expiry = None if rules is None else abort_of_upload(rules, key=key, initiated_ms=initiated_ms)
    return {} if expiry is None else abort_headers(*expiry)
