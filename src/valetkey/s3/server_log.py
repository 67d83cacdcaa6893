"""A line of the server access log.

Source: Amazon S3 User Guide, "Amazon S3 server access log format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from valetkey.s3.operations import OPERATIONS, RESOURCE_TYPES, Level, Operation

_NONE: Final = "-"

# What could end a field, or the line: spaces, quotation marks, brackets, backslashes, controls, and all that is not ASCII.
_UNSAFE: Final = re.compile(r"[^!#-Z^-~]")
_UNQUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")
_KEY_UNSAFE: Final = re.compile(r"[^A-Za-z0-9\-._~/!*'()]")

_VERBS: Final[Mapping[str, str]] = {
    "CopyObject": "COPY.OBJECT",
    "UploadPartCopy": "COPY.PART",
    "UploadPart": "PUT.PART",
    "CreateMultipartUpload": "POST.UPLOADS",
    "PostObject": "POST.OBJECT",
}
"""Where it is not the method and the resource type."""

_OPERATIONS: Final[Mapping[str, Operation]] = {row.name: row for row in OPERATIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a line tells of one request. None, and empty texts: unknown, or there is none."""

    bucket_owner: str | None
    bucket: str | None
    at: datetime
    remote: str
    requester: str | None
    """A canonical user id, or a user's or role's ARN."""
    request_id: str
    method: str
    operation: str | None
    """S3's name of it, such as `GetObject`."""
    key: str | None
    uri: str
    """The request's target, without what is secret in it."""
    status: int
    error: str | None
    sent_bytes: int
    object_bytes: int | None
    total_ms: int
    turn_around_ms: int | None
    referrer: str
    agent: str
    version_id: str | None
    host_id: str
    signature_version: str | None
    auth_type: str | None
    host: str
    region: str


def to_line(record: Record) -> str:
    """Return the line, with its end. Whatever a client sent, it is one line, and its fields are the 27 of Amazon."""
    at = f"[{record.at:%d}/{_MONTHS[record.at.month - 1]}/{record.at:%Y:%H:%M:%S} +0000]"
    return (
        f"{_field(record.bucket_owner)} {_field(record.bucket)} {at} {_field(record.remote)} "
        f"{_field(record.requester)} {_field(record.request_id)} {_operation(record)} "
        f"{_encoded(_KEY_UNSAFE, record.key)} {_quoted(f'{record.method} {record.uri} HTTP/1.1')} "
        f"{record.status or _NONE} {_field(record.error)} {record.sent_bytes or _NONE} "
        f"{_number(record.object_bytes)} {record.total_ms} {_number(record.turn_around_ms)} "
        f"{_quoted(record.referrer)} {_quoted(record.agent)} {_field(record.version_id)} {_field(record.host_id)} "
        f"{_field(record.signature_version)} - {_field(record.auth_type)} {_field(record.host)} - - - "
        f"{_field(record.region)}\n"
    )


# Not by the locale of whoever runs the server.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _operation(record: Record) -> str:
    if record.operation is not None:
        return operation_field(record.method, record.operation)
    # It was refused before anybody asked what it wants.
    level = Level.OBJECT if record.key else Level.BUCKET if record.bucket else Level.SERVICE
    return f"REST.{_field(record.method)}.{level.value}"


def operation_field(method: str, operation: str) -> str:
    """Return `REST.METHOD.RESOURCE`, which is how the log names an operation."""
    row = _OPERATIONS.get(operation)
    if row is None:
        return f"REST.{_field(method)}.{_NONE}"
    special = _VERBS.get(row.name)
    if special is not None:
        return f"REST.{special}"
    subresource = row.subresource
    resource = row.level.value
    if subresource is not None:
        resource = RESOURCE_TYPES.get((row.level, subresource), subresource.upper())
    return f"REST.{row.method}.{resource}"


def _field(text: str | None) -> str:
    return _encoded(_UNSAFE, text)


def _encoded(unsafe: re.Pattern[str], text: str | None) -> str:
    if not text:
        return _NONE
    return unsafe.sub(_percent, text)


def _quoted(text: str) -> str:
    return f'"{_UNQUOTABLE.sub(_percent, text) or _NONE}"'


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _number(number: int | None) -> str:
    return _NONE if number is None else str(number)
