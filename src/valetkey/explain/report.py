"""The whole explanation of what was pasted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from valetkey.explain.amazon import amazon_facts
from valetkey.explain.causes import Cause, Finding
from valetkey.explain.change import Change, Hints, KnownKey
from valetkey.explain.face import face_findings, span
from valetkey.explain.facts import CHECKABLE, Facts, Scheme
from valetkey.explain.fault import ServerFault
from valetkey.explain.foreign import foreign_facts
from valetkey.explain.form import SentForm, form_facts, form_findings, form_fits
from valetkey.explain.kept import REDACTED, sealed
from valetkey.explain.on_the_way import Seen, as_seen
from valetkey.explain.paste import Paste
from valetkey.explain.place import operation_of, place_of, virtual_host
from valetkey.explain.search import find_changes
from valetkey.explain.sent import Sent
from valetkey.explain.side_by_side import Row, redacted, side_by_side
from valetkey.explain.trial import Trial, make_trial
from valetkey.s3.preconditions import parse_date
from valetkey.sigv4.secret import Secret

_METHODS: Final = ("GET", "PUT", "HEAD", "DELETE", "POST")
_MOST_FORWARDED: Final = 8
_SKEW_TOLD: Final = timedelta(minutes=1)


class Verdict(Enum):
    """What is known of the signature. The value is its name, for programs."""

    MATCHES = "matches"
    WOULD_MATCH = "would-match"
    """With the changes that the findings tell of."""
    NO_MATCH = "no-match"
    """Nothing that was tried makes it fit."""
    NO_SECRET = "no-secret"  # noqa: S105 - the name of a verdict
    """No secret is known that could have made it."""
    NOT_KEPT = "not-kept"
    """A server kept the request, and not the token that it was signed with."""
    INCOMPLETE = "incomplete"
    """There is no signature that could be checked."""
    NOT_CHECKED = "not-checked"
    """It is of a scheme that is not checked here, or nothing is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a request is, and what is wrong with it."""

    facts: Facts
    findings: tuple[Finding, ...]
    """The cause first, if it was found."""
    verdict: Verdict
    rows: tuple[Row, ...] = ()
    """The two canonical requests, as received and as signed, where they differ."""
    fault: ServerFault | None = None

    @property
    def is_fine(self) -> bool:
        """Nothing is known to be wrong."""
        is_signed = self.verdict in {Verdict.MATCHES, Verdict.NO_SECRET, Verdict.NOT_CHECKED}
        return is_signed and all(finding.is_note for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """What came of trying the signature."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    rows: tuple[Row, ...] = ()
    method: str | None = None


def explain(paste: Paste, hints: Hints, *, now: datetime) -> Report:
    """Return the explanation of `paste`; `now` is an aware instant. Whatever was pasted, it raises nothing."""
    report = _explain(paste, hints, now=now)
    # A query that got into the path is still a query, with a signature and perhaps a token in it.
    return replace(
        report,
        facts=_redacted_facts(report.facts),
        findings=tuple(replace(each, detail=redacted(each.detail)) for each in report.findings),
    )


def _redacted_facts(facts: Facts) -> Facts:
    return replace(
        facts,
        access_key=redacted(facts.access_key),
        host=redacted(facts.host),
        bucket=redacted(facts.bucket),
        key=redacted(facts.key),
        region=redacted(facts.region),
        service=redacted(facts.service),
        signed_headers=tuple(map(redacted, facts.signed_headers)),
        permissions=redacted(facts.permissions),
        addresses=redacted(facts.addresses),
        conditions=tuple(map(redacted, facts.conditions)),
    )


