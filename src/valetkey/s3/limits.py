"""S3's limits, each in one place.

Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits", "Naming Amazon S3 objects",
"Working with object metadata".
"""

from __future__ import annotations

from typing import Final

MAX_KEY_BYTES: Final = 1024
"""Longest object key, in bytes of its UTF-8."""

MAX_METADATA_BYTES: Final = 2048
"""User metadata of one object: names without `x-amz-meta-` and values, in bytes of their UTF-8."""

MAX_PART_NUMBER: Final = 10_000
"""Part numbers run from 1 to this, inclusive; so an upload has at most as many parts."""

MAX_KEPT_HEADERS_BYTES: Final = 8192
"""Headers of a PUT request that are kept with the object, names and values, beside the user metadata."""

MAX_OBJECT_BYTES: Final = 5 * 1024**4
"""Largest object, uploaded in parts."""

MAX_SINGLE_UPLOAD_BYTES: Final = 5 * 1024**3
"""Largest body of one PUT, be it an object or a part, and largest source of one CopyObject."""

MAX_LISTED: Final = 1000
"""Most entries on one page of any listing but that of buckets, and most keys in one DeleteObjects."""

MAX_BUCKETS_LISTED: Final = 10_000
"""Most buckets on one page of ListBuckets."""

MAX_OBJECT_TAGS: Final = 10
"""Most tags of one object."""

MAX_BUCKET_TAGS: Final = 50
"""Most tags of one bucket."""

MAX_FORM_FIELDS_BYTES: Final = 20 * 1024
"""Most of a form's body that may stand before the content of its file."""

MOST_AFTER_FILE_BYTES: Final = 64 * 1024
"""What follows a form's file counts for nothing; no more of it is read, so that the connection can be used again."""
