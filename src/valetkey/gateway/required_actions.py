"""Which permissions a request takes: that of its operation, and those of what it asks for beside.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

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
_OF_LOCKS: Final = {
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
_GRANTS: Final = ("x-amz-acl", "x-amz-grant-")


def action_for(action: str, version_id: str | None) -> str:
    """Return the action by which policies know this one, where a version is named or not."""
    return action if version_id is None else _OF_VERSIONS.get(action, action)


def required_actions(
    operation: Operation, principal: Principal, *, headers: Mapping[str, str], version_id: str | None
) -> Iterator[str]:
    """Yield all actions that a request takes. Names of headers are in lower case.

    What the source of a copy takes, each key of DeleteObjects, and tags in a body, is asked for where these are known.
    """
    match operation.name:
        case "DeleteObjects" | "PutObjectTagging":
            return
        case "GetObjectAttributes":
            yield action_for("s3:GetObject", version_id)
        case "CreateBucket":
            yield from _of_bucket(headers)
    yield action_for(operation.action, version_id)
    if operation.action == _PUT and operation.name not in ("UploadPart", "UploadPartCopy"):
        yield from _of_upload(principal, headers)


def _of_bucket(headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        yield "s3:PutBucketObjectLockConfiguration"
        yield "s3:PutBucketVersioning"
    if any(name.startswith(_GRANTS) for name in headers):
        yield "s3:PutBucketAcl"
    if "x-amz-object-ownership" in headers:
        yield "s3:PutBucketOwnershipControls"


def _of_upload(principal: Principal, headers: Mapping[str, str]) -> Iterator[str]:
    for name, action in _OF_LOCKS.items():
        if name in headers:
            yield action
    if principal.kind in (PrincipalKind.ACCOUNT, PrincipalKind.ANONYMOUS):
        # Whoever uploads as an account of its own owns the object, and says who else may have it.
        return
    if headers.get("x-amz-tagging"):
        yield "s3:PutObjectTagging"
    if any(name.startswith(_GRANTS) for name in headers):
        yield "s3:PutObjectAcl"
