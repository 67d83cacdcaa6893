"""Which bucket and key a request is about: path style, or with the bucket's name in the Host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.percent import percent_decode


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about. Both None: the service itself."""

    bucket: str | None
    key: str | None
    """Decoded, without the slash in front; None for an operation on the bucket."""
    virtual: bool
    """True: the bucket's name stood in the Host."""
    is_account: bool = False
    """True: neither a bucket nor the service is meant, but the account that a header names."""


ACCOUNT_HEADER: Final = "x-amz-account-id"
"""The header by which requests of S3 Control say whose account they are about."""

ACCOUNT_PATH: Final = b"/v20180820/configuration/publicAccessBlock"
"""Where S3 Control has an account's public access block. Without the header, an object has the path. Source: Amazon
S3 API Reference, "PutPublicAccessBlock" of Amazon S3 Control."""

ACCOUNT: Final = Target(None, None, virtual=False, is_account=True)
"""What such requests are about."""


def parse_target(raw_path: bytes, host: bytes, domains: Sequence[str]) -> Target:
    """Return what the request target is about.

    `raw_path` is what stood on the wire before the `?`. A bucket's name is read from `host` if it ends with a
    dot and one of `domains` (without case, port left out); else it is the path's first segment. The path is
    split before it is decoded, so `%2F` never separates a bucket from a key; nothing is normalised.

    Raises:
        S3Error: InvalidURI, for a path that is no absolute path, a bad escape, or bytes that are not UTF-8;
            InvalidBucketName, where the bucket's place is empty and a key follows.
    """
    if raw_path[:1] != b"/":
        raise S3Error(Code.INVALID_URI)
    if domains:
        bucket = _bucket_in_host(host, domains)
        if bucket is not None:
            return Target(bucket, percent_decode(raw_path[1:]) or None, True)
    try:
        path = raw_path.decode("utf-8")
    except UnicodeDecodeError as error:
        raise S3Error(Code.INVALID_URI) from error
    name, _, key = path[1:].partition("/")
    if not name:
        if len(path) > 1:
            raise S3Error(Code.INVALID_BUCKET_NAME, None, {"BucketName": ""})
        return Target(None, None, False)
    if "%" in path:
        name, key = percent_decode(name.encode("utf-8")), percent_decode(key.encode("utf-8"))
    return Target(name, key or None, False)


def _bucket_in_host(host: bytes, domains: Sequence[str]) -> str | None:
    name = _without_port(host.decode("latin-1").lower())
    best = ""
    for domain in domains:
        lower = domain.lower()
        if name == lower:
            return None
        # The longest domain wins: s3.example.com beside example.com is an endpoint, not a bucket called "s3".
        if name.endswith("." + lower) and len(lower) > len(best):
            best = lower
    if not best:
        return None
    bucket = name[: -len(best) - 1]
    if not bucket:
        raise S3Error(Code.INVALID_BUCKET_NAME, None, {"BucketName": ""})
    return bucket


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
