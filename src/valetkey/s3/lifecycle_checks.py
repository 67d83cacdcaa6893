"""What must hold between the parts of a lifecycle configuration, each of which is well-formed.

Source: Amazon S3 User Guide, "Lifecycle configuration elements", and the texts that S3 was seen to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.lifecycle import MAX_ID_CHARACTERS, Expiration, Form, Rule, Scope, Transition
from valetkey.s3.limits import MAX_OBJECT_TAGS
from valetkey.s3.xml.tree import malformed

_MIN_DAYS_BEFORE: Final = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
"""Days that objects stay where they are before they may move to a class for rare access."""

MAX_SIZE: Final = 1_099_511_627_776_000
"""The largest size, in bytes, that a rule may name."""

_MIN_SIZES: Final = ("all_storage_classes_128K", "varies_by_storage_class")


def transition_min_size(header: str | None) -> str:
    """Return the value of `x-amz-transition-default-minimum-object-size` to keep and to answer.

    Raises:
        S3Error: InvalidRequest, for a value that S3 does not know.
    """
    value = _MIN_SIZES[0] if header is None else header
    if value not in _MIN_SIZES:
        raise _refusal(f"Invalid TransitionDefaultMinimumObjectSize found: {value}")
    return value


def require_consistent(rules: Sequence[Rule]) -> None:
    """Return if these rules may stand together, and each by itself. An empty id is one that is yet to be drawn.

    Raises:
        S3Error: InvalidArgument or InvalidRequest, for the first fault.
    """
    _require_ids([rule.id for rule in rules if rule.id])
    is_old = rules[0].scope.form is Form.PREFIX
    for rule in rules:
        _require_one_form(rule, is_old=is_old)
        _require_scope(rule.scope)
        _require_action(rule)
        _require_scope_fits(rule)
        _require_transitions(rule)
        _require_expiration_last(rule)


def _require_ids(ids: Sequence[str]) -> None:
    for text in ids:
        if len(text) > MAX_ID_CHARACTERS:
            message = f"ID length should not exceed allowed limit of {MAX_ID_CHARACTERS}"
            raise invalid_argument(message, "ID", text)
    if len(set(ids)) < len(ids):
        twice = next(text for text in ids if ids.count(text) > 1)
        raise invalid_argument("Rule ID must be unique. Found same ID for more than one rule", "ID", twice)


def _require_one_form(rule: Rule, *, is_old: bool) -> None:
    if (rule.scope.form is Form.PREFIX) != is_old:
        if is_old:
            raise _refusal("Filter element can only be used in Lifecycle V2.")
        raise _refusal(
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."
        )
    kept = [rule.noncurrent_expiration, *rule.noncurrent_transitions]
    if is_old and any(action is not None and action.newer_versions is not None for action in kept):
        raise _refusal("NewerNoncurrentVersions element can only be used in Lifecycle V2.")


def _require_scope(scope: Scope) -> None:
    names = [name for name, _ in scope.tags]
    if len(set(names)) < len(names):
        raise _refusal("Duplicate Tag Keys are not allowed.")
    if len(names) > MAX_OBJECT_TAGS:
        # No object has as many.
        raise malformed()
    above, below = scope.larger_than, scope.smaller_than
    if above is not None and not 0 <= above <= MAX_SIZE:
        raise _refusal(f"'ObjectSizeGreaterThan' should be between 0 and {MAX_SIZE}.")
    if below is not None and not 1 <= below <= MAX_SIZE:
        raise _refusal(f"'ObjectSizeLessThan' should be between 1 and {MAX_SIZE}.")
    if above is not None and below is not None and below <= above:
        raise _refusal("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _require_action(rule: Rule) -> None:
    actions = (
        rule.expiration,
        rule.noncurrent_expiration,
        rule.abort_days,
        *rule.transitions,
        *rule.noncurrent_transitions,
    )
    if all(action is None for action in actions):
        raise _refusal("At least one action needs to be specified in a rule")


def _require_scope_fits(rule: Rule) -> None:
    whole = []
    if rule.expiration is not None and rule.expiration.marker is not None:
        whole.append("ExpiredObjectDeleteMarker")
    if rule.abort_days is not None:
        whole.append("AbortIncompleteMultipartUpload")
    for action in whole:
        if rule.scope.tags:
            raise _refusal(f"{action} cannot be specified with Tags.")
        if rule.scope.has_sizes:
            raise _refusal(f"{action} cannot be specified with Object Size.")


def _require_transitions(rule: Rule) -> None:
    groups = {
        "Transition": [entry.storage_class for entry in rule.transitions],
        "NoncurrentVersionTransition": [entry.storage_class for entry in rule.noncurrent_transitions],
    }
    for action, classes in groups.items():
        if len(set(classes)) < len(classes):
            raise _refusal(
                f"'StorageClass' must be different for '{action}' actions in same 'Rule' with "
                f"{_description(rule.scope)}"
            )
    for entry in rule.transitions:
        least = _MIN_DAYS_BEFORE.get(entry.storage_class, 0)
        if entry.days is not None and entry.days < least:
            message = (
                f"'Days' in Transition action must be greater than or equal to {least} for storageClass "
                f"'{entry.storage_class}'"
            )
            raise invalid_argument(message, "Days", str(entry.days))


def _require_expiration_last(rule: Rule) -> None:
    dated = {entry.at_ms is not None for entry in rule.transitions}
    where = f"in lifecycle rule for {_description(rule.scope)}"
    if len(dated) > 1:
        raise _refusal(f"Found mixed 'Date' and 'Days' based Transition actions {where}")
    last = rule.expiration
    if last is None or last.marker is not None or not dated:
        return
    if dated != {last.at_ms is not None}:
        raise _refusal(f"Found mixed 'Date' and 'Days' based Expiration and Transition actions {where}")
    for entry in rule.transitions:
        if _when(entry) >= _when(last):
            raise _too_early(rule.scope, entry)


def _when(entry: Transition | Expiration) -> int:
    return (entry.at_ms if entry.days is None else entry.days) or 0


def _too_early(scope: Scope, entry: Transition) -> S3Error:
    name, order = ("Date", "later than") if entry.days is None else ("Days", "greater than")
    message = (
        f"'{name}' in the Expiration action for {_description(scope)} must be {order} '{name}' in the "
        "Transition action"
    )
    return invalid_argument(message, name)


def _description(scope: Scope) -> str:
    """Return how S3's texts name the objects that a rule is for."""
    if scope.form is Form.PREFIX:
        return f"prefix '{scope.prefix or ''}'"
    conditions = [f"tag={{key={name}, value={value}}}" for name, value in scope.tags]
    if scope.prefix is not None or not (conditions or scope.has_sizes):
        conditions.insert(0, f"prefix={scope.prefix or ''}")
    if scope.larger_than is not None:
        conditions.append(f"objectsizegreaterthan={scope.larger_than}")
    if scope.smaller_than is not None:
        conditions.append(f"objectsizelessthan={scope.smaller_than}")
    return f"filter '({' and '.join(conditions)})'"


def _refusal(message: str) -> S3Error:
    return S3Error(Code.INVALID_REQUEST, message)
