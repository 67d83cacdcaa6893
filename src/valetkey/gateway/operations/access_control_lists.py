"""GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl.

Source: Amazon S3 User Guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

from dataclasses import replace

from valetkey.gateway.access_lists import (
    BUCKET_ACL,
    bucket_acl,
    object_acl,
    object_owner_of,
    to_kept,
    to_shown,
)
from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES
from valetkey.gateway.operations.kept_settings import ownership_of
from valetkey.gateway.operations.object_facts import version_header
from valetkey.gateway.operations.refusals import version_id_of
from valetkey.gateway.operations.requested_lists import (
    NamedList,
    named_in_headers,
    refuse_list,
    require_not_blocked,
    resolved,
)
from valetkey.gateway.public_access import block_of
from valetkey.policy.acl import Acl
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import CANNED_HEADER, Ownership
from valetkey.s3.xml.access_control import parse_access_control
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import StoredObject


async def get_bucket_acl(call: Call) -> Answer:
    """GetBucketAcl."""
    return kept_document(to_shown(bucket_acl(call.bucket, call.rules), call.keys))


async def put_bucket_acl(call: Call) -> Answer:
    """PutBucketAcl."""
    acl = await _wanted(call, owner_id=call.rules.owner_of(call.bucket))
    if acl is not None:
        await call.store.buckets.put_setting(call.bucket, BUCKET_ACL, to_kept(acl))
    return empty()


async def get_object_acl(call: Call) -> Answer:
    """GetObjectAcl."""
    found = call.store.find_object(call.bucket_name, call.key, version_id_of(call.query))
    text = to_shown(object_acl(call.bucket, found, call.rules), call.keys)
    return kept_document(text, headers=version_header(call.bucket, found.version_id))


async def put_object_acl(call: Call) -> Answer:
    """PutObjectAcl: the object is otherwise left as it is, also the time of its last change."""
    version_id = version_id_of(call.query)
    found = call.store.find_object(call.bucket_name, call.key, version_id)
    acl = await _wanted(call, owner_id=object_owner_of(call.bucket, found, call.rules))
    if acl is not None:
        text = to_kept(acl)

        def amend(current: StoredObject) -> StoredObject:
            if current.id != found.id:
                # The list was made for that object and its owner.
                raise ContentGoneError
            return replace(current, acl=text)

        await call.store.amend_object(call.bucket, call.key, version_id, amend)
    return empty(headers=version_header(call.bucket, found.version_id))


async def _wanted(call: Call, *, owner_id: str) -> Acl | None:
    """Return the list that is to be set, or None where lists are disabled and it changes nothing."""
    named = await _named(call, owner_id=owner_id)
    # As the bucket is by now: a client may have taken its time over the body.
    bucket = call.store.buckets.find(call.bucket_name)
    bucket_owner_id = call.rules.owner_of(call.bucket)
    if ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        refuse_list(named, owner_id=bucket_owner_id, is_strict=call.rules.is_strict)
        return None
    acl = resolved(named, owner_id=owner_id, bucket_owner_id=bucket_owner_id, keys=call.keys)
    require_not_blocked(acl, block_of(bucket, call.store.identities, call.rules))
    return acl


async def _named(call: Call, *, owner_id: str) -> NamedList:
    named = named_in_headers(call.headers)
    body = await read_document(call, max_bytes=MAX_SETTING_BYTES)
    if named is not None:
        if body:
            raise S3Error(Code.UNEXPECTED_CONTENT)
        return named
    if not body:
        raise S3Error(Code.MISSING_SECURITY_HEADER, None, {"MissingHeaderName": CANNED_HEADER})
    policy = parse_access_control(body)
    if policy.owner_id != owner_id:
        # An object changes hands by being copied, and by nothing else.
        raise S3Error(Code.ACCESS_DENIED)
    return policy.grants
