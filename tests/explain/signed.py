"""Signed URLs and the explanations of them, for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from valetkey import Secret, Signer
from valetkey.explain.change import Hints, KnownKey
from valetkey.explain.paste import read_paste
from valetkey.explain.report import Report, explain

AT: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
NOW: Final = AT + timedelta(minutes=5)
KEY: Final = "VKEXAMPLE0000000001"
SECRET: Final = "the+secret/of the example"
ENDPOINT: Final = "https://files.example.com"
HINTS: Final = Hints(
    hosts=("files.example.com",),
    regions=("us-east-1",),
    keys=(KnownKey(access_key=KEY, secret=Secret(SECRET)),),
)
BLIND: Final = Hints()


def presigned(key: str = "a/report.pdf", method: str = "GET", **options: Any) -> str:
    signer = Signer(
        KEY, SECRET, endpoint=options.pop("endpoint", ENDPOINT), region=options.pop("region", "us-east-1")
    )
    return signer.presign(method, "bucket", key, at=AT, **options).url


def explained(text: str, hints: Hints = HINTS, now: datetime = NOW) -> Report:
    return explain(read_paste(text), hints, now=now)


def causes(report: Report) -> list[str]:
    """The causes of what is wrong, without what is only to know."""
    return [finding.cause.value for finding in report.findings if not finding.is_note]
