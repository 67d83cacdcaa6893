"""From lifecycle rules to their document."""

from __future__ import annotations

from valetkey.s3.instants import instant_text
from valetkey.s3.lifecycle import Expiration, Form, NoncurrentTransition, Rule, Rules, Scope, Transition
from valetkey.s3.xml.document import document
from valetkey.s3.xml.text import element, flag


def render_lifecycle(rules: Rules) -> str:
    """Return the document, whose rules stand in the order and the form in which the client gave them."""
    return document("LifecycleConfiguration", "".join([_rule(rule) for rule in rules.rules]))


def _rule(rule: Rule) -> str:
    noncurrent = rule.noncurrent_expiration
    content = [
        element("ID", rule.id),
        _scope(rule.scope),
        element("Status", "Enabled" if rule.is_enabled else "Disabled"),
        *[_transition(entry) for entry in rule.transitions],
        "" if rule.expiration is None else _expiration(rule.expiration),
        *[_noncurrent_transition(entry) for entry in rule.noncurrent_transitions],
    ]
    if noncurrent is not None:
        days = _noncurrent(days=noncurrent.days, newer_versions=noncurrent.newer_versions)
        content.append(f"<NoncurrentVersionExpiration>{days}</NoncurrentVersionExpiration>")
    if rule.abort_days is not None:
        days = _number("DaysAfterInitiation", rule.abort_days)
        content.append(f"<AbortIncompleteMultipartUpload>{days}</AbortIncompleteMultipartUpload>")
    return f"<Rule>{''.join(content)}</Rule>"


def _scope(scope: Scope) -> str:
    tags = [f"<Tag>{element('Key', name)}{element('Value', value)}</Tag>" for name, value in scope.tags]
    content = (
        element("Prefix", scope.prefix)
        + "".join(tags)
        + _number("ObjectSizeGreaterThan", scope.larger_than)
        + _number("ObjectSizeLessThan", scope.smaller_than)
    )
    if scope.form is Form.PREFIX:
        return content
    if scope.form is Form.AND:
        content = f"<And>{content}</And>"
    return f"<Filter>{content}</Filter>" if content else "<Filter/>"


def _expiration(wanted: Expiration) -> str:
    marker = "" if wanted.marker is None else flag("ExpiredObjectDeleteMarker", value=wanted.marker)
    return f"<Expiration>{_number('Days', wanted.days)}{_date(wanted.at_ms)}{marker}</Expiration>"


def _transition(entry: Transition) -> str:
    when = _number("Days", entry.days) + _date(entry.at_ms)
    return f"<Transition>{when}{element('StorageClass', entry.storage_class)}</Transition>"


def _noncurrent_transition(entry: NoncurrentTransition) -> str:
    content = _noncurrent(days=entry.days, newer_versions=entry.newer_versions) + element(
        "StorageClass", entry.storage_class
    )
    return f"<NoncurrentVersionTransition>{content}</NoncurrentVersionTransition>"


def _noncurrent(*, days: int, newer_versions: int | None) -> str:
    return _number("NoncurrentDays", days) + _number("NewerNoncurrentVersions", newer_versions)


def _number(name: str, value: int | None) -> str:
    return element(name, None if value is None else str(value))


def _date(at_ms: int | None) -> str:
    return element("Date", None if at_ms is None else instant_text(at_ms))
