"""ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation."""

from __future__ import annotations

from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.intake import read_document
from valetkey.gateway.operations.answers import document, empty, no_content
from valetkey.gateway.operations.refusals import refuse_grants
from valetkey.s3.answers import BucketEntry, ListBuckets, Location, Owner
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.listing import encode_token, parse_list_buckets
from valetkey.s3.names import require_bucket_name
from valetkey.s3.xml.reader import parse_create_bucket
from valetkey.store.errors import BucketExistsError

_MAX_DOCUMENT_BYTES: Final = 64 * 1024
_DEFAULT_REGION: Final = "us-east-1"
_BUCKET_PARAMETERS: Final = frozenset({"bucket-region", "continuation-token", "max-buckets", "prefix"})


def owner_of(call: Call) -> Owner:
    """Return the owner that listings show."""
    return Owner(id=call.rules.owner_id, display_name=call.rules.owner_name)


async def list_buckets(call: Call) -> Answer:
    """ListBuckets."""
    wanted = parse_list_buckets(call.query)
    if call.query.get("bucket-region", call.rules.region) != call.rules.region:
        return document(ListBuckets(owner=owner_of(call), buckets=(), prefix=wanted.prefix))
    # An account has few buckets, so a page is cut from all of them.
    buckets = [
        bucket
        for bucket in await call.store.list_buckets()
        if bucket.name.startswith(wanted.prefix or "") and bucket.name > wanted.after
    ]
    page = buckets[: wanted.max_buckets]
    region = call.rules.region if _BUCKET_PARAMETERS & call.query.keys() else None
    return document(
        ListBuckets(
            owner=owner_of(call),
            buckets=tuple(BucketEntry(name=b.name, created_ms=b.created_ms, region=region) for b in page),
            prefix=wanted.prefix,
            continuation_token=encode_token(page[-1].name) if len(page) < len(buckets) else None,
        )
    )


async def create_bucket(call: Call) -> Answer:
    """CreateBucket."""
    name = require_bucket_name(call.bucket)
    _refuse_bucket_options(call)
    body = await read_document(call, max_bytes=_MAX_DOCUMENT_BYTES)
    _require_location(parse_create_bucket(body) if body else None, call.rules.region)
    try:
        await call.store.create_bucket(name, now_ms=call.request.now_ms)
    except BucketExistsError:
        # In us-east-1 creating one's own bucket again succeeds, for compatibility with S3's first years.
        if call.rules.region != _DEFAULT_REGION:
            raise
    return empty(headers=[(b"location", f"/{name}".encode())])


def _refuse_bucket_options(call: Call) -> None:
    refuse_grants(call.headers)
    if call.headers.get("x-amz-bucket-object-lock-enabled", "false").lower() == "true":
        raise S3Error(Code.NOT_IMPLEMENTED, None, {"Header": "x-amz-bucket-object-lock-enabled"})
    if call.headers.get("x-amz-object-ownership", "BucketOwnerEnforced") != "BucketOwnerEnforced":
        raise S3Error(Code.NOT_IMPLEMENTED, None, {"Header": "x-amz-object-ownership"})


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
    call.store.find_bucket(call.bucket)
    return empty(headers=[(b"x-amz-bucket-region", call.rules.region.encode())])


async def delete_bucket(call: Call) -> Answer:
    """DeleteBucket."""
    await call.store.delete_bucket(call.bucket)
    return no_content()


async def get_bucket_location(call: Call) -> Answer:
    """GetBucketLocation: an empty element stands for us-east-1."""
    call.store.find_bucket(call.bucket)
    region = None if call.rules.region == _DEFAULT_REGION else call.rules.region
    return document(Location(region=region))
