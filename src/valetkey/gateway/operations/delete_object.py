"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from valetkey.gateway.aside import parsed
from valetkey.gateway.call import Answer, Call
from valetkey.gateway.faults import translate
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.put_object import as_rule, new_version_id
from valetkey.gateway.operations.refusals import may_bypass, version_id_of
from valetkey.gateway.required_actions import action_for
from valetkey.policy.principal import PrincipalKind
from valetkey.s3.answers import DeletedEntry, DeleteFailure, DeleteResult
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.limits import MAX_KEY_BYTES
from valetkey.s3.preconditions import parse_delete_condition
from valetkey.s3.xml.reader import DeleteKey, parse_delete
from valetkey.store.errors import StoreError
from valetkey.store.model import Deleted, Deletion, WriteRule

_MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
"""1,000 keys of 1,024 bytes, escaped, with their elements."""


_DELETE: Final = "s3:DeleteObject"
_ANY_KEY: Final = "*"
_KEYS_AT_ONCE: Final = 16


async def delete_object(call: Call) -> Answer:
    """DeleteObject: 204 whether or not there was anything."""
    deletion = Deletion(
        key=call.key,
        version_id=version_id_of(call.query),
        rule=as_rule(parse_delete_condition(call.headers)),
        may_bypass=may_bypass(call.headers, call.authority),
    )
    deleted = await call.store.delete_object(
        call.bucket,
        deletion,
        marker_id=new_version_id(call),
        now_ms=call.now_ms,
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
    if call.principal.kind is PrincipalKind.ANONYMOUS:
        # Of a stranger no document is read who may not delete whatever it names.
        call.authority.at(call.bucket, _ANY_KEY).require(_DELETE)
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES, is_integrity_required=True)
    wanted = await parsed(body, parse_delete)
    judged = await _judged(call, wanted.keys)
    outcomes = iter(
        await call.store.delete_objects(
            call.bucket,
            [each for each in judged if isinstance(each, Deletion)],
            new_marker_id=lambda: new_version_id(call),
            now_ms=call.now_ms,
        )
    )
    deleted: list[DeletedEntry] = []
    failures: list[DeleteFailure] = []
    for entry, each in zip(wanted.keys, judged, strict=True):
        outcome = next(outcomes) if isinstance(each, Deletion) else each
        if isinstance(outcome, Deleted):
            deleted.append(_deleted(outcome))
        else:
            failures.append(_failure(entry, outcome))
    return document(DeleteResult(deleted=() if wanted.quiet else tuple(deleted), errors=tuple(failures)))


async def _judged(call: Call, keys: Sequence[DeleteKey]) -> list[Deletion | S3Error]:
    """Return for each key its deletion, or why it is refused. Others get their turn between the keys."""
    judged: list[Deletion | S3Error] = []
    for number, entry in enumerate(keys):
        if number % _KEYS_AT_ONCE == 0:
            await asyncio.sleep(0)
        judged.append(_refusal(call, entry) or _deletion(call, entry))
    return judged


def _refusal(call: Call, entry: DeleteKey) -> S3Error | None:
    """Return why a key is not deleted, as far as that can be said before it is looked at."""
    if len(entry.key.encode()) > MAX_KEY_BYTES:
        return S3Error(Code.KEY_TOO_LONG_ERROR)
    authority = call.authority.at(call.bucket, entry.key, entry.version_id)
    return None if authority.allows(action_for(_DELETE, entry.version_id)) else S3Error(Code.ACCESS_DENIED)


def _deletion(call: Call, entry: DeleteKey) -> Deletion:
    rule = None
    if not (entry.etag is None and entry.modified_ms is None and entry.size is None):
        second = None if entry.modified_ms is None else entry.modified_ms // 1000
        rule = WriteRule(etag=entry.etag, modified_second=second, size=entry.size)
    return Deletion(
        key=entry.key,
        version_id=entry.version_id,
        rule=rule,
        may_bypass=may_bypass(call.headers, call.authority.at(call.bucket, entry.key, entry.version_id)),
    )


def _deleted(outcome: Deleted) -> DeletedEntry:
    if not outcome.is_versioned:
        return DeletedEntry(key=outcome.key, version_id=outcome.version_id)
    return DeletedEntry(
        key=outcome.key,
        version_id=outcome.version_id,
        is_delete_marker=outcome.marker_id is not None,
        delete_marker_version_id=outcome.marker_id,
    )


def _failure(entry: DeleteKey, error: StoreError | S3Error) -> DeleteFailure:
    fault = error if isinstance(error, S3Error) else translate(error)
    return DeleteFailure(
        key=entry.key, code=fault.code.wire, message=fault.message, version_id=entry.version_id
    )
