"""Who may do what with a bucket or an object, and who owns what is in a bucket, as XML."""

from __future__ import annotations

from typing import Final

from valetkey.s3.answers import Owner
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element, owner
from valetkey.s3.xml.tree import Node, malformed, parse_tree

_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"


def render_owner_control(holder: Owner) -> str:
    """Return the access control list that lets the owner do everything, and nobody else anything."""
    identity = element("ID", holder.id) + element("DisplayName", holder.display_name)
    grantee = f'<Grantee xmlns:xsi="{_SCHEMA_INSTANCE}" xsi:type="CanonicalUser">{identity}</Grantee>'
    grant = f"<Grant>{grantee}{element('Permission', 'FULL_CONTROL')}</Grant>"
    grants = f"<AccessControlList>{grant}</AccessControlList>"
    return document("AccessControlPolicy", owner("Owner", holder) + grants)


def grants_owner_alone(body: bytes, owner_id: str) -> bool:
    """Return whether an access control list lets the owner do everything, and nobody else anything.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    root = parse_tree(body, "AccessControlPolicy")
    grants = [
        grant for child in root.children if child.name == "AccessControlList" for grant in child.children
    ]
    return bool(grants) and all(_grant(grant) == (owner_id, "FULL_CONTROL") for grant in grants)


def _grant(node: Node) -> tuple[str, str]:
    grantee = next((child for child in node.children if child.name == "Grantee"), None)
    if node.name != "Grant" or grantee is None:
        raise malformed()
    found = {child.name: child.text.strip() for child in (*node.children, *grantee.children)}
    return found.get("ID", ""), found.get("Permission", "")


def render_ownership_controls(ownership: str) -> str:
    """Return the document that says which account owns the objects that others upload."""
    return document("OwnershipControls", f"<Rule>{element('ObjectOwnership', ownership)}</Rule>")
