"""The explanation as JSON, for programs and for the admin API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from valetkey.explain.causes import Cause, Finding
from valetkey.explain.facts import Facts, Scheme, from_iso
from valetkey.explain.fault import ServerFault
from valetkey.explain.report import Report, Verdict
from valetkey.explain.side_by_side import Row, redacted

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


def read_report(found: Mapping[str, Any]) -> Report:
    """Return the report that `report_json` wrote.

    Raises:
        ValueError: it is none.
    """
    try:
        server = found["server"]
        return Report(
            facts=_read_facts(found["request"]),
            findings=tuple(map(_read_finding, found["findings"])),
            verdict=Verdict(found["signature"]),
            rows=tuple(Row(row["received"], row["signed"]) for row in found["canonical_requests"]),
            fault=None if server is None else _read_fault(server),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no explanation") from error


def _read_finding(found: Mapping[str, Any]) -> Finding:
    known = {cause.value: cause for cause in Cause}
    return Finding(
        # A newer server may name a cause that is not known here.
        cause=known.get(found["cause"], Cause.REFUSED),
        detail=found["detail"] if found["cause"] in known else f"{found['title']}. {found['detail']}",
        is_note=bool(found["is_note"]),
        advice=found["advice"],
    )


def _read_fault(found: Mapping[str, Any]) -> ServerFault:
    names = {"Code": "code", "Message": "message", "RequestId": "request_id"}
    return ServerFault(elements={name: str(found[ours]) for name, ours in names.items()})


def _read_facts(found: Mapping[str, Any]) -> Facts:
    return Facts(
        scheme=Scheme(found["scheme"]),
        access_key=found["access_key"],
        method=found["method"],
        operation=found["operation"],
        host=found["host"],
        bucket=found["bucket"],
        key=found["key"],
        region=found["region"],
        service=found["service"],
        signed_at=_read_instant(found["signed_at"]),
        starts_at=_read_instant(found["starts_at"]),
        ends_at=_read_instant(found["ends_at"]),
        credential_ends_at=_read_instant(found["credential_ends_at"]),
        has_token=bool(found["is_temporary"]),
        signed_headers=tuple(found["headers_to_send"]),
        permissions=found["permissions"],
        addresses=found["addresses"],
        conditions=tuple(found["conditions"]),
    )


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
