"""Request headers that ask for what this store does not do. They are refused, never quietly dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from valetkey.gateway.authority import Authority
from valetkey.gateway.call import Rules
from valetkey.gateway.iam.naming import account_number
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.names import require_version_id
from valetkey.s3.object_lock import asks_bypass
from valetkey.s3.operations import Operation
from valetkey.store.errors import NoSuchKeyError
from valetkey.store.model import Bucket

MARKER_HEADERS: Final = {"x-amz-delete-marker": "true"}

_OF_VERSIONS: Final = ("ObjectTagging", "ObjectAcl")

_TAKE_VERSION_IDS: Final = frozenset({"GetObject", "HeadObject", "DeleteObject", "GetObjectAttributes"})
_TAKE_VERSION_IDS_TOO: Final = (*_OF_VERSIONS, "ObjectRetention", "ObjectLegalHold")

_NOT_IMPLEMENTED: Final = ("x-amz-write-offset-bytes",)


def refuse_object_options(headers: Mapping[str, str]) -> None:
    """Return unless `headers` ask for an append.

    Raises:
        S3Error: NotImplemented with the header's name.
    """
    for name in _NOT_IMPLEMENTED:
        if name in headers:
            raise S3Error(Code.NOT_IMPLEMENTED, None, {"Header": name})


def require_expected_owner(
    headers: Mapping[str, str],
    bucket: Bucket | None,
    rules: Rules,
    *,
    header: str = "x-amz-expected-bucket-owner",
) -> None:
    """Return unless the client expects another owner of the bucket than there is, by its number or its id.

    Raises:
        S3Error: AccessDenied. Source: Amazon S3 User Guide, "Verifying bucket ownership with bucket owner
            condition", which has the number only.
    """
    expected = headers.get(header)
    if expected is None or bucket is None:
        return
    owner_id = rules.owner_of(bucket)
    if expected not in (owner_id, account_number(owner_id)):
        raise S3Error(Code.ACCESS_DENIED)


def require_no_marker(error: Exception, operation: Operation, method: str) -> None:
    """Return unless a delete marker is in the place of what is read or set of a version, such as its tags.

    Raises:
        S3Error: MethodNotAllowed. Of the object itself S3 says NoSuchKey instead.
    """
    is_marker = isinstance(error, NoSuchKeyError) and error.marker_id is not None
    if is_marker and operation.name.endswith(_OF_VERSIONS):
        details = {"Method": method, "ResourceType": "DeleteMarker"}
        raise S3Error(Code.METHOD_NOT_ALLOWED, None, details, MARKER_HEADERS) from error


def may_bypass(headers: Mapping[str, str], authority: Authority) -> bool:
    """Return whether retention in the mode GOVERNANCE is not to count for the object that `authority` is about.

    The client has to ask for that, and to be allowed it.
    """
    return asks_bypass(headers) and authority.allows("s3:BypassGovernanceRetention")


def refuse_version_id(operation: Operation, query: Mapping[str, str]) -> None:
    """Return unless the request names a version, and its operation is about none: it would do another thing.

    Raises:
        S3Error: InvalidArgument.
    """
    version_id = query.get("versionId")
    if version_id is None or operation.name in _TAKE_VERSION_IDS:
        return
    if not operation.name.endswith(_TAKE_VERSION_IDS_TOO):
        raise invalid_argument("This operation does not accept a version-id.", "versionId", version_id)


def version_id_of(query: Mapping[str, str]) -> str | None:
    """Return the version that `query` names, or None where it names none.

    Raises:
        S3Error: InvalidArgument where it could be the id of none.
    """
    version_id = query.get("versionId")
    return None if version_id is None else require_version_id(version_id)
