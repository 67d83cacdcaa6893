"""GetObjectRetention, PutObjectRetention, GetObjectLegalHold, PutObjectLegalHold."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import empty, kept_document
from valetkey.gateway.operations.object_facts import version_header
from valetkey.gateway.operations.refusals import may_bypass, version_id_of
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.instants import instant_text
from valetkey.s3.object_lock import (
    HOLD_HEADER,
    MODE_HEADER,
    UNTIL_HEADER,
    LockRequest,
    require_in_future,
    require_lockable,
    require_retention_change,
)
from valetkey.s3.xml.object_lock import (
    parse_legal_hold,
    parse_retention,
    render_legal_hold,
    render_retention,
)
from valetkey.store.model import StoredObject

_MAX_DOCUMENT_BYTES: Final = 16 * 1024


async def get_object_retention(call: Call) -> Answer:
    """GetObjectRetention. One that has ended is shown like one that lasts."""
    lock = _find(call).lock
    if lock.mode is None or lock.until_ms is None:
        raise S3Error(Code.NO_SUCH_OBJECT_LOCK_CONFIGURATION)
    return kept_document(render_retention(lock.mode, lock.until_ms))


async def put_object_retention(call: Call) -> Answer:
    """PutObjectRetention: how long, and how, a policy may have a say in."""
    wanted = parse_retention(await _read(call))
    stated = {}
    if wanted.mode is not None and wanted.until_ms is not None:
        stated = {MODE_HEADER: wanted.mode.value, UNTIL_HEADER: instant_text(wanted.until_ms)}
    call.authority.require("s3:PutObjectRetention", stated=stated)
    require_lockable(is_lockable=call.bucket.is_lockable)
    if wanted.until_ms is not None:
        require_in_future(wanted.until_ms, now_ms=call.now_ms)

    def amend(found: StoredObject) -> StoredObject:
        return _with_retention(call, found, wanted)

    amended = await call.store.amend_object(call.bucket, call.key, version_id_of(call.query), amend)
    return empty(headers=version_header(call.bucket, amended.version_id))


def _with_retention(call: Call, found: StoredObject, wanted: LockRequest) -> StoredObject:
    require_retention_change(
        found.lock.mode,
        found.lock.until_ms,
        wanted.mode,
        wanted.until_ms,
        now_ms=call.now_ms,
        may_bypass=may_bypass(call.headers, call.authority),
    )
    return replace(found, lock=replace(found.lock, mode=wanted.mode, until_ms=wanted.until_ms))


async def get_object_legal_hold(call: Call) -> Answer:
    """GetObjectLegalHold."""
    legal_hold = _find(call).lock.legal_hold
    if legal_hold is None:
        raise S3Error(Code.NO_SUCH_OBJECT_LOCK_CONFIGURATION)
    return kept_document(render_legal_hold(is_on=legal_hold))


async def put_object_legal_hold(call: Call) -> Answer:
    """PutObjectLegalHold."""
    is_on = parse_legal_hold(await _read(call))
    call.authority.require("s3:PutObjectLegalHold", stated={HOLD_HEADER: "ON" if is_on else "OFF"})
    require_lockable(is_lockable=call.bucket.is_lockable)

    def amend(found: StoredObject) -> StoredObject:
        return replace(found, lock=replace(found.lock, legal_hold=is_on))

    amended = await call.store.amend_object(call.bucket, call.key, version_id_of(call.query), amend)
    return empty(headers=version_header(call.bucket, amended.version_id))


def _find(call: Call) -> StoredObject:
    require_lockable(is_lockable=call.bucket.is_lockable)
    return call.store.find_object(call.bucket_name, call.key, version_id_of(call.query))


async def _read(call: Call) -> bytes:
    return await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES, is_integrity_required=True)
