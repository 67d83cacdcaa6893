"""What is refused when a policy is put, with what words and where."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from tests.policy.rows import HERE, document, everyone, statement, to

from valetkey.policy.documents import (
    MAX_BUCKET_POLICY_BYTES,
    DocumentKind,
    Effect,
    MalformedPolicyError,
    PolicyTooLargeError,
    length_of,
    parse_policy,
)

SYNTAX: Final = "Invalid policy syntax."
NO_JSON: Final = "Policies must be valid JSON and the first byte must be '{'"
BAD_JSON: Final = "This policy contains invalid Json"
RESOURCE: Final = "Policy has invalid resource"
PRINCIPAL: Final = "Invalid principal in policy"
ACTION: Final = "Policy has invalid action"
KEY: Final = "Policy has an invalid condition key"
APPLY: Final = "Action does not apply to any resource(s) in statement"
GET: Final = "Allow s3:GetObject b/*"
FIRST: Final = "Statement[0]"


def refusal(text: str | bytes, kind: DocumentKind) -> tuple[str, str]:
    with pytest.raises(MalformedPolicyError) as caught:
        parse_policy(text, kind=kind, bucket="b")
    return caught.value.message, caught.value.where


def without(name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


TEXTS: Final = {
    "empty": ("", NO_JSON),
    "a list": ("[]", NO_JSON),
    "a word": ("true", NO_JSON),
    "not UTF-8": (b"\xff{}", NO_JSON),
    "cut": ('{"Version":', BAD_JSON),
    "two documents": ("{}{}", BAD_JSON),
    "a name twice": ('{"Id": "a", "Id": "b"}', BAD_JSON),
    "deep": ('{"Id":' + "[" * 9000, BAD_JSON),
    "no number": ('{"Id": NaN}', BAD_JSON),
    "half a surrogate pair": ('{"Id": "\\ud800"}', BAD_JSON),
    "no statement": ("{}", "Missing required field Statement"),
    "empty statement": ('{"Statement": []}', "Could not parse the policy: Statement is empty!"),
    "unknown field": ('{"Statements": []}', "Unknown field Statements"),
    "lower case": ('{"statement": []}', "Unknown field statement"),
    "old version": ('{"Version": "2010-10-17"}', "The policy must contain a valid version string"),
    "number as version": ('{"Version": 2012}', "The policy must contain a valid version string"),
    "list as version": ('{"Version": ["2012-10-17"]}', "The policy must contain a valid version string"),
    "id is a list": ('{"Id": [], "Statement": []}', SYNTAX),
}


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_text_is_refused(text: str | bytes, message: str) -> None:
    assert refusal(text, DocumentKind.RESOURCE)[0] == message


BUCKET: Final[dict[str, tuple[object, str, str]]] = {
    "no object": ("Allow", SYNTAX, FIRST),
    "unknown element": (everyone(GET, Resources="*"), "Unknown field Resources", FIRST),
    "no effect": (without("Effect", everyone(GET)), "Missing required field Effect", FIRST),
    "small effect": (everyone("allow s3:GetObject b/*"), "Invalid effect: allow", f"{FIRST}.Effect"),
    "effect is a list": ({**everyone(GET), "Effect": []}, "Invalid effect: []", f"{FIRST}.Effect"),
    "no principal": (statement(GET), "Missing required field Principal", FIRST),
    "both principals": (everyone(GET, NotPrincipal="*"), SYNTAX, FIRST),
    "allowed to all but some": (
        statement(GET, NotPrincipal={"AWS": HERE}),
        "Allow with NotPrincipal is not allowed.",
        f"{FIRST}.NotPrincipal",
    ),
    "principal is an ARN": (statement(GET, Principal="arn:aws:iam::1:root"), PRINCIPAL, f"{FIRST}.Principal"),
    "principal is empty": (statement(GET, Principal={}), PRINCIPAL, f"{FIRST}.Principal"),
    "principal names nobody": (statement(GET, Principal={"AWS": []}), SYNTAX, f"{FIRST}.Principal.AWS"),
    "principal of unknown kind": (
        statement(GET, Principal={"Aws": "*"}),
        PRINCIPAL,
        f"{FIRST}.Principal.Aws",
    ),
    "short account number": (to("123", GET), PRINCIPAL, f"{FIRST}.Principal.AWS"),
    "pattern of users": (to(f"arn:aws:iam::{HERE}:user/*", GET), PRINCIPAL, f"{FIRST}.Principal.AWS"),
    "group": (to(f"arn:aws:iam::{HERE}:group/g", GET), PRINCIPAL, f"{FIRST}.Principal.AWS"),
    "id of a deleted user": (to("AIDAEXAMPLE", GET), PRINCIPAL, f"{FIRST}.Principal.AWS"),
    "session without name": (
        to(f"arn:aws:sts::{HERE}:assumed-role/r", GET),
        PRINCIPAL,
        f"{FIRST}.Principal.AWS",
    ),
    "canonical id too short": (
        statement(GET, Principal={"CanonicalUser": "ab"}),
        PRINCIPAL,
        f"{FIRST}.Principal.CanonicalUser",
    ),
    "service of somebody else": (
        statement(GET, Principal={"Service": "example.com"}),
        PRINCIPAL,
        f"{FIRST}.Principal.Service",
    ),
    "every provider": (
        statement(GET, Principal={"Federated": "*"}),
        PRINCIPAL,
        f"{FIRST}.Principal.Federated",
    ),
    "no action": (without("Action", everyone(GET)), "Missing required field Action", FIRST),
    "both actions": (everyone(GET, NotAction="s3:*"), SYNTAX, FIRST),
    "action list is empty": (everyone("Allow", Action=[], Resource="*"), SYNTAX, f"{FIRST}.Action"),
    "action is an object": (everyone("Allow", Action={}, Resource="*"), SYNTAX, f"{FIRST}.Action"),
    "unknown action": (everyone("Allow s3:GetObjekt b/*"), ACTION, f"{FIRST}.Action"),
    "pattern of no action": (everyone("Allow s3:Fetch* b/*"), ACTION, f"{FIRST}.Action"),
    "unknown action negated": (everyone("Deny !s3:GetObjekt b/*"), ACTION, f"{FIRST}.NotAction"),
    "action of another service": (everyone("Allow iam:CreateUser b/*"), ACTION, f"{FIRST}.Action"),
    "action without service": (everyone("Allow GetObject b/*"), ACTION, f"{FIRST}.Action"),
    "no resource": (without("Resource", everyone(GET)), "Missing required field Resource", FIRST),
    "both resources": (everyone(GET, NotResource="arn:aws:s3:::b"), SYNTAX, FIRST),
    "another bucket": (everyone("Allow s3:GetObject c/*"), RESOURCE, f"{FIRST}.Resource"),
    "a longer bucket": (everyone("Allow s3:GetObject bb/*"), RESOURCE, f"{FIRST}.Resource"),
    "one of another bucket": (everyone("Allow s3:GetObject b/*,c/*"), RESOURCE, f"{FIRST}.Resource"),
    "every bucket": (everyone("Allow s3:GetObject *"), RESOURCE, f"{FIRST}.Resource"),
    "a pattern of buckets": (everyone("Allow s3:GetObject ?/*"), RESOURCE, f"{FIRST}.Resource"),
    "no ARN": (everyone("Allow s3:GetObject") | {"Resource": "b/*"}, RESOURCE, f"{FIRST}.Resource"),
    "another service's ARN": (
        everyone("Allow s3:GetObject arn:aws:sqs:::b/*"),
        RESOURCE,
        f"{FIRST}.Resource",
    ),
    "unknown variable": (everyone("Allow s3:GetObject b/${aws:nobody}"), RESOURCE, f"{FIRST}.Resource"),
    "open variable": (everyone("Allow s3:GetObject b/${aws:username"), RESOURCE, f"{FIRST}.Resource"),
    "variable of many values": (
        everyone("Allow s3:GetObject b/${aws:TagKeys}"),
        RESOURCE,
        f"{FIRST}.Resource",
    ),
    "default without marks": (
        everyone("Allow s3:GetObject") | {"Resource": "arn:aws:s3:::b/${aws:username, x}"},
        RESOURCE,
        f"{FIRST}.Resource",
    ),
    "objects are not listed": (everyone("Allow s3:ListBucket b/*"), APPLY, FIRST),
    "a bucket is not got": (everyone("Allow s3:GetObject b"), APPLY, FIRST),
    "one action has nothing": (everyone("Allow s3:GetObject,s3:ListBucket b/*"), APPLY, FIRST),
    "an action of the account": (everyone("Allow s3:ListAllMyBuckets b,b/*"), APPLY, FIRST),
    "a pattern of bucket actions": (everyone("Allow s3:ListBucket* b/*"), APPLY, FIRST),
    "sid is a list": (everyone(GET, Sid=[]), SYNTAX, f"{FIRST}.Sid"),
}


@pytest.mark.parametrize(("given", "message", "where"), BUCKET.values(), ids=BUCKET)
def test_statement_of_a_bucket_policy_is_refused(given: object, message: str, where: str) -> None:
    assert refusal(document(given), DocumentKind.RESOURCE) == (message, where)


def bad_value(reason: str) -> str:
    return f"Invalid value in condition: {reason}"


CONDITIONS: Final[dict[str, tuple[object, str, str]]] = {
    "no object": ([], SYNTAX, ""),
    "unknown operator": ({"StringIs": {}}, "Invalid Condition type : StringIs", ".StringIs"),
    "unknown quantifier": (
        {"ForSome:StringEquals": {}},
        "Invalid Condition type : ForSome:StringEquals",
        ".ForSome:StringEquals",
    ),
    "null if exists": ({"NullIfExists": {}}, "Invalid Condition type : NullIfExists", ".NullIfExists"),
    "empty quantifier": ({":Bool": {}}, "Invalid Condition type : :Bool", ".:Bool"),
    "keys are no object": ({"StringEquals": "a"}, SYNTAX, ".StringEquals"),
    "unknown key": ({"StringEquals": {"s3:prefixes": "a"}}, KEY, ".StringEquals.s3:prefixes"),
    "key without service": ({"StringEquals": {"prefix": "a"}}, KEY, ".StringEquals.prefix"),
    "tag without name": (
        {"StringEquals": {"s3:ExistingObjectTag/": "a"}},
        KEY,
        ".StringEquals.s3:ExistingObjectTag/",
    ),
    "no value": ({"StringEquals": {"s3:prefix": []}}, SYNTAX, ".StringEquals.s3:prefix"),
    "null": ({"StringEquals": {"s3:prefix": None}}, SYNTAX, ".StringEquals.s3:prefix"),
    "list in a list": ({"StringEquals": {"s3:prefix": [["a"]]}}, SYNTAX, ".StringEquals.s3:prefix"),
    "unknown variable": (
        {"StringLike": {"s3:prefix": "${aws:nobody}"}},
        bad_value("unknown policy variable aws:nobody"),
        ".StringLike.s3:prefix",
    ),
    "no number": (
        {"NumericEquals": {"s3:max-keys": "many"}},
        bad_value("not a number"),
        ".NumericEquals.s3:max-keys",
    ),
    "power of ten": (
        {"NumericEquals": {"s3:max-keys": "1e3"}},
        bad_value("not a number"),
        ".NumericEquals.s3:max-keys",
    ),
    "no date": (
        {"DateLessThan": {"aws:CurrentTime": "tomorrow"}},
        bad_value("not a date"),
        ".DateLessThan.aws:CurrentTime",
    ),
    "no day": (
        {"DateLessThan": {"aws:CurrentTime": "2026-02-30"}},
        bad_value("day is out of range for month"),
        ".DateLessThan.aws:CurrentTime",
    ),
    "no truth": (
        {"Bool": {"aws:SecureTransport": "yes"}},
        bad_value("neither true nor false"),
        ".Bool.aws:SecureTransport",
    ),
    "no truth for null": (
        {"Null": {"aws:username": "no"}},
        bad_value("neither true nor false"),
        ".Null.aws:username",
    ),
    "no range": (
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}},
        bad_value("'10.0.0.0/33' does not appear to be an IPv4 or IPv6 network"),
        ".IpAddress.aws:SourceIp",
    ),
    "address with zone": (
        {"IpAddress": {"aws:SourceIp": "fe80::1%eth0"}},
        bad_value("a range of addresses has no zone"),
        ".IpAddress.aws:SourceIp",
    ),
    "no ARN": ({"ArnLike": {"aws:SourceArn": "b"}}, bad_value("not an ARN"), ".ArnLike.aws:SourceArn"),
    "text for addresses": (
        {"StringLike": {"aws:SourceIp": "10.*"}},
        "StringLike does not go with this condition key",
        ".StringLike.aws:SourceIp",
    ),
    "addresses for text": (
        {"IpAddress": {"s3:prefix": "10.0.0.0/8"}},
        "IpAddress does not go with this condition key",
        ".IpAddress.s3:prefix",
    ),
    "number for text": (
        {"NumericEquals": {"s3:prefix": "1"}},
        "NumericEquals does not go with this condition key",
        ".NumericEquals.s3:prefix",
    ),
    "date for a number": (
        {"DateEquals": {"s3:max-keys": "1"}},
        "DateEquals does not go with this condition key",
        ".DateEquals.s3:max-keys",
    ),
    "truth for text": (
        {"Bool": {"s3:prefix": "true"}},
        "Bool does not go with this condition key",
        ".Bool.s3:prefix",
    ),
}


@pytest.mark.parametrize(("given", "message", "where"), CONDITIONS.values(), ids=CONDITIONS)
def test_condition_is_refused(given: object, message: str, where: str) -> None:
    text = document(everyone(GET), everyone(GET, Condition=given))
    assert refusal(text, DocumentKind.RESOURCE) == (message, f"Statement[1].Condition{where}")


def test_binary_is_base64() -> None:
    given = {"BinaryEquals": {"s3:prefix": "not base64"}}
    message, where = refusal(document(everyone(GET, Condition=given)), DocumentKind.RESOURCE)
    assert message.startswith("Invalid value in condition: ")
    assert where == "Statement[0].Condition.BinaryEquals.s3:prefix"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([everyone("Allow * *")], "Policy document should not specify a principal."),
        ([statement("Allow", Resource="*")], "Policy statement must contain actions."),
        ([statement("Allow *")], "Policy statement must contain resources."),
        (
            [statement("Allow CreateUser *")],
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        ([statement("Allow s3:Nothing *")], ACTION),
        (
            [statement("Allow *") | {"Resource": "bucket"}],
            'Resource bucket must be in ARN format or "*".',
        ),
        (
            [statement("Allow * *", Sid="a b")],
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*",
        ),
        (
            [statement("Allow * *", Sid="a"), statement("Deny * *", Sid="a")],
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ],
)
def test_policy_of_an_identity_is_refused(given: list[object], message: str) -> None:
    assert refusal(document(*given), DocumentKind.IDENTITY)[0] == message


def test_version_of_an_identity_policy() -> None:
    message, where = refusal(document(statement("Allow * *"), version="2010-10-17"), DocumentKind.IDENTITY)
    assert (message, where) == ("Policy document must be version 2012-10-17 or greater.", "Version")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (statement("Allow sts:AssumeRole"), "Missing required field Principal"),
        (to(HERE, "Allow sts:AssumeRole *"), "Has prohibited field Resource"),
        (to(HERE, "Allow s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (statement("Allow sts:AssumeRole", NotPrincipal="*"), "Allow with NotPrincipal is not allowed."),
    ],
)
def test_trust_policy_is_refused(given: object, message: str) -> None:
    assert refusal(document(given), DocumentKind.TRUST)[0] == message


@pytest.mark.parametrize(
    "given",
    [
        everyone(GET, Sid="Allow Public Access to All Objects"),
        everyone("Allow s3:ListBucket b,b/*"),
        everyone("Allow * b,b/*"),
        everyone("Allow s3:GetObject b*"),
        everyone("Allow s3:GetObject b/${aws:username}/*"),
        everyone("Allow s3:ListBucket arn:aws:s3::*:b"),
        everyone("Deny s3:* !b/public/*"),
        everyone("Deny !s3:GetObject b/*"),
        statement(GET, Principal={"AWS": [HERE, "arn:aws:iam::s3tenant1:root"], "CanonicalUser": "a" * 64}),
        statement(GET, Principal={"Service": "logging.s3.amazonaws.com"}),
        statement(GET, Principal={"Federated": f"arn:aws:iam::{HERE}:saml-provider/p"}),
        to(f"arn:aws:sts::{HERE}:assumed-role/r/s", GET),
        to(f"arn:aws:sts::{HERE}:federated-user/u", GET),
    ],
)
def test_statement_of_a_bucket_policy_is_taken(given: object) -> None:
    policy = parse_policy(document(given), kind=DocumentKind.RESOURCE, bucket="b")
    assert len(policy.statements) == 1


def test_a_single_statement_needs_no_list_and_the_version_may_be_left_out() -> None:
    policy = parse_policy(
        json.dumps({"Id": "x", "Statement": statement("Deny * *", Sid="S1")}), kind=DocumentKind.IDENTITY
    )
    only = policy.statements[0]
    assert (policy.id, policy.version) == ("x", "2008-10-17")
    assert (only.sid, only.effect, only.index) == ("S1", Effect.DENY, 0)


def test_a_bucket_policy_has_20_kb() -> None:
    text = document(everyone(GET))
    fits = text + " " * (MAX_BUCKET_POLICY_BYTES - len(text))
    assert parse_policy(fits, kind=DocumentKind.RESOURCE, bucket="b").statements
    with pytest.raises(PolicyTooLargeError) as caught:
        parse_policy(fits + " ", kind=DocumentKind.RESOURCE, bucket="b")
    assert caught.value.limit == 20_480


def test_white_space_does_not_count_for_identities() -> None:
    text = document(statement("Allow * *"))
    size = length_of(text)
    assert size < len(text)
    assert parse_policy("\n" + text, kind=DocumentKind.IDENTITY, limit=size).statements
    with pytest.raises(PolicyTooLargeError):
        parse_policy(text, kind=DocumentKind.IDENTITY, limit=size - 1)


def test_what_is_shown_of_a_document_is_short_and_printable() -> None:
    message, _ = refusal(json.dumps({"\n" + "x" * 500: 1}), DocumentKind.IDENTITY)
    assert message.isprintable()
    assert len(message) < 150
