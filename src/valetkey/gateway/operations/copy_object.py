"""CopyObject: the new object shares the bytes of the old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document
from valetkey.gateway.operations.put_object import write_rule
from valetkey.gateway.operations.refusals import refuse_object_options, require_no_version
from valetkey.policy.decide import require_allowed
from valetkey.s3.answers import CopyResult
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import object_headers
from valetkey.s3.limits import MAX_SINGLE_UPLOAD_BYTES
from valetkey.s3.names import require_key
from valetkey.s3.preconditions import decide_copy_source
from valetkey.s3.query import parse_query
from valetkey.s3.target import parse_target
from valetkey.store.errors import PreconditionFailedError
from valetkey.store.model import StoredObject

_ATTEMPTS: Final = 10

_REPLACING: Final = ("x-amz-storage-class", "x-amz-website-redirect-location")
"""Headers that change a copy even where the metadata is copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    bucket: str
    key: str


async def copy_object(call: Call) -> Answer:
    """CopyObject. The source is read with the rights of whoever signed, like any other read."""
    key = require_key(call.key)
    refuse_object_options(call.headers)
    source = _parse_source(call.headers["x-amz-copy-source"])
    require_allowed(call.principal, "s3:GetObject")
    directive = _directive(call)
    for _ in range(_ATTEMPTS):
        found = call.store.find_object(source.bucket, source.key)
        try:
            copied = await _copy(call, key, found, directive)
        except PreconditionFailedError as error:
            if error.condition != "x-amz-copy-source-if-match":
                raise
            continue  # the source was replaced between the look and the copy
        return document(
            CopyResult(etag=copied.etag, modified_ms=copied.modified_ms, checksum=copied.checksum)
        )
    raise S3Error(Code.SLOW_DOWN)


async def _copy(call: Call, key: str, found: StoredObject, directive: str) -> StoredObject:
    decide_copy_source(call.headers, etag=found.etag, modified_ms=found.modified_ms)
    if found.size > MAX_SINGLE_UPLOAD_BYTES:
        raise S3Error(
            Code.INVALID_REQUEST,
            f"The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{MAX_SINGLE_UPLOAD_BYTES}",
        )
    is_same = (found.bucket, found.key) == (call.bucket, key)
    if is_same and directive == "COPY" and not any(name in call.headers for name in _REPLACING):
        raise S3Error(
            Code.INVALID_REQUEST,
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.",
        )
    return await call.store.copy_object(
        found.bucket,
        found.key,
        call.bucket,
        key,
        now_ms=call.request.now_ms,
        expected_etag=found.etag,
        headers=_new_headers(call, found, directive),
        rule=write_rule(call),
    )


def _new_headers(call: Call, found: StoredObject, directive: str) -> dict[str, str]:
    asked = object_headers(call.headers)
    if directive == "REPLACE":
        return asked
    # The storage class and the redirect belong to the copy, not to the metadata that is copied.
    kept = {name: value for name, value in found.headers.items() if name not in _REPLACING}
    return kept | {name: asked[name] for name in _REPLACING if name in asked}


def _directive(call: Call) -> str:
    directive = call.headers.get("x-amz-metadata-directive", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise S3Error(
            Code.INVALID_ARGUMENT,
            "Unknown metadata directive.",
            {"ArgumentName": "x-amz-metadata-directive", "ArgumentValue": directive},
        )
    return directive


def _parse_source(text: str) -> _Source:
    path, _, query = text.partition("?")
    raw_path = path.encode("utf-8")
    if not raw_path.startswith(b"/"):
        raw_path = b"/" + raw_path
    target = parse_target(raw_path, b"", ())
    if target.bucket is None or target.key is None:
        raise S3Error(
            Code.INVALID_ARGUMENT,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            {"ArgumentName": "x-amz-copy-source", "ArgumentValue": text},
        )
    if query:
        require_no_version(parse_query(query.encode("utf-8")))
    return _Source(bucket=target.bucket, key=target.key)
