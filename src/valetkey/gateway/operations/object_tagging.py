"""GetObjectTagging, PutObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, empty, no_content
from valetkey.gateway.operations.object_facts import version_header
from valetkey.gateway.operations.refusals import version_id_of
from valetkey.gateway.required_actions import action_for
from valetkey.s3.limits import MAX_OBJECT_TAGS
from valetkey.s3.setting_answers import Tagging
from valetkey.s3.tags import parse_tagging

_MAX_DOCUMENT_BYTES: Final = 64 * 1024


async def get_object_tagging(call: Call) -> Answer:
    """GetObjectTagging: an empty set if there are no tags."""
    found = call.store.find_object(call.bucket_name, call.key, version_id_of(call.query))
    # S3 gives them ordered by key.
    return document(
        Tagging(tags=dict(sorted(found.tags.items()))), headers=version_header(call.bucket, found.version_id)
    )


async def put_object_tagging(call: Call) -> Answer:
    """PutObjectTagging: these tags in place of all that there were."""
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES)
    tags = parse_tagging(body, most=MAX_OBJECT_TAGS)
    # Not before it is known which tags: a policy may have a say in that.
    action = action_for("s3:PutObjectTagging", call.authority.version_id)
    call.authority.require(action, request_tags=tags)
    return empty(headers=await _retag(call, tags))


async def delete_object_tagging(call: Call) -> Answer:
    """DeleteObjectTagging."""
    answer = no_content()
    answer.headers += await _retag(call, {})
    return answer


async def _retag(call: Call, tags: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Give the version these tags, and return the header that names it."""
    amended = await call.store.amend_object(
        call.bucket, call.key, version_id_of(call.query), lambda found: replace(found, tags=tags)
    )
    return version_header(call.bucket, amended.version_id)
