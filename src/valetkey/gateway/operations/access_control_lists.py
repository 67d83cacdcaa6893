"""GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl: the owner may do everything, and that is all there is.

Source: Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document
from valetkey.gateway.operations.bucket_settings import MAX_SETTING_BYTES
from valetkey.gateway.operations.buckets import owner_of
from valetkey.gateway.operations.refusals import refuse_grants, version_id_of
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.xml.access_control import grants_owner_alone, render_owner_control


async def get_bucket_acl(call: Call) -> Answer:
    """GetBucketAcl."""
    return kept_document(render_owner_control(owner_of(call)))


async def put_bucket_acl(call: Call) -> Answer:
    """PutBucketAcl: only what is so anyway."""
    await _require_nothing_granted(call)
    return empty()


async def get_object_acl(call: Call) -> Answer:
    """GetObjectAcl."""
    call.store.find_object(call.bucket_name, call.key, version_id_of(call.query))
    return kept_document(render_owner_control(owner_of(call)))


async def put_object_acl(call: Call) -> Answer:
    """PutObjectAcl: only what is so anyway."""
    call.store.find_object(call.bucket_name, call.key, version_id_of(call.query))
    await _require_nothing_granted(call)
    return empty()


async def _require_nothing_granted(call: Call) -> None:
    refuse_grants(call.headers)
    body = await read_document(call, max_bytes=MAX_SETTING_BYTES)
    # s3cmd copies an object's list by reading it and putting it back as a document.
    changes_nothing = grants_owner_alone(body, owner_of(call).id) if body else "x-amz-acl" in call.headers
    if not changes_nothing:
        raise S3Error(Code.ACCESS_CONTROL_LIST_NOT_SUPPORTED)
