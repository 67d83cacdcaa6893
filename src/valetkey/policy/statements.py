"""The statements of a policy, and how each is read.

Source: IAM User Guide, "Grammar of the IAM JSON policy language". Texts quoted are those of Amazon S3 and IAM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.policy.actions import S3_ACTIONS, ResourceKind
from valetkey.policy.conditions import Condition, parse_conditions
from valetkey.policy.malformed import MalformedPolicyError, shown
from valetkey.policy.matching import (
    ArnPattern,
    Glob,
    Lookup,
    parse_arn_pattern,
    parse_template,
)
from valetkey.policy.principal_element import PrincipalElement, parse_principal

_ELEMENTS: Final = frozenset(
    "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split()
)
_SID: Final = re.compile(r"[0-9A-Za-z]*")
_ACTION: Final = re.compile(r"\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?-]+")
_S3: Final = "s3:"
_STS: Final = "sts:"
_BUCKETS: Final = "arn:aws:s3:::"
_ANY_KEY: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for the rest of a key where only wildcards can match it."""


class DocumentKind(Enum):
    """What a policy is attached to, which decides what it may say."""

    IDENTITY = "identity"
    """A user, a group, a role, a boundary or a session."""
    RESOURCE = "resource"
    """A bucket."""
    TRUST = "trust"
    """A role: who may assume it."""


class Effect(Enum):
    """What a statement that applies does."""

    ALLOW = "Allow"
    DENY = "Deny"


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


