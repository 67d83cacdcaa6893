"""The policy of a form: what it must look like, and what it lets through."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.post_policy import SizeRange, parse_post_policy, require_fulfilled

NOW_MS = 1_795_435_200_000
LATER = "2026-11-23T12:00:01Z"
PAST = "2026-11-23T12:00:00.000Z"


def encoded(document: object) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return b64encode(text.encode()).decode()


def check(
    conditions: list[Any],
    fields: Mapping[str, str],
    *,
    bucket: str = "b",
    expiration: str = LATER,
    names: Mapping[str, str] | None = None,
) -> None:
    policy = parse_post_policy(
        encoded({"expiration": expiration, "conditions": [{"bucket": "b"}, *conditions]})
    )
    require_fulfilled(policy, fields, names=names or {}, bucket=bucket, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param("", "Expecting '{' but found End-of-Input", id="empty"),
        pytest.param("{", "Invalid JSON.", id="broken"),
        pytest.param("[]", "Invalid JSON.", id="list"),
        pytest.param('{"expiration": "x", "expiration": "y"}', "Invalid JSON.", id="twice"),
        pytest.param("[" * 10_000, "Invalid JSON.", id="deep"),
        pytest.param(
            {"expiration": LATER, "conditions": [["content-length-range", 0, 1.5]]},
            "Invalid JSON.",
            id="fraction",
        ),
        pytest.param({"conditions": []}, "Policy missing expiration.", id="no-expiration"),
        pytest.param({"Expiration": LATER, "conditions": []}, "Unexpected: 'Expiration'", id="case"),
        pytest.param(
            {"expiration": LATER, "conditions": [], "statement": 1}, "Unexpected: 'statement'", id="more"
        ),
        pytest.param(
            {"expiration": "soon", "conditions": []}, "Invalid 'expiration' value: 'soon'", id="no-date"
        ),
        pytest.param(
            {"expiration": "2026-11-23 12:00:01+00:00", "conditions": []},
            "Invalid 'expiration' value: '2026-11-23 12:00:01+00:00'",
            id="other-date",
        ),
        pytest.param(
            {"expiration": "2026-11-23T12:00:01+00:00", "conditions": []},
            "Invalid 'expiration' value: '2026-11-23T12:00:01+00:00'",
            id="offset",
        ),
        pytest.param({"expiration": LATER}, "Policy missing conditions.", id="no-conditions"),
        pytest.param(
            {"expiration": LATER, "conditions": {}},
            "Invalid 'conditions' value: must be a List.",
            id="object",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": ["eq"]},
            "Invalid condition test: must be a List or Object.",
            id="text",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [{}]},
            "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            id="no-property",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [{"a": "1", "b": "2"}]},
            "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            id="two-properties",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [{"a": 1}]},
            "Invalid Simple-Condition: value must be a string.",
            id="number",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [[]]},
            "Invalid Condition: missing operation identifier.",
            id="no-operator",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [["ends-with", "$key", "a"]]},
            "Invalid Condition: unknown operation 'ends-with'.",
            id="operator",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [["eq", "$key"]]},
            "Invalid eq: wrong number of arguments.",
            id="too-few",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [["content-length-range", 0]]},
            "Invalid content-length-range: wrong number of arguments.",
            id="half-a-range",
        ),
        pytest.param(
            {"expiration": LATER, "conditions": [["content-length-range", -1, 0]]},
            "Invalid content-length-range: sizes must not be negative.",
            id="negative",
        ),
    ],
)
def test_malformed_policy_says_where(document: object, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_post_policy(encoded(document))
    assert caught.value.code is Code.INVALID_POLICY_DOCUMENT
    assert caught.value.message == f"Invalid Policy: {message}"


def test_policy_that_is_no_base64() -> None:
    with pytest.raises(S3Error) as caught:
        parse_post_policy("{}")
    assert caught.value.message == "Invalid Policy: invalid Base64 encoding."


@given(text=st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_comes_is_a_policy_or_refused(text: str) -> None:
    with pytest.raises(S3Error):
        parse_post_policy(encoded(text))
    with pytest.raises(S3Error):
        parse_post_policy(text)


ALLOWED: list[Any] = [
    pytest.param([{"key": "a"}], {"key": "a"}, id="simple"),
    pytest.param([["eq", "$key", "a"]], {"key": "a"}, id="eq"),
    pytest.param([["StArTs-WiTh", "$KeY", "a"]], {"key": "ab"}, id="case-of-names"),
    pytest.param([["starts-with", "$key", ""]], {"key": "ab"}, id="anything"),
    pytest.param([["starts-with", "$key", "\\$a"]], {"key": "\\$ab"}, id="backslash"),
    pytest.param(
        [{"key": "a"}, ["starts-with", "$Content-Type", "image/"]],
        {"key": "a", "content-type": "image/png,image/gif"},
        id="list-of-types",
    ),
    pytest.param([{"key": "a"}], {"key": "a", "x-ignore-me": "1"}, id="ignored-field"),
    pytest.param(
        [{"key": "a"}], {"key": "a", "policy": "p", "x-amz-signature": "s"}, id="fields-of-the-signature"
    ),
    pytest.param(
        [{"key": "a"}], {"key": "a", "awsaccesskeyid": "AK", "signature": "s"}, id="fields-of-sigv2"
    ),
    pytest.param([{"key": "a"}], {"key": "a", "bucket": "b"}, id="bucket"),
]


@pytest.mark.parametrize(("conditions", "fields"), ALLOWED)
def test_form_within_its_policy(conditions: list[Any], fields: dict[str, str]) -> None:
    check(conditions, fields)


@pytest.mark.parametrize(
    ("conditions", "fields", "message"),
    [
        pytest.param(
            [{"key": "a"}], {"key": "A"}, 'Policy Condition failed: ["eq", "$key", "a"]', id="case-of-values"
        ),
        pytest.param(
            [["Starts-With", "$Key", "a"]],
            {"key": "b"},
            'Policy Condition failed: ["Starts-With", "$Key", "a"]',
            id="spelling-of-the-policy",
        ),
        pytest.param(
            [{"key": "a"}, ["starts-with", "$x-amz-meta-a", ""]],
            {"key": "a"},
            'Policy Condition failed: ["starts-with", "$x-amz-meta-a", ""]',
            id="field-that-is-not-there",
        ),
        pytest.param(
            [["eq", "key", "a"]], {"key": "a"}, 'Policy Condition failed: ["eq", "key", "a"]', id="no-dollar"
        ),
        pytest.param(
            [{"key": "a"}, ["starts-with", "$Content-Type", "image/"]],
            {"key": "a", "content-type": "image/png, text/html"},
            'Policy Condition failed: ["starts-with", "$Content-Type", "image/"]',
            id="one-type-of-a-list",
        ),
        pytest.param(
            [{"key": "a"}], {"key": "a", "acl": "private"}, "Extra input fields: acl", id="uncovered"
        ),
        pytest.param(
            [{"key": "a"}],
            {"key": "a", "x-amz-security-token": "t"},
            "Extra input fields: x-amz-security-token",
            id="uncovered-token",
        ),
        pytest.param(
            [{"key": "a"}],
            {"key": "a", "bucket": "c"},
            'Policy Condition failed: ["eq", "$bucket", "b"]',
            id="other-bucket-in-the-form",
        ),
        pytest.param(
            [{"key": "a"}, ["content-length-range", "x", 1]],
            {"key": "a"},
            'Policy Condition failed: ["content-length-range", "x", 1]',
            id="size-that-is-no-number",
        ),
    ],
)
def test_form_beyond_its_policy(conditions: list[Any], fields: dict[str, str], message: str) -> None:
    with pytest.raises(S3Error) as caught:
        check(conditions, fields)
    assert caught.value.code is Code.ACCESS_DENIED
    assert caught.value.message == f"Invalid according to Policy: {message}"


def test_form_sent_to_another_bucket() -> None:
    with pytest.raises(S3Error, match=r'failed: \["eq", "\$bucket", "b"\]'):
        check([{"key": "a"}], {"key": "a"}, bucket="c")


def test_policy_that_names_no_bucket_covers_none() -> None:
    policy = parse_post_policy(encoded({"expiration": LATER, "conditions": [{"key": "a"}]}))
    with pytest.raises(S3Error, match="Extra input fields: bucket"):
        require_fulfilled(policy, {"key": "a"}, names={}, bucket="b", now_ms=NOW_MS)


def test_uncovered_field_is_named_as_the_form_spells_it() -> None:
    with pytest.raises(S3Error, match="Extra input fields: X-Amz-Meta-A"):
        check([{"key": "a"}], {"key": "a", "x-amz-meta-a": "1"}, names={"x-amz-meta-a": "X-Amz-Meta-A"})


def test_the_instant_of_expiration_is_too_late() -> None:
    with pytest.raises(S3Error) as caught:
        check([{"key": "a"}], {"key": "a"}, expiration=PAST)
    assert caught.value.message == "Invalid according to Policy: Policy expired."


@pytest.mark.parametrize(
    ("ranges", "size"),
    [
        pytest.param([], None, id="none"),
        pytest.param([[0, 10]], SizeRange(least=0, most=10), id="numbers"),
        pytest.param([["5", "10"]], SizeRange(least=5, most=10), id="digits"),
        pytest.param([[0, 10], [5, 20]], SizeRange(least=5, most=10), id="tightest"),
    ],
)
def test_size(ranges: list[list[Any]], size: SizeRange | None) -> None:
    conditions = [["content-length-range", *each] for each in ranges]
    assert parse_post_policy(encoded({"expiration": LATER, "conditions": conditions})).size == size


def test_a_policy_that_comes_again_is_known_and_still_ends() -> None:
    text = encoded({"expiration": LATER, "conditions": [{"bucket": "b"}, ["starts-with", "$key", ""]]})
    policy = parse_post_policy(text)
    assert parse_post_policy(text) is policy
    fields = {"key": "k"}
    require_fulfilled(policy, fields, names={}, bucket="b", now_ms=NOW_MS)
    with pytest.raises(S3Error) as caught:
        require_fulfilled(policy, fields, names={}, bucket="b", now_ms=NOW_MS + 1000)
    assert caught.value.message == "Invalid according to Policy: Policy expired."


def test_a_refused_policy_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(S3Error):
            parse_post_policy("e30=")


def test_a_long_policy_is_not_remembered() -> None:
    text = encoded({"expiration": LATER, "conditions": [{"bucket": "b" * 2000}]})
    policy = parse_post_policy(text)
    assert parse_post_policy(text) == policy
    assert parse_post_policy(text) is not policy
