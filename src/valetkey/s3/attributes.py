"""What GetObjectAttributes is asked for.

Source: Amazon S3 API Reference, "GetObjectAttributes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_LISTED

_HEADER: Final = "x-amz-object-attributes"
_INTEGER: Final = re.compile(r"[0-9]{1,10}")


class Attribute(Enum):
    """An attribute of an object. The value is its name on the wire."""

    ETAG = "ETag"
    CHECKSUM = "Checksum"
    OBJECT_PARTS = "ObjectParts"
    STORAGE_CLASS = "StorageClass"
    OBJECT_SIZE = "ObjectSize"


_NAMED: Final = {attribute.value: attribute for attribute in Attribute}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesRequest:
    """Parameters of GetObjectAttributes."""

    attributes: frozenset[Attribute]
    """At least one."""
    max_parts: int
    """0 to 1,000."""
    part_number_marker: int
    """Number after which the parts begin."""


def parse_attributes(headers: Mapping[str, str]) -> AttributesRequest:
    """Return what GetObjectAttributes is asked for. Names are in lower case.

    What is no number in the other two headers is ignored, as Amazon does.

    Raises:
        S3Error: InvalidRequest, where no attribute is named; InvalidArgument, for one that there is not.
    """
    names = [name for name in (part.strip() for part in headers.get(_HEADER, "").split(",")) if name]
    if not names:
        raise S3Error(
            Code.INVALID_REQUEST,
            f"The {_HEADER} header specifying the attributes to be retrieved is either missing or empty",
        )
    for name in names:
        if name not in _NAMED:
            raise invalid_argument("Invalid attribute name specified.", _HEADER, name)
    return AttributesRequest(
        attributes=frozenset(_NAMED[name] for name in names),
        max_parts=min(_number(headers, "x-amz-max-parts", MAX_LISTED), MAX_LISTED),
        part_number_marker=_number(headers, "x-amz-part-number-marker", 0),
    )


def _number(headers: Mapping[str, str], name: str, default: int) -> int:
    text = headers.get(name, "").strip()
    return int(text) if _INTEGER.fullmatch(text) else default
