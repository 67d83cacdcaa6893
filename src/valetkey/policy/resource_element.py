"""Resource and NotResource: what a statement is about.

Source: IAM User Guide, "IAM JSON policy elements: Resource". Texts quoted are those of Amazon S3 and IAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.policy.action_element import ActionElement, named_s3_actions
from valetkey.policy.actions import S3_ACTIONS, ResourceKind
from valetkey.policy.document_rules import DocumentKind, Rules, either, missing, texts_of
from valetkey.policy.malformed import MalformedPolicyError, shown
from valetkey.policy.matching import MOST_CHARS, ArnPattern, Lookup, parse_arn_pattern

_BUCKETS: Final = ("arn", "aws", "s3", "", "")
"""The parts of the ARN of every bucket and object, but the last."""


@dataclass(frozen=True, slots=True)
class ResourceElement:
    """A Resource or NotResource element."""

    patterns: tuple[ArnPattern, ...]
    is_negated: bool

    def covers(self, resource: str, lookup: Lookup, *, is_allow: bool) -> bool:
        """Whether it is about `resource`.

        A variable that the request does not have names nothing. A NotResource that cannot be told for that reason
        forbids and does not allow; so does any about a resource that is too long to be judged.
        """
        if len(resource) > MOST_CHARS:
            return not is_allow
        is_named = any(pattern.matches(resource, lookup) for pattern in self.patterns)
        if not self.is_negated or is_named:
            return is_named != self.is_negated
        return not is_allow or all(pattern.has_all_variables(lookup) for pattern in self.patterns)


def _named_kinds(pattern: ArnPattern, bucket: str) -> frozenset[ResourceKind]:
    """Return whether `pattern` names the bucket, some of its objects, both or neither.

    The name of the bucket stands in full: a pattern that only happens to match it names neither.
    """
    head = pattern.parts[:-1]
    if not head or not all(part.widest().matches(text) for part, text in zip(head, _BUCKETS, strict=True)):
        return frozenset()
    first = pattern.parts[-1].pieces[:1]
    if not first or not isinstance(first[0], str) or not f"{first[0]}/".startswith(f"{bucket}/"):
        return frozenset()
    glob = pattern.parts[-1].widest()
    kinds = {ResourceKind.BUCKET} if glob.matches(bucket) else set[ResourceKind]()
    if glob.may_begin(f"{bucket}/"):
        kinds.add(ResourceKind.OBJECT)
    return frozenset(kinds)


def _bad_resource(text: str, kind: DocumentKind) -> str:
    if kind is DocumentKind.RESOURCE:
        return "Policy has invalid resource"
    return f'Resource {shown(text)} must be in ARN format or "*".'


def _pattern(text: str, rules: Rules, where: str) -> ArnPattern:
    try:
        pattern = parse_arn_pattern(text, has_variables=rules.has_variables)
    except ValueError as error:
        raise MalformedPolicyError(_bad_resource(text, rules.kind), where=where) from error
    is_of_bucket = rules.kind is DocumentKind.RESOURCE and rules.bucket is not None
    if is_of_bucket and rules.bucket is not None and not _named_kinds(pattern, rules.bucket):
        raise MalformedPolicyError("Policy has invalid resource", where=where)
    return pattern


def parse_resources(given: Mapping[str, object], rules: Rules, *, where: str) -> ResourceElement | None:
    """Return the Resource or NotResource of a statement; None in a trust policy, which has none.

    Raises:
        MalformedPolicyError: there is not exactly one where one belongs, it is no ARN, or not of the bucket.
    """
    found = either(given, "Resource", where)
    if rules.kind is DocumentKind.TRUST:
        if found is not None:
            raise MalformedPolicyError("Has prohibited field Resource", where=where)
        return None
    if found is None:
        if rules.kind is DocumentKind.IDENTITY:
            raise MalformedPolicyError("Policy statement must contain resources.", where=where)
        raise missing("Resource", where)
    name, value = found
    here = f"{where}.{name}"
    patterns = tuple(_pattern(text, rules, here) for text in texts_of(value, here))
    return ResourceElement(patterns, name == "NotResource")


def require_applying(actions: ActionElement, resources: ResourceElement, bucket: str, *, where: str) -> None:
    """Return if each action of a statement of a bucket's policy is about something that the statement names.

    Raises:
        MalformedPolicyError: one is not.
    """
    if actions.is_negated or resources.is_negated:
        return
    kinds = frozenset[ResourceKind]().union(*(_named_kinds(one, bucket) for one in resources.patterns))
    for text in actions.texts:
        if not any(S3_ACTIONS[name] in kinds for name in named_s3_actions(text)):
            raise MalformedPolicyError("Action does not apply to any resource(s) in statement", where=where)
