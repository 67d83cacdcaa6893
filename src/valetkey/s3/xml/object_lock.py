"""The documents of Object Lock: a bucket's configuration, a version's retention and its legal hold."""

from __future__ import annotations

import re
from typing import Final

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.instants import instant_text, parse_instant
from valetkey.s3.object_lock import DefaultRetention, LockConfiguration, LockRequest, Mode
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element
from valetkey.s3.xml.tree import Node, fields, malformed, parse_tree

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,10}")

_MAX_DAYS: Final = 36_500
_MAX_YEARS: Final = 100


def parse_lock_configuration(body: bytes) -> LockConfiguration:
    """Return the configuration that a PutObjectLockConfiguration gives.

    Raises:
        S3Error: MalformedXML, MissingRequestBodyError, or InvalidRetentionPeriod.
    """
    root = parse_tree(body, "ObjectLockConfiguration")
    enabled = [child for child in root.children if child.name == "ObjectLockEnabled"]
    rules = [child for child in root.children if child.name == "Rule"]
    if len(enabled) != 1 or len(rules) > 1 or len(enabled) + len(rules) != len(root.children):
        raise malformed()
    if enabled[0].children or enabled[0].text.strip() != "Enabled":
        raise malformed()
    return LockConfiguration(default=_default(rules[0]) if rules else None)


def _default(rule: Node) -> DefaultRetention:
    if [child.name for child in rule.children] != ["DefaultRetention"]:
        raise malformed()
    found = fields(rule.children[0], {"Mode", "Days", "Years"})
    if ("Days" in found) == ("Years" in found):
        raise malformed()
    mode = _mode(found.get("Mode", ""))
    if "Days" in found:
        return DefaultRetention(mode=mode, days=_period(found["Days"], most=_MAX_DAYS))
    return DefaultRetention(mode=mode, years=_period(found["Years"], most=_MAX_YEARS))


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip())
    except ValueError:
        raise malformed() from None


def _period(text: str, *, most: int) -> int:
    if _INTEGER.fullmatch(text.strip()) is None:
        raise malformed()
    number = int(text)
    if number < 1:
        raise S3Error(Code.INVALID_RETENTION_PERIOD)
    if number > most:
        raise S3Error(Code.INVALID_RETENTION_PERIOD, "Default retention period too large.")
    return number


def render_lock_configuration(config: LockConfiguration) -> str:
    content = element("ObjectLockEnabled", "Enabled")
    default = config.default
    if default is not None:
        period = element("Days", None if default.days is None else str(default.days)) + element(
            "Years", None if default.years is None else str(default.years)
        )
        retention = element("Mode", default.mode) + period
        content += f"<Rule><DefaultRetention>{retention}</DefaultRetention></Rule>"
    return document("ObjectLockConfiguration", content)


def parse_retention(body: bytes) -> LockRequest:
    """Return the retention that a PutObjectRetention gives; one without a mode means that there is to be none.

    Whether its end is yet to come is not asked.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    found = fields(parse_tree(body, "Retention"), {"Mode", "RetainUntilDate"})
    if not found:
        return LockRequest()
    if len(found) != 2:
        raise malformed()
    until_ms = parse_instant(found["RetainUntilDate"])
    if until_ms is None:
        raise malformed()
    return LockRequest(mode=_mode(found["Mode"]), until_ms=until_ms)


def render_retention(mode: str, until_ms: int) -> str:
    content = element("Mode", mode) + element("RetainUntilDate", instant_text(until_ms))
    return document("Retention", content)


def parse_legal_hold(body: bytes) -> bool:
    """Return whether a PutObjectLegalHold puts the hold on, or takes it off.

    Raises:
        S3Error: MalformedXML or MissingRequestBodyError.
    """
    status = fields(parse_tree(body, "LegalHold"), {"Status"}).get("Status", "").strip()
    if status not in {"ON", "OFF"}:
        raise malformed()
    return status == "ON"


def render_legal_hold(*, is_on: bool) -> str:
    return document("LegalHold", element("Status", "ON" if is_on else "OFF"))
