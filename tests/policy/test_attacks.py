"""Requests and documents that were made to slip past a condition, or to get more out of a policy than it says."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pytest
from tests.policy.rows import (
    CALLERS,
    HERE,
    OWNER,
    THERE,
    Row,
    everyone,
    judged,
    policies_of,
    request_of,
    statement,
    to,
)

from valetkey.policy.evaluate import AclGrant, evaluate
from valetkey.policy.matching import parse_template

GET: Final = "s3:GetObject b/k"
THERE_ROOT: Final = f"arn:aws:iam::{THERE}:root"
BOB: Final = f"arn:aws:iam::{THERE}:user/bob"
ALL: Final = [statement("Allow * *")]

FORBIDDEN: Final[Sequence[tuple[str, str, object, str | Sequence[str]]]] = [
    ("NumericGreaterThan", "s3:max-keys", "10", "0" * 40 + "1000"),
    ("NumericGreaterThan", "s3:max-keys", "10", "+11"),
    ("NumericGreaterThan", "s3:max-keys", "10", "00011"),
    ("IpAddress", "aws:SourceIp", "::ffff:10.0.0.0/104", "10.1.2.3"),
    ("IpAddress", "aws:SourceIp", "::ffff:10.1.2.3", "::ffff:10.1.2.3"),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", "::ffff:10.1.2.3"),
    ("IpAddress", "aws:SourceIp", "2001:db8::/32", "2001:0DB8:0::1"),
    ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", "010.1.2.3"),
    ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", "10.1.2.3.4"),
    ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", ""),
    ("StringEquals", "s3:ExistingObjectTag/team", "blue", ["red", "blue"]),
    ("StringNotEquals", "s3:ExistingObjectTag/team", "red", ["red", "blue"]),
    ("StringNotLike", "s3:prefix", "home/${aws:username}/*", "home/*/k"),
    ("StringNotLike", "s3:prefix", "home/${aws:PrincipalTag/none}/*", "home/x/k"),
    ("StringNotEquals", "s3:prefix", "${*}", "anything"),
    ("StringEquals", "s3:prefix", "${*}", "*"),
    ("StringEqualsIgnoreCase", "s3:prefix", "SECRET", "sEcReT"),
    ("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:user/team/a?", "ann"),
    ("Bool", "aws:SecureTransport", "false", "FALSE"),
    ("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"),
    ("DateGreaterThan", "s3:object-lock-retain-until-date", "2026-01-01", "2026-01-01T00:00:00.001Z"),
    ("BinaryEquals", "s3:prefix", "YWJj", "abc"),
    ("Null", "aws:TokenIssueTime", "true", "2026-01-01T00:00:00Z"),
]
"""Each of the requests is forbidden by the condition."""


@pytest.mark.parametrize(("operator", "key", "said", "given"), FORBIDDEN)
def test_no_spelling_slips_past_a_deny(
    operator: str, key: str, said: object, given: str | Sequence[str]
) -> None:
    deny = statement("Deny * *", Condition={operator: {key: said}})
    context = {} if operator == "Null" else {key: given}
    row = Row(who="ann", does=GET, expected="deny user 1", user=[*ALL, deny], context=context)
    assert judged(row) == row.expected


ALLOWED: Final[Sequence[tuple[str, str, object, Mapping[str, str | Sequence[str]]]]] = [
    ("StringEquals", "s3:RequestObjectTag/team", "red", {"s3:RequestObjectTag/team": ["red", "blue"]}),
    ("StringLike", "s3:RequestObjectTag/team", "r*", {"s3:RequestObjectTag/team": ["blue", "red"]}),
    ("StringNotEquals", "s3:prefix", "${aws:PrincipalTag/none}/secret", {"s3:prefix": "x"}),
    ("StringNotLike", "s3:prefix", "${aws:Referer}*", {"s3:prefix": "x"}),
    ("StringNotEqualsIgnoreCase", "s3:prefix", ["a", "${aws:PrincipalTag/none}"], {"s3:prefix": "x"}),
    ("ForAllValues:StringNotEquals", "aws:TagKeys", "${aws:PrincipalTag/none}", {"aws:TagKeys": ["x"]}),
    ("ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/${aws:PrincipalTag/none}", {}),
    ("StringNotEquals", "s3:delimiter", "${aws:PrincipalTag/none}", {}),
    ("StringEquals", "s3:prefix", "${aws:username}", {"s3:prefix": "*"}),
    ("StringLike", "s3:prefix", "${aws:username}/*", {"s3:prefix": "/x"}),
    ("NumericLessThan", "s3:max-keys", "10", {"s3:max-keys": "1e1"}),
    ("NumericLessThan", "s3:max-keys", "10", {"s3:max-keys": "٣"}),
    ("NumericLessThan", "s3:max-keys", "10", {"s3:max-keys": "nan"}),
    ("NumericLessThan", "s3:max-keys", "10", {"s3:max-keys": "-inf"}),
    ("DateLessThan", "s3:object-lock-retain-until-date", "2026-01-01", {}),
    ("DateGreaterThan", "aws:CurrentTime", "2020-01-01", {"aws:CurrentTime": "٢٠٢٦-01-01"}),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0", {}),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", {"aws:SourceIp": "::10.1.2.3"}),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", {"aws:SourceIp": "10.1.2.3, 8.8.8.8"}),
    ("Bool", "aws:SecureTransport", "true", {"aws:SecureTransport": "1"}),
    ("StringLike", "aws:Referer", "https://ours.example/*", {}),
    ("StringLike", "aws:Referer", "https://ours.example/*", {"aws:Referer": "https://ours.example.evil/x"}),
]
"""None of the requests is allowed by the condition."""


@pytest.mark.parametrize(("operator", "key", "said", "given"), ALLOWED)
def test_no_spelling_gets_an_allow(
    operator: str, key: str, said: object, given: Mapping[str, str | Sequence[str]]
) -> None:
    allowed = statement("Allow * *", Condition={operator: {key: said}})
    row = Row(who="ann", does=GET, expected="deny", user=[allowed], context=given)
    assert judged(row) == row.expected


def judged_with_tags(row: Row, tags: Mapping[str, str]) -> bool:
    request = request_of(row)
    tagged = replace(request, principal=replace(request.principal, tags=tags))
    return evaluate(tagged, policies_of(row)).is_allowed


@pytest.mark.parametrize(
    ("tags", "may"),
    [
        ({}, True),
        ({"team": "red"}, True),
        ({"team": "blue"}, False),
        ({"Team": "blue"}, False),
        ({"team": "red", "TEAM": "blue"}, False),
    ],
    ids=["none", "another", "that one", "in another case", "in both"],
)
def test_tags_of_the_caller_are_what_a_policy_asks_for(tags: Mapping[str, str], may: bool) -> None:
    deny = statement("Deny * *", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}})
    row = Row(who="ann", does=GET, expected="", user=[*ALL, deny])
    assert judged_with_tags(row, tags) is may


def test_a_tag_of_the_caller_holds_no_wildcard() -> None:
    own = statement("Allow s3:GetObject b/${aws:PrincipalTag/team}/*")
    row = Row(who="ann", does="s3:GetObject b/red/k", expected="", user=[own])
    assert judged_with_tags(row, {"team": "red"})
    assert not judged_with_tags(row, {"team": "*"})
    assert not judged_with_tags(row, {"team": "${aws:username}"})


@pytest.mark.parametrize("who", sorted(set(CALLERS) - {"root"}))
def test_a_policy_of_a_bucket_allows_nothing_about_an_object_of_another(who: str) -> None:
    row = Row(who=who, does=GET, expected="", user=ALL, session=ALL, bucket=[everyone("Allow s3:* b,b/*")])
    elsewhere = replace(request_of(row), owner=replace(OWNER, account_id="c" * 64))
    assert evaluate(elsewhere, policies_of(row)).is_allowed
    policies = replace(policies_of(row), is_resource_owners=False)
    assert not evaluate(elsewhere, policies).is_allowed
    granted = replace(policies, acl=lambda: AclGrant.ACCOUNT)
    assert evaluate(elsewhere, granted).is_allowed
    forbidden = replace(row, bucket=[everyone("Deny s3:GetObject b/*")])
    policies = replace(policies_of(forbidden), is_resource_owners=False, acl=lambda: AclGrant.ACCOUNT)
    assert not evaluate(elsewhere, policies).is_allowed


@pytest.mark.parametrize("action", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"])
@pytest.mark.parametrize("who", ["bob", "other-root", "stranger"])
def test_a_policy_gives_itself_to_no_other_account(who: str, action: str) -> None:
    row = Row(
        who=who,
        does=f"s3:{action} b",
        expected="deny",
        user=ALL,
        bucket=[
            everyone("Allow s3:* b,b/*"),
            to(THERE_ROOT, "Allow s3:* b,b/*"),
            to(BOB, "Allow s3:* b,b/*"),
        ],
    )
    assert judged(row) == row.expected


SLOW: Final[Mapping[str, tuple[str, str]]] = {
    "question marks between letters": ("*" + "?a" * 5000 + "?b*", "a" * 60_000),
    "a long run of question marks": ("*" + "?" * 9000 + "b*", "a" * 60_000),
    "many short parts": ("*?a?b" * 4000, "ab" * 30_000),
    "parts that nearly fit": ("*" + ("?a" * 50 + "b*") * 190, "a" * 60_000),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SLOW)
def test_no_pattern_takes_long_however_long_the_text(name: str) -> None:
    pattern, text = SLOW[name]
    template = parse_template(pattern, has_wildcards=True, has_variables=False)
    began = time.process_time()
    assert not template.matches(text, lambda _: None)
    assert time.process_time() - began < 1.0
