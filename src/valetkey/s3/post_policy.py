"""The policy of a browser form: read, and held against what the form brings.

Source: Amazon S3 API Reference, "Creating a POST Policy", and what S3 was seen to answer.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.instants import parse_instant

_NEVER_COVERED: Final = frozenset({"x-amz-signature", "signature", "awsaccesskeyid", "file", "policy"})
_IGNORED_PREFIX: Final = "x-ignore-"


class Comparison(Enum):
    """What a condition asks of a field. The value is the operator, in lower case."""

    EQUAL = "eq"
    STARTS_WITH = "starts-with"


_EQUAL: Final = Comparison.EQUAL
_EQ: Final = _EQUAL.value
_COMPARISONS: Final = {each.value: each for each in Comparison}


class Condition(NamedTuple):
    """One condition on a field."""

    comparison: Comparison
    name: str | None
    """The field's name in lower case; None where the `$` is missing, so that nothing can fulfil it."""
    value: str
    operator: str
    field: str
    """This and the operator as the policy spells them; the field with the `$` that it must begin with."""

    def __str__(self) -> str:
        return f'["{self.operator}", "{self.field}", "{self.value}"]'


class SizeRange(NamedTuple):
    """How many bytes the file may have, both ends included."""

    least: int
    most: int


class PostPolicy(NamedTuple):
    """What a form may upload, and until when."""

    expires_at_ms: int
    conditions: tuple[Condition, ...]
    size: SizeRange | None
    """The tightest of all that it gives; None where it gives none."""
    covered: frozenset[str | None]
    """The fields that a form may bring: those of the conditions, and those that need none."""


def parse_post_policy(text: str) -> PostPolicy:
    """Return the policy that the field `policy` holds, base64 of JSON.

    The last few are remembered: a page sends many files with one policy.

    Raises:
        S3Error: InvalidPolicyDocument, saying what is wrong; AccessDenied, for a size that is no number.
    """
    return _known_policy(text) if len(text) <= _MOST_KNOWN_LENGTH else _parse_policy(text)


def _parse_policy(text: str) -> PostPolicy:
    document = _document(text)
    for name in document:
        if name not in ("expiration", "conditions"):
            _refuse(f"Unexpected: '{name}'")
    if "expiration" not in document:
        _refuse("Policy missing expiration.")
    expires_at_ms = _expiration(document["expiration"])
    if "conditions" not in document:
        _refuse("Policy missing conditions.")
    found = document["conditions"]
    if not isinstance(found, list) or isinstance(found, _Pairs):
        _refuse("Invalid 'conditions' value: must be a List.")
    conditions: list[Condition] = []
    size: SizeRange | None = None
    for each in found:
        condition = _condition(each)
        if isinstance(condition, Condition):
            conditions.append(condition)
        else:
            size = _tighter(size, condition)
    return PostPolicy(
        expires_at_ms=expires_at_ms,
        conditions=tuple(conditions),
        size=size,
        covered=_NEVER_COVERED.union([condition.name for condition in conditions]),
    )


_MOST_KNOWN_LENGTH: Final = 2048
"""So that all that are remembered take 1 MiB at most, by measure: a policy of this length has up to 185 conditions."""

_known_policy: Final = lru_cache(maxsize=16)(_parse_policy)


def _refuse(message: str) -> NoReturn:
    raise S3Error(Code.INVALID_POLICY_DOCUMENT, f"Invalid Policy: {message}")


class _Pairs(list[tuple[str, object]]):
    """A JSON object with all its members, also those that come twice."""


def _refuse_number(_text: str) -> NoReturn:
    raise ValueError


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_float=_refuse_number, parse_constant=_refuse_number
)


def _document(text: str) -> dict[str, object]:
    try:
        raw = b64decode("".join(text.split()), validate=True)
    except ValueError:
        _refuse("invalid Base64 encoding.")
    if not raw.strip():
        _refuse("Expecting '{' but found End-of-Input")
    try:
        found = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        _refuse("Invalid JSON.")
    if not isinstance(found, _Pairs):
        _refuse("Invalid JSON.")
    document = dict(found)
    if len(document) != len(found):
        _refuse("Invalid JSON.")
    return document


