"""Every operation of S3, implemented here or not. Routing and the compatibility page read this table.

Source: Amazon S3 API Reference, "Actions" of Amazon S3, and the "Actions defined by Amazon S3" of the Service
Authorization Reference for the permissions. Left out are the operations that live on hosts of their own
(WriteGetObjectResponse, ListDirectoryBuckets) and the four that a later one at the same place has replaced. Of S3
Control it has what is implemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.s3.target import ACCOUNT_HEADER


class Level(Enum):
    """What an operation is about. The value is the name that S3's errors give it."""

    SERVICE = "SERVICE"
    BUCKET = "BUCKET"
    OBJECT = "OBJECT"
    ACCOUNT = "ACCOUNT"
    """Of S3 Control: the account itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table."""

    name: str
    method: str
    level: Level
    subresource: str | None
    """The query parameter that selects a thing of its own at this place; None for the place itself."""
    queries: tuple[str, ...]
    """Query parameters that must be there, the sub-resource's own among them."""
    header: str | None
    """A request header that must be there, in lower case."""
    action: str
    """The permission, as policies name it."""
    implemented: bool
    note: str


def _row(
    name: str,
    method: str,
    level: Level,
    action: str,
    sub: str | None = None,
    *,
    queries: tuple[str, ...] = (),
    header: str | None = None,
    done: bool = False,
    note: str = "",
) -> Operation:
    own = () if sub is None else (sub,)
    return Operation(
        name=name,
        method=method,
        level=level,
        subresource=sub,
        queries=own + queries,
        header=header,
        action=f"s3:{action}",
        implemented=done,
        note=note,
    )


_S: Final = Level.SERVICE
_B: Final = Level.BUCKET
_O: Final = Level.OBJECT
_A: Final = Level.ACCOUNT

_NONE: Final = "There never is one: setting it up is not implemented."
_NO_EFFECT: Final = "Kept and given back; it changes nothing."
_LISTS: Final = "ACLs are disabled in new buckets, as with Amazon."

# fmt: off
_MAIN: Final = (
    _row("ListBuckets", "GET", _S, "ListAllMyBuckets", done=True),
    _row("CreateBucket", "PUT", _B, "CreateBucket", done=True),
    _row("HeadBucket", "HEAD", _B, "ListBucket", done=True),
    _row("DeleteBucket", "DELETE", _B, "DeleteBucket", done=True),
    _row("GetBucketLocation", "GET", _B, "GetBucketLocation", "location", done=True),
    _row("ListObjects", "GET", _B, "ListBucket", done=True),
    _row("ListObjectsV2", "GET", _B, "ListBucket", queries=("list-type",), done=True,
         note="Any `list-type` but 2 is ListObjects, as with Amazon."),
    _row("ListMultipartUploads", "GET", _B, "ListBucketMultipartUploads", "uploads", done=True),
    _row("DeleteObjects", "POST", _B, "DeleteObject", "delete", done=True),
    _row("PostObject", "POST", _B, "PutObject", done=True, note="The upload of a browser form."),

    _row("GetObject", "GET", _O, "GetObject", done=True),
    _row("HeadObject", "HEAD", _O, "GetObject", done=True),
    _row("PutObject", "PUT", _O, "PutObject", done=True),
    _row("CopyObject", "PUT", _O, "PutObject", header="x-amz-copy-source", done=True,
         note="Needs s3:GetObject for the source as well."),
    _row("DeleteObject", "DELETE", _O, "DeleteObject", done=True),
    _row("CreateMultipartUpload", "POST", _O, "PutObject", "uploads", done=True),
    _row("UploadPart", "PUT", _O, "PutObject", "partNumber", queries=("uploadId",), done=True),
    _row("UploadPartCopy", "PUT", _O, "PutObject", "partNumber", queries=("uploadId",),
         header="x-amz-copy-source", done=True, note="Needs s3:GetObject for the source as well."),
    _row("CompleteMultipartUpload", "POST", _O, "PutObject", "uploadId", done=True),
    _row("AbortMultipartUpload", "DELETE", _O, "AbortMultipartUpload", "uploadId", done=True),
    _row("ListParts", "GET", _O, "ListMultipartUploadParts", "uploadId", done=True),
)

