"""What the objects and buckets that a process keeps in memory may weigh."""

from typing import Final

from valetkey.store.model import Bucket, StoredObject

CACHE_BYTES: Final = 32 * 1024 * 1024
"""What the kept objects of one process may weigh."""

BUCKET_CACHE_BYTES: Final = 8 * 1024 * 1024
"""What its kept buckets may weigh."""

# What an object weighs beside its content: values, headers, and its place in the dictionary.
_OVERHEAD_BYTES: Final = 2048
_SEGMENT_BYTES: Final = 512


def object_weight(found: StoredObject) -> int:
    content = found.content
    size = len(content) if isinstance(content, bytes) else len(content) * _SEGMENT_BYTES
    size += sum(len(name) + len(value) for name, value in found.headers.items())
    return size + len(found.acl or "") + _OVERHEAD_BYTES


def bucket_weight(found: Bucket) -> int:
    return sum(map(len, found.settings.values())) + _OVERHEAD_BYTES
