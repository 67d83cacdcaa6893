"""Answers of IAM and STS as XML. The only place that knows their markup.

Source: the service models of IAM (2010-05-08) and STS (2011-06-15): members are elements of their own name, lists
hold `member`, maps hold `entry` with `key` and `value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from valetkey.s3.xml.text import escaped

Value: TypeAlias = "str | int | bool | Entries | Fields | Sequence[Value] | None"
Fields: TypeAlias = Mapping[str, Value]
"""Names of elements with what they hold; None leaves one out."""

CONTENT_TYPE: Final = b"text/xml"


@dataclass(frozen=True, slots=True)
class Entries:
    """A map whose keys are no names of elements."""

    values: Mapping[str, int]


def render_result(namespace: str, action: str, result: Fields | None, *, request_id: str) -> bytes:
    """Return the answer of an action. None: the action has no result."""
    inner = "" if result is None else _element(f"{action}Result", result)
    metadata = _element("ResponseMetadata", {"RequestId": request_id})
    name = f"{action}Response"
    return f'<{name} xmlns="{escaped(namespace)}">{inner}{metadata}</{name}>'.encode()


def render_error(namespace: str, *, code: str, message: str, is_ours: bool, request_id: str) -> bytes:
    """Return the answer that tells of an error; `is_ours`: the server is to blame, not the sender."""
    error: Fields = {"Type": "Receiver" if is_ours else "Sender", "Code": code, "Message": message}
    inner = _element("Error", error) + _element("RequestId", request_id)
    return f'<ErrorResponse xmlns="{escaped(namespace)}">{inner}</ErrorResponse>'.encode()


def _element(name: str, value: Value) -> str:
    return "" if value is None else f"<{name}>{_content(value)}</{name}>"


def _content(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return escaped(value)
        case int():
            return str(value)
        case Entries():
            return "".join(
                _element("entry", {"key": name, "value": number}) for name, number in value.values.items()
            )
        case Mapping():
            return "".join(_element(name, inner) for name, inner in value.items())
        case _:
            return "".join(_element("member", inner) for inner in value)
