"""The union of all answers that S3 gives as XML."""

from __future__ import annotations

from valetkey.s3.answers import (
    CompletedUpload,
    CopyResult,
    DeleteResult,
    Fault,
    InitiatedUpload,
    ListBuckets,
    ListObjectsV1,
    ListObjectsV2,
    ListParts,
    ListUploads,
    Location,
)
from valetkey.s3.object_answers import ObjectDocument
from valetkey.s3.setting_answers import SettingDocument

Document = (
    ListBuckets
    | Location
    | ListObjectsV1
    | ListObjectsV2
    | CopyResult
    | InitiatedUpload
    | CompletedUpload
    | ListParts
    | ListUploads
    | DeleteResult
    | Fault
    | ObjectDocument
    | SettingDocument
)
"""Everything that can be rendered."""
