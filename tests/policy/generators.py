"""Policies and requests, drawn such that every part of a statement is met: wildcards, variables, Not…, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st
from tests.policy.rows import ANN_ARN, CALLERS, FEDERATED_ARN, HERE, ROLE_ARN, SESSION_ARN, THERE, Row

from valetkey.policy.condition_keys import KeyType, type_of
from valetkey.policy.conditions import OPERATORS
from valetkey.policy.evaluate import AclGrant
from valetkey.policy.public import PublicAccessBlock

NAMES: Final = st.sampled_from(
    [
        "*",
        HERE,
        THERE,
        ANN_ARN,
        ROLE_ARN,
        SESSION_ARN,
        FEDERATED_ARN,
        "arn:aws:iam:::user/team/ann",
        f"arn:aws:iam::{THERE}:user/bob",
        f"arn:aws:iam::{THERE}:root",
        "a" * 64,
        "b" * 64,
    ]
)
OBJECT_ACTIONS: Final = st.sampled_from(
    ["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject", "S3:?etObject", "s3:*Object"]
)
RESOURCES: Final = st.sampled_from(
    [
        "b/*",
        "b/k",
        "b/?",
        "b/*k*",
        "b/?nn",
        "b/${aws:username}",
        "b/${aws:username}*",
        "b/${aws:PrincipalTag/t}",
        "b/${aws:PrincipalTag/t, 'k'}",
        "b/${s3:prefix}",
        "b/${*}",
    ]
)
_TEXTS: Final = [
    "a",
    "a*",
    "A",
    "?",
    "",
    "${aws:username}",
    "${s3:prefix}*",
    "${aws:PrincipalTag/t, 'a'}",
    "${$}",
]
SAID: Final[Mapping[KeyType, list[str]]] = {
    KeyType.TEXT: _TEXTS,
    KeyType.TEXTS: ["t", "u*", "${aws:username}"],
    KeyType.NUMBER: ["1", "600000", "-2.5"],
    KeyType.DATE: ["2026-11-24T00:00:00Z", "2026", "1764000000"],
    KeyType.EPOCH: ["1764000000", "0"],
    KeyType.TRUTH: ["true", "false"],
    KeyType.NETWORK: ["10.0.0.0/8", "::/0", "::ffff:10.0.0.0/104"],
    KeyType.ARN: ["*", ANN_ARN, f"arn:aws:iam::{HERE}:user/*", "arn:aws:*:::${aws:username}"],
    KeyType.TAG: ["1", "true", "2026-11-24"],
}
"""What conditions say of keys of a type, such that nearly every operator takes it."""
GIVEN: Final[Mapping[KeyType, list[str]]] = {
    KeyType.TEXT: ["a", "ab", "ann", "", "*", "${aws:username}", "a" * 5000],
    KeyType.TEXTS: ["t", "ux", "ann"],
    KeyType.NUMBER: ["1", "01", "600001", "x"],
    KeyType.DATE: ["2026-11-24T00:00:00Z", "2027", "never"],
    KeyType.EPOCH: ["1764000000", "1764000000.5"],
    KeyType.TRUTH: ["true", "FALSE", "1"],
    KeyType.NETWORK: ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "nowhere"],
    KeyType.ARN: [ANN_ARN, "not an arn", "arn:aws:iam::1:user"],
    KeyType.TAG: ["1", "true", "2026-11-24", "a"],
}
ASKED: Final = (
    "s3:prefix",
    "aws:UserAgent",
    "aws:TagKeys",
    "s3:RequestObjectTagKeys",
    "s3:signatureAge",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:PrincipalArn",
    "aws:username",
    "aws:userid",
    "s3:ExistingObjectTag/t",
    "aws:PrincipalTag/t",
    "aws:TokenIssueTime",
    "aws:SourceVpce",
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """Draw a Condition element of at most three conditions, all of which can be parsed."""
    made: dict[str, dict[str, object]] = {}
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from(ASKED))
        key_type = type_of(key.lower())
        assert key_type is not None
        fitting = sorted(name for name, row in OPERATORS.items() if key_type in row.types)
        name = draw(st.sampled_from(fitting))
        said = draw(st.lists(st.sampled_from(SAID[key_type]), min_size=1, max_size=2))
        if name == "Null":
            made.setdefault(name, {})[key] = draw(st.sampled_from(["true", "false", ["true", "false"]]))
            continue
        if name == "BinaryEquals":
            said = ["YQ==", "dA=="]
        elif name == "Bool":
            said = [draw(st.sampled_from(["true", "false"]))]
        elif name.startswith("Numeric"):
            said = [draw(st.sampled_from(SAID[KeyType.NUMBER]))]
        elif name.startswith("Date"):
            said = [draw(st.sampled_from(SAID[KeyType.DATE]))]
        elif name.startswith("Arn"):
            said = [draw(st.sampled_from(SAID[KeyType.ARN]))]
        quantifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
        suffix = draw(st.sampled_from(["", "IfExists"]))
        made.setdefault(f"{quantifier}{name}{suffix}", {})[key] = said
    return made


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, str | list[str]]:
    """Draw what a request brings: some of the keys that conditions ask for, now and then several values of one."""
    found: dict[str, str | list[str]] = {}
    for key in draw(st.sets(st.sampled_from(ASKED), max_size=8)):
        key_type = type_of(key.lower())
        assert key_type is not None
        may_be_many = key_type in {KeyType.TEXTS, KeyType.TAG}
        found[key] = draw(
            st.lists(st.sampled_from(GIVEN[key_type]), min_size=1, max_size=3 if may_be_many else 1)
        )
    return found


@st.composite
def statements(draw: st.DrawFn, *, effect: str | None = None, is_resource: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        draw(st.sampled_from(["Action", "NotAction"])): draw(
            st.lists(OBJECT_ACTIONS, min_size=1, max_size=3)
        ),
        draw(st.sampled_from(["Resource", "NotResource"])): [
            f"arn:aws:s3:::{one}" for one in draw(st.lists(RESOURCES, min_size=1, max_size=3))
        ],
        "Condition": draw(st.just({}) | conditions()),
    }
    if is_resource:
        may_negate = made["Effect"] == "Deny"
        name = draw(st.sampled_from(["Principal", "NotPrincipal"])) if may_negate else "Principal"
        made[name] = {"AWS": draw(st.lists(NAMES, min_size=1, max_size=3))}
    return made


def lists(*, is_resource: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(statements(is_resource=is_resource), max_size=4)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    return Row(
        who=draw(st.sampled_from(sorted(CALLERS))),
        does=draw(
            st.sampled_from(
                [
                    "s3:GetObject b/k",
                    "s3:PutObject b/ann",
                    "s3:GetObject b/a",
                    "s3:PutObject b/*",
                    "s3:GetBucketPolicy b",
                    f"s3:GetObject b/{'k' * 5000}",
                ]
            )
        ),
        expected="",
        bucket=draw(lists(is_resource=True)),
        user=draw(lists(is_resource=False)),
        group=draw(lists(is_resource=False)),
        boundary=draw(st.none() | lists(is_resource=False)),
        session=draw(st.none() | lists(is_resource=False)),
        acl=draw(st.sampled_from([None, *AclGrant])),
        context=draw(contexts()),
        is_owned=draw(st.booleans()),
        version=draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"])),
        block=draw(
            st.builds(
                PublicAccessBlock, ignore_public_acls=st.booleans(), restrict_public_buckets=st.just(False)
            )
        ),
    )
