"""Whether a value is what the OpenAPI document says: as much of JSON Schema as the document makes use of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_KNOWN: Final = frozenset(
    {
        "$ref", "additionalProperties", "anyOf", "description", "enum", "format", "items", "maxItems", "maxLength",
        "minItems", "minLength", "minimum", "pattern", "properties", "required", "type",
    }
)  # fmt: skip


def require_described(value: Any, schema: Any, document: Any) -> None:
    """Return if `value` is as `schema`, a part of `document`, says.

    Raises:
        AssertionError: it is not, or the schema says what is not understood here.
    """
    assert schema.keys() <= _KNOWN, schema
    if "$ref" in schema:
        head, _, name = schema["$ref"].rpartition("/")
        assert head == "#/components/schemas"
        require_described(value, document["components"]["schemas"][name], document)
        return
    if "anyOf" in schema:
        assert any(_is_described(value, each, document) for each in schema["anyOf"]), (value, schema)
        return
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(type(value) in _TYPES[each] for each in types), (value, schema)
    assert "enum" not in schema or value in schema["enum"], (value, schema)
    if isinstance(value, str):
        _require_text(value, schema)
    elif isinstance(value, list):
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        for each in value:
            require_described(each, schema["items"], document)
    elif isinstance(value, dict):
        _require_object(value, schema, document)


def _is_described(value: Any, schema: Any, document: Any) -> bool:
    try:
        require_described(value, schema, document)
    except AssertionError:
        return False
    return True


def _require_text(value: str, schema: Any) -> None:
    assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)), (value, schema)
    assert re.search(schema.get("pattern", ""), value), (value, schema)
    if schema.get("format") == "date-time":
        assert datetime.fromisoformat(value).tzinfo is not None, value


def _require_object(value: dict[str, Any], schema: Any, document: Any) -> None:
    members = schema.get("properties", {})
    assert set(schema.get("required", [])) <= value.keys(), (value, schema)
    rest = schema.get("additionalProperties", True)
    for name, each in value.items():
        if name in members:
            require_described(each, members[name], document)
        elif isinstance(rest, dict):
            require_described(each, rest, document)
        else:
            assert rest, (name, schema)
