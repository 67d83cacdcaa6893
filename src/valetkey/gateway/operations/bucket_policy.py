"""GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus."""

from __future__ import annotations

import json
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.named_principals import principal_ids
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.bucket_settings import missing
from valetkey.gateway.operations.kept_settings import (
    POLICY,
    PRINCIPAL_IDS,
    policy_of,
    principal_ids_of,
)
from valetkey.gateway.public_access import block_of
from valetkey.policy.documents import MAX_BUCKET_POLICY_BYTES, DocumentKind, parse_policy
from valetkey.policy.public import is_public
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.setting_answers import PolicyStatus

_JSON: Final = (b"content-type", b"application/json")


async def get_bucket_policy(call: Call) -> Answer:
    """GetBucketPolicy: the document as it was put."""
    text = call.bucket.settings.get(POLICY)
    if text is None:
        raise missing(call, Code.NO_SUCH_BUCKET_POLICY)
    body = text.encode()
    return Answer(200, [_JSON], body, len(body))


async def put_bucket_policy(call: Call) -> Answer:
    """PutBucketPolicy: refused if it says what nobody could obey, or if it is public and that is blocked."""
    # More than a policy may have, so that it is told its size and not that of any body.
    body = await read_document(call, max_bytes=4 * MAX_BUCKET_POLICY_BYTES)
    policy = parse_policy(body, kind=DocumentKind.RESOURCE, bucket=call.bucket_name)
    # As the bucket is by now: a client may have taken its time over the body.
    bucket = call.store.buckets.find(call.bucket_name)
    block = block_of(bucket, call.store.identities, call.rules)
    if block.block_public_policy and is_public(policy):
        raise S3Error(Code.ACCESS_DENIED)
    owner = call.store.identities.find_account(call.rules.owner_of(call.bucket))
    ids = principal_ids(policy, call.store.identities, own_number=owner.number)
    # First whom it means, those of the policy before included: at no moment does a policy mean whoever has the name.
    both = {**principal_ids_of(bucket), **ids}
    await call.store.buckets.put_setting(call.bucket, PRINCIPAL_IDS, json.dumps(both))
    await call.store.buckets.put_setting(call.bucket, POLICY, body.decode())
    await call.store.buckets.put_setting(call.bucket, PRINCIPAL_IDS, json.dumps(ids) if ids else None)
    return no_content()


async def delete_bucket_policy(call: Call) -> Answer:
    """DeleteBucketPolicy."""
    await call.store.buckets.put_setting(call.bucket, POLICY, None)
    return no_content()


async def get_bucket_policy_status(call: Call) -> Answer:
    """GetBucketPolicyStatus: whether the policy lets the public in."""
    policy = policy_of(call.bucket)
    if policy is None:
        raise missing(call, Code.NO_SUCH_BUCKET_POLICY)
    return document(PolicyStatus(is_public=is_public(policy)))
