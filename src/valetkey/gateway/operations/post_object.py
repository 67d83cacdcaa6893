"""PostObject: the upload of a browser's form, whose fields have been read and its policy been proved before."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call, PostedForm
from valetkey.gateway.intake import Intake, require_size
from valetkey.gateway.operations.answers import XML_TYPE
from valetkey.gateway.operations.own_address import own_address
from valetkey.gateway.operations.put_object import keep_upload, upload_headers
from valetkey.gateway.operations.upload_options import upload_options
from valetkey.s3.limits import MOST_AFTER_FILE_BYTES
from valetkey.s3.names import require_key
from valetkey.s3.post_form import object_location
from valetkey.s3.xml.post_response import render_post_response
from valetkey.store.model import StoredObject

_SEE_OTHER: Final = 303
_CREATED: Final = 201
_NO_CONTENT: Final = 204


async def post_object(call: Call) -> Answer:
    """PostObject: the object exists once its bytes and its row are durable, and not before."""
    posted = call.form
    assert posted is not None  # the flow reads it for this operation
    require_key(call.key)
    options = upload_options(call)
    _require_possible(posted)
    intake = Intake(call, size_range=posted.size)
    stored = await keep_upload(call, intake, options, size_hint=posted.size_hint)
    answer = _answer(call, stored)
    answer.headers += upload_headers(call, stored, options)
    return answer


def _require_possible(posted: PostedForm) -> None:
    """Return unless the file is too large, whatever follows it. What a client must not send it need not begin."""
    if posted.size_hint is not None and posted.size_hint - MOST_AFTER_FILE_BYTES > posted.size.most:
        require_size(posted.size_hint, posted.size.most)


def _answer(call: Call, stored: StoredObject) -> Answer:
    assert call.form is not None
    form = call.form.form
    redirect = form.redirect_url(bucket=call.bucket_name, etag=stored.etag)
    if redirect is not None:
        return Answer(_SEE_OTHER, [(b"location", redirect.encode())], b"", 0)
    location = object_location(
        own_address(call),
        bucket=None if call.is_virtual else call.bucket_name,
        key=call.key,
    )
    headers = [(b"location", location.encode("ascii", "replace"))]
    status = form.success_status
    if status == _NO_CONTENT:
        return Answer(status, headers)
    if status != _CREATED:
        return Answer(status, headers, b"", 0)
    body = render_post_response(location=location, bucket=call.bucket_name, key=call.key, etag=stored.etag)
    return Answer(status, [XML_TYPE, *headers], body, len(body))
