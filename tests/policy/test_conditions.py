"""Tables: when each operator holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest
from tests.policy.rows import HERE, ROLE_ARN, SESSION_ARN, Row, judged, statement

from valetkey.policy.conditions import OPERATORS

Case = tuple[str, str, object, str | Sequence[str] | None, bool]
"""Operator, key, what the condition says, what the request has (None: nothing), whether it holds."""

TAG: Final = "s3:ExistingObjectTag/t"
IP: Final = "aws:SourceIp"
KEYS: Final = "aws:TagKeys"
NOW: Final = "aws:CurrentTime"
AGE: Final = "s3:signatureAge"
ARN: Final = "aws:SourceArn"
TLS: Final = "aws:SecureTransport"
KMS: Final = "s3:x-amz-server-side-encryption-aws-kms-key-id"
NOON: Final = "2026-11-24T12:00:00Z"

TEXTS: Final[list[Case]] = [
    ("StringEquals", "s3:prefix", "a", "a", True),
    ("StringEquals", "s3:prefix", "a", "A", False),
    ("StringEquals", "S3:PREFIX", "a", "a", True),
    ("stringequals", "s3:prefix", "a", "a", True),
    ("StringEquals", "s3:prefix", ["a", "b"], "b", True),
    ("StringEquals", "s3:prefix", ["a", "b"], "c", False),
    ("StringEquals", "s3:prefix", "a*", "ab", False),
    ("StringEquals", "s3:prefix", "a*", "a*", True),
    ("StringEquals", "s3:prefix", "a", None, False),
    ("StringEquals", "s3:prefix", "", "", True),
    ("StringEquals", "s3:prefix", "${aws:username}/", "ann/", True),
    ("StringEquals", "s3:prefix", "${aws:username}/", "bob/", False),
    ("StringEquals", "s3:prefix", "${aws:PrincipalTag/t}", "x", False),
    ("StringEquals", "s3:prefix", "${aws:PrincipalTag/t, 'x'}", "x", True),
    ("StringEquals", "s3:max-keys", 10, "10", True),
    ("StringEquals", TLS, "true", "true", True),
    ("StringEquals", TLS, True, "true", True),
    ("StringEquals", TAG, "public", "public", True),
    ("StringEquals", TAG, "public", "private", False),
    ("StringNotEquals", "s3:prefix", "a", "b", True),
    ("StringNotEquals", "s3:prefix", "a", "a", False),
    ("StringNotEquals", "s3:prefix", ["a", "b"], "b", False),
    ("StringNotEquals", "s3:prefix", ["a", "b"], "c", True),
    ("StringNotEquals", "s3:prefix", "a", None, True),
    ("StringEqualsIgnoreCase", "s3:prefix", "aB", "Ab", True),
    ("StringEqualsIgnoreCase", "s3:prefix", "a", "b", False),
    ("StringEqualsIgnoreCase", "s3:prefix", "${aws:userid}", "aidaann", True),
    ("StringNotEqualsIgnoreCase", "s3:prefix", "aB", "Ab", False),
    ("StringNotEqualsIgnoreCase", "s3:prefix", "aB", "c", True),
    ("StringNotEqualsIgnoreCase", "s3:prefix", "aB", None, True),
    ("StringLike", "s3:prefix", "a*", "abc", True),
    ("StringLike", "s3:prefix", "a*", "ba", False),
    ("StringLike", "s3:prefix", "a?c", "abc", True),
    ("StringLike", "s3:prefix", "a?c", "ac", False),
    ("StringLike", "s3:prefix", "*", "", True),
    ("StringLike", "s3:prefix", "*", None, False),
    ("StringLike", "s3:prefix", "${*}", "*", True),
    ("StringLike", "s3:prefix", "${*}", "a", False),
    ("StringLike", "s3:prefix", ["x", "${aws:username}/*"], "ann/a/b", True),
    ("StringLike", "aws:UserAgent", "Mozilla/*", "Mozilla/5.0", True),
    ("StringLike", "aws:Referer", "https://example.com/*", "https://example.com/a", True),
    ("StringLike", "s3:x-amz-copy-source", "b/public/*", "b/public/a", True),
    ("StringLike", "s3:x-amz-acl", "public*", "public-read", True),
    ("StringNotLike", "s3:prefix", "a*", "abc", False),
    ("StringNotLike", "s3:prefix", "a*", "b", True),
    ("StringNotLike", "s3:prefix", "a*", None, True),
    ("StringEqualsIfExists", "s3:prefix", "a", None, True),
    ("StringEqualsIfExists", "s3:prefix", "a", "a", True),
    ("StringEqualsIfExists", "s3:prefix", "a", "b", False),
    ("StringNotEqualsIfExists", "s3:prefix", "a", None, True),
    ("StringNotEqualsIfExists", "s3:prefix", "a", "a", False),
    ("StringLikeIfExists", "aws:Referer", "http://www.example.com/*", None, True),
    ("StringLikeIfExists", "aws:Referer", "http://www.example.com/*", "http://evil.example/", False),
]

FOLLOWING: Final[list[Case]] = [
    ("StringEquals", "aws:username", "ann", None, True),
    ("StringEquals", "aws:username", "bob", "bob", False),
    ("StringEquals", "aws:userid", "AIDAANN", None, True),
    ("StringEquals", "aws:PrincipalType", "User", None, True),
    ("StringEquals", "aws:PrincipalAccount", HERE, None, True),
    ("StringEquals", "aws:ResourceAccount", HERE, None, True),
    ("StringEquals", "s3:ResourceAccount", "222222222222", None, False),
    ("Bool", "aws:PrincipalIsAWSService", "false", None, True),
    ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:user/*", None, True),
    ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:user/team/ann", None, True),
    ("StringLike", "aws:PrincipalArn", "*:user/team/*", None, True),
    ("ArnNotEquals", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:user/team/ann", None, False),
]

NUMBERS: Final[list[Case]] = [
    ("NumericEquals", "s3:max-keys", "10", "10", True),
    ("NumericEquals", "s3:max-keys", 10, "10", True),
    ("NumericEquals", "s3:max-keys", "10", "10.0", True),
    ("NumericEquals", "s3:max-keys", "10", "11", False),
    ("NumericEquals", "s3:max-keys", "10", "ten", False),
    ("NumericEquals", "s3:max-keys", "10", None, False),
    ("NumericEquals", "s3:max-keys", ["1", "2"], "2", True),
    ("NumericNotEquals", "s3:max-keys", "10", "11", True),
    ("NumericNotEquals", "s3:max-keys", "10", "10", False),
    ("NumericNotEquals", "s3:max-keys", "10", None, True),
    ("NumericLessThan", "s3:max-keys", "10", "9", True),
    ("NumericLessThan", "s3:max-keys", "10", "10", False),
    ("NumericLessThanEquals", "s3:max-keys", "10", "10", True),
    ("NumericLessThanEquals", "s3:max-keys", "10", "11", False),
    ("NumericGreaterThan", AGE, 600000, "600001", True),
    ("NumericGreaterThan", AGE, 600000, "600000", False),
    ("NumericGreaterThan", AGE, 600000, None, False),
    ("NumericGreaterThanEquals", AGE, 600000, "600000", True),
    ("NumericGreaterThanEquals", AGE, 600000, "599999", False),
    ("NumericLessThan", "s3:TlsVersion", 1.2, "1.1", True),
    ("NumericLessThan", "s3:TlsVersion", "1.2", "1.2", False),
    ("NumericLessThan", "s3:TlsVersion", "1.2", "1.3", False),
    ("NumericEquals", "s3:max-keys", "-1", "-1", True),
    ("NumericGreaterThan", "aws:EpochTime", "1000", "1001", True),
    ("NumericLessThan", TAG, "5", "4", True),
    ("NumericLessThan", TAG, "5", "four", False),
    ("NumericGreaterThanIfExists", AGE, 600000, None, True),
    ("NumericGreaterThanIfExists", AGE, 600000, "1", False),
    ("NumericLessThanEqualsIfExists", "s3:max-keys", "10", "10", True),
    ("NumericGreaterThan", "s3:object-lock-remaining-retention-days", "10", "11", True),
]

DATES: Final[list[Case]] = [
    ("DateEquals", NOW, NOON, NOON, True),
    ("DateEquals", NOW, "2026-11-24T13:00:00+01:00", NOON, True),
    ("DateEquals", NOW, "1795521600", NOON, True),
    ("DateEquals", NOW, 1795521600, NOON, True),
    ("DateEquals", NOW, NOON, "2026-11-24T12:00:01Z", False),
    ("DateEquals", NOW, NOON, "noon", False),
    ("DateEquals", NOW, NOON, None, False),
    ("DateNotEquals", NOW, NOON, NOON, False),
    ("DateNotEquals", NOW, NOON, "2026-11-24T12:00:01Z", True),
    ("DateNotEquals", NOW, NOON, None, True),
    ("DateLessThan", NOW, NOON, "2026-11-24T11:59:59Z", True),
    ("DateLessThan", NOW, NOON, NOON, False),
    ("DateLessThanEquals", NOW, NOON, NOON, True),
    ("DateLessThanEquals", NOW, NOON, "2026-11-25", False),
    ("DateGreaterThan", NOW, NOON, "2026-11-25", True),
    ("DateGreaterThan", NOW, NOON, NOON, False),
    ("DateGreaterThan", NOW, "2026-11-24T11:59:59.999Z", NOON, True),
    ("DateGreaterThanEquals", NOW, NOON, NOON, True),
    ("DateGreaterThanEquals", NOW, NOON, "2026-11-23", False),
    ("DateGreaterThan", NOW, "2026", NOON, True),
    ("DateGreaterThan", NOW, "2026-11", NOON, True),
    ("DateLessThan", "aws:EpochTime", NOON, "1795521599", True),
    ("DateLessThan", "aws:TokenIssueTime", NOON, "2026-11-01T00:00:00Z", True),
    ("DateLessThan", "aws:TokenIssueTime", NOON, None, False),
    ("DateLessThanIfExists", "aws:TokenIssueTime", NOON, None, True),
    ("DateGreaterThan", "s3:object-lock-retain-until-date", NOON, "2027-01-01T00:00:00Z", True),
    ("DateLessThan", TAG, "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", False),
]

OTHERS: Final[list[Case]] = [
    ("Bool", TLS, "true", "true", True),
    ("Bool", TLS, "true", "false", False),
    ("Bool", TLS, "false", "false", True),
    ("Bool", TLS, False, "false", True),
    ("Bool", TLS, "True", "true", True),
    ("Bool", TLS, "false", None, False),
    ("BoolIfExists", TLS, "false", None, True),
    ("BoolIfExists", TLS, "false", "true", False),
    ("Bool", "aws:MultiFactorAuthPresent", "true", None, False),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "false", None, True),
    ("BinaryEquals", TAG, "YWJj", "abc", True),
    ("BinaryEquals", TAG, "YWJj", "abd", False),
    ("BinaryEquals", TAG, "YWJj", None, False),
    ("BinaryEqualsIfExists", TAG, "YWJj", None, True),
    ("Null", "s3:x-amz-server-side-encryption", "true", None, True),
    ("Null", "s3:x-amz-server-side-encryption", "true", "AES256", False),
    ("Null", "s3:x-amz-server-side-encryption", "false", "AES256", True),
    ("Null", "s3:x-amz-server-side-encryption", "false", None, False),
    ("Null", "s3:x-amz-server-side-encryption", True, None, True),
    ("Null", IP, False, "10.0.0.1", True),
    ("Null", KEYS, "true", [], True),
    ("IpAddress", IP, "203.0.113.0/24", "203.0.113.255", True),
    ("IpAddress", IP, "203.0.113.0/24", "203.0.114.0", False),
    ("IpAddress", IP, "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", IP, "203.0.113.7", "203.0.113.8", False),
    ("IpAddress", IP, "203.0.113.9/24", "203.0.113.1", True),
    ("IpAddress", IP, ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", IP, "2001:db8::/32", "2001:db9::1", False),
    ("IpAddress", IP, "10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("IpAddress", IP, "10.0.0.0/8", "2001:db8::1", False),
    ("IpAddress", IP, "10.0.0.0/8", "unknown", False),
    ("IpAddress", IP, "10.0.0.0/8", None, False),
    ("IpAddress", IP, "0.0.0.0/0", "8.8.8.8", True),
    ("NotIpAddress", IP, "10.0.0.0/8", "10.1.1.1", False),
    ("NotIpAddress", IP, "10.0.0.0/8", "11.1.1.1", True),
    ("NotIpAddress", IP, ["10.0.0.0/8", "11.0.0.0/8"], "11.1.1.1", False),
    ("NotIpAddress", IP, "10.0.0.0/8", None, True),
    ("NotIpAddressIfExists", "aws:VpcSourceIp", "10.0.0.0/8", None, True),
    ("IpAddressIfExists", IP, "10.0.0.0/8", None, True),
    ("ArnEquals", ARN, "arn:aws:s3:::b", "arn:aws:s3:::b", True),
    ("ArnEquals", ARN, "arn:aws:s3:::b*", "arn:aws:s3:::bb", True),
    ("ArnEquals", ARN, "arn:aws:s3:::b", "arn:aws:s3:::c", False),
    ("ArnLike", ARN, "arn:aws:s3:::b*", "arn:aws:s3:::bb", True),
    ("ArnLike", ARN, "arn:aws:s3:*:*:b", "arn:aws:s3:r:1:b", True),
    ("ArnLike", ARN, "arn:aws:s3:*:b", "arn:aws:s3:r:1:b", False),
    ("ArnLike", ARN, "arn:aws:s3:::b", "nothing of the kind", False),
    ("ArnLike", ARN, "arn:aws:s3:::b", None, False),
    ("ArnLike", ARN, "*", "arn:aws:s3:::b", True),
    ("ArnLike", KMS, "arn:aws:kms:*:*:key/1", "arn:aws:kms:r:1:key/1", True),
    ("ArnNotLike", ARN, "arn:aws:s3:::b*", "arn:aws:s3:::bb", False),
    ("ArnNotLike", ARN, "arn:aws:s3:::b*", "arn:aws:s3:::c", True),
    ("ArnNotEquals", ARN, "arn:aws:s3:::b", None, True),
    ("ArnLikeIfExists", ARN, "arn:aws:s3:::b", None, True),
]

SETS: Final[list[Case]] = [
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], None, True),
    ("ForAllValues:StringEquals", KEYS, ["a", "b"], [], True),
    ("forallvalues:stringequals", KEYS, "a", ["a"], True),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], ["c"], False),
    ("ForAnyValue:StringEquals", KEYS, ["a", "b"], None, False),
    ("ForAnyValue:StringLike", KEYS, "team-*", ["x", "team-a"], True),
    ("ForAllValues:StringLike", KEYS, "team-*", ["x", "team-a"], False),
    ("ForAllValues:StringNotEquals", KEYS, ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", KEYS, ["a", "b"], ["c", "a"], False),
    ("ForAllValues:StringNotEquals", KEYS, ["a", "b"], None, True),
    ("ForAnyValue:StringNotEquals", KEYS, ["a", "b"], ["c", "a"], True),
    ("ForAnyValue:StringNotEquals", KEYS, ["a", "b"], ["b", "a"], False),
    ("ForAnyValue:StringNotEquals", KEYS, ["a", "b"], None, False),
    ("ForAnyValue:StringEqualsIfExists", KEYS, "a", None, True),
    ("ForAnyValue:StringEqualsIfExists", KEYS, "a", ["b"], False),
    ("ForAllValues:StringEqualsIfExists", "s3:RequestObjectTagKeys", "a", ["a"], True),
    ("StringEquals", KEYS, "a", ["b", "a"], False),
    ("StringEquals", KEYS, ["a", "b"], ["b", "a"], True),
    ("StringNotEquals", KEYS, "a", ["b", "a"], False),
]

CASES: Final = [*TEXTS, *FOLLOWING, *NUMBERS, *DATES, *OTHERS, *SETS]


@pytest.mark.parametrize(("operator", "key", "said", "given", "holds"), CASES)
def test_condition(
    operator: str, key: str, said: object, given: str | Sequence[str] | None, holds: bool
) -> None:
    row = Row(
        who="ann",
        does="s3:GetObject b/k",
        expected="allow user 0" if holds else "deny",
        user=[statement("Allow * *", Condition={operator: {key: said}})],
        context={} if given is None else {key: given},
    )
    assert judged(row) == row.expected


def test_every_operator_has_rows_that_hold_and_rows_that_do_not() -> None:
    seen = {(name.rpartition(":")[2].lower().removesuffix("ifexists"), holds) for name, *_, holds in CASES}
    assert seen >= {(name.lower(), holds) for name in OPERATORS for holds in (True, False)}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({"StringEquals": {"s3:prefix": "a", "s3:delimiter": "/"}}, True),
        ({"StringEquals": {"s3:prefix": "a", "s3:delimiter": "-"}}, False),
        ({"StringEquals": {"s3:prefix": "a"}, "Bool": {TLS: "true"}}, True),
        ({"StringEquals": {"s3:prefix": "a"}, "Bool": {TLS: "false"}}, False),
        ({}, True),
        ({"StringEquals": {}}, True),
    ],
    ids=["two keys", "one key fails", "two operators", "one operator fails", "none", "no key"],
)
def test_all_conditions_must_hold(conditions: object, holds: bool) -> None:
    row = Row(
        who="ann",
        does="s3:ListBucket b",
        expected="allow user 0" if holds else "deny",
        user=[statement("Allow * *", Condition=conditions)],
        context={"s3:prefix": "a", "s3:delimiter": "/", TLS: "true"},
    )
    assert judged(row) == row.expected


@pytest.mark.parametrize(
    ("who", "key", "value", "holds"),
    [
        ("role", "aws:PrincipalArn", ROLE_ARN, True),
        ("role", "aws:PrincipalArn", SESSION_ARN, False),
        ("role", "aws:PrincipalType", "AssumedRole", True),
        ("role", "aws:username", "reader", False),
        ("guest", "aws:PrincipalType", "FederatedUser", True),
        ("bob", "aws:PrincipalAccount", "222222222222", True),
        ("bob", "aws:ResourceAccount", HERE, True),
        ("other-root", "aws:userid", "222222222222", True),
        ("other-root", "aws:PrincipalType", "Account", True),
        ("stranger", "aws:PrincipalType", "Anonymous", True),
        ("stranger", "aws:userid", "anonymous", True),
        ("stranger", "aws:PrincipalAccount", "", False),
    ],
)
def test_what_follows_from_the_caller(who: str, key: str, value: str, holds: bool) -> None:
    deny = statement("Deny s3:* b/*", Principal="*", Condition={"StringEquals": {key: value}})
    row = Row(who=who, does="s3:GetObject b/k", expected="deny bucket 0", bucket=[deny])
    assert (judged(row) == row.expected) == holds
