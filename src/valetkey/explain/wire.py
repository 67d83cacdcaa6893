"""The explanation as JSON, for programs and for the admin API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from valetkey.explain.facts import Facts
from valetkey.explain.report import Report
from valetkey.explain.side_by_side import redacted

Json = dict[str, Any]


def report_json(report: Report) -> Json:
    """Return the report as a JSON object. Nothing in it is secret."""
    fault = report.fault
    return {
        "ok": report.is_fine,
        "signature": report.verdict.value,
        "request": _facts(report.facts),
        "findings": [
            {
                "cause": finding.cause.value,
                "title": finding.title,
                "detail": finding.detail,
                "advice": finding.what_to_do,
                "is_note": finding.is_note,
            }
            for finding in report.findings
        ],
        "canonical_requests": [
            {"received": row.received, "signed": row.signed, "differs": row.differs} for row in report.rows
        ],
        "server": None
        if fault is None
        else {"code": fault.code, "message": redacted(fault.message), "request_id": fault.request_id},
    }


def _facts(facts: Facts) -> Mapping[str, object]:
    return {
        "scheme": facts.scheme.value,
        "access_key": facts.access_key,
        "method": facts.method,
        "operation": facts.operation,
        "host": facts.host,
        "bucket": facts.bucket,
        "key": facts.key,
        "region": facts.region,
        "service": facts.service,
        "signed_at": _instant(facts.signed_at),
        "starts_at": _instant(facts.starts_at),
        "ends_at": _instant(facts.ends_at),
        "credential_ends_at": _instant(facts.credential_ends_at),
        "is_temporary": facts.has_token,
        "headers_to_send": list(facts.signed_headers),
        "permissions": facts.permissions,
        "addresses": facts.addresses,
        "conditions": list(facts.conditions),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
