"""How a bucket is set up, as XML."""

from __future__ import annotations

from typing import Final, assert_never

from valetkey.s3.setting_answers import (
    Accelerate,
    ConfigurationKind,
    Logging,
    NoConfigurations,
    NoNotifications,
    PolicyStatus,
    RequestPayment,
    SettingDocument,
    Tagging,
    Versioning,
)
from valetkey.s3.xml.logging_status import render_logging
from valetkey.s3.xml.text import element, flag

_LISTS: Final = {
    ConfigurationKind.ANALYTICS: "ListBucketAnalyticsConfigurationResult",
    ConfigurationKind.INTELLIGENT_TIERING: "ListBucketIntelligentTieringConfigurationsOutput",
    ConfigurationKind.INVENTORY: "ListInventoryConfigurationsResult",
    ConfigurationKind.METRICS: "ListMetricsConfigurationsResult",
}
"""Roots, as Amazon spells them."""


def setting(answer: SettingDocument) -> tuple[str, str]:
    """Return the name of the root element and what stands in it."""
    match answer:
        case Versioning():
            return "VersioningConfiguration", element("Status", answer.status)
        case Tagging():
            return "Tagging", _tag_set(answer)
        case RequestPayment():
            return "RequestPaymentConfiguration", element("Payer", answer.payer)
        case Accelerate():
            return "AccelerateConfiguration", element("Status", answer.status)
        case Logging():
            return "BucketLoggingStatus", render_logging(answer.enabled)
        case NoNotifications():
            return "NotificationConfiguration", ""
        case NoConfigurations():
            return _LISTS[answer.kind], flag("IsTruncated", value=False)
        case PolicyStatus():
            return "PolicyStatus", flag("IsPublic", value=answer.is_public)
        case _:
            assert_never(answer)


def _tag_set(answer: Tagging) -> str:
    tags = "".join(
        [f"<Tag>{element('Key', key)}{element('Value', value)}</Tag>" for key, value in answer.tags.items()]
    )
    return f"<TagSet>{tags}</TagSet>" if tags else "<TagSet/>"
