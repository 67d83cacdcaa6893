"""Which bucket policies are public."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.policy.rows import HERE, document, everyone, statement, to

from valetkey.policy.documents import DocumentKind, parse_policy
from valetkey.policy.public import PublicAccessBlock, is_public

GET: Final = "Allow s3:GetObject b/*"


def when(operator: str, key: str, value: object) -> dict[str, Any]:
    return everyone(GET, Condition={operator: {key: value}})


PUBLIC: Final[dict[str, tuple[object, bool]]] = {
    "everyone": (everyone(GET), True),
    "everyone in long": (to("*", GET), True),
    "everyone among others": (statement(GET, Principal={"AWS": [HERE, "*"]}), True),
    "an account": (to(HERE, GET), False),
    "an account by name": (to("arn:aws:iam::s3tenant1:root", GET), False),
    "a user": (to(f"arn:aws:iam::{HERE}:user/a", GET), False),
    "a canonical user": (statement(GET, Principal={"CanonicalUser": "a" * 64}), False),
    "a service": (statement(GET, Principal={"Service": "logging.s3.amazonaws.com"}), False),
    "a Deny for everyone": (everyone("Deny s3:* b/*"), False),
    "a Deny for all but one": (statement("Deny s3:* b/*", NotPrincipal={"AWS": HERE}), False),
    "any action": (everyone("Allow s3:ListBucket b"), True),
    "an address": (when("IpAddress", "aws:SourceIp", "10.0.0.0/32"), False),
    "some addresses": (when("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "2001:db8::/32"]), False),
    "all addresses": (when("IpAddress", "aws:SourceIp", "0.0.0.0/0"), True),
    "half of all addresses": (when("IpAddress", "aws:SourceIp", "128.0.0.0/1"), True),
    "the widest range": (when("IpAddress", "aws:SourceIp", "10.0.0.0/8"), False),
    "one bit wider": (when("IpAddress", "aws:SourceIp", "10.0.0.0/7"), True),
    "all addresses of six": (when("IpAddress", "aws:SourceIp", "::/0"), True),
    "one wide range among narrow": (when("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "0.0.0.0/0"]), True),
    "all but some addresses": (when("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"), True),
    "addresses if known": (when("IpAddressIfExists", "aws:SourceIp", "10.0.0.0/8"), True),
    "a network": (when("StringEquals", "aws:SourceVpc", "vpc-91237329"), False),
    "a network without wildcards": (when("StringLike", "aws:SourceVpc", "vpc-91237329"), False),
    "a pattern of networks": (when("StringLike", "aws:SourceVpc", "vpc-*"), True),
    "an endpoint": (when("StringEquals", "aws:SourceVpce", "vpce-1"), False),
    "not a network": (when("StringNotEquals", "aws:SourceVpc", "vpc-1"), True),
    "a source account": (when("StringEquals", "aws:SourceAccount", HERE), False),
    "a source owner": (when("StringEquals", "aws:SourceOwner", HERE), False),
    "a source": (when("ArnEquals", "aws:SourceArn", "arn:aws:s3:::c"), False),
    "a pattern of sources": (when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"), True),
    "any source": (when("ArnLike", "aws:SourceArn", "*"), True),
    "a caller": (when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:role/r"), False),
    "a pattern of callers": (when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{HERE}:role/*"), True),
    "a caller's account": (when("StringEquals", "aws:PrincipalAccount", HERE), False),
    "an organisation": (when("StringEquals", "aws:PrincipalOrgID", "o-1"), False),
    "a user id": (when("StringEquals", "aws:userid", "AIDAANN"), False),
    "all sessions of a role": (when("StringLike", "aws:userid", "AROAREADER:*"), True),
    "a variable": (when("StringEquals", "aws:userid", "${aws:username}"), True),
    "an encryption key": (
        when("StringEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:r:1:key/1"),
        False,
    ),
    "encryption of any key": (when("StringEquals", "s3:x-amz-server-side-encryption", "aws:kms"), True),
    "an access point": (
        when("ArnEquals", "s3:DataAccessPointArn", f"arn:aws:s3:r:{HERE}:accesspoint/a"),
        False,
    ),
    "access points of an account": (
        when("ArnLike", "s3:DataAccessPointArn", f"arn:aws:s3:*:{HERE}:accesspoint/*"),
        False,
    ),
    "access points of all accounts": (
        when("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:*:*:accesspoint/*"),
        True,
    ),
    "a referer": (when("StringEquals", "aws:Referer", "https://example.com/"), True),
    "transport": (when("Bool", "aws:SecureTransport", "true"), True),
    "a network if known": (when("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"), True),
    "each of no networks": (when("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1"), True),
    "one of some networks": (when("ForAnyValue:StringEquals", "aws:SourceVpc", "vpc-1"), False),
    "no network": (when("Null", "aws:SourceVpc", "false"), True),
}


@pytest.mark.parametrize(("given", "expected"), PUBLIC.values(), ids=PUBLIC)
def test_meaning_of_public(given: object, expected: bool) -> None:
    policy = parse_policy(document(given), kind=DocumentKind.RESOURCE, bucket="b")
    assert is_public(policy) == expected


def test_one_public_statement_is_enough() -> None:
    text = document(to(HERE, GET), everyone("Deny s3:* b/*"), everyone(GET))
    assert is_public(parse_policy(text, kind=DocumentKind.RESOURCE, bucket="b"))


def test_what_account_or_bucket_blocks_is_blocked() -> None:
    bucket = PublicAccessBlock(block_public_acls=True, restrict_public_buckets=True)
    account = PublicAccessBlock(ignore_public_acls=True, restrict_public_buckets=True)
    assert bucket.joined(account) == PublicAccessBlock(
        block_public_acls=True, ignore_public_acls=True, restrict_public_buckets=True
    )
