"""GetObject and HeadObject."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.put_object import checksum_headers
from valetkey.gateway.operations.refusals import require_no_version
from valetkey.s3.codes import Code
from valetkey.s3.dates import http_date
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import response_overrides, wire_value
from valetkey.s3.listing import parse_part_number
from valetkey.s3.preconditions import Verdict, decide_read, range_applies
from valetkey.s3.ranges import Span, parse_range
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import StoredObject

_LOOKUPS: Final = 10
"""How often a reader looks again when the object is replaced between the look and the opening."""

_NOT_IN_304: Final = frozenset(
    {"content-type", "content-encoding", "content-language", "content-disposition"}
)


async def get_object(call: Call) -> Answer:
    """GetObject, and HeadObject, which differs in the missing body alone."""
    require_no_version(call.query)
    overrides = response_overrides(call.query)
    if overrides and call.proof is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    for _ in range(_LOOKUPS):
        found = call.store.find_object(call.bucket, call.key)
        try:
            return _answer(call, found, overrides)
        except ContentGoneError:
            continue
    raise S3Error(Code.SLOW_DOWN)


def _answer(call: Call, found: StoredObject, overrides: dict[str, str]) -> Answer:
    verdict = decide_read(call.headers, etag=found.etag, modified_ms=found.modified_ms)
    if verdict is Verdict.NOT_MODIFIED:
        return Answer(304, _description(found, {}, is_304=True))
    span, parts_count = _wanted(call, found)
    headers = _description(found, overrides, is_304=False)
    if parts_count is not None:
        headers.append((b"x-amz-mp-parts-count", str(parts_count).encode()))
    if span is None:
        status, start, end = 200, 0, found.size
    else:
        status, start, end = 206, span.start, span.end
        headers.append((b"content-range", f"bytes {start}-{end - 1}/{found.size}".encode()))
    if span is None and call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers += checksum_headers(found.checksum)
    if call.request.method == "HEAD":
        return Answer(status, headers, b"", end - start)
    if isinstance(found.content, bytes):
        return Answer(status, headers, found.content[start:end], end - start)
    return Answer(status, headers, call.store.open_content(found, start, end), end - start)


def _wanted(call: Call, found: StoredObject) -> tuple[Span | None, int | None]:
    """Return the part of the object that is asked for (None: all), and the number of its parts if told."""
    range_header = call.headers.get("range")
    part = call.query.get("partNumber")
    if part is not None:
        if range_header is not None:
            raise S3Error(
                Code.INVALID_REQUEST, "Cannot specify both Range header and partNumber query parameter"
            )
        return _part_span(part, found)
    if range_header is None or not range_applies(
        call.headers, etag=found.etag, modified_ms=found.modified_ms
    ):
        return None, None
    return parse_range(range_header, found.size), None


def _part_span(text: str, found: StoredObject) -> tuple[Span | None, int | None]:
    number = parse_part_number(text)
    if found.parts_count is None or isinstance(found.content, bytes):
        if number != 1:
            raise S3Error(Code.INVALID_PART_NUMBER)
        return (Span(0, found.size) if found.size else None), None
    if number > found.parts_count:
        raise S3Error(Code.INVALID_PART_NUMBER)
    start = sum(segment.size for segment in found.content[: number - 1])
    return Span(start, start + found.content[number - 1].size), found.parts_count


def _description(
    found: StoredObject, overrides: dict[str, str], *, is_304: bool
) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"etag", f'"{found.etag}"'.encode()),
        (b"last-modified", http_date(found.modified_ms).encode()),
        (b"accept-ranges", b"bytes"),
    ]
    for name, value in found.headers.items():
        if name in overrides or (is_304 and name in _NOT_IN_304):
            continue
        headers.append((name.encode(), wire_value(value)))
    for name, value in overrides.items():
        headers.append((name.encode(), value.encode("latin-1")))
    return headers
