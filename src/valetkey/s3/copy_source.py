"""The `x-amz-copy-source` header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.s3.errors import invalid_argument
from valetkey.s3.names import require_version_id
from valetkey.s3.query import parse_query
from valetkey.s3.target import parse_target

_HEADER: Final = "x-amz-copy-source"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySource:
    """What is to be copied."""

    bucket: str
    key: str
    version_id: str | None
    """None for the current version."""


def parse_copy_source(text: str) -> CopySource:
    """Return what an `x-amz-copy-source` names: a percent-encoded `bucket/key`, with or without a slash before
    it, and `?versionId=` behind it where one version is meant.

    Raises:
        S3Error: InvalidArgument, where the bucket or the key is empty, or the id could be that of no version; InvalidURI, for a
            bad escape; InvalidBucketName.
    """
    path, _, query = text.partition("?")
    raw_path = path.encode("utf-8")
    if not raw_path.startswith(b"/"):
        raw_path = b"/" + raw_path
    target = parse_target(raw_path, b"", ())
    if target.bucket is None or target.key is None:
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise invalid_argument(message, _HEADER, text)
    version_id = parse_query(query.encode("utf-8")).get("versionId")
    if version_id is not None:
        require_version_id(version_id)
    return CopySource(bucket=target.bucket, key=target.key, version_id=version_id)
