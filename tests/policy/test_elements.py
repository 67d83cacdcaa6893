"""Tables: which actions and resources a statement is about, and what variables stand for."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.policy.rows import HERE, Row, everyone, judged, statement

YES: Final = "allow user 0"
NO: Final = "deny"

ACTIONS: Final = [
    ("s3:GetObject", "s3:GetObject", YES),
    ("s3:getobject", "s3:GetObject", YES),
    ("S3:GETOBJECT", "s3:GetObject", YES),
    ("s3:GetObject", "s3:getobject", YES),
    ("s3:GetObject", "s3:GetObjectVersion", NO),
    ("s3:GetObject*", "s3:GetObjectVersion", YES),
    ("s3:GetObject*", "s3:GetObject", YES),
    ("s3:Get*", "s3:PutObject", NO),
    ("s3:*", "s3:DeleteBucket", YES),
    ("*", "s3:DeleteBucket", YES),
    ("*:*", "s3:DeleteBucket", YES),
    ("*", "iam:CreateUser", YES),
    ("s3:*", "iam:CreateUser", NO),
    ("iam:*", "iam:CreateUser", YES),
    ("iam:Create????", "iam:CreateUser", YES),
    ("iam:Create???", "iam:CreateUser", NO),
    ("s3:*Object", "s3:PutObject", YES),
    ("s3:*Object", "s3:PutObjectAcl", NO),
    ("s3:?etObject", "s3:GetObject", YES),
    ("s3:?etObject", "s3:PutObject", NO),
    ("s3:*Tagging", "s3:PutObjectTagging", YES),
    ("s3:*Object*ging", "s3:GetObjectVersionTagging", YES),
    ("s3:PutObject,s3:GetObject", "s3:GetObject", YES),
    ("ec2:RunInstances", "s3:GetObject", NO),
    ("!s3:PutObject", "s3:GetObject", YES),
    ("!s3:GetObject", "s3:GetObject", NO),
    ("!s3:Get*", "s3:GetObjectAcl", NO),
    ("!s3:*", "iam:CreateUser", YES),
    ("!iam:*", "s3:GetObject", YES),
    ("!*", "s3:GetObject", NO),
]

RESOURCES: Final = [
    ("b/k", "b/k", YES),
    ("b/k", "b/K", NO),
    ("b/k", "b/kk", NO),
    ("b/*", "b/k", YES),
    ("b/*", "b/", YES),
    ("b/*", "b", NO),
    ("b/*", "b/deep/er/k", YES),
    ("b/*/k", "b/deep/er/k", YES),
    ("b/*.png", "b/a/c.png", YES),
    ("b/*.png", "b/a/c.jpg", NO),
    ("b/?", "b/k", YES),
    ("b/?", "b/", NO),
    ("b/?", "b/kk", NO),
    ("b/a?c", "b/a/c", YES),
    ("b/a?*c", "b/abbc", YES),
    ("b/a?*c", "b/ac", NO),
    ("b", "b", YES),
    ("b", "b/k", NO),
    ("b*", "b/k", YES),
    ("b*", "bucket", YES),
    ("b*", "c", NO),
    ("*", "b/k", YES),
    ("arn:aws:s3:::*", "b/k", YES),
    ("arn:aws:s3:*:*:b/*", "b/k", YES),
    ("arn:aws:s3", "b/k", YES),
    ("arn:aws:s*:::b/k", "b/k", YES),
    ("arn:*:s3:::b/k", "b/k", YES),
    ("arn:aws:*", "b/k", YES),
    ("arn:aws:iam:::b/k", "b/k", NO),
    ("arn:aws:s3:us-east-1::b/k", "b/k", NO),
    ("arn:aws:s3:?::b/k", "b/k", NO),
    ("b/a:b", "b/a:b", YES),
    ("b/*:b", "b/a:b:b", YES),
    ("x,b/k", "b/k", YES),
    ("!b/k", "b/k", NO),
    ("!b/k", "b/j", YES),
    ("!b/*", "b", YES),
    ("!b,b/*", "b/k", NO),
    ("!*", "b/k", NO),
    (f"arn:aws:iam::{HERE}:user/*", f"arn:aws:iam::{HERE}:user/a/b", YES),
    (f"arn:aws:iam::{HERE}:user/*", f"arn:aws:iam::{HERE}:role/a", NO),
    ("arn:aws:iam::*:user/a", f"arn:aws:iam::{HERE}:user/a", YES),
]

VARIABLES: Final[list[tuple[str, str, str, dict[str, Any]]]] = [
    ("b/${aws:username}/*", "b/ann/k", YES, {}),
    ("b/${aws:username}/*", "b/bob/k", NO, {}),
    ("b/${aws:UserName}/*", "b/ann/k", YES, {}),
    ("b/${ aws:username }/*", "b/ann/k", YES, {}),
    ("b/${aws:userid}", "b/AIDAANN", YES, {}),
    ("b/${aws:PrincipalAccount}", f"b/{HERE}", YES, {}),
    ("arn:aws:iam::${aws:PrincipalAccount}:user/*", f"arn:aws:iam::{HERE}:user/x", YES, {}),
    ("b/${aws:PrincipalTag/team}/*", "b/red/k", YES, {"context": {"aws:PrincipalTag/team": "red"}}),
    ("b/${aws:PrincipalTag/team}/*", "b/blue/k", NO, {"context": {"aws:PrincipalTag/team": "red"}}),
    ("b/${aws:PrincipalTag/team}/*", "b//k", NO, {}),
    ("b/${aws:PrincipalTag/team,'red'}/*", "b/red/k", YES, {}),
    ("b/${aws:PrincipalTag/team,'red'}", "b/blue", YES, {"context": {"aws:PrincipalTag/team": "blue"}}),
    ("b/${aws:PrincipalTag/team,''}/k", "b//k", YES, {}),
    ("b/${s3:prefix}k", "b/a/k", YES, {"context": {"s3:prefix": "a/"}}),
    ("b/${*}", "b/*", YES, {}),
    ("b/${*}", "b/k", NO, {}),
    ("b/${?}", "b/?", YES, {}),
    ("b/${?}", "b/k", NO, {}),
    ("b/${$}{aws:username}", "b/${aws:username}", YES, {}),
    ("b/${$}{aws:username}", "b/ann", NO, {}),
    ("b/$x", "b/$x", YES, {}),
    ("b/${aws:username}", "b/anna", NO, {"who": "ann*"}),
    ("b/${aws:username}", "b/ann*", YES, {"who": "ann*"}),
    ("b/${aws:username}/*", "b/reader/k", NO, {"who": "role"}),
    ("b/${aws:userid}/*", "b/AROAREADER:shift/k", YES, {"who": "role"}),
    ("b/${aws:username}", "b/${aws:username}", YES, {"version": "2008-10-17"}),
    ("b/${aws:username}", "b/ann", NO, {"version": "2008-10-17"}),
    ("b/${aws:nothing}", "b/${aws:nothing}", YES, {"version": "2008-10-17"}),
    ("!b/${aws:PrincipalTag/team}", "b/k", NO, {}),
    ("!b/${aws:PrincipalTag/team}", "b/k", YES, {"context": {"aws:PrincipalTag/team": "red"}}),
]


@pytest.mark.parametrize(("actions", "action", "expected"), ACTIONS)
def test_action(actions: str, action: str, expected: str) -> None:
    row = Row(who="ann", does=f"{action} b/k", expected=expected, user=[statement(f"Allow {actions} *")])
    assert judged(row) == expected


@pytest.mark.parametrize(("resources", "resource", "expected"), RESOURCES)
def test_resource(resources: str, resource: str, expected: str) -> None:
    row = Row(
        who="ann",
        does=f"s3:GetObject {resource}",
        expected=expected,
        user=[statement(f"Allow * {resources}")],
    )
    assert judged(row) == expected


@pytest.mark.parametrize(("resources", "resource", "expected", "more"), VARIABLES)
def test_variable(resources: str, resource: str, expected: str, more: dict[str, Any]) -> None:
    written = {
        **statement("Allow *"),
        ("NotResource" if resources.startswith("!") else "Resource"): resources.removeprefix("!")
        if resources.startswith("arn:")
        else f"arn:aws:s3:::{resources.removeprefix('!')}",
    }
    row = Row(
        **{"who": "ann", "does": f"s3:GetObject {resource}", "expected": expected, "user": [written], **more}
    )
    assert judged(row) == expected


def test_a_deny_for_all_but_an_unknown_place_forbids_everywhere() -> None:
    row = Row(
        who="root",
        does="s3:GetObject b/k",
        expected="deny bucket 0",
        bucket=[everyone("Deny s3:* !b/${aws:PrincipalTag/team}")],
    )
    assert judged(row) == row.expected
