"""What an account blocks of public access to all of its buckets: the three operations of S3 Control.

Source: Amazon S3 API Reference, "GetPublicAccessBlock", "PutPublicAccessBlock" and "DeletePublicAccessBlock" of Amazon
S3 Control.
"""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.target import ACCOUNT_HEADER
from valetkey.s3.xml.access_control import parse_public_access_block, render_public_access_block


async def get_account_public_access_block(call: Call) -> Answer:
    """GetPublicAccessBlock of S3 Control."""
    _require_own(call)
    text = call.store.identities.find_account(call.principal.account_id).public_access_block
    if text is None:
        details = {"AccountId": call.principal.account_number}
        raise S3Error(Code.NO_SUCH_PUBLIC_ACCESS_BLOCK_CONFIGURATION, None, details)
    return kept_document(text)


async def put_account_public_access_block(call: Call) -> Answer:
    """PutPublicAccessBlock of S3 Control. Lists and policies that are public already stay, whether they count or not."""
    _require_own(call)
    block = parse_public_access_block(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    text = render_public_access_block(block, of_account=True)
    await call.store.identities.accounts.put_public_access_block(call.principal.account_id, text)
    return empty()


async def delete_account_public_access_block(call: Call) -> Answer:
    """DeletePublicAccessBlock of S3 Control: once more changes nothing."""
    _require_own(call)
    await call.store.identities.accounts.put_public_access_block(call.principal.account_id, None)
    return empty()


def _require_own(call: Call) -> None:
    """Return if the account that the request names is the caller's own.

    Raises:
        S3Error: AccessDenied, whether or not there is such an account.
    """
    if call.headers[ACCOUNT_HEADER] != call.principal.account_number:
        raise S3Error(Code.ACCESS_DENIED)
