"""What a bucket cannot be set up for: S3's own answers that it is not, so that clients which look go on.

Setting any of it up is not implemented, so there is never anything to show, or to remove.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.operations.answers import document, no_content
from valetkey.gateway.operations.bucket_settings import missing
from valetkey.s3.codes import Code
from valetkey.s3.setting_answers import ConfigurationKind, NoConfigurations

_MISSING: Final[Mapping[str, Code]] = {
    "GetBucketWebsite": Code.NO_SUCH_WEBSITE_CONFIGURATION,
    "GetBucketReplication": Code.REPLICATION_CONFIGURATION_NOT_FOUND_ERROR,
    "GetBucketAnalyticsConfiguration": Code.NO_SUCH_CONFIGURATION,
    "GetBucketIntelligentTieringConfiguration": Code.NO_SUCH_CONFIGURATION,
    "GetBucketInventoryConfiguration": Code.NO_SUCH_CONFIGURATION,
    "GetBucketMetricsConfiguration": Code.NO_SUCH_CONFIGURATION,
    "DeleteBucketAnalyticsConfiguration": Code.NO_SUCH_CONFIGURATION,
    "DeleteBucketIntelligentTieringConfiguration": Code.NO_SUCH_CONFIGURATION,
    "DeleteBucketInventoryConfiguration": Code.NO_SUCH_CONFIGURATION,
    "DeleteBucketMetricsConfiguration": Code.NO_SUCH_CONFIGURATION,
}
"""What S3 says where there is no such thing."""

_KINDS: Final = {kind.value: kind for kind in ConfigurationKind}


async def say_missing(call: Call) -> Answer:
    """Every operation of the table above.

    Raises:
        S3Error: always.
    """
    raise missing(call, _MISSING[call.operation.name])


async def remove_nothing(call: Call) -> Answer:
    """The removals that succeed in S3 also where there is nothing to remove."""
    return no_content()


async def list_no_configurations(call: Call) -> Answer:
    """The listings of what a bucket may have several of: they are empty."""
    assert call.operation.subresource is not None
    return document(NoConfigurations(kind=_KINDS[call.operation.subresource]))
