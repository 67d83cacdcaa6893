"""Whose the objects of a bucket are, and what of public access it blocks."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.access_lists import BUCKET_ACL, bucket_acl, to_kept
from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document, no_content
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES, missing
from valetkey.gateway.operations.kept_settings import OWNERSHIP, PUBLIC_ACCESS_BLOCK
from valetkey.gateway.operations.requested_lists import named_in_headers, refuse_list, resolved
from valetkey.policy.acl import grants_owner_alone
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import OWNERSHIP_HEADER, Ownership, parse_ownership
from valetkey.s3.xml.access_control import (
    parse_ownership_controls,
    parse_public_access_block,
    render_ownership_controls,
    render_public_access_block,
)

_UNSAID: Final = Ownership.OBJECT_WRITER
"""What a bucket has that says nothing of it. Source: Amazon S3 User Guide, "Setting Object Ownership"."""


def new_bucket_settings(call: Call) -> dict[str, str]:
    """Return what a new bucket is set up for by the headers of CreateBucket: ownership and a list.

    Raises:
        S3Error: InvalidArgument or InvalidRequest; InvalidBucketAclWithObjectOwnership for a list that grants
            something to others where lists are disabled.
    """
    named = named_in_headers(call.headers)
    wanted = call.headers.get(OWNERSHIP_HEADER)
    ownership = call.rules.object_ownership if wanted is None else parse_ownership(wanted)
    settings = {}
    if wanted is not None or ownership is not _UNSAID:
        settings[OWNERSHIP] = render_ownership_controls(ownership.value)
    if named is None:
        return settings
    owner_id = call.principal.account_id
    if ownership is Ownership.BUCKET_OWNER_ENFORCED:
        try:
            refuse_list(named, owner_id=owner_id, is_strict=False)
        except S3Error as error:
            raise S3Error(Code.INVALID_BUCKET_ACL_WITH_OBJECT_OWNERSHIP) from error
        return settings
    text = to_kept(resolved(named, owner_id=owner_id, bucket_owner_id=owner_id, keys=call.keys))
    if text is not None:
        settings[BUCKET_ACL] = text
    return settings


async def get_bucket_ownership_controls(call: Call) -> Answer:
    """GetBucketOwnershipControls."""
    text = call.bucket.settings.get(OWNERSHIP)
    if text is None:
        raise missing(call, Code.OWNERSHIP_CONTROLS_NOT_FOUND_ERROR)
    return kept_document(text)


async def put_bucket_ownership_controls(call: Call) -> Answer:
    """PutBucketOwnershipControls. Lists can be disabled only where the bucket's own grants nothing to others."""
    ownership = parse_ownership_controls(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    is_enforced = ownership is Ownership.BUCKET_OWNER_ENFORCED
    if is_enforced and not grants_owner_alone(bucket_acl(call.bucket, call.rules)):
        raise S3Error(Code.INVALID_BUCKET_ACL_WITH_OBJECT_OWNERSHIP)
    text = render_ownership_controls(ownership.value)
    await call.store.buckets.put_setting(call.bucket, OWNERSHIP, text)
    return empty()


async def delete_bucket_ownership_controls(call: Call) -> Answer:
    """DeleteBucketOwnershipControls: then whoever uploads an object owns it."""
    await call.store.buckets.put_setting(call.bucket, OWNERSHIP, None)
    return no_content()


async def get_public_access_block(call: Call) -> Answer:
    """GetPublicAccessBlock."""
    text = call.bucket.settings.get(PUBLIC_ACCESS_BLOCK)
    if text is None:
        raise missing(call, Code.NO_SUCH_PUBLIC_ACCESS_BLOCK_CONFIGURATION)
    return kept_document(text)


async def put_public_access_block(call: Call) -> Answer:
    """PutPublicAccessBlock. Lists and policies that are public already stay, whether or not they count then."""
    block = parse_public_access_block(await read_document(call, max_bytes=MAX_SETTING_BYTES))
    text = render_public_access_block(block)
    await call.store.buckets.put_setting(call.bucket, PUBLIC_ACCESS_BLOCK, text)
    return empty()


async def delete_public_access_block(call: Call) -> Answer:
    """DeletePublicAccessBlock."""
    await call.store.buckets.put_setting(call.bucket, PUBLIC_ACCESS_BLOCK, None)
    return no_content()
