"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.put_object import as_rule
from valetkey.gateway.operations.refusals import require_no_version
from valetkey.s3.answers import DeletedEntry, DeleteFailure, DeleteResult
from valetkey.s3.codes import Code
from valetkey.s3.limits import MAX_KEY_BYTES
from valetkey.s3.preconditions import parse_delete_condition
from valetkey.s3.xml.reader import DeleteKey, parse_delete

_MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
"""1,000 keys of 1,024 bytes, escaped, with their elements."""


async def delete_object(call: Call) -> Answer:
    """DeleteObject: 204 whether or not the object was there."""
    require_no_version(call.query)
    rule = as_rule(parse_delete_condition(call.headers))
    await call.store.delete_object(call.bucket, call.key, rule=rule)
    return no_content()


async def delete_objects(call: Call) -> Answer:
    """DeleteObjects: up to 1,000 keys in one transaction."""
    call.store.find_bucket(call.bucket)
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES, is_integrity_required=True)
    wanted = parse_delete(body)
    verdicts = [(entry.key, _refuse(entry)) for entry in wanted.keys]
    failures = tuple(failure for _, failure in verdicts if failure is not None)
    keys = [key for key, failure in verdicts if failure is None]
    await call.store.delete_objects(call.bucket, keys)
    deleted = () if wanted.quiet else tuple(DeletedEntry(key=key) for key in keys)
    return document(DeleteResult(deleted=deleted, errors=failures))


def _refuse(entry: DeleteKey) -> DeleteFailure | None:
    if len(entry.key.encode()) > MAX_KEY_BYTES:
        code = Code.KEY_TOO_LONG_ERROR
    elif entry.version_id not in (None, "null"):
        code = Code.NO_SUCH_VERSION
    elif entry.etag is not None:
        code = Code.NOT_IMPLEMENTED
    else:
        return None
    return DeleteFailure(key=entry.key, code=code.wire, message=code.message)
