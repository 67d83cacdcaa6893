"""Which permissions a request takes: that of its operation, and those of what it asks for beside.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.operations import Operation

_OF_VERSIONS: Final = {
    f"s3:{verb}Object{thing}": f"s3:{verb}ObjectVersion{thing}"
    for verb, things in {
        "Get": ("", "Acl", "Attributes", "Tagging"),
        "Put": ("Acl", "Tagging"),
        "Delete": ("", "Tagging"),
    }.items()
    for thing in things
}
"""What an action is called where a version is named."""

_PUT: Final = "s3:PutObject"
PUT_TAGS: Final = "s3:PutObjectTagging"
CREATE_BUCKET: Final = "s3:CreateBucket"
_BY_BODY: Final = frozenset({"DeleteObjects", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging"})
_OF_LOCKS: Final = {
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
_GRANTS: Final = ("x-amz-acl", "x-amz-grant-")
_HARMLESS: Final = frozenset({"bucket-owner-full-control", "private"})


def action_for(action: str, version_id: str | None) -> str:
    """Return the action by which policies know this one, where a version is named or not."""
    return action if version_id is None else _OF_VERSIONS.get(action, action)


class Needed(NamedTuple):
    """One action that a request takes."""

    action: str
    is_own: bool = False
    """It is about the caller's own object: it takes no leave, and can be forbidden."""


def required_actions(
    operation: Operation,
    principal: Principal,
    *,
    headers: Mapping[str, str],
    version_id: str | None,
    is_bucket_owners: bool,
) -> Iterator[Needed]:
    """Yield all actions that a request takes. Names of headers are in lower case.

    `is_bucket_owners`: what is uploaded belongs to the bucket's owner, whoever uploads it. What depends on a body, or
    on the source of a copy, is asked for where these are known.
    """
    match operation.name:
        case name if name in _BY_BODY:
            return
        case "GetObjectAttributes":
            yield Needed(action_for("s3:GetObject", version_id))
        case "CreateBucket":
            yield from map(Needed, _of_bucket(headers))
            if principal.kind is not PrincipalKind.ANONYMOUS:
                # Not before it is known where. Of a stranger no document is read.
                return
    yield Needed(action_for(operation.action, version_id))
    if operation.action == _PUT and operation.name not in ("UploadPart", "UploadPartCopy"):
        is_account = principal.kind in (PrincipalKind.ACCOUNT, PrincipalKind.ANONYMOUS)
        yield from _of_upload(headers, is_account=is_account, is_bucket_owners=is_bucket_owners)


def _of_bucket(headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        yield "s3:PutBucketObjectLockConfiguration"
        yield "s3:PutBucketVersioning"
    if any(name.startswith(_GRANTS) for name in headers):
        yield "s3:PutBucketAcl"
    if "x-amz-object-ownership" in headers:
        yield "s3:PutBucketOwnershipControls"


def _of_upload(headers: Mapping[str, str], *, is_account: bool, is_bucket_owners: bool) -> Iterator[Needed]:
    """An account that uploads owns the object, and says who else may have it, unless it is the bucket owner's."""
    for name, action in _OF_LOCKS.items():
        if name in headers:
            yield Needed(action)
    if headers.get("x-amz-tagging"):
        yield Needed(PUT_TAGS, is_account and not is_bucket_owners)
    if any(name.startswith(_GRANTS) for name in headers):
        # Nobody gets more by these two. Source: Amazon S3 User Guide, "Granting cross-account permissions to upload
        # objects while ensuring that the bucket owner has full control": s3:PutObject is enough.
        is_harmless = headers.get(_GRANTS[0]) in _HARMLESS
        yield Needed("s3:PutObjectAcl", is_account or is_harmless)
