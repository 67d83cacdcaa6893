"""The `x-amz-copy-source` header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.s3.errors import invalid_argument
from valetkey.s3.names import require_version_id
from valetkey.s3.percent import percent_decode
from valetkey.s3.query import parse_query

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
    it, and `?versionId=` behind it where one version is meant. Encoded as in a query: a `+` is a space, and the
    slash between bucket and key may be `%2F`, as Amazon was seen to take both.

    Raises:
        S3Error: InvalidArgument, where the bucket or the key is empty, or the id could be that of no version;
            InvalidURI, for a bad escape.
    """
    path, _, query = text.partition("?")
    plain = percent_decode(path.replace("+", " ").encode("utf-8"))
    bucket, _, key = plain.removeprefix("/").partition("/")
    if not (bucket and key):
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise invalid_argument(message, _HEADER, text)
    version_id = parse_query(query.encode("utf-8")).get("versionId")
    if version_id is not None:
        require_version_id(version_id)
    return CopySource(bucket=bucket, key=key, version_id=version_id)