_OF_OBJECTS: Final = (
    _row("GetObjectAcl", "GET", _O, "GetObjectAcl", "acl", done=True),
    _row("PutObjectAcl", "PUT", _O, "PutObjectAcl", "acl", done=True, note=_LISTS),
    _row("GetObjectAnnotation", "GET", _O, "GetObjectAnnotation", "annotation", queries=("annotationName",)),
    _row("ListObjectAnnotations", "GET", _O, "ListObjectAnnotations", "annotation"),
    _row("PutObjectAnnotation", "PUT", _O, "PutObjectAnnotation", "annotation"),
    _row("DeleteObjectAnnotation", "DELETE", _O, "DeleteObjectAnnotation", "annotation"),
    _row("GetObjectAttributes", "GET", _O, "GetObjectAttributes", "attributes", done=True),
    _row("UpdateObjectEncryption", "PUT", _O, "UpdateObjectEncryption", "encryption"),
    _row("GetObjectLegalHold", "GET", _O, "GetObjectLegalHold", "legal-hold", done=True),
    _row("PutObjectLegalHold", "PUT", _O, "PutObjectLegalHold", "legal-hold", done=True),
    _row("RenameObject", "PUT", _O, "RenameObject", "renameObject",
         note="Amazon has it for directory buckets only."),
    _row("RestoreObject", "POST", _O, "RestoreObject", "restore"),
    _row("GetObjectRetention", "GET", _O, "GetObjectRetention", "retention", done=True),
    _row("PutObjectRetention", "PUT", _O, "PutObjectRetention", "retention", done=True),
    _row("SelectObjectContent", "POST", _O, "GetObject", "select"),
    _row("GetObjectTagging", "GET", _O, "GetObjectTagging", "tagging", done=True),
    _row("PutObjectTagging", "PUT", _O, "PutObjectTagging", "tagging", done=True),
    _row("DeleteObjectTagging", "DELETE", _O, "DeleteObjectTagging", "tagging", done=True),
    _row("GetObjectTorrent", "GET", _O, "GetObjectTorrent", "torrent"),
)

