"""From a document to lifecycle rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from valetkey.s3.errors import invalid_argument
from valetkey.s3.headers import STORAGE_CLASSES
from valetkey.s3.instants import parse_instant
from valetkey.s3.lifecycle import (
    DAY_MS,
    MAX_RULES,
    Expiration,
    Form,
    NoncurrentExpiration,
    NoncurrentTransition,
    Rule,
    Rules,
    Scope,
    Transition,
)
from valetkey.s3.lifecycle_checks import require_consistent
from valetkey.s3.xml.tree import Node, fields, malformed, parse_tree

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")

_MAX_DAYS: Final = 2**31 - 1
_MAX_TAG_NAME_CHARACTERS: Final = 128
_MAX_TAG_VALUE_CHARACTERS: Final = 256

_REPEATED: Final = frozenset({"Transition", "NoncurrentVersionTransition"})
_ONCE: Final = frozenset(
    {
        "ID",
        "Prefix",
        "Filter",
        "Status",
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
    }
)
_SCOPE_FIELDS: Final = frozenset({"Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"})

# Neither STANDARD, where objects begin, nor what has long been left to old objects.
_TRANSITION_CLASSES: Final = STORAGE_CLASSES - {"STANDARD", "REDUCED_REDUNDANCY"}


def parse_lifecycle(body: bytes, *, new_id: Callable[[], str]) -> Rules:
    """Return the rules of a LifecycleConfiguration. A rule without an id is given one by `new_id`.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, InvalidArgument or InvalidRequest.
    """
    root = parse_tree(body, "LifecycleConfiguration")
    if not 1 <= len(root.children) <= MAX_RULES:
        raise malformed()
    rules = [_rule(child) for child in root.children]
    require_consistent(rules)
    return Rules(rules=tuple(rule if rule.id else replace(rule, id=new_id()) for rule in rules))


def _rule(node: Node) -> Rule:
    if node.name != "Rule":
        raise malformed()
    once: dict[str, Node] = {}
    repeated: dict[str, list[Node]] = {name: [] for name in _REPEATED}
    for child in node.children:
        if child.name in _REPEATED:
            repeated[child.name].append(child)
        elif child.name in _ONCE and child.name not in once:
            once[child.name] = child
        else:
            raise malformed()
    status = _leaf(once.get("Status"))
    if status not in {"Enabled", "Disabled"}:
        raise malformed()
    return Rule(
        id=_leaf(once["ID"]) if "ID" in once else "",
        is_enabled=status == "Enabled",
        scope=_rule_scope(once),
        expiration=_expiration(once["Expiration"]) if "Expiration" in once else None,
        transitions=tuple(_transition(child) for child in repeated["Transition"]),
        noncurrent_expiration=_noncurrent_expiration(once.get("NoncurrentVersionExpiration")),
        noncurrent_transitions=tuple(
            _noncurrent_transition(child) for child in repeated["NoncurrentVersionTransition"]
        ),
        abort_days=_abort_days(once.get("AbortIncompleteMultipartUpload")),
    )


def _leaf(node: Node | None) -> str:
    if node is None or node.children:
        raise malformed()
    return node.text.strip()


def _rule_scope(once: Mapping[str, Node]) -> Scope:
    prefix, wanted = once.get("Prefix"), once.get("Filter")
    if (prefix is None) == (wanted is None):
        raise malformed()
    if wanted is not None:
        return _filter(wanted)
    assert prefix is not None
    if prefix.children:
        raise malformed()
    return Scope(form=Form.PREFIX, prefix=prefix.text)


def _filter(node: Node) -> Scope:
    """Return the scope of a filter.

    S3 takes one condition, or several inside `And`. Clients of other stores write several beside each other, and
    mean that all must hold; so they are read like that, and given back inside `And`.
    """
    inner = [child for child in node.children if child.name == "And"]
    if len(inner) > 1 or any(len(child.children) < 2 for child in inner):
        raise malformed()
    scope = _conditions([child for child in node.children if child.name != "And"])
    if inner:
        scope = _both(scope, _conditions(inner[0].children))
    is_single = len(node.children) <= 1 and not inner
    return replace(scope, form=Form.FILTER if is_single else Form.AND)


def _conditions(nodes: list[Node]) -> Scope:
    plain = Node("And")
    tags: list[tuple[str, str]] = []
    for child in nodes:
        if child.name == "Tag":
            tags.append(_tag(child))
        else:
            plain.children.append(child)
    found = fields(plain, _SCOPE_FIELDS)
    return Scope(
        form=Form.AND,
        prefix=found.get("Prefix"),
        tags=tuple(tags),
        larger_than=_number(found, "ObjectSizeGreaterThan"),
        smaller_than=_number(found, "ObjectSizeLessThan"),
    )


def _both(one: Scope, other: Scope) -> Scope:
    prefixes = sorted(scope.prefix for scope in (one, other) if scope.prefix is not None)
    above = [scope.larger_than for scope in (one, other) if scope.larger_than is not None]
    below = [scope.smaller_than for scope in (one, other) if scope.smaller_than is not None]
    if prefixes and not prefixes[-1].startswith(prefixes[0]):
        raise malformed()
    return Scope(
        form=Form.AND,
        prefix=prefixes[-1] if prefixes else None,
        tags=one.tags + other.tags,
        larger_than=max(above, default=None),
        smaller_than=min(below, default=None),
    )


def _tag(node: Node) -> tuple[str, str]:
    found = fields(node, {"Key", "Value"})
    name, value = found.get("Key", ""), found.get("Value", "")
    if not 1 <= len(name) <= _MAX_TAG_NAME_CHARACTERS or len(value) > _MAX_TAG_VALUE_CHARACTERS:
        raise malformed()
    return name, value


def _expiration(node: Node) -> Expiration:
    found = fields(node, {"Days", "Date", "ExpiredObjectDeleteMarker"})
    if len(found) != 1:
        raise malformed()
    if "Date" in found:
        return Expiration(at_ms=_midnight(found["Date"]))
    if "Days" in found:
        return Expiration(
            days=_positive(found, "Days", "'Days' for Expiration action must be a positive integer")
        )
    marker = found["ExpiredObjectDeleteMarker"].strip().lower()
    if marker not in {"true", "false"}:
        raise malformed()
    return Expiration(marker=marker == "true")


def _transition(node: Node) -> Transition:
    found = fields(node, {"Days", "Date", "StorageClass"})
    if ("Days" in found) == ("Date" in found):
        raise malformed()
    storage_class = _storage_class(found)
    if "Date" in found:
        return Transition(storage_class=storage_class, at_ms=_midnight(found["Date"]))
    days = _at_least(found, "Days", 0, "'Days' in Transition action must be nonnegative")
    return Transition(storage_class=storage_class, days=days)


def _noncurrent_transition(node: Node) -> NoncurrentTransition:
    found = fields(node, {"NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"})
    message = "'NoncurrentDays' in NoncurrentVersionTransition action must be nonnegative"
    return NoncurrentTransition(
        storage_class=_storage_class(found),
        days=_at_least(found, "NoncurrentDays", 0, message),
        newer_versions=_newer_versions(found),
    )


def _noncurrent_expiration(node: Node | None) -> NoncurrentExpiration | None:
    if node is None:
        return None
    found = fields(node, {"NoncurrentDays", "NewerNoncurrentVersions"})
    message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
    return NoncurrentExpiration(
        days=_positive(found, "NoncurrentDays", message), newer_versions=_newer_versions(found)
    )


def _newer_versions(found: Mapping[str, str]) -> int | None:
    if "NewerNoncurrentVersions" not in found:
        return None
    return _positive(found, "NewerNoncurrentVersions", "'NewerNoncurrentVersions' must be a positive integer")


def _abort_days(node: Node | None) -> int | None:
    if node is None:
        return None
    message = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
    return _positive(fields(node, {"DaysAfterInitiation"}), "DaysAfterInitiation", message)


def _storage_class(found: Mapping[str, str]) -> str:
    name = found.get("StorageClass", "").strip()
    if name not in _TRANSITION_CLASSES:
        raise malformed()
    return name


def _midnight(text: str) -> int:
    at_ms = parse_instant(text)
    if at_ms is None:
        raise malformed()
    if at_ms % DAY_MS:
        raise invalid_argument("'Date' must be at midnight GMT", "Date", text.strip())
    return at_ms


def _positive(found: Mapping[str, str], name: str, message: str) -> int:
    return _at_least(found, name, 1, message)


def _at_least(found: Mapping[str, str], name: str, least: int, message: str) -> int:
    number = _number(found, name)
    if number is None or number > _MAX_DAYS:
        raise malformed()
    if number < least:
        raise invalid_argument(message, name, str(number))
    return number


def _number(found: Mapping[str, str], name: str) -> int | None:
    if name not in found:
        return None
    text = found[name].strip()
    if _INTEGER.fullmatch(text) is None:
        raise malformed()
    return int(text)
