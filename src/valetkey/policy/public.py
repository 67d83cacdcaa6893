"""Which bucket policies are public, and what the public access block does about it.

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", The meaning of "public".
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from valetkey.policy.conditions import Condition, Quantifier
from valetkey.policy.documents import Policy
from valetkey.policy.operands import ArnOperand, NetworkOperand, Operand, TextOperand
from valetkey.policy.statements import Effect, Statement

_FIXING: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}
)
_FIXED_KEYS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Keys of which a fixed value keeps strangers out."""

_ACCESS_POINT: Final = "s3:dataaccesspointarn"
_ACCOUNT_PART: Final = 4
_WIDEST_V4: Final = 8
_WIDEST_V6: Final = 32
"""Bits of the prefix: a wider range of addresses is the public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAccessBlock:
    """The four settings, of a bucket or of its account; what either sets is set."""

    block_public_acls: bool = False
    """No request may put an ACL that is public."""
    ignore_public_acls: bool = False
    """What ACLs grant to everyone does not count."""
    block_public_policy: bool = False
    """No request may put a bucket policy that is public."""
    restrict_public_buckets: bool = False
    """What a public bucket policy allows counts for the owner's account only."""

    def joined(self, other: PublicAccessBlock) -> PublicAccessBlock:
        """Return the block that forbids what either forbids."""
        return PublicAccessBlock(
            block_public_acls=self.block_public_acls or other.block_public_acls,
            ignore_public_acls=self.ignore_public_acls or other.ignore_public_acls,
            block_public_policy=self.block_public_policy or other.block_public_policy,
            restrict_public_buckets=self.restrict_public_buckets or other.restrict_public_buckets,
        )


def is_public(policy: Policy) -> bool:
    """Return whether the bucket policy `policy` allows anything to callers that it does not fix.

    What a Deny takes away again does not count, as at Amazon.
    """
    return any(_is_public_statement(statement) for statement in policy.statements)


def _is_public_statement(statement: Statement) -> bool:
    if statement.effect is Effect.DENY or statement.principals is None:
        return False
    is_for_all = statement.principals.is_anyone or statement.principals.is_negated
    return is_for_all and not any(_fixes(condition) for condition in statement.conditions)


def _fixes(condition: Condition) -> bool:
    """Whether `condition` holds for callers with a fixed value only, and never without the key."""
    if condition.key not in _FIXED_KEYS or condition.operator not in _FIXING:
        return False
    if condition.is_if_exists or condition.quantifier is Quantifier.ALL:
        return False
    return all(_is_fixed(operand, condition.key) for operand in condition.operands)


def _is_fixed(operand: Operand, key: str) -> bool:
    match operand:
        case TextOperand(template):
            return template.is_fixed
        case ArnOperand(pattern) if key == _ACCESS_POINT:
            # The name of the access point may be a pattern, if its account is fixed.
            account = pattern.parts[_ACCOUNT_PART] if pattern.parts else None
            return account is not None and account.is_fixed and account.pieces != ()
        case ArnOperand(pattern):
            return pattern.is_fixed
        case NetworkOperand(network):
            return _is_narrow(network)
        case _:
            return False


def _is_narrow(network: IPv4Network | IPv6Network) -> bool:
    widest = _WIDEST_V4 if isinstance(network, IPv4Network) else _WIDEST_V6
    return network.prefixlen >= widest
