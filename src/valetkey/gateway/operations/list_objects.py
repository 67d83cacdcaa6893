"""ListObjects and ListObjectsV2."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.buckets import other_owners, owner_of
from valetkey.s3.answers import ListObjectsV1, ListObjectsV2
from valetkey.s3.listing import parse_list_v1, parse_list_v2
from valetkey.s3.tokens import encode_token


async def list_objects(call: Call) -> Answer:
    """ListObjects, the first version, which pages by key."""
    wanted = parse_list_v1(call.query)
    page = await call.store.list_objects(
        call.bucket,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        after=wanted.marker,
        limit=wanted.max_keys,
    )
    # S3 names the next marker only where a delimiter can make it differ from the last key.
    next_marker = page.next_after if page.is_truncated and wanted.delimiter else None
    return document(
        ListObjectsV1(
            bucket=call.bucket_name,
            prefix=wanted.prefix,
            delimiter=wanted.delimiter,
            marker=wanted.marker,
            max_keys=wanted.max_keys,
            encoding_type=wanted.encoding_type,
            is_truncated=page.is_truncated,
            next_marker=next_marker,
            entries=page.entries,
            owner=owner_of(call),
            common_prefixes=page.common_prefixes,
            owners=other_owners(call, page.entries),
        )
    )


async def list_objects_v2(call: Call) -> Answer:
    """ListObjectsV2, which pages by an opaque token."""
    wanted = parse_list_v2(call.query, token_key=call.rules.token_key, bucket=call.bucket_name)
    page = await call.store.list_objects(
        call.bucket,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        after=wanted.after,
        limit=wanted.max_keys,
    )
    next_token = None
    if page.is_truncated and page.next_after is not None:
        next_token = encode_token(page.next_after, key=call.rules.token_key, scope=call.bucket_name)
    return document(
        ListObjectsV2(
            bucket=call.bucket_name,
            prefix=wanted.prefix,
            delimiter=wanted.delimiter,
            start_after=wanted.start_after,
            continuation_token=wanted.token_text,
            next_continuation_token=next_token,
            max_keys=wanted.max_keys,
            encoding_type=wanted.encoding_type,
            is_truncated=page.is_truncated,
            key_count=len(page.entries) + len(page.common_prefixes),
            entries=page.entries,
            owner=owner_of(call) if wanted.fetch_owner else None,
            common_prefixes=page.common_prefixes,
            owners=other_owners(call, page.entries) if wanted.fetch_owner else {},
        )
    )