def _explain(paste: Paste, hints: Hints, *, now: datetime) -> Report:
    if paste.form is not None:
        return _explain_form(paste.form, paste, hints, now=now)
    seen = as_seen(paste.sent, paste.fault)
    sent = seen.sent if paste.sent is None and seen is not None else paste.sent
    if sent is None:
        return _explain_fault(paste, now=now)
    facts = foreign_facts(sent) or amazon_facts(sent, domains=hints.domains) or _unsigned(sent)
    findings = [*paste.findings, *face_findings(sent, facts, now=now), *_clock(paste.fault, now)]
    proven = _Signature(verdict=Verdict.MATCHES)
    signature = proven if paste.is_proved else _try(sent, seen, facts, hints)
    facts, ending = _credential_end(facts, hints, now)
    findings += ending
    if signature.method is not None:
        facts = _with_method(facts, sent, signature.method)
        findings = [each for each in findings if not _is_settled(each, signature.method)]
    told = () if paste.fault is None else (paste.fault.finding(),)
    proved = (*signature.findings, *(() if seen is None or signature.findings else seen.findings))
    return Report(
        facts=_without_secret(facts, findings, signature),
        findings=_ordered([*proved, *findings, *(each for each in told if each is not None)], signature),
        verdict=signature.verdict,
        rows=signature.rows,
        fault=paste.fault,
    )


def _without_secret(facts: Facts, findings: list[Finding], signature: _Signature) -> Facts:
    """Return the facts without what is, or looks like, a secret in the place of the access key."""
    if any(each.cause is Cause.SECRET_AS_KEY for each in (*findings, *signature.findings)):
        return replace(facts, access_key="(a secret key)")
    return facts


def _credential_end(facts: Facts, hints: Hints, now: datetime) -> tuple[Facts, list[Finding]]:
    own = next((known for known in hints.keys if known.access_key == facts.access_key), None)
    if own is None or own.ends_at is None or (facts.ends_at is not None and own.ends_at >= facts.ends_at):
        return facts, []
    facts = replace(facts, credential_ends_at=own.ends_at)
    is_over = own.ends_at <= now
    detail = "They have ended." if is_over else f"They end in {span(own.ends_at - now)}."
    return facts, [Finding(cause=Cause.CREDENTIAL_ENDED, detail=detail, is_note=not is_over)]


def _unsigned(sent: Sent) -> Facts:
    bucket, key = place_of(sent)
    return Facts(scheme=Scheme.NONE, host=sent.host, bucket=bucket, key=key, method=sent.method)


def _is_settled(finding: Finding, method: str) -> bool:
    return finding.cause is Cause.EMPTY_BODY_CHECKSUM and method != "PUT"


def _with_method(facts: Facts, sent: Sent, method: str) -> Facts:
    operation = operation_of(replace(sent, method=method), bucket=facts.bucket, key=facts.key)
    return replace(facts, method=method, operation=operation)


def _clock(fault: ServerFault | None, now: datetime) -> list[Finding]:
    if fault is None or "ServerTime" not in fault.elements or "RequestTime" in fault.elements:
        return []
    at_ms = parse_date(fault.elements["ServerTime"])
    if at_ms is None or abs(now.timestamp() * 1000 - at_ms) < _SKEW_TOLD.total_seconds() * 1000:
        return []
    return [
        Finding(
            cause=Cause.CLOCK_OFF,
            detail=f"The server's clock said {fault.elements['ServerTime']} when it refused.",
            is_note=True,
        )
    ]


def _try(sent: Sent, seen: Seen | None, facts: Facts, hints: Hints) -> _Signature:
    if facts.scheme not in CHECKABLE:
        return _Signature(verdict=Verdict.NOT_CHECKED)
    if hints.seal and REDACTED in _token_of(sent):
        return _Signature(verdict=Verdict.NOT_KEPT)
    virtual = virtual_host(sent.host, hints.domains)
    received = sent if seen is None else seen.sent
    own = next((known for known in hints.keys if known.access_key == facts.access_key), None)
    swapped = next((known for known in hints.keys if known.secret == Secret(facts.access_key)), None)
    if swapped is not None:
        detail = f"It is that of {swapped.access_key}."
        finding = Finding(cause=Cause.SECRET_AS_KEY, detail=detail)
        return _Signature(verdict=Verdict.NO_MATCH, findings=(finding,))
    known = own or next(iter(hints.keys), None)
    if known is None:
        return _Signature(verdict=Verdict.NO_SECRET)
    trial = make_trial(
        received, facts, secret=known.secret, virtual_bucket=virtual[0] if virtual is not None else None
    )
    if trial is None:
        return _Signature(verdict=Verdict.INCOMPLETE)
    if hints.seal:
        trial = replace(trial, seal=lambda signature: sealed(signature, hints.seal))
    hints = replace(
        hints,
        hosts=(*_forwarded_hosts(sent), *hints.hosts),
        access_key=facts.access_key,
        body_sha256=sent.body_sha256,
    )
    if own is None:
        return _try_others(trial, hints)
    methods = (trial.method,) if sent.method is not None else (facts.method or "GET", *_METHODS)
    for method in methods:
        if replace(trial, method=method).fits():
            return _Signature(verdict=Verdict.MATCHES, method=method)
    return _search(trial, seen, hints)


