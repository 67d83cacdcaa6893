"""The listings, as XML. The order of elements is S3's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from valetkey.s3.answers import (
    BucketEntry,
    ListBuckets,
    ListObjectsV1,
    ListObjectsV2,
    ListParts,
    ListUploads,
    ObjectEntry,
    Owner,
    PartEntry,
    UploadEntry,
)
from valetkey.s3.dates import iso_date
from valetkey.s3.names import bucket_arn
from valetkey.s3.object_answers import ListVersions, VersionEntry
from valetkey.s3.xml.text import (
    checksum,
    checksum_kind,
    element,
    encoder_of_all,
    escaped,
    flag,
    key_encoder,
    owner,
)


def list_buckets(answer: ListBuckets) -> str:
    """Return the content of `ListAllMyBucketsResult`."""
    buckets = "".join([_bucket(entry) for entry in answer.buckets])
    return (
        owner("Owner", answer.owner)
        + (f"<Buckets>{buckets}</Buckets>" if buckets else "<Buckets/>")
        + element("Prefix", answer.prefix)
        + element("ContinuationToken", answer.continuation_token)
    )


def _bucket(entry: BucketEntry) -> str:
    return (
        f"<Bucket><Name>{escaped(entry.name)}</Name><CreationDate>{iso_date(entry.created_ms)}</CreationDate>"
        f"{element('BucketRegion', entry.region)}<BucketArn>{escaped(bucket_arn(entry.name))}</BucketArn></Bucket>"
    )


def list_objects_v1(answer: ListObjectsV1) -> str:
    """Return the content of ListObjects's `ListBucketResult`."""
    encode = key_encoder(answer.encoding_type)
    next_marker = (
        "" if answer.next_marker is None else f"<NextMarker>{encode(answer.next_marker)}</NextMarker>"
    )
    return (
        f"<Name>{escaped(answer.bucket)}</Name><Prefix>{encode(answer.prefix)}</Prefix>"
        f"<Marker>{encode(answer.marker)}</Marker>{next_marker}<MaxKeys>{answer.max_keys}</MaxKeys>"
        + _delimiter(answer.delimiter, encode)
        + element("EncodingType", answer.encoding_type)
        + flag("IsTruncated", value=answer.is_truncated)
        + _entries(answer.entries, encode, answer.owner, answer.owners)
        + _common_prefixes(answer.common_prefixes, encode)
    )


def list_objects_v2(answer: ListObjectsV2) -> str:
    """Return the content of ListObjectsV2's `ListBucketResult`."""
    encode = key_encoder(answer.encoding_type)
    start = ""
    if answer.start_after:
        start = f"<StartAfter>{encode(answer.start_after)}</StartAfter>"
    return (
        f"<Name>{escaped(answer.bucket)}</Name><Prefix>{encode(answer.prefix)}</Prefix>{start}"
        + element("ContinuationToken", answer.continuation_token)
        + element("NextContinuationToken", answer.next_continuation_token)
        + f"<KeyCount>{answer.key_count}</KeyCount><MaxKeys>{answer.max_keys}</MaxKeys>"
        + _delimiter(answer.delimiter, encode)
        + element("EncodingType", answer.encoding_type)
        + flag("IsTruncated", value=answer.is_truncated)
        + _entries(answer.entries, encode, answer.owner, answer.owners)
        + _common_prefixes(answer.common_prefixes, encode)
    )


def list_versions(answer: ListVersions) -> str:
    """Return the content of `ListVersionsResult`, with versions and delete markers in the listing's order."""
    encode = key_encoder(answer.encoding_type)
    following = answer.next_key_marker
    return (
        f"<Name>{escaped(answer.bucket)}</Name><Prefix>{encode(answer.prefix)}</Prefix>"
        f"<KeyMarker>{encode(answer.key_marker)}</KeyMarker>"
        f"<VersionIdMarker>{escaped(answer.version_id_marker)}</VersionIdMarker>"
        + ("" if following is None else f"<NextKeyMarker>{encode(following)}</NextKeyMarker>")
        + element("NextVersionIdMarker", answer.next_version_id_marker)
        + f"<MaxKeys>{answer.max_keys}</MaxKeys>"
        + _delimiter(answer.delimiter, encode)
        + element("EncodingType", answer.encoding_type)
        + flag("IsTruncated", value=answer.is_truncated)
        + _versions(answer.entries, encode, answer.owner, answer.owners)
        + _common_prefixes(answer.common_prefixes, encode)
    )


def _versions(
    entries: Sequence[VersionEntry],
    encode: Callable[[str], str],
    whose: Owner | None,
    others: Mapping[str, Owner],
) -> str:
    told = owner("Owner", whose)
    elements = {account_id: owner("Owner", account) for account_id, account in others.items()}
    encode = encoder_of_all([entry.key for entry in entries], encode)
    return "".join(
        [
            _version(entry, encode, told if entry.owner_id is None else elements.get(entry.owner_id, told))
            for entry in entries
        ]
    )


