"""The statements of a policy, and how each is read.

Source: IAM User Guide, "Grammar of the IAM JSON policy language". Texts quoted are those of Amazon S3 and IAM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.policy.action_element import ActionElement, parse_actions
from valetkey.policy.conditions import Condition, parse_conditions
from valetkey.policy.document_rules import DocumentKind, Rules, either, missing
from valetkey.policy.malformed import MalformedPolicyError, shown
from valetkey.policy.matching import Lookup
from valetkey.policy.principal_element import PrincipalElement, parse_principal
from valetkey.policy.resource_element import ResourceElement, parse_resources, require_applying

_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Condition"}
    | {f"{prefix}{name}" for prefix in ("", "Not") for name in ("Principal", "Action", "Resource")}
)
_SID: Final = re.compile(r"[0-9A-Za-z]*")
_EFFECTS: Final = ("Allow", "Deny")


class Effect(Enum):
    """What a statement that applies does."""

    ALLOW = "Allow"
    DENY = "Deny"


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
        """Whether all its conditions hold. What cannot be told counts against an Allow, and for a Deny."""
        is_allow = self.effect is Effect.ALLOW
        return all(condition.holds(lookup, is_allow=is_allow) for condition in self.conditions)


def _principals(
    given: Mapping[str, object], rules: Rules, effect: Effect, where: str
) -> PrincipalElement | None:
    found = either(given, "Principal", where)
    if rules.kind is DocumentKind.IDENTITY:
        if found is not None:
            raise MalformedPolicyError("Policy document should not specify a principal.", where=where)
        return None
    if found is None:
        raise missing("Principal", where)
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


def _effect(given: Mapping[str, object], where: str) -> Effect:
    if "Effect" not in given:
        raise missing("Effect", where)
    effect = given["Effect"]
    if effect not in _EFFECTS:
        raise MalformedPolicyError(f"Invalid effect: {shown(str(effect))}", where=f"{where}.Effect")
    return Effect(effect)


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
    effect = _effect(given, where)
    principals = _principals(given, rules, effect, where)
    actions = parse_actions(given, rules.kind, where=where)
    resources = parse_resources(given, rules, where=where)
    if rules.kind is DocumentKind.RESOURCE and resources is not None and rules.bucket is not None:
        require_applying(actions, resources, rules.bucket, where=where)
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
