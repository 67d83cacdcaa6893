"""What kinds of policy documents there are, and what each part of one must know of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from valetkey.policy.malformed import MalformedPolicyError


class DocumentKind(Enum):
    """What a policy is attached to, which decides what it may say."""

    IDENTITY = "identity"
    """A user, a group, a role, a boundary or a session."""
    RESOURCE = "resource"
    """A bucket."""
    TRUST = "trust"
    """A role: who may assume it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the document around a statement is."""

    kind: DocumentKind
    has_variables: bool
    bucket: str | None
    """The bucket that the policy is of; None if that is not to be checked."""


def missing(name: str, where: str) -> MalformedPolicyError:
    """Return the error of a statement without the element `name`."""
    return MalformedPolicyError(f"Missing required field {name}", where=where)


def either(given: Mapping[str, object], name: str, where: str) -> tuple[str, object] | None:
    """Return which of `name` and `Not`+`name` a statement has, with its value; None if neither.

    Raises:
        MalformedPolicyError: it has both.
    """
    found = [element for element in (name, f"Not{name}") if element in given]
    if len(found) > 1:
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    return (found[0], given[found[0]]) if found else None


def texts_of(value: object, where: str) -> Sequence[str]:
    """Return the texts of an element that may hold one or a list.

    Raises:
        MalformedPolicyError: it holds none, or something else.
    """
    values = value if isinstance(value, list) else [value]
    texts = [one for one in values if isinstance(one, str)]
    if not texts or len(texts) < len(values):
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    return texts
