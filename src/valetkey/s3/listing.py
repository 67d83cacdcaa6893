"""What the listings are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.s3.errors import invalid_argument
from valetkey.s3.limits import MAX_BUCKETS_LISTED, MAX_LISTED, MAX_PART_NUMBER
from valetkey.s3.tokens import decode_token

_MAX_INTEGER: Final = 2**31 - 1
_INTEGER: Final = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListV1Request:
    """Parameters of ListObjects."""

    prefix: str
    delimiter: str
    """Empty for none."""
    marker: str
    """Key or common prefix after which the page begins; empty for the beginning."""
    max_keys: int
    """0 to 1,000."""
    encoding_type: str | None
    """`url` as the client spelled it, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListV2Request:
    """Parameters of ListObjectsV2."""

    prefix: str
    delimiter: str
    """Empty for none."""
    start_after: str
    """Key after which the first page begins; empty for the beginning. A token displaces it."""
    token_text: str | None
    """The continuation token as it came; it has been found to be ours."""
    after: str
    """Key or common prefix after which this page begins; empty for the beginning."""
    max_keys: int
    """0 to 1,000."""
    fetch_owner: bool
    encoding_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersionsRequest:
    """Parameters of ListObjectVersions."""

    prefix: str
    delimiter: str
    """Empty for none."""
    key_marker: str
    """Key or common prefix after which the page begins; empty for the beginning."""
    version_id_marker: str
    """With it, the page begins after this version of the key marker; empty for after all its versions."""
    max_keys: int
    """0 to 1,000."""
    encoding_type: str | None
    """`url` as the client spelled it, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBucketsRequest:
    """Parameters of ListBuckets."""

    prefix: str | None
    after: str
    """Name after which the page begins; empty for the beginning."""
    max_buckets: int
    """1 to 10,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPartsRequest:
    """Parameters of ListParts."""

    part_number_marker: int
    """Number after which the page begins."""
    max_parts: int
    """0 to 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUploadsRequest:
    """Parameters of ListMultipartUploads."""

    prefix: str
    delimiter: str
    """Empty for none."""
    key_marker: str
    upload_id_marker: str
    """Empty where there is no key marker, without which it means nothing."""
    max_uploads: int
    """0 to 1,000."""
    encoding_type: str | None


def parse_list_v1(query: Mapping[str, str]) -> ListV1Request:
    """Return what ListObjects is asked for.

    Raises:
        S3Error: InvalidArgument, also for a parameter that only the second version has.
    """
    max_keys = _count(query, "max-keys", MAX_LISTED)
    _refuse(
        query, "continuation-token", "continuation-token only supported in REST.GET.BUCKET with list-type=2"
    )
    _refuse(query, "start-after", "startAfter only supported in REST.GET.BUCKET with list-type=2")
    encoding_type = _encoding_type(query)
    return ListV1Request(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        marker=query.get("marker", ""),
        max_keys=_within(max_keys, MAX_LISTED, "maxKeys"),
        encoding_type=encoding_type,
    )


def parse_list_v2(query: Mapping[str, str], *, token_key: bytes, bucket: str) -> ListV2Request:
    """Return what ListObjectsV2 is asked for. `token_key` is what tokens for `bucket` were made with.

    Raises:
        S3Error: InvalidArgument, also for a token that is not ours and for the first version's marker.
    """
    max_keys = _count(query, "max-keys", MAX_LISTED)
    _refuse(query, "marker", "Marker unsupported with REST.GET.BUCKET in list-type=2")
    encoding_type = _encoding_type(query)
    token_text = query.get("continuation-token")
    start_after = after = query.get("start-after", "")
    if token_text is not None:
        after = decode_token(token_text, key=token_key, scope=bucket)
    return ListV2Request(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        start_after=start_after,
        token_text=token_text,
        after=after,
        max_keys=_within(max_keys, MAX_LISTED, "maxKeys"),
        fetch_owner=query.get("fetch-owner") == "true",
        encoding_type=encoding_type,
    )


def parse_list_versions(query: Mapping[str, str]) -> ListVersionsRequest:
    """Return what ListObjectVersions is asked for.

    Raises:
        S3Error: InvalidArgument, also for a version marker that is empty or has no key marker.
    """
    max_keys = _count(query, "max-keys", MAX_LISTED)
    encoding_type = _encoding_type(query)
    key_marker = query.get("key-marker", "")
    version_id_marker = query.get("version-id-marker")
    if version_id_marker == "":
        raise invalid_argument("A version-id marker cannot be empty.", "version-id-marker", "")
    if version_id_marker is not None and not key_marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise invalid_argument(message, "version-id-marker", version_id_marker)
    return ListVersionsRequest(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        key_marker=key_marker,
        version_id_marker=version_id_marker or "",
        max_keys=_within(max_keys, MAX_LISTED, "maxKeys"),
        encoding_type=encoding_type,
    )


def parse_list_buckets(query: Mapping[str, str], *, token_key: bytes) -> ListBucketsRequest:
    """Return what ListBuckets is asked for. `bucket-region` is left to whoever knows the region.

    `token_key` is what tokens were made with.

    Raises:
        S3Error: InvalidArgument.
    """
    max_buckets = _count(query, "max-buckets", MAX_BUCKETS_LISTED)
    if not 1 <= max_buckets <= MAX_BUCKETS_LISTED:
        raise invalid_argument(
            f"Argument max-buckets must be an integer between 1 and {MAX_BUCKETS_LISTED}",
            "max-buckets",
            str(max_buckets),
        )
    token = query.get("continuation-token")
    return ListBucketsRequest(
        prefix=query.get("prefix"),
        after=decode_token(token, key=token_key, scope="") if token else "",
        max_buckets=max_buckets,
    )


def parse_list_parts(query: Mapping[str, str]) -> ListPartsRequest:
    """Return what ListParts is asked for.

    Raises:
        S3Error: InvalidArgument.
    """
    max_parts = _count(query, "max-parts", MAX_LISTED)
    marker = _count(query, "part-number-marker", 0)
    return ListPartsRequest(
        part_number_marker=_within(marker, _MAX_INTEGER, "part-number-marker"),
        max_parts=_within(max_parts, MAX_LISTED, "max-parts"),
    )


def parse_list_uploads(query: Mapping[str, str]) -> ListUploadsRequest:
    """Return what ListMultipartUploads is asked for.

    Raises:
        S3Error: InvalidArgument.
    """
    max_uploads = _count(query, "max-uploads", MAX_LISTED)
    encoding_type = _encoding_type(query)
    key_marker = query.get("key-marker", "")
    return ListUploadsRequest(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        key_marker=key_marker,
        upload_id_marker=query.get("upload-id-marker", "") if key_marker else "",
        max_uploads=_within(max_uploads, MAX_LISTED, "max-uploads"),
        encoding_type=encoding_type,
    )


def parse_part_number(text: str) -> int:
    """Return the part number that a `partNumber` parameter says.

    Raises:
        S3Error: InvalidArgument, unless it is 1 to 10,000.
    """
    digits = text.lstrip("0")
    if not (_INTEGER.fullmatch(text) and 1 <= len(digits) <= 5 and 1 <= int(digits) <= MAX_PART_NUMBER):
        raise invalid_argument(
            f"Part number must be an integer between 1 and {MAX_PART_NUMBER}, inclusive", "partNumber", text
        )
    return int(digits)


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    # Leading zeros are cut before the length is judged: int() refuses thousands of digits with an error of
    # its own.
    digits = text.removeprefix("-").lstrip("0") or "0"
    if _INTEGER.fullmatch(text) is None or len(digits) > 10 or int(digits) > _MAX_INTEGER:
        raise invalid_argument(f"Provided {name} not an integer or within integer range", name, text)
    return -int(digits) if text.startswith("-") else int(digits)


def _within(value: int, most: int, name: str) -> int:
    if value < 0:
        message = f"Argument {name} must be an integer between 0 and {_MAX_INTEGER}"
        raise invalid_argument(message, name, str(value))
    return min(value, most)


def _refuse(query: Mapping[str, str], name: str, message: str) -> None:
    if name in query:
        raise invalid_argument(message, name)


def _encoding_type(query: Mapping[str, str]) -> str | None:
    wanted = query.get("encoding-type")
    if wanted is not None and wanted.lower() != "url":
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", wanted)
    return wanted
