"""ListObjectVersions."""

from __future__ import annotations

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.buckets import owner_of
from valetkey.s3.answers import Owner
from valetkey.s3.listing import parse_list_versions
from valetkey.s3.object_answers import ListVersions, VersionEntry
from valetkey.store.model import VersionSummary


async def list_object_versions(call: Call) -> Answer:
    """ListObjectVersions: versions and delete markers, the newest of each key first."""
    wanted = parse_list_versions(call.query)
    page = await call.store.list_versions(
        call.bucket_name,
        prefix=wanted.prefix,
        delimiter=wanted.delimiter,
        key_marker=wanted.key_marker,
        version_id_marker=wanted.version_id_marker,
        limit=wanted.max_keys,
    )
    owner = owner_of(call)
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
            entries=tuple(_entry(version, owner) for version in page.entries),
            common_prefixes=page.common_prefixes,
        )
    )


def _entry(version: VersionSummary, owner: Owner) -> VersionEntry:
    return VersionEntry(
        key=version.key,
        version_id=version.version_id or "null",
        is_latest=version.is_latest,
        modified_ms=version.modified_ms,
        owner=owner,
        is_delete_marker=version.is_marker,
        etag=version.etag,
        size=version.size,
        storage_class=version.storage_class or "STANDARD",
        checksum_algorithm=version.checksum.algorithm if version.checksum else None,
        checksum_type=version.checksum.type if version.checksum else None,
    )
