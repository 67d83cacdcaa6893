"""What the listings are asked for: their parameters, and the opaque token that continues ListObjectsV2."""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_BUCKETS_LISTED, MAX_LISTED, MAX_PART_NUMBER

_MAX_INTEGER: Final = 2**31 - 1
_INTEGER: Final = re.compile(r"-?[0-9]+")

_CHECK_BYTES: Final = 4
"""A token ends in a CRC of what it says, so that a damaged one is refused, not followed to a wrong place."""


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
    """The continuation token as it came; it has been found readable."""
    max_keys: int
    """0 to 1,000."""
    fetch_owner: bool
    encoding_type: str | None

    @property
    def after(self) -> str:
        """Key or common prefix after which this page begins; empty for the beginning."""
        return self.start_after if self.token_text is None else decode_token(self.token_text)


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


def encode_token(text: str) -> str:
    """Return a continuation token for the page after `text`."""
    raw = text.encode("utf-8")
    check = zlib.crc32(raw).to_bytes(_CHECK_BYTES, "big")
    return urlsafe_b64encode(raw + check).decode("ascii")


def decode_token(token: str) -> str:
    """Return the text that `encode_token` made `token` of.

    Raises:
        S3Error: InvalidArgument, for a token that is none of ours.
    """
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
        text = raw[:-_CHECK_BYTES].decode("utf-8")
    except ValueError as error:
        raise _incorrect_token() from error
    # Encoding it again leaves each place one token, whatever the decoder let pass.
    if encode_token(text) != token:
        raise _incorrect_token()
    return text


def _incorrect_token() -> S3Error:
    return invalid_argument("The continuation token provided is incorrect", "continuation-token")


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


def parse_list_v2(query: Mapping[str, str]) -> ListV2Request:
    """Return what ListObjectsV2 is asked for.

    Raises:
        S3Error: InvalidArgument, also for a token that cannot be read and for the first version's marker.
    """
    max_keys = _count(query, "max-keys", MAX_LISTED)
    _refuse(query, "marker", "Marker unsupported with REST.GET.BUCKET in list-type=2")
    encoding_type = _encoding_type(query)
    token_text = query.get("continuation-token")
    if token_text is not None:
        decode_token(token_text)
    return ListV2Request(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        start_after=query.get("start-after", ""),
        token_text=token_text,
        max_keys=_within(max_keys, MAX_LISTED, "maxKeys"),
        fetch_owner=query.get("fetch-owner") == "true",
        encoding_type=encoding_type,
    )


def parse_list_buckets(query: Mapping[str, str]) -> ListBucketsRequest:
    """Return what ListBuckets is asked for. `bucket-region` is left to whoever knows the region.

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
        after=decode_token(token) if token else "",
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