_OF_BUCKETS: Final = (
    _row("GetBucketAbac", "GET", _B, "GetBucketAbac", "abac"),
    _row("PutBucketAbac", "PUT", _B, "PutBucketAbac", "abac"),
    _row("GetBucketAccelerateConfiguration", "GET", _B, "GetAccelerateConfiguration", "accelerate",
         done=True),
    _row("PutBucketAccelerateConfiguration", "PUT", _B, "PutAccelerateConfiguration", "accelerate",
         done=True, note=_NO_EFFECT),
    _row("GetBucketAcl", "GET", _B, "GetBucketAcl", "acl", done=True),
    _row("PutBucketAcl", "PUT", _B, "PutBucketAcl", "acl", done=True, note=_LISTS),
    _row("GetBucketAnalyticsConfiguration", "GET", _B, "GetAnalyticsConfiguration", "analytics",
         queries=("id",), done=True, note=_NONE),
    _row("ListBucketAnalyticsConfigurations", "GET", _B, "GetAnalyticsConfiguration", "analytics",
         done=True, note=_NONE),
    _row("PutBucketAnalyticsConfiguration", "PUT", _B, "PutAnalyticsConfiguration", "analytics"),
    _row("DeleteBucketAnalyticsConfiguration", "DELETE", _B, "PutAnalyticsConfiguration", "analytics",
         done=True, note=_NONE),
    _row("GetBucketCors", "GET", _B, "GetBucketCORS", "cors", done=True),
    _row("PutBucketCors", "PUT", _B, "PutBucketCORS", "cors", done=True),
    _row("DeleteBucketCors", "DELETE", _B, "PutBucketCORS", "cors", done=True),
    _row("GetBucketEncryption", "GET", _B, "GetEncryptionConfiguration", "encryption", done=True),
    _row("PutBucketEncryption", "PUT", _B, "PutEncryptionConfiguration", "encryption",
         done=True, note="SSE-S3; keys of AWS KMS are refused."),
    _row("DeleteBucketEncryption", "DELETE", _B, "PutEncryptionConfiguration", "encryption", done=True),
    _row("GetBucketIntelligentTieringConfiguration", "GET", _B,
         "GetIntelligentTieringConfiguration", "intelligent-tiering", queries=("id",), done=True, note=_NONE),
    _row("ListBucketIntelligentTieringConfigurations", "GET", _B,
         "GetIntelligentTieringConfiguration", "intelligent-tiering", done=True, note=_NONE),
    _row("PutBucketIntelligentTieringConfiguration", "PUT", _B, "PutIntelligentTieringConfiguration",
         "intelligent-tiering"),
    _row("DeleteBucketIntelligentTieringConfiguration", "DELETE", _B,
         "PutIntelligentTieringConfiguration", "intelligent-tiering", done=True, note=_NONE),
    _row("GetBucketInventoryConfiguration", "GET", _B, "GetInventoryConfiguration", "inventory",
         queries=("id",), done=True, note=_NONE),
    _row("ListBucketInventoryConfigurations", "GET", _B, "GetInventoryConfiguration", "inventory",
         done=True, note=_NONE),
    _row("PutBucketInventoryConfiguration", "PUT", _B, "PutInventoryConfiguration", "inventory"),
    _row("DeleteBucketInventoryConfiguration", "DELETE", _B, "PutInventoryConfiguration", "inventory",
         done=True, note=_NONE),
    _row("GetBucketLifecycleConfiguration", "GET", _B, "GetLifecycleConfiguration", "lifecycle", done=True),
    _row("PutBucketLifecycleConfiguration", "PUT", _B, "PutLifecycleConfiguration", "lifecycle",
         done=True, note="Transitions are kept, and move nothing."),
    _row("DeleteBucketLifecycle", "DELETE", _B, "PutLifecycleConfiguration", "lifecycle", done=True),
    _row("GetBucketLogging", "GET", _B, "GetBucketLogging", "logging", done=True),
    _row("PutBucketLogging", "PUT", _B, "PutBucketLogging", "logging",
         done=True, note="TargetGrants are refused."),
    _row("UpdateBucketMetadataAnnotationTableConfiguration", "PUT", _B,
         "UpdateBucketMetadataAnnotationTableConfiguration", "metadataAnnotationTable"),
    _row("GetBucketMetadataConfiguration", "GET", _B, "GetBucketMetadataTableConfiguration",
         "metadataConfiguration"),
    _row("CreateBucketMetadataConfiguration", "POST", _B, "CreateBucketMetadataTableConfiguration",
         "metadataConfiguration"),
    _row("DeleteBucketMetadataConfiguration", "DELETE", _B, "DeleteBucketMetadataTableConfiguration",
         "metadataConfiguration"),
    _row("UpdateBucketMetadataInventoryTableConfiguration", "PUT", _B,
         "UpdateBucketMetadataInventoryTableConfiguration", "metadataInventoryTable"),
    _row("UpdateBucketMetadataJournalTableConfiguration", "PUT", _B,
         "UpdateBucketMetadataJournalTableConfiguration", "metadataJournalTable"),
    _row("GetBucketMetadataTableConfiguration", "GET", _B, "GetBucketMetadataTableConfiguration",
         "metadataTable"),
    _row("CreateBucketMetadataTableConfiguration", "POST", _B, "CreateBucketMetadataTableConfiguration",
         "metadataTable"),
    _row("DeleteBucketMetadataTableConfiguration", "DELETE", _B, "DeleteBucketMetadataTableConfiguration",
         "metadataTable"),
    _row("GetBucketMetricsConfiguration", "GET", _B, "GetMetricsConfiguration", "metrics",
         queries=("id",), done=True, note=_NONE),
    _row("ListBucketMetricsConfigurations", "GET", _B, "GetMetricsConfiguration", "metrics",
         done=True, note=_NONE),
    _row("PutBucketMetricsConfiguration", "PUT", _B, "PutMetricsConfiguration", "metrics"),
    _row("DeleteBucketMetricsConfiguration", "DELETE", _B, "PutMetricsConfiguration", "metrics",
         done=True, note=_NONE),
    _row("GetBucketNotificationConfiguration", "GET", _B, "GetBucketNotification", "notification", done=True),
    _row("PutBucketNotificationConfiguration", "PUT", _B, "PutBucketNotification", "notification",
         done=True, note="Takes what removes all."),
    _row("GetObjectLockConfiguration", "GET", _B, "GetBucketObjectLockConfiguration", "object-lock",
         done=True),
    _row("PutObjectLockConfiguration", "PUT", _B, "PutBucketObjectLockConfiguration", "object-lock",
         done=True),
    _row("GetBucketOwnershipControls", "GET", _B, "GetBucketOwnershipControls", "ownershipControls",
         done=True),
    _row("PutBucketOwnershipControls", "PUT", _B, "PutBucketOwnershipControls", "ownershipControls",
         done=True),
    _row("DeleteBucketOwnershipControls", "DELETE", _B, "PutBucketOwnershipControls", "ownershipControls",
         done=True),
    _row("GetBucketPolicy", "GET", _B, "GetBucketPolicy", "policy", done=True),
    _row("PutBucketPolicy", "PUT", _B, "PutBucketPolicy", "policy", done=True),
    _row("DeleteBucketPolicy", "DELETE", _B, "DeleteBucketPolicy", "policy", done=True),
    _row("GetBucketPolicyStatus", "GET", _B, "GetBucketPolicyStatus", "policyStatus", done=True),
    _row("GetPublicAccessBlock", "GET", _B, "GetBucketPublicAccessBlock", "publicAccessBlock",
         done=True),
    _row("PutPublicAccessBlock", "PUT", _B, "PutBucketPublicAccessBlock", "publicAccessBlock",
         done=True),
    _row("DeletePublicAccessBlock", "DELETE", _B, "PutBucketPublicAccessBlock", "publicAccessBlock",
         done=True),
    _row("GetBucketReplication", "GET", _B, "GetReplicationConfiguration", "replication",
         done=True, note=_NONE),
    _row("PutBucketReplication", "PUT", _B, "PutReplicationConfiguration", "replication"),
    _row("DeleteBucketReplication", "DELETE", _B, "PutReplicationConfiguration", "replication",
         done=True, note=_NONE),
    _row("GetBucketRequestPayment", "GET", _B, "GetBucketRequestPayment", "requestPayment", done=True),
    _row("PutBucketRequestPayment", "PUT", _B, "PutBucketRequestPayment", "requestPayment",
         done=True, note=_NO_EFFECT),
    _row("CreateSession", "GET", _B, "CreateSession", "session",
         note="Amazon has it for directory buckets only."),
    _row("GetBucketTagging", "GET", _B, "GetBucketTagging", "tagging", done=True),
    _row("PutBucketTagging", "PUT", _B, "PutBucketTagging", "tagging", done=True),
    _row("DeleteBucketTagging", "DELETE", _B, "PutBucketTagging", "tagging", done=True),
    _row("GetBucketVersioning", "GET", _B, "GetBucketVersioning", "versioning", done=True),
    _row("PutBucketVersioning", "PUT", _B, "PutBucketVersioning", "versioning",
         done=True, note="MFA delete is refused."),
    _row("ListObjectVersions", "GET", _B, "ListBucketVersions", "versions", done=True),
    _row("GetBucketWebsite", "GET", _B, "GetBucketWebsite", "website", done=True, note=_NONE),
    _row("PutBucketWebsite", "PUT", _B, "PutBucketWebsite", "website"),
    _row("DeleteBucketWebsite", "DELETE", _B, "DeleteBucketWebsite", "website", done=True, note=_NONE),
)

