"""Who may do what with a bucket or an object, who owns what is in a bucket, and what is never public, as XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from valetkey.s3.answers import Owner
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import (
    MAX_GRANTS,
    PERMISSIONS,
    AccessControlPolicy,
    GranteeKind,
    NamedGrant,
    NamedGrantee,
    Ownership,
    PublicAccessBlockConfiguration,
)
from valetkey.s3.xml.document import CONTROL_NAMESPACE, document
from valetkey.s3.xml.text import element, flag, owner
from valetkey.s3.xml.tree import Node, fields, malformed, parse_tree
from valetkey.s3.xml.writer import NAMESPACE

_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
# As the parser names it.
_TYPE: Final = f"{_SCHEMA_INSTANCE} type"

_VALUES: Final[Mapping[GranteeKind, str]] = {
    GranteeKind.ID: "ID",
    GranteeKind.EMAIL: "EmailAddress",
    GranteeKind.GROUP: "URI",
}
"""The element that names a grantee of each kind."""


def render_access_control(holder: Owner, grants: Iterable[NamedGrant]) -> str:
    """Return a list as a document, with what is granted to groups first: whoever looks sees that it is public."""
    ordered = sorted(grants, key=lambda grant: grant.grantee.kind is not GranteeKind.GROUP)
    lines = "".join([_grant(grant) for grant in ordered])
    content = f"<AccessControlList>{lines}</AccessControlList>" if lines else "<AccessControlList/>"
    return document("AccessControlPolicy", owner("Owner", holder) + content)


def _grant(grant: NamedGrant) -> str:
    who = grant.grantee
    identity = element(_VALUES[who.kind], who.value) + element("DisplayName", who.display_name)
    grantee = f'<Grantee xmlns:xsi="{_SCHEMA_INSTANCE}" xsi:type="{who.kind.value}">{identity}</Grantee>'
    return f"<Grant>{grantee}{element('Permission', grant.permission)}</Grant>"


def parse_access_control(body: bytes) -> AccessControlPolicy:
    """Return the list that a document holds, with 0 to 100 grants.

    Raises:
        S3Error: MalformedACLError.
    """
    try:
        return _access_control(parse_tree(body, "AccessControlPolicy"))
    except S3Error as error:
        if error.code is not Code.MALFORMED_XML:
            raise
        raise S3Error(Code.MALFORMED_ACL_ERROR) from error


def _access_control(root: Node) -> AccessControlPolicy:
    parts = {child.name: child for child in root.children}
    if parts.keys() != {"Owner", "AccessControlList"} or len(root.children) != len(parts):
        raise malformed()
    owner_id = fields(parts["Owner"], {"ID", "DisplayName"}).get("ID", "").strip()
    grants = tuple(_parsed_grant(child) for child in parts["AccessControlList"].children)
    if not owner_id or len(grants) > MAX_GRANTS:
        raise malformed()
    return AccessControlPolicy(owner_id=owner_id, grants=grants)


def _parsed_grant(node: Node) -> NamedGrant:
    parts = {child.name: child for child in node.children}
    if node.name != "Grant" or parts.keys() != {"Grantee", "Permission"} or len(node.children) != len(parts):
        raise malformed()
    permission = parts["Permission"].text.strip()
    if permission not in PERMISSIONS:
        raise malformed()
    return NamedGrant(grantee=_parsed_grantee(parts["Grantee"]), permission=permission)


def _parsed_grantee(node: Node) -> NamedGrantee:
    found = fields(node, {"DisplayName", *_VALUES.values()})
    kinds = [kind for kind, name in _VALUES.items() if found.get(name, "").strip()]
    # Where the type is left out, what names the grantee tells it.
    if len(kinds) != 1 or node.attributes.get(_TYPE, kinds[0].value) != kinds[0].value:
        raise malformed()
    name = _VALUES[kinds[0]]
    return NamedGrantee(kind=kinds[0], value=found[name].strip(), argument=f"{kinds[0].value}/{name}")


def render_ownership_controls(ownership: str) -> str:
    """Return the document that says which account owns the objects that others upload."""
    return document("OwnershipControls", f"<Rule>{element('ObjectOwnership', ownership)}</Rule>")


def parse_ownership_controls(body: bytes) -> Ownership:
    """Return which account is to own the objects that others upload.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    rules = parse_tree(body, "OwnershipControls").children
    if len(rules) != 1 or rules[0].name != "Rule":
        raise malformed()
    try:
        return Ownership(fields(rules[0], {"ObjectOwnership"}).get("ObjectOwnership", "").strip())
    except ValueError:
        raise malformed() from None


def render_public_access_block(block: PublicAccessBlockConfiguration, *, of_account: bool = False) -> str:
    """Return the document that says what of public access is blocked, for a bucket or for an account."""
    content = (
        flag("BlockPublicAcls", value=block.block_public_acls)
        + flag("IgnorePublicAcls", value=block.ignore_public_acls)
        + flag("BlockPublicPolicy", value=block.block_public_policy)
        + flag("RestrictPublicBuckets", value=block.restrict_public_buckets)
    )
    namespace = CONTROL_NAMESPACE if of_account else NAMESPACE
    return document("PublicAccessBlockConfiguration", content, namespace=namespace)


_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def parse_public_access_block(body: bytes) -> PublicAccessBlockConfiguration:
    """Return what of public access is to be blocked; what is not named is not.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    names = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}
    found = fields(parse_tree(body, "PublicAccessBlockConfiguration"), names)
    flags = {name: _FLAGS.get(text.strip().lower()) for name, text in found.items()}
    if None in flags.values():
        raise malformed()
    return PublicAccessBlockConfiguration(
        block_public_acls=bool(flags.get("BlockPublicAcls")),
        ignore_public_acls=bool(flags.get("IgnorePublicAcls")),
        block_public_policy=bool(flags.get("BlockPublicPolicy")),
        restrict_public_buckets=bool(flags.get("RestrictPublicBuckets")),
    )
