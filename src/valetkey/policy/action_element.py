"""Action and NotAction: what a statement is about doing.

Source: IAM User Guide, "IAM JSON policy elements: Action". Texts quoted are those of Amazon S3 and IAM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from valetkey.policy.actions import S3_ACTIONS
from valetkey.policy.document_rules import DocumentKind, either, missing, texts_of
from valetkey.policy.malformed import MalformedPolicyError
from valetkey.policy.matching import Glob, parse_template

_ACTION: Final = re.compile(r"\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?-]+")
_ALL: Final = frozenset({"*", "*:*"})
_VENDORS: Final[Mapping[DocumentKind, str]] = {DocumentKind.RESOURCE: "s3:", DocumentKind.TRUST: "sts:"}
"""Whose actions alone a document may name. A policy of an identity may name everybody's."""

_BAD_FORM: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.IDENTITY: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    DocumentKind.RESOURCE: "Policy has invalid action",
    DocumentKind.TRUST: "AssumeRole policy may only specify STS AssumeRole actions.",
}


@dataclass(frozen=True, slots=True)
class ActionElement:
    """An Action or NotAction element."""

    texts: tuple[str, ...]
    """In lower case."""
    is_negated: bool
    exact: frozenset[str]
    globs: tuple[Glob, ...]

    def covers(self, action: str) -> bool:
        """Whether it is about `action`, which is in lower case."""
        is_named = action in self.exact or any(glob.matches(action) for glob in self.globs)
        return is_named != self.is_negated


def _glob(text: str) -> Glob:
    return parse_template(text, has_wildcards=True, has_variables=False).widest()


@lru_cache(maxsize=512)
def named_s3_actions(text: str) -> frozenset[str]:
    """Return the actions of S3 that the pattern `text`, in lower case, names."""
    if text in S3_ACTIONS:
        return frozenset({text})
    if "*" not in text and "?" not in text:
        return frozenset()
    glob = _glob(text)
    return frozenset(name for name in S3_ACTIONS if glob.matches(name))


def _require_action(text: str, kind: DocumentKind, where: str) -> None:
    lower = text.lower()
    if lower in _ALL:
        return
    if not _ACTION.fullmatch(text) or not lower.startswith(_VENDORS.get(kind, "")):
        raise MalformedPolicyError(_BAD_FORM[kind], where=where)
    if lower.startswith("s3:") and not named_s3_actions(lower):
        raise MalformedPolicyError("Policy has invalid action", where=where)


def parse_actions(given: Mapping[str, object], kind: DocumentKind, *, where: str) -> ActionElement:
    """Return the Action or NotAction of a statement.

    Raises:
        MalformedPolicyError: there is not exactly one, or it names an action that does not exist.
    """
    found = either(given, "Action", where)
    if found is None:
        if kind is DocumentKind.IDENTITY:
            raise MalformedPolicyError("Policy statement must contain actions.", where=where)
        raise missing("Action", where)
    name, value = found
    texts = texts_of(value, f"{where}.{name}")
    for text in texts:
        _require_action(text, kind, f"{where}.{name}")
    lower = tuple(text.lower() for text in texts)
    exact = frozenset(text for text in lower if "*" not in text and "?" not in text)
    globs = tuple(_glob(text) for text in lower if text not in exact)
    return ActionElement(lower, name == "NotAction", exact, globs)
