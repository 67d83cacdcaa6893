"""An explanation as a person reads it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from valetkey.cli.expiry import instant_text
from valetkey.cli.plain_text import shown
from valetkey.explain.causes import Cause, Finding
from valetkey.explain.face import span
from valetkey.explain.facts import Facts, Scheme
from valetkey.explain.report import Report, Verdict
from valetkey.explain.side_by_side import Row, redacted

_VERDICTS: Final = {
    Verdict.MATCHES: "The signature fits.",
    Verdict.WOULD_MATCH: "The signature does not fit, and would with what is said above.",
    Verdict.NO_MATCH: "The signature does not fit, and none of the changes that were tried makes it fit: the secret is "
    "another one, or more than two things were changed.",
    Verdict.NO_SECRET: "The signature was not checked: the secret of {key} is not known here.",
    Verdict.NOT_KEPT: "The signature cannot be checked now: the server keeps no session tokens.",
    Verdict.INCOMPLETE: "There is no signature to check.",
    Verdict.NOT_CHECKED: "",
}
_LEAST_WIDTH: Final = 60
_MOST_WIDTH: Final = 200
_MOST_KEY_CHARS: Final = 200


def to_text(report: Report, *, now: datetime, width: int) -> str:
    """Return the report in lines of about `width` characters."""
    sections = [list(_what(report, now)), list(_wrong(report)), list(_sides(report, width))]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _what(report: Report, now: datetime) -> Iterator[str]:
    facts = report.facts
    yield _heading(facts)
    rows = [
        ("signed by", _signer(facts)),
        ("signed at", _instant(facts.signed_at)),
        ("begins", _instant(facts.starts_at)),
        ("ends", _end(facts, now)),
        ("at", facts.host),
        ("must send", ", ".join(facts.signed_headers)),
        ("may", facts.permissions),
        ("from", facts.addresses),
        *(("condition", condition) for condition in facts.conditions),
    ]
    if report.fault is not None:
        rows.append(("answered", f"{report.fault.code}: {redacted(report.fault.message)}"))
        rows.append(("request id", report.fault.request_id))
    for name, value in rows:
        if value:
            yield f"  {name:<10}  {shown(value)}"


def _heading(facts: Facts) -> str:
    if facts.scheme is Scheme.NONE and not facts.host:
        return "An answer of an S3 server, without the request"
    what = facts.operation or facts.method or ("A URL" if facts.scheme is not Scheme.NONE else "A request")
    place = f"s3://{facts.bucket}/{facts.key}" if facts.bucket else f"/{facts.key}"
    if len(place) > _MOST_KEY_CHARS:
        place = place[: _MOST_KEY_CHARS - 1] + "…"
    return f"{shown(what)}  {shown(place)}  ({facts.scheme.value})"


def _signer(facts: Facts) -> str:
    where = f", region {facts.region}" if facts.region else ""
    service = f", service {facts.service}" if facts.service and facts.service not in {"s3", "storage"} else ""
    temporary = ", temporary credentials" if facts.has_token else ""
    return f"{facts.access_key or 'nobody'}{where}{service}{temporary}"


def _instant(at: datetime | None) -> str:
    return "" if at is None else instant_text(at)


def _end(facts: Facts, now: datetime) -> str:
    if facts.ends_at is None:
        return ""
    left = f"{span(facts.ends_at - now)} left" if facts.ends_at > now else f"{span(now - facts.ends_at)} ago"
    sooner = facts.credential_ends_at
    with_key = "" if sooner is None else f"; its credentials end at {instant_text(sooner)}"
    return f"{instant_text(facts.ends_at)} ({left}){with_key}"


def _wrong(report: Report) -> Iterator[str]:
    wrong = [finding for finding in report.findings if not finding.is_note]
    notes = [finding for finding in report.findings if finding.is_note]
    for title, findings in (("Wrong", wrong), ("To know", notes)):
        for finding in findings:
            yield from _finding(title, finding)
    said = _verdict(report, is_wrong=bool(wrong))
    if said:
        yield shown(said)
    if report.is_fine and not report.findings and report.facts.scheme is not Scheme.NONE:
        yield "Nothing is wrong that can be seen from here."


def _verdict(report: Report, *, is_wrong: bool) -> str:
    if report.facts.scheme is Scheme.NONE and report.facts.host:
        return "It is not signed: what is not public is refused."
    if report.verdict is Verdict.MATCHES and is_wrong:
        return "Apart from that, the signature fits."
    return _VERDICTS[report.verdict].format(key=report.facts.access_key or "the signer")


def _finding(title: str, finding: Finding) -> Iterator[str]:
    yield f"{title}: {finding.title}. [{finding.cause.value}]"
    if finding.detail:
        yield f"  {shown(redacted(finding.detail))}"
    if finding.cause is not Cause.REFUSED:
        yield f"  {finding.what_to_do}"


def _sides(report: Report, width: int) -> Iterator[str]:
    if report.verdict is Verdict.NO_MATCH and report.rows:
        yield "What would have to be signed, to compare with what your signer did:"
        yield from (f"   {shown(row.received or '')}" for row in report.rows)
        return
    if not any(row.differs for row in report.rows):
        return
    width = max(_LEAST_WIDTH, min(width, _MOST_WIDTH))
    column = (width - 7) // 2
    yield f"   {'as received':<{column}}  | as signed"
    for row in report.rows:
        yield from _row(row, column)


def _row(row: Row, column: int) -> Iterator[str]:
    left, right = _wrapped(row.received, column), _wrapped(row.signed, column)
    mark = "!" if row.differs else " "
    for at in range(max(len(left), len(right))):
        ours = left[at] if at < len(left) else ""
        theirs = right[at] if at < len(right) else ""
        yield f" {mark} {ours:<{column}}  | {theirs}".rstrip()


def _wrapped(text: str | None, column: int) -> Sequence[str]:
    if text is None:
        return []
    plain = shown(text)
    return [plain[at : at + column] for at in range(0, len(plain), column)] or [""]
