"""What a bucket is set up for, read from the documents that it keeps.

What clients are told of a lifecycle counts real days, also where a server under test runs it on shorter ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from valetkey.policy.documents import DocumentKind, Policy, parse_policy
from valetkey.s3.grants import Ownership
from valetkey.s3.lifecycle import Rules, abort_headers, abort_of_upload, expiration_header, expiry_of_current
from valetkey.s3.logging_status import LoggingEnabled
from valetkey.s3.object_lock import LockConfiguration
from valetkey.s3.xml.access_control import parse_ownership_controls
from valetkey.s3.xml.encryption import BucketEncryption, parse_bucket_encryption
from valetkey.s3.xml.lifecycle_reader import parse_lifecycle
from valetkey.s3.xml.logging_status import parse_logging
from valetkey.s3.xml.object_lock import parse_lock_configuration
from valetkey.store.model import Bucket, StoredObject

OWNERSHIP: Final = "ownershipControls"
PUBLIC_ACCESS_BLOCK: Final = "publicAccessBlock"
POLICY: Final = "policy"
LOGGING: Final = "logging"
PRINCIPAL_IDS: Final = "policyPrincipals"
"""JSON: whom the policy means by the ARNs of users and roles."""

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


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


def logging_of(bucket: Bucket) -> LoggingEnabled | None:
    """Return where the log of a bucket goes, or None if it has none."""
    text = bucket.settings.get(LOGGING)
    return None if text is None else _logging(text)


@lru_cache(maxsize=256)
def _logging(text: str) -> LoggingEnabled | None:
    return parse_logging(text.encode())


def ownership_of(bucket: Bucket) -> Ownership:
    """Return whose the objects of a bucket are. One that says nothing of it is as Amazon's first ones were."""
    text = bucket.settings.get(OWNERSHIP)
    return Ownership.OBJECT_WRITER if text is None else _ownership(text)


@lru_cache(maxsize=16)
def _ownership(text: str) -> Ownership:
    return parse_ownership_controls(text.encode())


def principal_ids_of(bucket: Bucket) -> Mapping[str, str]:
    """Return the unique ids of those whom the policy of a bucket names, by their ARNs in it."""
    text = bucket.settings.get(PRINCIPAL_IDS)
    return _NOBODY if text is None else _ids(text)


@lru_cache(maxsize=256)
def _ids(text: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(text))


def policy_of(bucket: Bucket) -> Policy | None:
    """Return the policy of a bucket, or None if it has none."""
    text = bucket.settings.get(POLICY)
    return None if text is None else _policy(text)


@lru_cache(maxsize=256)
def _policy(text: str) -> Policy:
    return parse_policy(text, kind=DocumentKind.RESOURCE)


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
