"""Which function runs which operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.access_control_lists import (
    get_bucket_acl,
    get_object_acl,
    put_bucket_acl,
    put_object_acl,
)
from valetkey.gateway.operations.account_access import (
    delete_account_public_access_block,
    get_account_public_access_block,
    put_account_public_access_block,
)
from valetkey.gateway.operations.bucket_access import (
    delete_bucket_ownership_controls,
    delete_public_access_block,
    get_bucket_ownership_controls,
    get_public_access_block,
    put_bucket_ownership_controls,
    put_public_access_block,
)
from valetkey.gateway.operations.bucket_documents import (
    delete_bucket_cors,
    delete_bucket_encryption,
    delete_bucket_lifecycle,
    get_bucket_cors,
    get_bucket_encryption,
    get_bucket_lifecycle,
    get_object_lock_configuration,
    put_bucket_cors,
    put_bucket_encryption,
    put_bucket_lifecycle,
    put_object_lock_configuration,
)
from valetkey.gateway.operations.bucket_logging import get_bucket_logging, put_bucket_logging
from valetkey.gateway.operations.bucket_policy import (
    delete_bucket_policy,
    get_bucket_policy,
    get_bucket_policy_status,
    put_bucket_policy,
)
from valetkey.gateway.operations.bucket_settings import (
    delete_bucket_tagging,
    get_bucket_accelerate,
    get_bucket_notification,
    get_bucket_request_payment,
    get_bucket_tagging,
    get_bucket_versioning,
    put_bucket_accelerate,
    put_bucket_notification,
    put_bucket_request_payment,
    put_bucket_tagging,
    put_bucket_versioning,
)
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
from valetkey.gateway.operations.object_attributes import get_object_attributes
from valetkey.gateway.operations.object_lock import (
    get_object_legal_hold,
    get_object_retention,
    put_object_legal_hold,
    put_object_retention,
)
from valetkey.gateway.operations.object_tagging import (
    delete_object_tagging,
    get_object_tagging,
    put_object_tagging,
)
from valetkey.gateway.operations.post_object import post_object
from valetkey.gateway.operations.put_object import put_object
from valetkey.gateway.operations.unset_settings import (
    list_no_configurations,
    remove_nothing,
    say_missing,
)
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
    "PostObject": post_object,
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
    "GetObjectAcl": get_object_acl,
    "PutObjectAcl": put_object_acl,
    "GetObjectAttributes": get_object_attributes,
    "GetObjectLegalHold": get_object_legal_hold,
    "PutObjectLegalHold": put_object_legal_hold,
    "GetObjectRetention": get_object_retention,
    "PutObjectRetention": put_object_retention,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
    "DeleteObjectTagging": delete_object_tagging,
    "GetBucketAccelerateConfiguration": get_bucket_accelerate,
    "PutBucketAccelerateConfiguration": put_bucket_accelerate,
    "GetBucketAcl": get_bucket_acl,
    "PutBucketAcl": put_bucket_acl,
    "GetBucketCors": get_bucket_cors,
    "PutBucketCors": put_bucket_cors,
    "DeleteBucketCors": delete_bucket_cors,
    "GetBucketEncryption": get_bucket_encryption,
    "PutBucketEncryption": put_bucket_encryption,
    "DeleteBucketEncryption": delete_bucket_encryption,
    "GetBucketLifecycleConfiguration": get_bucket_lifecycle,
    "PutBucketLifecycleConfiguration": put_bucket_lifecycle,
    "DeleteBucketLifecycle": delete_bucket_lifecycle,
    "GetBucketLogging": get_bucket_logging,
    "PutBucketLogging": put_bucket_logging,
    "GetBucketNotificationConfiguration": get_bucket_notification,
    "PutBucketNotificationConfiguration": put_bucket_notification,
    "GetObjectLockConfiguration": get_object_lock_configuration,
    "PutObjectLockConfiguration": put_object_lock_configuration,
    "GetBucketOwnershipControls": get_bucket_ownership_controls,
    "PutBucketOwnershipControls": put_bucket_ownership_controls,
    "DeleteBucketOwnershipControls": delete_bucket_ownership_controls,
    "GetPublicAccessBlock": get_public_access_block,
    "PutPublicAccessBlock": put_public_access_block,
    "DeletePublicAccessBlock": delete_public_access_block,
    "GetAccountPublicAccessBlock": get_account_public_access_block,
    "PutAccountPublicAccessBlock": put_account_public_access_block,
    "DeleteAccountPublicAccessBlock": delete_account_public_access_block,
    "GetBucketRequestPayment": get_bucket_request_payment,
    "PutBucketRequestPayment": put_bucket_request_payment,
    "GetBucketTagging": get_bucket_tagging,
    "PutBucketTagging": put_bucket_tagging,
    "DeleteBucketTagging": delete_bucket_tagging,
    "GetBucketVersioning": get_bucket_versioning,
    "PutBucketVersioning": put_bucket_versioning,
    "GetBucketWebsite": say_missing,
    "DeleteBucketWebsite": remove_nothing,
    "GetBucketPolicy": get_bucket_policy,
    "PutBucketPolicy": put_bucket_policy,
    "DeleteBucketPolicy": delete_bucket_policy,
    "GetBucketPolicyStatus": get_bucket_policy_status,
    "GetBucketReplication": say_missing,
    "DeleteBucketReplication": remove_nothing,
    "GetBucketAnalyticsConfiguration": say_missing,
    "ListBucketAnalyticsConfigurations": list_no_configurations,
    "DeleteBucketAnalyticsConfiguration": say_missing,
    "GetBucketIntelligentTieringConfiguration": say_missing,
    "ListBucketIntelligentTieringConfigurations": list_no_configurations,
    "DeleteBucketIntelligentTieringConfiguration": say_missing,
    "GetBucketInventoryConfiguration": say_missing,
    "ListBucketInventoryConfigurations": list_no_configurations,
    "DeleteBucketInventoryConfiguration": say_missing,
    "GetBucketMetricsConfiguration": say_missing,
    "ListBucketMetricsConfigurations": list_no_configurations,
    "DeleteBucketMetricsConfiguration": say_missing,
}
