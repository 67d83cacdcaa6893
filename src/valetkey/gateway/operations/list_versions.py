"""ListObjectVersions."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.buckets import other_owners, owner_of
from valetkey.s3.listing import parse_list_versions
from valetkey.s3.object_answers import ListVersions


async def list_object_versions(call: Call) -> Answer:
    """ListObjectVersions: versions and delete markers, the newest of each key first."""
    wanted = parse_list_versions(call.query)
    page = await call.store.list_versions(
        call.bucket,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        key_marker=wanted.key_marker,
        version_id_marker=wanted.version_id_marker,
        limit=wanted.max_keys,
    )
    return document(
        ListVersions(
            bucket=call.bucket_name,
            prefix=wanted.prefix,
            delimiter=wanted.delimiter,
            key_marker=wanted.key_marker,
            version_id_marker=wanted.version_id_marker,
            next_key_marker=page.next_key_marker,
            next_version_id_marker=page.next_version_id_marker,
            max_keys=wanted.max_keys,
            encoding_type=wanted.encoding_type,
            is_truncated=page.is_truncated,
            entries=page.entries,
            owner=owner_of(call),
            common_prefixes=page.common_prefixes,
            owners=other_owners(call, page.entries),
        )
    )
