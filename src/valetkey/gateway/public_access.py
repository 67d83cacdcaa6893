"""What of public access is blocked: by a bucket, by the account that owns it, or by both.

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage": what either sets is set.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from valetkey.gateway.call import Rules
from valetkey.gateway.operations.kept_settings import PUBLIC_ACCESS_BLOCK
from valetkey.policy.public import PublicAccessBlock
from valetkey.s3.xml.access_control import parse_public_access_block
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_store import Identities
from valetkey.store.model import Bucket

_NOTHING: Final = PublicAccessBlock()
_EVERYTHING: Final = PublicAccessBlock(
    block_public_acls=True,
    ignore_public_acls=True,
    block_public_policy=True,
    restrict_public_buckets=True,
)


def block_of(bucket: Bucket, identities: Identities, rules: Rules) -> PublicAccessBlock:
    """Return what is blocked for a bucket and all that is in it, whoever owns that."""
    own = _kept(bucket.settings.get(PUBLIC_ACCESS_BLOCK))
    of_account = block_of_account(rules.owner_of(bucket), identities)
    # Nearly always: no account blocks anything until it says so.
    return own if of_account is _NOTHING else own.joined(of_account)


def block_of_account(account_id: str, identities: Identities) -> PublicAccessBlock:
    """Return what an account blocks for all of its buckets; of an account that is gone nothing is public."""
    try:
        return _kept(identities.find_account(account_id).public_access_block)
    except NoSuchEntityError:
        return _EVERYTHING


def _kept(text: str | None) -> PublicAccessBlock:
    return _NOTHING if text is None else _parsed(text)


@lru_cache(maxsize=32)
def _parsed(text: str) -> PublicAccessBlock:
    found = parse_public_access_block(text.encode())
    return PublicAccessBlock(
        block_public_acls=found.block_public_acls,
        ignore_public_acls=found.ignore_public_acls,
        block_public_policy=found.block_public_policy,
        restrict_public_buckets=found.restrict_public_buckets,
    )
