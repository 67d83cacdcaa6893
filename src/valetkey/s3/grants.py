"""Access control lists as requests name them: a canned name, headers with grants, or a document.

Source: Amazon S3 API Reference, "PutObjectAcl" and "PutBucketAcl".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument

CANNED_HEADER: Final = "x-amz-acl"

CANNED_ACLS: Final = frozenset(
    {
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
        "log-delivery-write",
    }
)

MAX_GRANTS: Final = 100
"""Source: Amazon S3 User Guide, "Access control list (ACL) overview"."""

_GRANT_PREFIX: Final = "x-amz-grant-"

GRANT_HEADERS: Final[Mapping[str, str]] = {
    "x-amz-grant-read": "READ",
    "x-amz-grant-write": "WRITE",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
    "x-amz-grant-full-control": "FULL_CONTROL",
}
"""Headers with grants, and the permission that each grants."""

PERMISSIONS: Final = frozenset(GRANT_HEADERS.values())

OWNERSHIP_HEADER: Final = "x-amz-object-ownership"


class Ownership(Enum):
    """Whose the objects are that other accounts upload, and whether lists count at all."""

    BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"
    """The bucket's owner owns everything, and lists grant nothing."""
    BUCKET_OWNER_PREFERRED = "BucketOwnerPreferred"
    """The bucket's owner owns what is uploaded with the canned list `bucket-owner-full-control`."""
    OBJECT_WRITER = "ObjectWriter"
    """Whoever uploads an object owns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAccessBlockConfiguration:
    """What of public access is blocked for a bucket, or for all that an account owns."""

    block_public_acls: bool = False
    """No list may be set that is public."""
    ignore_public_acls: bool = False
    """What lists grant to the public does not count."""
    block_public_policy: bool = False
    """No policy may be set that is public."""
    restrict_public_buckets: bool = False
    """Under a public policy, the bucket's own account alone has access."""


class GranteeKind(Enum):
    """How a grantee is named. The value is its `xsi:type`."""

    ID = "CanonicalUser"
    EMAIL = "AmazonCustomerByEmail"
    GROUP = "Group"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedGrantee:
    """A grantee as it is named; nobody has looked yet whether there is one."""

    kind: GranteeKind
    value: str
    """Canonical user id, email address, or URI of a group."""
    argument: str = ""
    """What S3 calls this place in a refusal, such as `CanonicalUser/ID`."""
    display_name: str | None = None
    """Of an account, in answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedGrant:
    """One line of a list."""

    grantee: NamedGrantee
    permission: str
    """One of `PERMISSIONS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessControlPolicy:
    """A list that came, or was kept, as a document."""

    owner_id: str
    grants: tuple[NamedGrant, ...]


def has_grants(headers: Mapping[str, str]) -> bool:
    """Return whether `headers` name a list, canned or by grants."""
    return CANNED_HEADER in headers or any(name.startswith(_GRANT_PREFIX) for name in headers)


def canned_acl(headers: Mapping[str, str]) -> str | None:
    """Return the canned list that `headers` name, one of `CANNED_ACLS`, or None where they name none.

    Raises:
        S3Error: InvalidArgument for an unknown one; InvalidRequest where there are headers with grants too.
    """
    name = headers.get(CANNED_HEADER)
    if name is None:
        return None
    if any(header.startswith(_GRANT_PREFIX) for header in headers):
        raise S3Error(Code.INVALID_REQUEST, "Specifying both Canned ACLs and Header Grants is not allowed")
    if name not in CANNED_ACLS:
        raise invalid_argument("Invalid Argument", CANNED_HEADER, name)
    return name


def header_grants(headers: Mapping[str, str]) -> tuple[NamedGrant, ...]:
    """Return the grants that `headers` name, in the order of `GRANT_HEADERS`; none where they name none.

    Raises:
        S3Error: InvalidArgument, for a header that is malformed, or for more grants than a list may have.
    """
    for name in headers:
        if name.startswith(_GRANT_PREFIX) and name not in GRANT_HEADERS:
            raise invalid_argument("Argument format not recognized", name, headers[name])
    grants = tuple(
        NamedGrant(grantee=_grantee(name, item.strip()), permission=permission)
        for name, permission in GRANT_HEADERS.items()
        if name in headers
        for item in headers[name].split(",")
    )
    if len(grants) > MAX_GRANTS:
        raise S3Error(Code.MALFORMED_ACL_ERROR)
    return grants


_HEADER_KINDS: Final[Mapping[str, GranteeKind]] = {
    "id": GranteeKind.ID,
    "emailaddress": GranteeKind.EMAIL,
    "uri": GranteeKind.GROUP,
}


def _grantee(header: str, item: str) -> NamedGrantee:
    name, equals, value = item.partition("=")
    kind = _HEADER_KINDS.get(name.strip().lower())
    value = value.strip()
    # Amazon wants the quotation marks; many clients leave them out.
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    if not equals or kind is None or not value:
        raise invalid_argument("Argument format not recognized", header, item)
    return NamedGrantee(kind=kind, value=value, argument=name.strip())


def parse_ownership(text: str) -> Ownership:
    """Return the ownership that the header `x-amz-object-ownership` names.

    Raises:
        S3Error: InvalidArgument.
    """
    try:
        return Ownership(text)
    except ValueError:
        message = f"Invalid {OWNERSHIP_HEADER} header: {text}"
        raise invalid_argument(message, OWNERSHIP_HEADER, text) from None
