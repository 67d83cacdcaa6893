"""CopyObject: the new object shares the bytes of the old one wherever both are encrypted alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.copy_source import Source, source_version_header
from valetkey.gateway.operations.kept_settings import default_encryption_of
from valetkey.gateway.operations.object_facts import expiration_header, version_header
from valetkey.gateway.operations.put_object import new_version_id, write_rule
from valetkey.gateway.operations.rewriting import Digests, stored_etag
from valetkey.gateway.operations.upload_options import UploadOptions, upload_options
from valetkey.gateway.required_actions import PUT_TAGS
from valetkey.s3.answers import CopyResult
from valetkey.s3.checksums import Algorithm, sdk_algorithm
from valetkey.s3.codes import Code
from valetkey.s3.encryption import SSE_C
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.limits import MAX_SINGLE_UPLOAD_BYTES
from valetkey.s3.names import require_key
from valetkey.store.model import StoredObject

_REPLACING: Final = ("x-amz-storage-class", "x-amz-website-redirect-location")
"""Headers that change a copy even where the metadata is copied."""


async def copy_object(call: Call) -> Answer:
    """CopyObject, also onto itself, of old versions, and across buckets."""
    key = require_key(call.key)
    options = upload_options(call)
    source = Source(call)
    metadata = _directive(call, "x-amz-metadata-directive", "Unknown metadata directive.")
    tagging = _directive(call, "x-amz-tagging-directive", "Unknown tagging directive.")

    async def copy(found: StoredObject) -> tuple[StoredObject, StoredObject]:
        _require_copyable(call, key, source, found, metadata=metadata, options=options)
        kept = options
        if metadata == "COPY":
            kept = replace(kept, headers=_copied_headers(found, options))
        if tagging == "COPY":
            kept = replace(kept, tags=_copied_tags(call, source, found))
        return found, await _make(call, key, source, found, kept)

    found, copied = await source.use(copy)
    headers = version_header(call.bucket, copied.version_id) + options.encryption_headers()
    headers += source_version_header(found)
    return document(
        CopyResult(etag=copied.etag, modified_ms=copied.modified_ms, checksum=copied.checksum),
        headers=headers + expiration_header(call, copied),
    )


async def _make(
    call: Call, key: str, source: Source, found: StoredObject, options: UploadOptions
) -> StoredObject:
    """Return the copy, sharing the source's bytes unless they have to be encrypted otherwise."""
    wanted = sdk_algorithm(call.headers)
    is_other = wanted is not None and (found.checksum is None or found.checksum.algorithm != wanted.name)
    kind = options.encryption.kind if options.encryption else None
    rule, version_id = write_rule(call), new_version_id(call)
    if kind == found.encryption and kind != SSE_C:
        checksum = found.checksum
        if is_other and wanted is not None:
            digests = Digests(wanted)
            await digests.observe_all(source.blocks(found, 0, found.size))
            checksum = digests.checksum
        new = options.new_object(etag=found.etag, checksum=checksum)
        return await call.store.copy_object(
            found, call.bucket, key, new, version_id=version_id, now_ms=call.now_ms, rule=rule
        )
    digests = Digests(wanted or _algorithm_of(found))
    async with await call.store.receive(
        source.blocks(found, 0, found.size),
        size_hint=found.size,
        observe=digests.observe,
        encryption=options.encryption,
    ) as draft:
        etag = stored_etag(digests.etag, options.customer_key)
        new = options.new_object(etag=etag, checksum=digests.checksum)
        return await call.store.put_object(
            call.bucket, key, draft, new, version_id=version_id, now_ms=call.now_ms, rule=rule
        )


def _algorithm_of(found: StoredObject) -> Algorithm:
    return Algorithm[found.checksum.algorithm] if found.checksum else Algorithm.CRC64NVME


def _require_copyable(
    call: Call, key: str, source: Source, found: StoredObject, *, metadata: str, options: UploadOptions
) -> None:
    if found.size > MAX_SINGLE_UPLOAD_BYTES:
        raise S3Error(
            Code.INVALID_REQUEST,
            f"The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{MAX_SINGLE_UPLOAD_BYTES}",
        )
    is_same = (found.bucket, found.key) == (call.bucket_name, key) and not source.names_version
    # A default of the bucket counts as encryption that is asked for.
    changes = any(name in call.headers for name in (*_REPLACING, "x-amz-server-side-encryption"))
    changes = changes or default_encryption_of(call.bucket) is not None
    if is_same and metadata == "COPY" and not changes and options.customer_key is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.",
        )


def _copied_tags(call: Call, source: Source, found: StoredObject) -> dict[str, str]:
    """Return the tags of the source, if the caller may see them there and set them here."""
    tags = dict(found.tags)
    if tags:
        source.require("s3:GetObjectTagging")
        call.authority.require(PUT_TAGS, request_tags=tags)
    return tags


def _copied_headers(found: StoredObject, options: UploadOptions) -> dict[str, str]:
    # The storage class and the redirect belong to the copy, not to the metadata that is copied.
    kept = {name: value for name, value in found.headers.items() if name not in _REPLACING}
    return kept | {name: options.headers[name] for name in _REPLACING if name in options.headers}


def _directive(call: Call, name: str, message: str) -> str:
    directive = call.headers.get(name, "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise invalid_argument(message, name, directive)
    return directive
