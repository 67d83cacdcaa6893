"""The `Range` header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

# Nineteen digits hold every size there can be; what is longer is not a number to S3 either.
_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


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
