"""The `Range` header, and that of the source of a copied part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument

# Nineteen digits hold every size there can be; what is longer is not a number to S3 either.
_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")

_COPY_RANGE: Final = re.compile(r"bytes=([0-9]{1,19})-([0-9]{1,19})")
_COPY_HEADER: Final = "x-amz-copy-source-range"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an object's bytes."""

    start: int
    """Offset of the first byte."""
    end: int
    """Offset behind the last byte."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.end - self.start


def parse_range(value: str, size: int) -> Span | None:
    """Return what a `Range` header asks of an object of `size` bytes, or None if the header is to be ignored.

    S3 ignores, and answers with the whole object, a range in another unit or form, one that ends before it
    begins, and several ranges at once. A range that runs past the end stops there.

    Raises:
        S3Error: InvalidRange, if the object has none of the bytes.

    Source: RFC 9110, section 14.1.2; Amazon S3 API Reference, "GetObject".
    """
    found = _RANGE.fullmatch(value.strip())
    if found is None:
        return None
    first, last = found[1], found[2]
    if first:
        start = int(first)
        end = int(last) + 1 if last else size
        if last and end <= start:
            return None
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= size:
        raise S3Error(Code.INVALID_RANGE, None, {"RangeRequested": value, "ActualObjectSize": str(size)})
    return Span(start, min(end, size))


def parse_copy_range(text: str, size: int) -> Span:
    """Return what an `x-amz-copy-source-range` asks of a source of `size` bytes.

    Here nothing is ignored and nothing cut: both ends must be named, and the source must have them.

    Raises:
        S3Error: InvalidArgument for another form, InvalidRequest for bytes of which the source has none,
            InvalidRange for bytes of which it has some.

    Source: Amazon S3 API Reference, "UploadPartCopy".
    """
    found = _COPY_RANGE.fullmatch(text.strip())
    if found is None or int(found[1]) > int(found[2]):
        message = (
            f"The {_COPY_HEADER} value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise invalid_argument(message, _COPY_HEADER, text)
    first, last = int(found[1]), int(found[2])
    if first >= size:
        raise S3Error(Code.INVALID_REQUEST, "The specified copy range is invalid for the source object size")
    if last >= size:
        message = f"Range specified is not valid for source object of size: {size}"
        raise S3Error(Code.INVALID_RANGE, message, {"RangeRequested": text, "ActualObjectSize": str(size)})
    return Span(first, last + 1)
