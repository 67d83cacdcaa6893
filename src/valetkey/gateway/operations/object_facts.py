"""The headers that tell of a version: its id, tags, lock, encryption, expiry."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Call
from valetkey.gateway.operations.kept_settings import expiration_header_of
from valetkey.gateway.operations.upload_options import wire_headers
from valetkey.s3.checksums import Algorithm
from valetkey.s3.encryption import CustomerKey, encryption_headers
from valetkey.s3.object_lock import lock_headers
from valetkey.store.model import NO_LOCK, Bucket, Checksum, StoredObject

NULL_ID = b"null"
_CHECKSUM_NAMES: Final = {algorithm.name: algorithm.header.encode() for algorithm in Algorithm}


def version_header(bucket: Bucket, version_id: str | None) -> list[tuple[bytes, bytes]]:
    """Return the header that names a version; a bucket that never had versions names none."""
    if bucket.versioning is None and version_id is None:
        return []
    return [(b"x-amz-version-id", version_id.encode() if version_id else NULL_ID)]


def new_version_header(bucket: Bucket, version_id: str | None) -> list[tuple[bytes, bytes]]:
    """Return the header that names a version to whoever made it. The null version is not named."""
    return [] if version_id is None else version_header(bucket, version_id)


def expiration_header(call: Call, found: StoredObject) -> list[tuple[bytes, bytes]]:
    """Return the header that tells when a lifecycle rule will remove the object, if one will."""
    if "lifecycle" not in call.bucket.settings:
        return []
    text = expiration_header_of(call.bucket, found)
    return [] if text is None else [(b"x-amz-expiration", text.encode())]


def fact_headers(call: Call, found: StoredObject, key: CustomerKey | None) -> list[tuple[bytes, bytes]]:
    """Return what a read tells of a version beside its kept headers. For most objects that is nothing."""
    headers = version_header(call.bucket, found.version_id)
    if found.tags:
        headers.append((b"x-amz-tagging-count", b"%d" % len(found.tags)))
    if found.lock is not NO_LOCK:
        lock = found.lock
        headers += wire_headers(lock_headers(lock.mode, lock.until_ms, legal_hold=lock.legal_hold))
    if found.encryption is not None:
        headers += wire_headers(encryption_headers(found.encryption, key))
    if call.query.get("versionId") is None:
        headers += expiration_header(call, found)
    return headers


def checksum_headers(checksum: Checksum | None) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell a client the checksum that is kept."""
    if checksum is None:
        return []
    return [
        (_CHECKSUM_NAMES[checksum.algorithm], checksum.value.encode()),
        (b"x-amz-checksum-type", checksum.type.encode()),
    ]
