"""Managed links: what a link may do, what it has done, and the ledger they are written in.

A link is a small principal of its own: an access key id that only it uses, with a secret derived from the store's
master key, so that its URL is a plain presigned URL. What it may do stands in the ledger, and is bounded by what its
issuer may do at the moment of use.
"""

from valetkey.links.errors import LedgerClosedError as LedgerClosedError
from valetkey.links.errors import LedgerFailedError as LedgerFailedError
from valetkey.links.errors import LinkError as LinkError
from valetkey.links.errors import LinkExistsError as LinkExistsError
from valetkey.links.errors import LinkRefusedError as LinkRefusedError
from valetkey.links.errors import NoSuchLinkError as NoSuchLinkError
from valetkey.links.errors import Rule as Rule
from valetkey.links.ledger import Ledger as Ledger
