"""The condition keys that a policy can name, each with the type of its value.

A key that is not here is refused, so that no condition is ever ignored. Keys of the second table are known and
never present in a request to this server: a policy that names them is read as if the request came without.

Source: IAM User Guide, "AWS global condition context keys" and "IAM and AWS STS condition context keys"; Service
Authorization Reference, "Condition keys for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class KeyType(Enum):
    """What the values of a key are, which decides the operators that may ask for it."""

    TEXT = "text"
    TEXTS = "texts"
    """Several texts at once, such as the keys of all tags."""
    NUMBER = "number"
    DATE = "date"
    EPOCH = "epoch"
    """An instant in seconds since 1970, which counts as date and as number."""
    TRUTH = "truth"
    NETWORK = "network"
    ARN = "arn"
    TAG = "tag"
    """What somebody wrote: any operator but those for addresses may ask for it."""


PRESENT: Final[Mapping[KeyType, str]] = {
    KeyType.TEXT: """
        aws:PrincipalAccount aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount aws:UserAgent
        aws:userid aws:username s3:ResourceAccount s3:VersionId s3:authType s3:delimiter s3:if-match
        s3:if-none-match s3:locationconstraint s3:object-lock-legal-hold s3:object-lock-mode s3:prefix
        s3:signatureversion s3:x-amz-acl s3:x-amz-content-sha256 s3:x-amz-copy-source s3:x-amz-grant-full-control
        s3:x-amz-grant-read s3:x-amz-grant-read-acp s3:x-amz-grant-write s3:x-amz-grant-write-acp
        s3:x-amz-metadata-directive s3:x-amz-object-ownership s3:x-amz-server-side-encryption
        s3:x-amz-server-side-encryption-customer-algorithm s3:x-amz-storage-class
        s3:x-amz-website-redirect-location sts:ExternalId sts:RoleSessionName sts:SourceIdentity
        """,
    KeyType.TEXTS: "aws:TagKeys s3:RequestObjectTagKeys sts:TransitiveTagKeys",
    KeyType.NUMBER: """
        s3:TlsVersion s3:max-keys s3:object-lock-remaining-retention-days s3:signatureAge sts:DurationSeconds
        """,
    KeyType.DATE: "aws:CurrentTime aws:TokenIssueTime s3:object-lock-retain-until-date",
    KeyType.EPOCH: "aws:EpochTime",
    KeyType.TRUTH: "aws:PrincipalIsAWSService aws:SecureTransport aws:ViaAWSService s3:ObjectCreationOperation",
    KeyType.NETWORK: "aws:SourceIp",
    KeyType.ARN: """
        aws:PrincipalArn iam:PermissionsBoundary iam:PolicyARN s3:x-amz-server-side-encryption-aws-kms-key-id
        """,
}

_KNOWN_AND_ABSENT: Final[Mapping[KeyType, str]] = {
    KeyType.TEXT: """
        aws:Ec2InstanceSourceVpc aws:FederatedProvider aws:PrincipalOrgID aws:PrincipalServiceName
        aws:ResourceOrgID aws:SourceAccount aws:SourceIdentity aws:SourceOrgID aws:SourceOwner aws:SourceVpc
        aws:SourceVpce aws:VpceAccount aws:VpceOrgID iam:AWSServiceName iam:PassedToService
        s3:AccessGrantScope s3:AccessGrantsLocationScope s3:AccessPointNetworkOrigin
        s3:DataAccessPointAccount s3:ExistingJobOperation s3:JobSuspendedCause s3:RequestJobOperation
        s3:destinationRegion s3:x-amz-bucket-namespace sts:AWSServiceName
        """,
    KeyType.TEXTS: """
        aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:PrincipalOrgPaths aws:PrincipalServiceNamesList
        aws:ResourceOrgPaths aws:SourceOrgPaths aws:VpceOrgPaths s3:InventoryAccessibleOptionalFields
        """,
    KeyType.NUMBER: "aws:MultiFactorAuthAge s3:ExistingJobPriority s3:RequestJobPriority",
    KeyType.TRUTH: "aws:MultiFactorAuthPresent s3:isReplicationPauseRequest",
    KeyType.NETWORK: "aws:Ec2InstanceSourcePrivateIPv4 aws:VpcSourceIp",
    KeyType.ARN: """
        aws:AssumedRoot aws:SourceArn aws:SourceVpcArn iam:AssociatedResourceArn s3:AccessGrantsInstanceArn
        s3:DataAccessPointArn
        """,
}

KEYS: Final[Mapping[str, KeyType]] = MappingProxyType(
    {
        name.lower(): key_type
        for table in (PRESENT, _KNOWN_AND_ABSENT)
        for key_type, names in table.items()
        for name in names.split()
    }
)
"""By name in lower case: names of keys know no case."""

TAG_PREFIXES: Final = (
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
    "iam:resourcetag/",
    "s3:accesspointtag/",
    "s3:buckettag/",
    "s3:existingobjecttag/",
    "s3:requestobjecttag/",
)
"""In lower case; what follows is the key of a tag."""


def type_of(key: str) -> KeyType | None:
    """Return the type of `key`, which is in lower case, or None if there is no such key."""
    known = KEYS.get(key)
    if known is not None:
        return known
    is_tag = any(key.startswith(prefix) and len(key) > len(prefix) for prefix in TAG_PREFIXES)
    return KeyType.TAG if is_tag else None
