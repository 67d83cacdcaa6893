"""What requests and answers of the admin API hold: rows by which the ones are checked, and both described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import Form, Kind

V = TypeVar("V")

Schema = Mapping[str, object]
"""JSON Schema, as OpenAPI 3.1 has it."""

TEXT: Final[Schema] = {"type": "string"}
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
INSTANT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Final[Schema] = {"type": ["integer", "null"], "minimum": 0}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
MAP: Final[Schema] = {"type": "object", "additionalProperties": TEXT}
ANY_OBJECT: Final[Schema] = {"type": "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a request's body, or a parameter of its query."""

    name: str
    help: str
    kind: Kind | None = None
    """The limits of a text; None: it is none, and whoever takes it says what it must be."""
    schema: Schema = field(default_factory=dict)
    """What it is, if it is no text."""
    is_required: bool = False
    may_be_null: bool = False
    """Null says something; else it is the same as leaving the member out."""

    def to_schema(self) -> Schema:
        """Return what it may be."""
        if self.kind is None:
            return {"anyOf": [self.schema, {"type": "null"}]} if self.may_be_null else self.schema
        found: dict[str, object] = {
            "type": "string",
            "minLength": self.kind.least,
            "maxLength": self.kind.most,
        }
        if self.kind.pattern:
            found["pattern"] = f"^(?:{self.kind.pattern})$"
        return found


class Shape(NamedTuple):
    """What an answer is: an object with these members, and no others."""

    name: str
    members: Mapping[str, Schema]
    optional: frozenset[str] = frozenset()
    within: tuple[Shape, ...] = ()
    """The shapes that its members refer to."""

    def to_schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {
            "type": "object",
            "properties": dict(self.members),
            "required": [name for name in self.members if name not in self.optional],
            "additionalProperties": False,
        }

    def with_more(self, name: str, more: Mapping[str, Schema]) -> Shape:
        """Return a shape that has further members."""
        return Shape(name, {**self.members, **more}, self.optional, self.within)

    def all(self) -> list[Shape]:
        """Return it with all that it refers to."""
        return [self, *(each for one in self.within for each in one.all())]


def listing(member: str, *shapes: Shape) -> Shape:
    """Return a page of a listing, whose entries have one of the shapes."""
    name = f"{member.capitalize()}Page"
    members = {member: {"type": "array", "items": reference(*shapes)}, "next": TEXT_OR_NULL}
    return Shape(name, members, within=shapes)


def reference(*shapes: Shape) -> Schema:
    """Return what stands for one of the shapes elsewhere in the document."""
    found = [{"$ref": f"#/components/schemas/{shape.name}"} for shape in shapes]
    return found[0] if len(found) == 1 else {"anyOf": found}


def checked(given: Mapping[str, V], members: tuple[Member, ...], *, what: str) -> dict[str, V]:
    """Return what was given. `what` is the word for a member.

    Raises:
        IamError: ValidationError, for one that is unknown, missing, no text or beyond its limits.
    """
    known = {member.name: member for member in members}
    for name in given:
        if name not in known:
            hint = f"it takes {', '.join(known)}" if known else "it takes none"
            raise IamError(IamCode.VALIDATION_ERROR, f"There is no {what} {name!r} here: {hint}.")
    found = {name: value for name, value in given.items() if value is not None or known[name].may_be_null}
    for member in members:
        _require(found.get(member.name), member)
    return found


def _require(value: object, member: Member) -> None:
    if member.kind is not None and isinstance(value, str):
        Form({member.name: value}).text(member.name, member.kind)
    elif value is None and member.is_required:
        raise IamError(IamCode.VALIDATION_ERROR, f"{member.name} is missing.")
    elif member.kind is not None and value is not None:
        raise IamError(IamCode.VALIDATION_ERROR, f"{member.name} must be a text.")
