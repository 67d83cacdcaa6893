"""What holds for all policies, whatever they say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.generators import NAMES, OBJECT_ACTIONS, rows, statements
from tests.policy.rows import (
    BUCKET,
    CALLERS,
    OWNER,
    Facts,
    Row,
    document,
    policies_of,
    request_of,
)

from valetkey.policy.condition_keys import KEYS
from valetkey.policy.conditions import OPERATORS
from valetkey.policy.documents import DocumentKind, Policy, parse_policy
from valetkey.policy.errors import AccessDeniedError, PolicyError
from valetkey.policy.evaluate import (
    Decision,
    NamedPolicy,
    PolicySet,
    Request,
    evaluate,
    require_allowed,
)
from valetkey.policy.matching import parse_template
from valetkey.policy.public import is_public


def decide(row: Row) -> Decision:
    return evaluate(request_of(row), policies_of(row))


PLACES: Final = {"bucket": True, "user": False, "group": False, "boundary": False, "session": False}


def with_statements(row: Row, place: str, given: Sequence[object]) -> Row:
    match place:
        case "bucket":
            return replace(row, bucket=given)
        case "user":
            return replace(row, user=given)
        case "group":
            return replace(row, group=given)
        case "boundary":
            return replace(row, boundary=given)
        case _:
            return replace(row, session=given)


def joined(row: Row, place: str, more: dict[str, Any], *, at_front: bool) -> Row:
    present = list(getattr(row, place) or [])
    return with_statements(row, place, [more, *present] if at_front else [*present, more])


@pytest.mark.parametrize("place", PLACES)
@given(data=st.data())
def test_another_deny_never_allows_more(place: str, data: st.DataObject) -> None:
    row = data.draw(rows())
    deny = data.draw(statements(effect="Deny", is_resource=PLACES[place]))
    after = joined(row, place, deny, at_front=data.draw(st.booleans()))
    assert decide(row).is_allowed >= decide(after).is_allowed


@pytest.mark.parametrize("place", PLACES)
@given(data=st.data())
def test_another_allow_never_allows_less(place: str, data: st.DataObject) -> None:
    row = data.draw(rows())
    if place in ("boundary", "session") and not getattr(row, place):
        # The first statement of a boundary or a session policy makes it a limit.
        row = with_statements(row, place, [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}])
    allow = data.draw(statements(effect="Allow", is_resource=PLACES[place]))
    after = joined(row, place, allow, at_front=data.draw(st.booleans()))
    assert decide(row).is_allowed <= decide(after).is_allowed


@given(row=rows())
def test_a_restricted_public_policy_never_allows_more(row: Row) -> None:
    restricted = replace(row, block=replace(row.block, restrict_public_buckets=True))
    assert decide(row).is_allowed >= decide(restricted).is_allowed


@given(row=rows())
def test_a_deciding_statement_is_of_the_policies_and_of_the_decisions_effect(row: Row) -> None:
    policies, decision = policies_of(row), decide(row)
    if decision.statement is None:
        return
    named = [*policies.identity, *policies.session]
    named += [policy for policy in (policies.boundary, policies.resource) if policy is not None]
    found = next(one.policy for one in named if one.name == decision.statement.policy)
    effect = found.statements[decision.statement.index].effect.value
    assert effect == ("Allow" if decision.is_allowed else "Deny")


def test_a_refusal_raises_with_its_statement() -> None:
    row = Row(
        who="ann",
        does="s3:GetObject b/k",
        expected="",
        user=[{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    )
    with pytest.raises(AccessDeniedError) as caught:
        require_allowed(request_of(row), policies_of(row))
    assert caught.value.statement is not None
    assert caught.value.statement.policy == "user"


SCRAPS: Final = st.sampled_from(
    [
        "*",
        "s3:*",
        "s3:GetObject",
        "arn:aws:s3:::b/*",
        "${aws:username}",
        "${",
        "2026-11-24",
        "10.0.0.0/8",
        "1",
        "true",
    ]
)
TEXTS: Final = SCRAPS | st.text(max_size=12)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
PREFIXES: Final = st.sampled_from(["", "ForAllValues:", "ForAnyValue:", "For:"])
SUFFIXES: Final = st.sampled_from(["", "IfExists"])
OPERATOR_NAMES: Final = st.builds(
    lambda prefix, name, suffix: prefix + name + suffix,
    PREFIXES,
    st.sampled_from(sorted(OPERATORS)),
    SUFFIXES,
)
KEY_NAMES: Final = st.sampled_from([*sorted(KEYS), "s3:ExistingObjectTag/t", "aws:PrincipalTag/t"])
WILD_CONDITIONS: Final = st.dictionaries(
    OPERATOR_NAMES | TEXTS, st.dictionaries(KEY_NAMES | TEXTS, VALUES, max_size=2) | VALUES, max_size=2
)
WILD_STATEMENTS: Final = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]) | VALUES, "Action": OBJECT_ACTIONS | VALUES},
    optional={
        "Resource": st.just("arn:aws:s3:::b/*") | VALUES,
        "Principal": st.just("*") | st.fixed_dictionaries({"AWS": NAMES | VALUES}) | VALUES,
        "Condition": WILD_CONDITIONS | VALUES,
        "Sid": VALUES,
    },
) | st.dictionaries(TEXTS, VALUES, max_size=3)
DOCUMENTS: Final = st.fixed_dictionaries(
    {"Statement": st.lists(WILD_STATEMENTS, max_size=3) | WILD_STATEMENTS | VALUES},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]) | VALUES, "Id": VALUES},
)


def parsed(text: str | bytes, kind: DocumentKind) -> Policy | None:
    try:
        return parse_policy(text, kind=kind, bucket=BUCKET)
    except PolicyError:
        return None


def judge(policy: Policy, given_value: str) -> None:
    """Decide with `policy` in every place, for a request all of whose keys have one value."""
    named = NamedPolicy(name="any", policy=policy)
    context = Facts(dict.fromkeys(KEYS, given_value))
    for principal in CALLERS.values():
        request = Request(
            principal=principal,
            action="s3:GetObject",
            resource="arn:aws:s3:::b/k",
            owner=OWNER,
            context=context,
        )
        evaluate(request, PolicySet(identity=(named,), session=(named,), boundary=named, resource=named))
    is_public(policy)


@pytest.mark.parametrize("kind", DocumentKind, ids=lambda kind: kind.value)
@given(made=DOCUMENTS | VALUES, value=TEXTS)
def test_no_document_raises_anything_but_the_rooms_error(
    kind: DocumentKind, made: object, value: str
) -> None:
    policy = parsed(json.dumps(made), kind)
    if policy is not None:
        judge(policy, value)


@given(text=st.text() | st.binary())
def test_no_text_raises_anything_but_the_rooms_error(text: str | bytes) -> None:
    assert parsed(text, DocumentKind.RESOURCE) is None


@given(operator=OPERATOR_NAMES, key=KEY_NAMES, said=TEXTS | st.lists(TEXTS, max_size=2), value=TEXTS)
def test_no_condition_raises_anything_but_the_rooms_error(
    operator: str, key: str, said: str | Sequence[str], value: str
) -> None:
    made = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: said}}}
    policy = parsed(document(made), DocumentKind.IDENTITY)
    if policy is not None:
        judge(policy, value)


def slow_match(pattern: str, text: str) -> bool:
    """The meaning of wildcards, by trying everything."""
    expression = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


@given(pattern=st.text("ab*?/", max_size=10), text=st.text("ab*?/", max_size=10))
def test_wildcards_mean_what_they_mean(pattern: str, text: str) -> None:
    template = parse_template(pattern, has_wildcards=True, has_variables=False)
    assert template.matches(text, lambda key: None) == slow_match(pattern, text)


@given(pattern=st.text("ab*?/", max_size=8), text=st.text("ab/", max_size=5))
def test_what_may_begin_is_what_some_ending_completes(pattern: str, text: str) -> None:
    template = parse_template(pattern, has_wildcards=True, has_variables=False)
    completed = re.sub(r"[*?]", "a", pattern[len(text) :])
    if template.matches(text + completed, lambda key: None):
        assert template.widest().may_begin(text)
    if not template.widest().may_begin(text):
        assert not any(slow_match(pattern, text + end) for end in ("", "a", "b", "/", "ab", completed))


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("pattern", "text"),
    [("a*" * 5000 + "b", "a" * 1024), ("*" + "a" * 500 + "b", "a" * 1024), ("*?a" * 300 + "b", "a" * 1024)],
    ids=["many asterisks", "one long part", "mixed"],
)
def test_no_pattern_is_slow(pattern: str, text: str) -> None:
    template = parse_template(pattern, has_wildcards=True, has_variables=False)
    for _ in range(100):
        assert not template.matches(text, lambda key: None)
