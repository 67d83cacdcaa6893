"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.faults import translate
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.put_object import as_rule, new_version_id
from valetkey.gateway.operations.refusals import version_id_of
from valetkey.s3.answers import DeletedEntry, DeleteFailure, DeleteResult
from valetkey.s3.codes import Code
from valetkey.s3.limits import MAX_KEY_BYTES
from valetkey.s3.object_lock import asks_bypass
from valetkey.s3.preconditions import parse_delete_condition
from valetkey.s3.xml.reader import DeleteKey, parse_delete
from valetkey.store.errors import StoreError
from valetkey.store.model import Deleted, Deletion, WriteRule

_MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
"""1,000 keys of 1,024 bytes, escaped, with their elements."""


async def delete_object(call: Call) -> Answer:
    """DeleteObject: 204 whether or not there was anything."""
    deletion = Deletion(
        key=call.key,
        version_id=version_id_of(call.query),
        rule=as_rule(parse_delete_condition(call.headers)),
    )
    deleted = await call.store.delete_object(
        call.bucket,
        deletion,
        marker_id=new_version_id(call),
        now_ms=call.now_ms,
        may_bypass=asks_bypass(call.headers),
    )
    answer = no_content()
    if deleted.is_versioned:
        version_id = deleted.version_id or deleted.marker_id or "null"
        answer.headers.append((b"x-amz-version-id", version_id.encode("latin-1", "replace")))
        if deleted.marker_id is not None:
            answer.headers.append((b"x-amz-delete-marker", b"true"))
    return answer


async def delete_objects(call: Call) -> Answer:
    """DeleteObjects: up to 1,000 keys in one transaction."""
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES, is_integrity_required=True)
    wanted = parse_delete(body)
    is_long = [len(entry.key.encode()) > MAX_KEY_BYTES for entry in wanted.keys]
    outcomes = await call.store.delete_objects(
        call.bucket,
        [_deletion(entry) for entry, long in zip(wanted.keys, is_long, strict=True) if not long],
        new_marker_id=lambda: new_version_id(call),
        now_ms=call.now_ms,
        may_bypass=asks_bypass(call.headers),
    )
    left = iter(outcomes)
    deleted: list[DeletedEntry] = []
    failures: list[DeleteFailure] = []
    for entry, long in zip(wanted.keys, is_long, strict=True):
        outcome = None if long else next(left)
        if outcome is None:
            code = Code.KEY_TOO_LONG_ERROR
            failures.append(DeleteFailure(key=entry.key, code=code.wire, message=code.message))
        elif isinstance(outcome, Deleted):
            deleted.append(_deleted(outcome))
        else:
            failures.append(_failure(entry, outcome))
    return document(DeleteResult(deleted=() if wanted.quiet else tuple(deleted), errors=tuple(failures)))


def _deletion(entry: DeleteKey) -> Deletion:
    rule = None
    if not (entry.etag is None and entry.modified_ms is None and entry.size is None):
        second = None if entry.modified_ms is None else entry.modified_ms // 1000
        rule = WriteRule(etag=entry.etag, modified_second=second, size=entry.size)
    return Deletion(key=entry.key, version_id=entry.version_id, rule=rule)


def _deleted(outcome: Deleted) -> DeletedEntry:
    if not outcome.is_versioned:
        return DeletedEntry(key=outcome.key, version_id=outcome.version_id)
    return DeletedEntry(
        key=outcome.key,
        version_id=outcome.version_id,
        is_delete_marker=outcome.marker_id is not None,
        delete_marker_version_id=outcome.marker_id,
    )


def _failure(entry: DeleteKey, error: StoreError) -> DeleteFailure:
    fault = translate(error)
    return DeleteFailure(
        key=entry.key, code=fault.code.wire, message=fault.message, version_id=entry.version_id
    )
