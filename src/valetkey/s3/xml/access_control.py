"""Who may do what with a bucket or an object, and who owns what is in a bucket, as XML."""

from __future__ import annotations

from typing import Final

from valetkey.s3.answers import Owner
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element, owner

_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"


def render_owner_control(holder: Owner) -> str:
    """Return the access control list that lets the owner do everything, and nobody else anything."""
    identity = element("ID", holder.id) + element("DisplayName", holder.display_name)
    grantee = f'<Grantee xmlns:xsi="{_SCHEMA_INSTANCE}" xsi:type="CanonicalUser">{identity}</Grantee>'
    grant = f"<Grant>{grantee}{element('Permission', 'FULL_CONTROL')}</Grant>"
    grants = f"<AccessControlList>{grant}</AccessControlList>"
    return document("AccessControlPolicy", owner("Owner", holder) + grants)


def render_ownership_controls(ownership: str) -> str:
    """Return the document that says which account owns the objects that others upload."""
    return document("OwnershipControls", f"<Rule>{element('ObjectOwnership', ownership)}</Rule>")
