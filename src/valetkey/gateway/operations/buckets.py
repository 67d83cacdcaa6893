"""ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from valetkey.gateway.access_lists import BUCKET_ACL, kept_acl
from valetkey.gateway.call import Answer, Call
from valetkey.gateway.context import LOCATION
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, empty, no_content
from valetkey.gateway.operations.bucket_access import new_bucket_settings
from valetkey.gateway.operations.kept_settings import ownership_of
from valetkey.gateway.operations.requested_lists import require_not_blocked
from valetkey.gateway.public_access import block_of, block_of_account
from valetkey.gateway.required_actions import CREATE_BUCKET
from valetkey.policy.public import PublicAccessBlock
from valetkey.s3.answers import BucketEntry, ListBuckets, Location, ObjectEntry, Owner
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.grants import Ownership
from valetkey.s3.listing import parse_list_buckets
from valetkey.s3.names import bucket_arn, require_bucket_name
from valetkey.s3.setting_answers import Tagging
from valetkey.s3.tokens import encode_token
from valetkey.s3.xml.reader import parse_create_bucket
from valetkey.s3.xml.writer import render
from valetkey.store.errors import BucketExistsError, BucketNotEmptyError

_MAX_DOCUMENT_BYTES: Final = 64 * 1024
_DEFAULT_REGION: Final = "us-east-1"
_BUCKET_PARAMETERS: Final = frozenset({"bucket-region", "continuation-token", "max-buckets", "prefix"})


def owner_of(call: Call) -> Owner:
    """Return the owner of the bucket, whose are all objects and uploads in it that are nobody else's."""
    return account_of(call, call.rules.owner_of(call.bucket))


def account_of(call: Call, account_id: str) -> Owner:
    """Return the account with this canonical user id, as answers show it."""
    return Owner(id=account_id, display_name=call.keys.name_of(account_id))


def other_owners(call: Call, entries: Sequence[ObjectEntry]) -> Mapping[str, Owner]:
    """Return the accounts beside the bucket's owner that own entries of a listing, by their ids."""
    owner_ids = {entry.owner_id for entry in entries} - {None}
    if not owner_ids or ownership_of(call.bucket) is Ownership.BUCKET_OWNER_ENFORCED:
        return {}
    return {owner_id: account_of(call, owner_id) for owner_id in owner_ids if owner_id is not None}


async def list_buckets(call: Call) -> Answer:
    """ListBuckets: those of the account that asks."""
    account = call.principal
    owner = Owner(id=account.account_id, display_name=account.name)
    wanted = parse_list_buckets(call.query, token_key=call.rules.token_key)
    if call.query.get("bucket-region", call.rules.region) != call.rules.region:
        return document(ListBuckets(owner=owner, buckets=(), prefix=wanted.prefix))
    # An account has few buckets, so a page is cut from all of them.
    buckets = [
        bucket
        for bucket in await call.store.buckets.list()
        if call.rules.owner_of(bucket) == account.account_id
        and bucket.name.startswith(wanted.prefix or "")
        and bucket.name > wanted.after
    ]
    page = buckets[: wanted.max_buckets]
    region = call.rules.region if _BUCKET_PARAMETERS & call.query.keys() else None
    next_token = None
    if len(page) < len(buckets):
        next_token = encode_token(page[-1].name, key=call.rules.token_key, scope="")
    return document(
        ListBuckets(
            owner=owner,
            buckets=tuple(BucketEntry(name=b.name, created_ms=b.created_ms, region=region) for b in page),
            prefix=wanted.prefix,
            continuation_token=next_token,
        )
    )


async def create_bucket(call: Call) -> Answer:
    """CreateBucket."""
    name = require_bucket_name(call.bucket_name)
    settings = new_bucket_settings(call)
    is_lockable = call.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true"
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES)
    wanted = parse_create_bucket(body)
    stated = {} if wanted.location is None else {LOCATION: wanted.location}
    call.authority.require(CREATE_BUCKET, stated=stated)
    _require_location(wanted.location, call.rules.region)
    own = block_of_account(call.principal.account_id, call.store.identities)
    _require_open_to_lists(call, settings.get(BUCKET_ACL), own)
    if wanted.tags:
        call.authority.require("s3:TagResource", request_tags=wanted.tags)
        settings["tagging"] = render(Tagging(tags=wanted.tags)).decode()
    try:
        await call.store.buckets.create(
            name,
            owner_id=call.principal.account_id,
            is_lockable=is_lockable,
            settings=settings,
            now_ms=call.now_ms,
        )
    except BucketExistsError as error:
        if (error.owner_id or call.rules.owner_id) != call.principal.account_id:
            raise S3Error(Code.BUCKET_ALREADY_EXISTS, None, {"BucketName": name}) from error
        # In us-east-1 creating one's own bucket again succeeds, for compatibility with S3's first years.
        if call.rules.region != _DEFAULT_REGION or wanted.tags:
            raise
        await _reset_acl(call, settings.get(BUCKET_ACL))
    return empty(headers=[(b"location", f"/{name}".encode()), _arn_header(name)])


async def _reset_acl(call: Call, text: str | None) -> None:
    """Give the account's own bucket the list that it would have as a new one, as Amazon does."""
    bucket = call.store.buckets.find(call.bucket_name)
    is_enforced = ownership_of(bucket) is Ownership.BUCKET_OWNER_ENFORCED
    if not is_enforced and bucket.settings.get(BUCKET_ACL) != text:
        _require_open_to_lists(call, text, block_of(bucket, call.store.identities, call.rules))
        await call.store.buckets.put_setting(bucket, BUCKET_ACL, text)


def _require_open_to_lists(call: Call, text: str | None, block: PublicAccessBlock) -> None:
    if text is not None:
        require_not_blocked(kept_acl(text, call.principal.account_id), block)


def _require_location(location: str | None, region: str) -> None:
    wanted = location or _DEFAULT_REGION
    if wanted == "EU":
        wanted = "eu-west-1"
    if wanted == region:
        return
    if location is None:
        raise S3Error(
            Code.ILLEGAL_LOCATION_CONSTRAINT,
            "The unspecified location constraint is incompatible for the region specific endpoint "
            "this request was sent to.",
        )
    raise S3Error(
        Code.ILLEGAL_LOCATION_CONSTRAINT,
        f"The {location} location constraint is incompatible for the region specific endpoint "
        "this request was sent to.",
    )


async def head_bucket(call: Call) -> Answer:
    """HeadBucket."""
    return empty(
        headers=[
            _arn_header(call.bucket_name),
            (b"x-amz-bucket-region", call.rules.region.encode()),
            (b"x-amz-access-point-alias", b"false"),
        ]
    )


def _arn_header(name: str) -> tuple[bytes, bytes]:
    return (b"x-amz-bucket-arn", bucket_arn(name).encode())


async def delete_bucket(call: Call) -> Answer:
    """DeleteBucket."""
    try:
        await call.store.buckets.delete(call.bucket)
    except BucketNotEmptyError as error:
        if call.bucket.versioning is None:
            raise
        message = f"{Code.BUCKET_NOT_EMPTY.message}. You must delete all versions in the bucket."
        raise S3Error(Code.BUCKET_NOT_EMPTY, message, {"BucketName": call.bucket_name}) from error
    return no_content()


async def get_bucket_location(call: Call) -> Answer:
    """GetBucketLocation: an empty element stands for us-east-1."""
    region = None if call.rules.region == _DEFAULT_REGION else call.rules.region
    return document(Location(region=region))
