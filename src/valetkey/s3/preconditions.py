"""Conditional requests: which of several conditions count, and what follows when one does not hold.

Header mappings have lower-case names. Instants are compared by the second, which is all that HTTP dates hold;
a date that cannot be read is no condition, nor is `If-Modified-Since` with one that is yet to come.

Source: Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests"; RFC 9110,
section 13.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.dates import parse_http_date
from valetkey.s3.errors import S3Error, header_not_implemented, invalid_argument
from valetkey.s3.etag import is_listed, unquoted
from valetkey.s3.instants import parse_instant

_SOURCE: Final = "x-amz-copy-source-"

_DELETE_TIME: Final = "x-amz-if-match-last-modified-time"
_DELETE_SIZE: Final = "x-amz-if-match-size"

# Nineteen digits hold every size there can be.
_SIZE: Final = re.compile(r"[0-9]{1,19}")

READ_CONDITIONS: Final = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})


class Verdict(Enum):
    """What a conditional read comes to when it is not refused."""

    PROCEED = "proceed"
    NOT_MODIFIED = "not modified"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCondition:
    """What must hold for a write or a deletion to happen."""

    create_only: bool
    """Nothing may be there yet."""
    etag: str | None
    """Unquoted tag of what must be there; `*`: whatever it is, it must be there."""
    other_than: str | None = None
    """Unquoted tag of what must not be there."""
    modified_ms: int | None = None
    """On a deletion only: when what is there was last modified. It counts by the second."""
    size: int | None = None
    """On a deletion only: the bytes of what is there."""


def decide_read(headers: Mapping[str, str], *, etag: str, modified_ms: int, now_ms: int) -> Verdict:
    """Return whether a GET or HEAD is to be answered with the object or with 304.

    `If-Match` silences `If-Unmodified-Since`, and `If-None-Match` silences `If-Modified-Since`.

    Raises:
        S3Error: PreconditionFailed, naming the condition.
    """
    if READ_CONDITIONS.isdisjoint(headers):
        return Verdict.PROCEED
    failed = _failed_precondition(headers, "", etag, modified_ms)
    if failed is not None:
        raise _precondition_failed(failed)
    if _is_unchanged(headers, "", etag, modified_ms, now_ms):
        return Verdict.NOT_MODIFIED
    return Verdict.PROCEED


def decide_copy_source(headers: Mapping[str, str], *, etag: str, modified_ms: int, now_ms: int) -> None:
    """Return if the `x-amz-copy-source-if-…` conditions hold for the source of a copy.

    The same order of precedence as for reads; but there is no 304, so an unchanged source is a failure.

    Raises:
        S3Error: PreconditionFailed, naming the condition.
    """
    failed = _failed_precondition(headers, _SOURCE, etag, modified_ms)
    if failed is not None:
        raise _precondition_failed(_SOURCE + failed)
    if _is_unchanged(headers, _SOURCE, etag, modified_ms, now_ms):
        name = "If-None-Match" if f"{_SOURCE}if-none-match" in headers else "If-Modified-Since"
        raise _precondition_failed(_SOURCE + name)


def range_applies(headers: Mapping[str, str], *, etag: str, modified_ms: int) -> bool:
    """Return whether `If-Range` (absent, or naming what is stored) lets `Range` count; if not, all is sent.

    Source: RFC 9110, section 13.1.5: a tag is compared strongly, a date must be the same to the second.
    """
    condition = headers.get("if-range")
    if condition is None:
        return True
    instant = parse_http_date(condition)
    if instant is not None:
        return instant // 1000 == modified_ms // 1000
    return is_listed(etag, condition, weak=False)


def parse_write(headers: Mapping[str, str], *, is_strict: bool) -> WriteCondition | None:
    """Return the condition on a write, or None where there is none.

    `is_strict` refuses what Amazon refuses although it has a meaning: any `If-None-Match` but `*`, and
    `If-Match: *`. Source of the meaning: RFC 9110, sections 13.1.1 and 13.1.2.

    Raises:
        S3Error: NotImplemented, also for both headers at once.
    """
    create, match = headers.get("if-none-match"), headers.get("if-match")
    if create is None and match is None:
        return None
    if create is not None and match is not None:
        raise header_not_implemented(
            "If-Match,If-None-Match", "Multiple conditional request headers present in the request"
        )
    if create is not None:
        tag = unquoted(create)
        if tag == "*":
            return WriteCondition(create_only=True, etag=None)
        # A list, a weak tag or nothing at all: to write against what it may mean would lose what is there.
        if is_strict or not tag or "," in tag or tag.startswith("W/"):
            raise _unaccepted("If-None-Match")
        return WriteCondition(create_only=False, etag=None, other_than=tag)
    assert match is not None  # one of the two is there
    if unquoted(match) == "*" and is_strict:
        raise _unaccepted("If-Match")
    return WriteCondition(create_only=False, etag=unquoted(match))


def parse_delete_condition(headers: Mapping[str, str]) -> WriteCondition | None:
    """Return the condition on a DeleteObject, or None where there is none. Here `If-Match: *` has a meaning.

    Amazon knows the conditions on time and size for directory buckets only; here they hold everywhere.

    Raises:
        S3Error: NotImplemented, for `If-None-Match`; InvalidArgument, for a time or a size that cannot be read.
    """
    if "if-none-match" in headers:
        raise header_not_implemented("if-none-match")
    if headers.keys().isdisjoint(("if-match", _DELETE_TIME, _DELETE_SIZE)):
        return None
    match = headers.get("if-match")
    return WriteCondition(
        create_only=False,
        etag=None if match is None else unquoted(match),
        modified_ms=_required(headers, _DELETE_TIME, parse_date),
        size=_required(headers, _DELETE_SIZE, parse_size),
    )


def _required(headers: Mapping[str, str], name: str, parse: Callable[[str], int | None]) -> int | None:
    # A condition that cannot be read is refused, never passed over: what is there would be deleted against it.
    text = headers.get(name)
    if text is None:
        return None
    value = parse(text)
    if value is None:
        raise invalid_argument(Code.INVALID_ARGUMENT.message, name, text)
    return value


def parse_date(text: str) -> int | None:
    """Return the instant that a condition on a deletion names, as HTTP or ISO 8601 has it, or None if none."""
    instant = parse_http_date(text)
    return parse_instant(text) if instant is None else instant


def parse_size(text: str) -> int | None:
    """Return the bytes that a condition on a deletion names, or None if it names no number."""
    digits = text.strip()
    return int(digits) if _SIZE.fullmatch(digits) else None


def _failed_precondition(headers: Mapping[str, str], prefix: str, etag: str, modified_ms: int) -> str | None:
    match = headers.get(f"{prefix}if-match")
    if match is not None:
        return None if is_listed(etag, match, weak=False) else "If-Match"
    limit = _instant(headers, f"{prefix}if-unmodified-since")
    if limit is not None and modified_ms // 1000 > limit // 1000:
        return "If-Unmodified-Since"
    return None


def _is_unchanged(headers: Mapping[str, str], prefix: str, etag: str, modified_ms: int, now_ms: int) -> bool:
    none_match = headers.get(f"{prefix}if-none-match")
    if none_match is not None:
        return is_listed(etag, none_match, weak=True)
    limit = _instant(headers, f"{prefix}if-modified-since")
    return limit is not None and modified_ms // 1000 <= limit // 1000 <= now_ms // 1000


def _instant(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    return None if text is None else parse_http_date(text)


def _precondition_failed(condition: str) -> S3Error:
    return S3Error(Code.PRECONDITION_FAILED, None, {"Condition": condition})


def _unaccepted(header: str) -> S3Error:
    return header_not_implemented(
        header, f"We don't accept the provided value of {header} header for this API"
    )