def _version(entry: VersionEntry, encode: Callable[[str], str], told_owner: str) -> str:
    version_id = entry.version_id
    start = (
        f"<Key>{encode(entry.key)}</Key>"
        f"<VersionId>{'null' if version_id is None else escaped(version_id)}</VersionId>"
        f"<IsLatest>{'true' if entry.is_latest else 'false'}</IsLatest>"
        f"<LastModified>{iso_date(entry.modified_ms)}</LastModified>"
    )
    if entry.is_marker:
        return f"<DeleteMarker>{start}{told_owner}</DeleteMarker>"
    return (
        f"<Version>{start}<ETag>&quot;{escaped(entry.etag)}&quot;</ETag>"
        f"{checksum_kind(entry.checksum_algorithm, entry.checksum_type)}<Size>{entry.size}</Size>"
        f"{told_owner}{_storage_class(entry.storage_class)}</Version>"
    )


def _delimiter(delimiter: str, encode: Callable[[str], str]) -> str:
    return f"<Delimiter>{encode(delimiter)}</Delimiter>" if delimiter else ""


def _entries(
    entries: Sequence[ObjectEntry],
    encode: Callable[[str], str],
    whose: Owner | None,
    others: Mapping[str, Owner],
) -> str:
    told = owner("Owner", whose)
    elements = {account_id: owner("Owner", account) for account_id, account in others.items()}
    encode = encoder_of_all([entry.key for entry in entries], encode)
    return "".join(
        [
            f"<Contents><Key>{encode(entry.key)}</Key>"
            f"<LastModified>{iso_date(entry.modified_ms)}</LastModified>"
            f"<ETag>&quot;{escaped(entry.etag)}&quot;</ETag>"
            f"{checksum_kind(entry.checksum_algorithm, entry.checksum_type)}"
            f"<Size>{entry.size}</Size>"
            f"{told if entry.owner_id is None else elements.get(entry.owner_id, told)}"
            f"{_storage_class(entry.storage_class)}</Contents>"
            for entry in entries
        ]
    )


@lru_cache(maxsize=64)
def _storage_class(kept: str | None) -> str:
    return f"<StorageClass>{escaped(kept or 'STANDARD')}</StorageClass>"


def _common_prefixes(prefixes: Sequence[str], encode: Callable[[str], str]) -> str:
    return "".join(
        [f"<CommonPrefixes><Prefix>{encode(prefix)}</Prefix></CommonPrefixes>" for prefix in prefixes]
    )


def list_parts(answer: ListParts) -> str:
    """Return the content of `ListPartsResult`."""
    return (
        f"<Bucket>{escaped(answer.bucket)}</Bucket><Key>{escaped(answer.key)}</Key>"
        f"<UploadId>{escaped(answer.upload_id)}</UploadId>"
        + owner("Initiator", answer.initiator)
        + owner("Owner", answer.owner)
        + f"<StorageClass>{escaped(answer.storage_class)}</StorageClass>"
        f"<PartNumberMarker>{answer.part_number_marker}</PartNumberMarker>"
        f"<NextPartNumberMarker>{answer.next_part_number_marker}</NextPartNumberMarker>"
        f"<MaxParts>{answer.max_parts}</MaxParts>"
        + flag("IsTruncated", value=answer.is_truncated)
        + checksum_kind(answer.checksum_algorithm, answer.checksum_type)
        + "".join([_part(part) for part in answer.parts])
    )


def _part(part: PartEntry) -> str:
    return (
        f"<Part><PartNumber>{part.number}</PartNumber>"
        f"<LastModified>{iso_date(part.modified_ms)}</LastModified>"
        f"<ETag>&quot;{escaped(part.etag)}&quot;</ETag><Size>{part.size}</Size>"
        f"{checksum(part.checksum, with_type=False)}</Part>"
    )


def list_uploads(answer: ListUploads) -> str:
    """Return the content of `ListMultipartUploadsResult`."""
    encode = key_encoder(answer.encoding_type)
    # All four markers stand there even if empty; the delimiter and the prefix do not.
    return (
        f"<Bucket>{escaped(answer.bucket)}</Bucket><KeyMarker>{encode(answer.key_marker)}</KeyMarker>"
        f"<UploadIdMarker>{escaped(answer.upload_id_marker)}</UploadIdMarker>"
        f"<NextKeyMarker>{encode(answer.next_key_marker or '')}</NextKeyMarker>"
        f"<NextUploadIdMarker>{escaped(answer.next_upload_id_marker or '')}</NextUploadIdMarker>"
        + _delimiter(answer.delimiter, encode)
        + (f"<Prefix>{encode(answer.prefix)}</Prefix>" if answer.prefix else "")
        + f"<MaxUploads>{answer.max_uploads}</MaxUploads>"
        + element("EncodingType", answer.encoding_type)
        + flag("IsTruncated", value=answer.is_truncated)
        + "".join([_upload(entry, encode) for entry in answer.uploads])
        + _common_prefixes(answer.common_prefixes, encode)
    )


def _upload(entry: UploadEntry, encode: Callable[[str], str]) -> str:
    return (
        f"<Upload><Key>{encode(entry.key)}</Key><UploadId>{escaped(entry.upload_id)}</UploadId>"
        f"{owner('Initiator', entry.initiator)}{owner('Owner', entry.owner)}"
        f"<StorageClass>{escaped(entry.storage_class)}</StorageClass>"
        f"<Initiated>{iso_date(entry.initiated_ms)}</Initiated>"
        f"{checksum_kind(entry.checksum_algorithm, entry.checksum_type)}</Upload>"
    )