def _expiration(value: object) -> int:
    # No offset and nothing but a `T` in the middle: S3 takes the one form alone.
    if isinstance(value, str) and value.endswith("Z") and value == value.strip():
        at_ms = parse_instant(value)
        if at_ms is not None:
            return at_ms
    _refuse(f"Invalid 'expiration' value: '{value if isinstance(value, str) else json.dumps(value)}'")


def _condition(found: object) -> Condition | SizeRange:
    if isinstance(found, _Pairs):
        return _simple_condition(found)
    if not isinstance(found, list):
        _refuse("Invalid condition test: must be a List or Object.")
    if not found or not isinstance(found[0], str):
        _refuse("Invalid Condition: missing operation identifier.")
    operator, *arguments = found
    kind = operator.lower()
    if kind == "content-length-range":
        return _size_range(operator, arguments)
    comparison = _COMPARISONS.get(kind)
    if comparison is None:
        _refuse(f"Invalid Condition: unknown operation '{operator}'.")
    if len(arguments) != 2:
        _refuse(f"Invalid {kind}: wrong number of arguments.")
    field, value = arguments
    if not isinstance(field, str) or not isinstance(value, str):
        _refuse(f"Invalid {kind}: value must be a string.")
    name = field[1:].lower() if field.startswith("$") else None
    return Condition(comparison, name, value, operator, field)


def _simple_condition(pairs: _Pairs) -> Condition:
    if len(pairs) != 1:
        _refuse("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    name, value = pairs[0]
    if not isinstance(value, str):
        _refuse("Invalid Simple-Condition: value must be a string.")
    return Condition(_EQUAL, name.lower(), value, _EQ, f"${name}")


def _size_range(operator: str, arguments: Sequence[object]) -> SizeRange:
    if len(arguments) != 2:
        _refuse("Invalid content-length-range: wrong number of arguments.")
    least, most = _size(arguments[0]), _size(arguments[1])
    if least is None or most is None:
        raise _failed(json.dumps([operator, *arguments]))
    if least < 0 or most < 0:
        _refuse("Invalid content-length-range: sizes must not be negative.")
    return SizeRange(least=least, most=most)


def _size(found: object) -> int | None:
    if isinstance(found, str):
        text = found.removeprefix("-")
        return int(found) if text.isascii() and text.isdigit() and len(text) <= 18 else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _tighter(one: SizeRange | None, other: SizeRange) -> SizeRange:
    if one is None:
        return other
    return SizeRange(least=max(one.least, other.least), most=min(one.most, other.most))


def require_fulfilled(
    policy: PostPolicy, fields: Mapping[str, str], *, names: Mapping[str, str], bucket: str, now_ms: int
) -> None:
    """Return if a form with these fields is what its policy allows at `now_ms`.

    `fields` are by lower-case name, with the file's name put in; `names` says how the form spells them. `bucket` is
    where the form was sent, whatever it says itself. The size of the file is not looked at.

    Raises:
        S3Error: AccessDenied, saying which condition fails, or which field no condition covers.
    """
    if now_ms >= policy.expires_at_ms:
        raise S3Error(Code.ACCESS_DENIED, "Invalid according to Policy: Policy expired.")
    known = {**fields, "bucket": bucket}
    for condition in policy.conditions:
        if not _is_fulfilled(condition, known):
            raise _failed(str(condition))
    if fields.get("bucket", bucket) != bucket:
        raise _failed(f'["eq", "$bucket", "{bucket}"]')
    _require_covered(policy, known, names)


def _require_covered(policy: PostPolicy, known: Mapping[str, str], names: Mapping[str, str]) -> None:
    extra = [
        names.get(name, name)
        for name in known
        if name not in policy.covered and not name.startswith(_IGNORED_PREFIX)
    ]
    if extra:
        message = f"Invalid according to Policy: Extra input fields: {', '.join(extra)}"
        raise S3Error(Code.ACCESS_DENIED, message)


def _failed(condition: str) -> S3Error:
    message = f"Invalid according to Policy: Policy Condition failed: {condition}"
    return S3Error(Code.ACCESS_DENIED, message)


def _is_fulfilled(condition: Condition, known: Mapping[str, str]) -> bool:
    # A field that is not there begins with nothing, not even with "".
    value = None if condition.name is None else known.get(condition.name)
    if value is None:
        return False
    if condition.comparison is _EQUAL:
        return value == condition.value
    if condition.name == "content-type":
        return all(each.strip().startswith(condition.value) for each in value.split(","))
    return value.startswith(condition.value)
