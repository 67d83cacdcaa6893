"""Request headers that ask for what this store does not do. They are refused, never quietly dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

_OWNER_ONLY: Final = frozenset({"private", "bucket-owner-full-control"})
"""Canned ACLs that grant nothing to others, so that an owner-enforced bucket accepts them."""

_NOT_IMPLEMENTED: Final = (
    "x-amz-tagging",
    "x-amz-write-offset-bytes",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
)


_TAGS_AS_BEFORE: Final = ("x-amz-tagging-directive", "COPY")
"""What CopyObject does anyway."""


def refuse_grants(headers: Mapping[str, str]) -> None:
    """Return unless `headers` ask for an ACL that grants something to others.

    Raises:
        S3Error: AccessControlListNotSupported. Source: Amazon S3 User Guide, "Controlling ownership of objects".
    """
    acl = headers.get("x-amz-acl")
    if (acl is not None and acl not in _OWNER_ONLY) or any(n.startswith("x-amz-grant-") for n in headers):
        raise S3Error(Code.ACCESS_CONTROL_LIST_NOT_SUPPORTED)


def refuse_object_options(headers: Mapping[str, str]) -> None:
    """Return unless `headers` ask for encryption, tags, a lock, or grants on an object.

    Raises:
        S3Error: NotImplemented with the header's name, or AccessControlListNotSupported.
    """
    for name, value in headers.items():
        if name.startswith(_NOT_IMPLEMENTED) and (name, value) != _TAGS_AS_BEFORE:
            raise S3Error(Code.NOT_IMPLEMENTED, None, {"Header": name})
    refuse_grants(headers)


def require_expected_owner(headers: Mapping[str, str], *, owner_id: str) -> None:
    """Return unless the client expects another owner of a bucket than there is.

    Raises:
        S3Error: AccessDenied. Source: Amazon S3 User Guide, "Verifying bucket ownership with bucket owner
            condition".
    """
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if headers.get(name, owner_id) != owner_id:
            raise S3Error(Code.ACCESS_DENIED)


def require_no_version(query: Mapping[str, str]) -> None:
    """Return if `query` names no version, or the only one there is (`null`).

    Raises:
        S3Error: NoSuchVersion, or InvalidArgument where the id is empty.
    """
    version = query.get("versionId", "null")
    if version == "":
        raise S3Error(
            Code.INVALID_ARGUMENT,
            "Version id cannot be the empty string",
            {"ArgumentName": "versionId", "ArgumentValue": ""},
        )
    if version != "null":
        raise S3Error(Code.NO_SUCH_VERSION, None, {"VersionId": version})