@dataclass(frozen=True, slots=True)
class ResourceElement:
    """A Resource or NotResource element."""

    patterns: tuple[ArnPattern, ...]
    is_negated: bool

    def covers(self, resource: str, lookup: Lookup, *, is_allow: bool) -> bool:
        """Whether it is about `resource`.

        A variable that the request does not have names nothing. A NotResource that cannot be told for that reason
        forbids and does not allow.
        """
        is_named = any(pattern.matches(resource, lookup) for pattern in self.patterns)
        if not self.is_negated or is_named:
            return is_named != self.is_negated
        return not is_allow or all(pattern.has_all_variables(lookup) for pattern in self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy."""

    index: int
    """Place in the policy, from 0."""
    sid: str
    effect: Effect
    principals: PrincipalElement | None
    """None in policies of identities, which are about whom they are attached to."""
    actions: ActionElement
    resources: ResourceElement | None
    """None in trust policies, which are about their role."""
    conditions: tuple[Condition, ...]

    def covers(self, action: str, resource: str, lookup: Lookup) -> bool:
        """Whether action and resource are what it is about; `action` is in lower case."""
        if not self.actions.covers(action):
            return False
        is_allow = self.effect is Effect.ALLOW
        return self.resources is None or self.resources.covers(resource, lookup, is_allow=is_allow)

    def holds(self, lookup: Lookup) -> bool:
        """Whether all its conditions hold."""
        return all(condition.holds(lookup) for condition in self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the document around a statement is."""

    kind: DocumentKind
    has_variables: bool
    bucket: str | None
    """The bucket that the policy is of; None if that is not to be checked."""


def _missing(name: str, where: str) -> MalformedPolicyError:
    return MalformedPolicyError(f"Missing required field {name}", where=where)


def _either(given: Mapping[str, object], name: str, where: str) -> tuple[str, object] | None:
    """Return the element `name` or `Not`+`name` with its value."""
    found = [element for element in (name, f"Not{name}") if element in given]
    if len(found) > 1:
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    return (found[0], given[found[0]]) if found else None


def _texts(value: object, where: str) -> Sequence[str]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    return values


def _glob(text: str) -> Glob:
    return parse_template(text, has_wildcards=True, has_variables=False).widest()


def named_s3_actions(text: str) -> frozenset[str]:
    """Return the actions of S3 that the pattern `text`, in lower case, names."""
    if text in S3_ACTIONS:
        return frozenset({text})
    if "*" not in text and "?" not in text:
        return frozenset()
    glob = _glob(text)
    return frozenset(name for name in S3_ACTIONS if glob.matches(name))


def _require_action(text: str, kind: DocumentKind, where: str) -> None:
    if not _ACTION.fullmatch(text):
        raise MalformedPolicyError(
            "Policy has invalid action"
            if kind is DocumentKind.RESOURCE
            else "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            where=where,
        )
    lower = text.lower()
    if lower in {"*", "*:*"}:
        return
    if lower.startswith(_S3) and not named_s3_actions(lower):
        raise MalformedPolicyError("Policy has invalid action", where=where)
    if kind is DocumentKind.RESOURCE and not lower.startswith(_S3):
        raise MalformedPolicyError("Policy has invalid action", where=where)
    if kind is DocumentKind.TRUST and not lower.startswith(_STS):
        raise MalformedPolicyError(
            "AssumeRole policy may only specify STS AssumeRole actions.", where=where
        )


def _actions(given: Mapping[str, object], rules: Rules, where: str) -> ActionElement:
    found = _either(given, "Action", where)
    if found is None:
        if rules.kind is DocumentKind.IDENTITY:
            raise MalformedPolicyError("Policy statement must contain actions.", where=where)
        raise _missing("Action", where)
    name, value = found
    texts = _texts(value, f"{where}.{name}")
    for text in texts:
        _require_action(text, rules.kind, f"{where}.{name}")
    lower = tuple(text.lower() for text in texts)
    exact = frozenset(text for text in lower if "*" not in text and "?" not in text)
    globs = tuple(_glob(text) for text in lower if text not in exact)
    return ActionElement(lower, name == "NotAction", exact, globs)


def _bucket_kinds(pattern: ArnPattern, bucket: str) -> frozenset[ResourceKind]:
    """Return whether `pattern` names the bucket, some of its objects, both or neither."""
    if not pattern.parts or not _BUCKETS.startswith("arn:"):
        return frozenset({ResourceKind.BUCKET, ResourceKind.OBJECT})
    fixed = zip(pattern.parts[:-1], _BUCKETS.split(":"), strict=False)
    if not all(part.widest().matches(text) for part, text in fixed):
        return frozenset()
    return _named_kinds(pattern.parts[-1].widest(), bucket)


def _named_kinds(glob: Glob, bucket: str) -> frozenset[ResourceKind]:
    kinds = {ResourceKind.BUCKET} if glob.matches(bucket) else set()
    if glob.can_begin(f"{bucket}/"):
        kinds.add(ResourceKind.OBJECT)
    return frozenset(kinds)


def _resources(given: Mapping[str, object], rules: Rules, where: str) -> ResourceElement | None:
    found = _either(given, "Resource", where)
    if rules.kind is DocumentKind.TRUST:
        if found is not None:
            raise MalformedPolicyError("Has prohibited field Resource", where=where)
        return None
    if found is None:
        if rules.kind is DocumentKind.IDENTITY:
            raise MalformedPolicyError("Policy statement must contain resources.", where=where)
        raise _missing("Resource", where)
    name, value = found
    here = f"{where}.{name}"
    patterns: list[ArnPattern] = []
    for text in _texts(value, here):
        try:
            patterns.append(parse_arn_pattern(text, has_variables=rules.has_variables))
        except ValueError as error:
            raise MalformedPolicyError(_bad_resource(text, rules.kind), where=here) from error
    if rules.kind is DocumentKind.RESOURCE and rules.bucket is not None:
        for pattern in patterns:
            if not _bucket_kinds(pattern, rules.bucket):
                raise MalformedPolicyError("Policy has invalid resource", where=here)
    return ResourceElement(tuple(patterns), name == "NotResource")


def _bad_resource(text: str, kind: DocumentKind) -> str:
    if kind is DocumentKind.RESOURCE:
        return "Policy has invalid resource"
    return f'Resource {shown(text)} must be in ARN format or "*".'


def _require_applying(actions: ActionElement, resources: ResourceElement, bucket: str, where: str) -> None:
    """Each action of a bucket policy must be about something that the statement names."""
    if actions.is_negated or resources.is_negated:
        return
    kinds = frozenset[ResourceKind]().union(*(_bucket_kinds(one, bucket) for one in resources.patterns))
    for text in actions.texts:
        if not any(S3_ACTIONS[name] in kinds for name in named_s3_actions(text)):
            raise MalformedPolicyError("Action does not apply to any resource(s) in statement", where=where)


def _principals(
    given: Mapping[str, object], rules: Rules, effect: Effect, where: str
) -> PrincipalElement | None:
    found = _either(given, "Principal", where)
    if rules.kind is DocumentKind.IDENTITY:
        if found is not None:
            raise MalformedPolicyError("Policy document should not specify a principal.", where=where)
        return None
    if found is None:
        raise _missing("Principal", where)
    name, value = found
    if name == "NotPrincipal" and effect is Effect.ALLOW:
        raise MalformedPolicyError("Allow with NotPrincipal is not allowed.", where=f"{where}.{name}")
    return parse_principal(value, is_negated=name == "NotPrincipal", where=f"{where}.{name}")


def _sid(given: Mapping[str, object], rules: Rules, where: str) -> str:
    sid = given.get("Sid", "")
    if not isinstance(sid, str):
        raise MalformedPolicyError("Invalid policy syntax.", where=f"{where}.Sid")
    if rules.kind is not DocumentKind.RESOURCE and not _SID.fullmatch(sid):
        raise MalformedPolicyError(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*",
            where=f"{where}.Sid",
        )
    return sid


def parse_statement(given: object, rules: Rules, *, index: int) -> Statement:
    """Return the statement that `given` is.

    Raises:
        MalformedPolicyError: it is none.
    """
    where = f"Statement[{index}]"
    if not isinstance(given, dict):
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    for name in given:
        if name not in _ELEMENTS:
            raise MalformedPolicyError(f"Unknown field {shown(name)}", where=where)
    sid = _sid(given, rules, where)
    if "Effect" not in given:
        raise _missing("Effect", where)
    if given["Effect"] not in {"Allow", "Deny"}:
        raise MalformedPolicyError(f"Invalid effect: {shown(str(given['Effect']))}", where=f"{where}.Effect")
    effect = Effect(given["Effect"])
    principals = _principals(given, rules, effect, where)
    actions = _actions(given, rules, where)
    resources = _resources(given, rules, where)
    if rules.kind is DocumentKind.RESOURCE and resources is not None and rules.bucket is not None:
        _require_applying(actions, resources, rules.bucket, where)
    conditions: tuple[Condition, ...] = ()
    if "Condition" in given:
        conditions = parse_conditions(
            given["Condition"], has_variables=rules.has_variables, where=f"{where}.Condition"
        )
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        principals=principals,
        actions=actions,
        resources=resources,
        conditions=conditions,
    )
