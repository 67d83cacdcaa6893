"""A grant as issuers write it: an object of JSON, read strictly. Whatever is unknown or out of bounds is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, Final

from valetkey.links.errors import InvalidGrantError
from valetkey.links.model import DAY_MS, MAX_LIFETIME_MS, Grant, Verb
from valetkey.s3.disposition import is_filename

DEFAULT_LIFETIME_S: Final = 7 * 86_400
"""How long a link holds where nothing is said: as long as the longest ordinary presigned URL."""

MAX_KEY_BYTES: Final = 1024
MAX_TEXT: Final = 1024
MAX_ITEMS: Final = 64
MAX_COUNT: Final = 2**53

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/(?:[A-Za-z0-9!#$&^_.+-]{1,127}|\*)")
_HEADER: Final = re.compile(r"[\x20-\x7e]{0,1024}")

Values = Mapping[str, Any]


def parse_grant(values: Values, *, now_ms: int) -> Grant:
    """Return the grant that `values` state; what they leave out has no limit, and an end in seven days.

    Raises:
        InvalidGrantError: a member is unknown, missing, of the wrong type or out of bounds.
    """
    _require_known(values, _MEMBERS)
    verbs = _verbs(values)
    is_prefix = "prefix" in values
    if is_prefix == ("key" in values):
        raise InvalidGrantError("key", "a link has either a key or a prefix")
    if Verb.LIST in verbs and not is_prefix:
        raise InvalidGrantError("operations", "LIST takes a prefix")
    key = _key(values, "prefix" if is_prefix else "key", may_be_empty=is_prefix)
    start = Grant(
        verbs=verbs,
        bucket=_matching(values, "bucket", _BUCKET, "the name of a bucket"),
        key=key,
        is_prefix=is_prefix,
        ends_ms=_end(values, now_ms) or now_ms + DEFAULT_LIFETIME_S * 1000,
    )
    return _bounded(_with_limits(start, values), now_ms=now_ms)


def alter_grant(grant: Grant, values: Values, *, now_ms: int) -> Grant:
    """Return a grant with what `values` state put in the place of what it stated; null takes a limit away.

    Raises:
        InvalidGrantError: as above. What a link is for and its key stay.
    """
    _require_known(values, _ALTERABLE)
    cleared = {
        _FIELDS[name]: _DEFAULTS[name] for name, value in values.items() if value is None and name in _FIELDS
    }
    stated = {name: value for name, value in values.items() if value is not None}
    end = _end(stated, now_ms)
    if end is not None:
        cleared["ends_ms"] = end
    return _bounded(_with_limits(replace(grant, **cleared), stated), now_ms=now_ms)


def _with_limits(grant: Grant, values: Values) -> Grant:
    read = {field: _READERS[name](values, name) for name, field in _FIELDS.items() if name in values}
    return replace(grant, **read)


def _bounded(grant: Grant, *, now_ms: int) -> Grant:
    """Return a grant whose members fit together.

    Raises:
        InvalidGrantError
    """
    if grant.ends_ms > now_ms + MAX_LIFETIME_MS:
        raise InvalidGrantError("ends", f"a link holds for {MAX_LIFETIME_MS // DAY_MS} days at the most")
    if grant.starts_ms is not None and grant.starts_ms >= grant.ends_ms:
        raise InvalidGrantError("starts", "a link begins before it ends")
    if grant.most_size is not None and grant.least_size > grant.most_size:
        raise InvalidGrantError("min_size", "the smallest size is above the largest")
    return grant


def _require_known(values: Values, known: frozenset[str]) -> None:
    for name in values:
        if name not in known:
            raise InvalidGrantError(
                name, f"is no member that can be stated here; those are {', '.join(sorted(known))}"
            )


def _verbs(values: Values) -> tuple[Verb, ...]:
    given = values.get("operations")
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list) or not given:
        raise InvalidGrantError("operations", f"must name some of {', '.join(verb.value for verb in Verb)}")
    try:
        verbs = tuple(dict.fromkeys(Verb(each) for each in given))
    except ValueError as error:
        raise InvalidGrantError(
            "operations", f"must be of {', '.join(verb.value for verb in Verb)}"
        ) from error
    return verbs


def _end(values: Values, now_ms: int) -> int | None:
    if "expires_in" in values and "ends" in values:
        raise InvalidGrantError("ends", "give expires_in or ends, not both")
    if "ends" in values:
        return parse_instant(values, "ends")
    if "expires_in" in values:
        return now_ms + 1000 * _count(values, "expires_in", least=1)
    return None


def _key(values: Values, name: str, *, may_be_empty: bool) -> str:
    key = _text(values, name)
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES or "\0" in key:
        raise InvalidGrantError(name, f"has at most {MAX_KEY_BYTES} bytes")
    if not key and not may_be_empty:
        raise InvalidGrantError(name, "must not be empty")
    return key


def _text(values: Values, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise InvalidGrantError(name, "must be a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidGrantError(name, "holds half of a surrogate pair") from error
    return value


def _short_text(values: Values, name: str) -> str:
    text = _text(values, name)
    if len(text) > MAX_TEXT:
        raise InvalidGrantError(name, f"has at most {MAX_TEXT} characters")
    return text


def _bound_to(values: Values, name: str) -> str:
    """Return a version or an ETag, which headers put in quotes. An empty one would bind to nothing."""
    text = _short_text(values, name).removeprefix('"').removesuffix('"')
    if not text:
        raise InvalidGrantError(name, "must not be empty")
    return text


def _filename(values: Values, name: str) -> str:
    text = _short_text(values, name)
    if not is_filename(text):
        raise InvalidGrantError(name, "must be a file's name, without folders and control characters")
    return text


def _matching(values: Values, name: str, pattern: re.Pattern[str], what: str) -> str:
    text = _text(values, name)
    if pattern.fullmatch(text) is None:
        raise InvalidGrantError(name, f"must be {what}")
    return text


def _header(values: Values, name: str) -> str:
    return _matching(values, name, _HEADER, "a header's value of printable ASCII")


def _count(values: Values, name: str, *, least: int = 0) -> int:
    value = values[name]
    # The type itself, since Python counts True as a number.
    if type(value) is not int or not least <= value <= MAX_COUNT:
        raise InvalidGrantError(name, f"must be a whole number from {least}")
    return value


def _positive(values: Values, name: str) -> int:
    return _count(values, name, least=1)


def _flag(values: Values, name: str) -> bool:
    value = values[name]
    if not isinstance(value, bool):
        raise InvalidGrantError(name, "must be true or false")
    return value


def parse_instant(values: Values, name: str) -> int:
    """Return the instant that a member names, in milliseconds since the epoch.

    Raises:
        InvalidGrantError
    """
    text = _text(values, name)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidGrantError(name, "must be an instant such as 2026-12-24T18:00:00Z") from error
    if at.tzinfo is None:
        raise InvalidGrantError(name, "must say its time zone, such as Z")
    try:
        return round(at.astimezone(UTC).timestamp() * 1000)
    except (OverflowError, ValueError) as error:
        raise InvalidGrantError(name, "lies outside of the calendar") from error


def _list(values: Values, name: str) -> list[str]:
    given = values[name]
    if (
        not isinstance(given, list)
        or len(given) > MAX_ITEMS
        or not all(isinstance(each, str) for each in given)
    ):
        raise InvalidGrantError(name, f"must be a list of at most {MAX_ITEMS} texts")
    return given


def _media_types(values: Values, name: str) -> tuple[str, ...]:
    given = _list(values, name)
    if not all(_MEDIA_TYPE.fullmatch(each) for each in given):
        raise InvalidGrantError(name, "must hold types such as image/png or image/*")
    return tuple(given)


def _addresses(values: Values, name: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(each)) for each in _list(values, name))
    except ValueError as error:
        raise InvalidGrantError(name, f"must hold networks such as 10.0.0.0/8: {error}") from error


def _tags(values: Values, name: str) -> dict[str, str]:
    given = values[name]
    if not isinstance(given, dict) or len(given) > MAX_ITEMS:
        raise InvalidGrantError(name, f"must be an object of at most {MAX_ITEMS} texts")
    return {key: _short_text(given, key) for key in given if _short_text({name: key}, name) is not None}


_READERS: Final[Mapping[str, Callable[[Values, str], Any]]] = {
    "version": _bound_to,
    "etag": _bound_to,
    "starts": parse_instant,
    "max_uses": _positive,
    "max_bytes": _positive,
    "max_objects": _positive,
    "min_size": _count,
    "max_size": _count,
    "content_types": _media_types,
    "create_only": _flag,
    "addresses": _addresses,
    "filename": _filename,
    "content_type": _header,
    "cache_control": _header,
    "label": _short_text,
    "webhook": _short_text,
    "tags": _tags,
}
_FIELDS: Final[Mapping[str, str]] = {
    **{name: name for name in _READERS},
    "version": "version_id",
    "starts": "starts_ms",
    "min_size": "least_size",
    "max_size": "most_size",
}
"""The field of a grant that each member states."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_READERS),
    "min_size": 0,
    "content_types": (),
    "create_only": False,
    "addresses": (),
    "label": "",
    "tags": {},
}
_MEMBERS: Final = frozenset({"operations", "bucket", "key", "prefix", "expires_in", "ends", *_READERS})
_ALTERABLE: Final = frozenset({"expires_in", "ends", *_READERS})
