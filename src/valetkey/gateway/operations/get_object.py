"""GetObject and HeadObject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.object_facts import checksum_headers, fact_headers, version_header
from valetkey.gateway.operations.part_checksums import COMPOSITE
from valetkey.gateway.operations.refusals import version_id_of
from valetkey.s3.codes import Code
from valetkey.s3.dates import http_date
from valetkey.s3.encryption import (
    ENCRYPTION_HEADERS,
    CustomerKey,
    customer_key,
    refuse_method,
    require_key_for,
)
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import OVERRIDE_NAMES, response_overrides, wire_value
from valetkey.s3.listing import parse_part_number
from valetkey.s3.preconditions import READ_CONDITIONS, Verdict, decide_read, range_applies
from valetkey.s3.ranges import Span, parse_range
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import ObjectPart, StoredObject

LOOKUPS: Final = 10
"""How often a reader looks again when the object is replaced between the look and the opening."""

CHOOSING_HEADERS: Final = (
    frozenset({"range", "if-range", "x-amz-checksum-mode"}) | READ_CONDITIONS | ENCRYPTION_HEADERS
)
_CHOOSING_PARAMETERS: Final = OVERRIDE_NAMES | {"versionId", "partNumber"}
"""What makes a read another one than that of the whole object as it is."""

_NOT_IN_304: Final = frozenset(
    {"content-type", "content-encoding", "content-language", "content-disposition"}
)


async def get_object(call: Call) -> Answer:
    """GetObject, and HeadObject, which differs in the missing body alone."""
    if CHOOSING_HEADERS.isdisjoint(call.headers) and _CHOOSING_PARAMETERS.isdisjoint(call.query):
        answer = _whole(call)
        if answer is not None:
            return answer
    version_id = version_id_of(call.query)
    overrides = response_overrides(call.query)
    if overrides and call.proof is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    key = requested_key(call.headers)
    for _ in range(LOOKUPS):
        found = call.store.find_object(call.bucket_name, call.key, version_id)
        if found.encryption is not None or key is not None:
            require_readable(call, found, key)
        try:
            return _answer(call, found, overrides, key)
        except ContentGoneError:
            continue
    raise S3Error(Code.SLOW_DOWN)


def _whole(call: Call) -> Answer | None:
    """Return a small object in all, as it was put; None for others.

    By far the commonest answer: to make it here takes a fifth of what all the rest takes, which it need not ask for.
    """
    found = call.store.find_object(call.bucket_name, call.key)
    content = found.content
    if not isinstance(content, bytes) or found.seal is not None or found.encryption is not None:
        return None
    headers = _description(found, {}, is_304=False) + fact_headers(call, found, None)
    return Answer(200, headers, b"" if call.request.method == "HEAD" else content, found.size, shown=found)


def requested_key(headers: Mapping[str, str]) -> CustomerKey | None:
    """Return the key that a read brings for the object, if it does.

    Raises:
        S3Error: it is malformed, or a header asks for what only an upload can have.
    """
    if ENCRYPTION_HEADERS.isdisjoint(headers):
        return None
    refuse_method(headers)
    return customer_key(headers)


def require_readable(call: Call, found: StoredObject, key: CustomerKey | None) -> None:
    """Return if the key, or no key, opens the object.

    Raises:
        S3Error: one is missing, or there is none to bring.
        WrongKeyError: it is another one.
    """
    require_key_for(found.encryption, key)
    call.store.require_key(found, key.key if key else None)


def _answer(call: Call, found: StoredObject, overrides: dict[str, str], key: CustomerKey | None) -> Answer:
    verdict = decide_read(call.headers, etag=found.etag, modified_ms=found.modified_ms, now_ms=call.now_ms)
    if verdict is Verdict.NOT_MODIFIED:
        headers = _description(found, {}, is_304=True)
        return Answer(304, headers + version_header(call.bucket, found.version_id))
    span, part = _wanted(call, found)
    headers = _description(found, overrides, is_304=False)
    headers += fact_headers(call, found, key)
    if part is not None and found.parts_count is not None:
        headers.append((b"x-amz-mp-parts-count", b"%d" % found.parts_count))
    if span is None:
        status, start, end = 200, 0, found.size
    else:
        # A part may be empty, and no range can name nothing.
        status, start, end = 206 if span.size else 200, span.start, span.end
        if span.size:
            headers.append((b"content-range", f"bytes {start}-{end - 1}/{found.size}".encode()))
    if call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers += _checksums(found, span, part)
    shown = found if span is None else None
    if call.request.method == "HEAD":
        return Answer(status, headers, b"", end - start, shown=shown)
    if isinstance(found.content, bytes) and found.seal is None:
        return Answer(status, headers, found.content[start:end], end - start, shown=shown)
    content = call.store.open_content(found, start, end, customer_key=key.key if key else None)
    return Answer(status, headers, content, end - start)


def _wanted(call: Call, found: StoredObject) -> tuple[Span | None, ObjectPart | None]:
    """Return the bytes that are asked for (None: all), and the part that they are if one was asked for."""
    range_header = call.headers.get("range")
    part = call.query.get("partNumber")
    if part is not None:
        if range_header is not None:
            raise S3Error(
                Code.INVALID_REQUEST, "Cannot specify both Range header and partNumber query parameter"
            )
        return _part_span(call, part, found)
    if range_header is None or not range_applies(
        call.headers, etag=found.etag, modified_ms=found.modified_ms
    ):
        return None, None
    return parse_range(range_header, found.size), None


def _part_span(call: Call, text: str, found: StoredObject) -> tuple[Span | None, ObjectPart | None]:
    number = parse_part_number(text)
    if number > (found.parts_count or 1):
        details = {"ActualPartCount": str(found.parts_count or 1), "PartNumberRequested": str(number)}
        raise S3Error(Code.INVALID_PART_NUMBER, None, details)
    if found.parts_count is None:
        return (Span(0, found.size) if found.size else None), None
    part = call.store.find_object_part(found, number)
    if part is None:
        raise S3Error(Code.INVALID_PART_NUMBER)
    return Span(part.start, part.start + part.size), part


def _checksums(found: StoredObject, span: Span | None, part: ObjectPart | None) -> list[tuple[bytes, bytes]]:
    """Return the checksum of what goes out: of the object, or of a part that has one of its own."""
    is_whole = span is None or span.size == found.size
    is_composite = found.checksum is not None and found.checksum.type == COMPOSITE
    if is_whole and (part is None or not is_composite):
        return checksum_headers(found.checksum)
    if part is None or part.checksum_value is None or found.checksum is None:
        return []
    return checksum_headers(replace(found.checksum, value=part.checksum_value))


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
        headers.append((name.encode(), wire_value(name, value)))
    for name, value in overrides.items():
        headers.append((name.encode(), value.encode("latin-1")))
    return headers