def _forwarded_hosts(sent: Sent) -> tuple[str, ...]:
    """Return the hosts that a proxy says to have been asked for."""
    values = ",".join(sent.header(name) or "" for name in ("x-forwarded-host", "x-original-host"))
    return tuple(host.strip() for host in values.split(",") if host.strip())[:_MOST_FORWARDED]


def _token_of(sent: Sent) -> tuple[str | None, ...]:
    values = {name.lower(): value for name, value in sent.values().items()}
    return values.get("x-amz-security-token"), sent.header("x-amz-security-token")


def _search(trial: Trial, seen: Seen | None, hints: Hints) -> _Signature:
    changes = find_changes(trial, hints, more=() if seen is None else seen.changes)
    if changes is None:
        return _Signature(verdict=Verdict.NO_MATCH, rows=side_by_side(trial.canonical(), trial.canonical()))
    return _changed(trial, changes)


def _changed(trial: Trial, changes: Iterable[Change]) -> _Signature:
    signed = trial
    for change in changes:
        signed = change.apply(signed)
    return _Signature(
        verdict=Verdict.WOULD_MATCH,
        findings=tuple(Finding(cause=each.cause, detail=each.detail) for each in changes),
        rows=side_by_side(trial.canonical(), signed.canonical()),
        method=signed.method,
    )


def _try_others(trial: Trial, hints: Hints) -> _Signature:
    """Try the secrets of other keys, where that of the named one is not known."""
    for known in hints.keys:
        for method in dict.fromkeys((trial.method, *_METHODS)):
            other = replace(trial, secret=known.secret, method=method)
            if other.fits():
                return _Signature(
                    verdict=Verdict.WOULD_MATCH,
                    findings=(_other_key(hints.access_key, known),),
                    method=method,
                )
    return _Signature(verdict=Verdict.NO_SECRET)


def _other_key(named: str, known: KnownKey) -> Finding:
    where = f" ({known.label})" if known.label else ""
    return Finding(
        cause=Cause.OTHER_KEY,
        detail=f"It names {named}, and was signed with the secret of {known.access_key}{where}.",
    )


def _ordered(findings: list[Finding], signature: _Signature) -> tuple[Finding, ...]:
    """Return each cause once: what was proved first, then what is surely wrong, then what may be."""
    proved = len(signature.findings)
    first = findings[:proved]
    rest = sorted(findings[proved:], key=lambda finding: finding.is_note)
    kept: dict[Cause, Finding] = {}
    for finding in (*first, *rest):
        kept.setdefault(finding.cause, finding)
    return tuple(kept.values())


def _explain_fault(paste: Paste, *, now: datetime) -> Report:
    finding = None if paste.fault is None else paste.fault.finding()
    access_key = "" if paste.fault is None else paste.fault.elements.get("AWSAccessKeyId", "")
    return Report(
        facts=Facts(scheme=Scheme.NONE, access_key=access_key),
        findings=(*([finding] if finding is not None else []), *_clock(paste.fault, now)),
        verdict=Verdict.NOT_CHECKED,
        fault=paste.fault,
    )


def _explain_form(form: SentForm, paste: Paste, hints: Hints, *, now: datetime) -> Report:
    facts = form_facts(form)
    fits, changes = form_fits(form, facts, hints)
    verdict = {True: Verdict.MATCHES, False: Verdict.NO_MATCH, None: Verdict.NO_SECRET}[fits]
    if changes:
        verdict = Verdict.WOULD_MATCH
    told = () if paste.fault is None else (paste.fault.finding(),)
    findings = [*changes, *form_findings(form, facts, now=now), *(each for each in told if each)]
    return Report(facts=facts, findings=tuple(findings), verdict=verdict, fault=paste.fault)
