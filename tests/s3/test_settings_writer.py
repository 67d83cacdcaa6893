from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.parsers
import botocore.session
import pytest

from valetkey.s3.documents import Document
from valetkey.s3.setting_answers import (
    Accelerate,
    ConfigurationKind,
    Logging,
    NoConfigurations,
    NoNotifications,
    RequestPayment,
    Tagging,
    Versioning,
)
from valetkey.s3.xml.writer import render

GOLDEN = Path(__file__).parent / "golden" / "settings"

ANSWERS: dict[str, Document] = {
    "versioning": Versioning(status="Enabled"),
    "versioning_never_set": Versioning(status=None),
    "tagging": Tagging(tags={"a & b": "<1>", "empty": ""}),
    "tagging_empty": Tagging(tags={}),
    "request_payment": RequestPayment(payer="BucketOwner"),
    "accelerate": Accelerate(status="Suspended"),
    "accelerate_never_set": Accelerate(status=None),
    "logging": Logging(enabled=None),
    "notification": NoNotifications(),
    "analytics": NoConfigurations(kind=ConfigurationKind.ANALYTICS),
    "intelligent_tiering": NoConfigurations(kind=ConfigurationKind.INTELLIGENT_TIERING),
    "inventory": NoConfigurations(kind=ConfigurationKind.INVENTORY),
    "metrics": NoConfigurations(kind=ConfigurationKind.METRICS),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_is_written_to_the_byte(name: str) -> None:
    assert render(ANSWERS[name]) == (GOLDEN / f"{name}.xml").read_bytes()


def test_every_golden_file_has_its_answer() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(ANSWERS)


def _as_botocore_reads(answer: Document, operation: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("s3").operation_model(operation)
    assert model.output_shape is not None
    response = {"body": render(answer), "headers": {}, "status_code": 200}
    parsed: dict[str, Any] = botocore.parsers.RestXMLParser().parse(response, model.output_shape)
    parsed.pop("ResponseMetadata")
    return parsed


@pytest.mark.parametrize(
    ("name", "operation", "expected"),
    [
        ("versioning", "GetBucketVersioning", {"Status": "Enabled"}),
        ("versioning_never_set", "GetBucketVersioning", {}),
        ("tagging", "GetObjectTagging",
         {"TagSet": [{"Key": "a & b", "Value": "<1>"}, {"Key": "empty", "Value": ""}]}),
        ("request_payment", "GetBucketRequestPayment", {"Payer": "BucketOwner"}),
        ("accelerate", "GetBucketAccelerateConfiguration", {"Status": "Suspended"}),
        ("logging", "GetBucketLogging", {}),
        ("notification", "GetBucketNotificationConfiguration", {}),
        ("analytics", "ListBucketAnalyticsConfigurations", {"IsTruncated": False}),
        ("intelligent_tiering", "ListBucketIntelligentTieringConfigurations", {"IsTruncated": False}),
        ("inventory", "ListBucketInventoryConfigurations", {"IsTruncated": False}),
        ("metrics", "ListBucketMetricsConfigurations", {"IsTruncated": False}),
    ],
)  # fmt: skip
def test_botocore_reads_settings(name: str, operation: str, expected: dict[str, Any]) -> None:
    assert _as_botocore_reads(ANSWERS[name], operation) == expected
