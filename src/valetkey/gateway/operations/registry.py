"""Which function runs which operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.buckets import (
    create_bucket,
    delete_bucket,
    get_bucket_location,
    head_bucket,
    list_buckets,
)
from valetkey.gateway.operations.copy_object import copy_object
from valetkey.gateway.operations.delete_object import delete_object, delete_objects
from valetkey.gateway.operations.get_object import get_object
from valetkey.gateway.operations.list_objects import list_objects, list_objects_v2
from valetkey.gateway.operations.list_uploads import list_multipart_uploads, list_parts
from valetkey.gateway.operations.list_versions import list_object_versions
from valetkey.gateway.operations.multipart import (
    abort_multipart_upload,
    complete_multipart_upload,
    create_multipart_upload,
)
from valetkey.gateway.operations.put_object import put_object
from valetkey.gateway.operations.upload_part import upload_part, upload_part_copy

Handler = Callable[[Call], Awaitable[Answer]]

OPERATIONS: Final[Mapping[str, Handler]] = {
    "ListBuckets": list_buckets,
    "CreateBucket": create_bucket,
    "HeadBucket": head_bucket,
    "DeleteBucket": delete_bucket,
    "GetBucketLocation": get_bucket_location,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
    "ListObjectVersions": list_object_versions,
    "PutObject": put_object,
    "GetObject": get_object,
    "HeadObject": get_object,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
    "CopyObject": copy_object,
    "CreateMultipartUpload": create_multipart_upload,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
    "CompleteMultipartUpload": complete_multipart_upload,
    "AbortMultipartUpload": abort_multipart_upload,
    "ListParts": list_parts,
    "ListMultipartUploads": list_multipart_uploads,
}