_OF_ACCOUNTS: Final = (
    _row("GetAccountPublicAccessBlock", "GET", _A, "GetAccountPublicAccessBlock", header=ACCOUNT_HEADER,
         done=True, note="GetPublicAccessBlock of S3 Control."),
    _row("PutAccountPublicAccessBlock", "PUT", _A, "PutAccountPublicAccessBlock", header=ACCOUNT_HEADER,
         done=True, note="PutPublicAccessBlock of S3 Control."),
    _row("DeleteAccountPublicAccessBlock", "DELETE", _A, "PutAccountPublicAccessBlock", header=ACCOUNT_HEADER,
         done=True, note="DeletePublicAccessBlock of S3 Control."),
)
# fmt: on

OPERATIONS: Final[tuple[Operation, ...]] = _MAIN + _OF_OBJECTS + _OF_BUCKETS + _OF_ACCOUNTS
"""All operations. Where several fit a request, the one that asks for most is meant."""

RESOURCE_TYPES: Final[Mapping[tuple[Level, str], str]] = {
    (_B, "abac"): "BUCKET_ABAC",
    (_B, "delete"): "MULTI_OBJECT_DELETE",
    (_B, "intelligent-tiering"): "INTELLIGENT_TIERING",
    (_B, "logging"): "LOGGING_STATUS",
    (_B, "metadataAnnotationTable"): "BUCKET_METADATA_ANNOTATION_TABLE_CONFIGURATION",
    (_B, "metadataConfiguration"): "BUCKET_METADATA_CONFIGURATION",
    (_B, "metadataInventoryTable"): "BUCKET_METADATA_INVENTORY_TABLE_CONFIGURATION",
    (_B, "metadataJournalTable"): "BUCKET_METADATA_JOURNAL_TABLE_CONFIGURATION",
    (_B, "metadataTable"): "BUCKET_METADATA_TABLE_CONFIGURATION",
    (_B, "object-lock"): "OBJECT_LOCK_CONFIGURATION",
    (_B, "ownershipControls"): "OWNERSHIP_CONTROLS",
    (_B, "policy"): "BUCKETPOLICY",
    (_B, "policyStatus"): "POLICY_STATUS",
    (_B, "publicAccessBlock"): "PUBLIC_ACCESS_BLOCK",
    (_B, "requestPayment"): "REQUEST_PAYMENT",
    (_B, "versions"): "BUCKETVERSIONS",
    (_O, "annotation"): "OBJECT_ANNOTATIONS",
    (_O, "attributes"): "OBJECT_ATTRIBUTES",
    (_O, "encryption"): "OBJECT_ENCRYPTION",
    (_O, "legal-hold"): "OBJECT_LOCK_LEGALHOLD",
    (_O, "partNumber"): "PART",
    (_O, "retention"): "OBJECT_LOCK_RETENTION",
    (_O, "tagging"): "OBJECT_TAGGING",
    (_O, "uploadId"): "UPLOAD",
}
"""What S3's errors call a sub-resource, where that is not its name in capitals."""
