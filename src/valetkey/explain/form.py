"""A browser form with a signed policy: what it allows, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Final

from valetkey.explain.amazon import scope_parts
from valetkey.explain.causes import Cause, Finding
from valetkey.explain.change import Hints
from valetkey.explain.facts import Facts, Scheme
from valetkey.explain.place import place_of
from valetkey.explain.sent import parse_url
from valetkey.s3.errors import S3Error
from valetkey.s3.post_policy import PostPolicy, parse_post_policy, require_fulfilled
from valetkey.sigv4.errors import SignatureError
from valetkey.sigv4.instants import parse_amz_date
from valetkey.sigv4.post_claim import PostClaim, read_post_claim, require_post_signature
from valetkey.sigv4.secret import Secret

_MOST_FIELDS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SentForm:
    """The fields of a form, in order, and where it is sent."""

    url: str
    fields: tuple[tuple[str, str], ...]

    @property
    def values(self) -> dict[str, str]:
        """The fields by lower-case name, without the file."""
        return {name.lower(): value for name, value in self.fields if name.lower() != "file"}


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.url = given.get("action", self.url)
        elif tag == "input" and given.get("name") and len(self.fields) < _MOST_FIELDS:
            self.fields.append((given["name"], given.get("value", "")))


def parse_html_form(text: str) -> SentForm | None:
    """Return the form of a page, or None if there is none with a policy."""
    reader = _FormReader()
    reader.feed(text)
    form = SentForm(url=reader.url, fields=tuple(reader.fields))
    return form if "policy" in form.values else None


def form_facts(form: SentForm) -> Facts:
    """Return what a form says of itself and of its policy."""
    values = form.values
    sent = parse_url(form.url)
    region, access_key = "", values.get("awsaccesskeyid", "")
    if "x-amz-credential" in values:
        access_key, _, region, _ = scope_parts(values["x-amz-credential"])
    policy = _policy(values)
    bucket = values.get("bucket") or (place_of(sent)[0] if sent is not None else "")
    return Facts(
        scheme=Scheme.POST_V2 if "awsaccesskeyid" in values else Scheme.POST_V4,
        access_key=access_key,
        method="POST",
        operation="PostObject",
        host=sent.host if sent is not None else "",
        bucket=bucket,
        key=values.get("key", ""),
        region=region,
        signed_at=parse_amz_date(values.get("x-amz-date", "")),
        ends_at=None if policy is None else _instant(policy.expires_at_ms),
        has_token="x-amz-security-token" in values,
        conditions=_conditions(policy),
    )


def _instant(at_ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _policy(values: Mapping[str, str]) -> PostPolicy | None:
    try:
        return parse_post_policy(values.get("policy", ""))
    except S3Error:
        return None


def _conditions(policy: PostPolicy | None) -> tuple[str, ...]:
    if policy is None:
        return ()
    hidden = ("x-amz-security-token", "x-amz-signature")
    lines = [str(each) for each in policy.conditions if each.name not in hidden]
    if policy.size is not None:
        lines.append(f"{policy.size.least} to {policy.size.most} bytes")
    return tuple(lines)


def form_findings(form: SentForm, facts: Facts, *, now: datetime) -> list[Finding]:
    """Return what is wrong with a form without its signature being looked at."""
    found = list(_order(form))
    if facts.ends_at is not None and now >= facts.ends_at:
        found.append(Finding(cause=Cause.EXPIRED, detail="The policy has ended."))
    values = form.values
    try:
        policy = parse_post_policy(values.get("policy", ""))
        require_fulfilled(
            policy,
            values,
            names={name.lower(): name for name, _ in form.fields},
            bucket=facts.bucket,
            now_ms=min(round(now.timestamp() * 1000), policy.expires_at_ms - 1),
        )
    except S3Error as error:
        cause = Cause.POLICY if error.code.wire == "InvalidPolicyDocument" else Cause.POLICY_CONDITION
        found.append(Finding(cause=cause, detail=error.message or ""))
    try:
        read_post_claim(values, region=facts.region)
    except SignatureError as error:
        found.append(Finding(cause=Cause.MISSING_PARAMETER, detail=f"{error}."))
    return found


def _order(form: SentForm) -> Iterator[Finding]:
    names = [name.lower() for name, _ in form.fields]
    if "file" in names and names[-1] != "file" and names[-1] != "":
        after = [name for name in names[names.index("file") + 1 :] if name not in {"submit", ""}]
        if after:
            yield Finding(
                cause=Cause.POLICY_CONDITION, detail=f"After the file nothing is read: {', '.join(after)}."
            )


def form_fits(form: SentForm, facts: Facts, hints: Hints) -> tuple[bool | None, tuple[Finding, ...]]:
    """Return whether the signature fits (None: no secret to try), and what would make it fit."""
    try:
        claim = read_post_claim(form.values, region=facts.region)
    except SignatureError:
        return None, ()
    if claim is None or not hints.keys:
        return None, ()
    own = next((known.secret for known in hints.keys if known.access_key == claim.access_key), None)
    if own is not None and _is_proved(claim, own):
        return True, ()
    for finding, other, secret in _alternatives(claim, own, hints):
        if _is_proved(other, secret):
            return False, (finding,)
    return (None if own is None else False), ()


def _alternatives(
    claim: PostClaim, own: Secret | None, hints: Hints
) -> Iterator[tuple[Finding, PostClaim, Secret]]:
    for known in hints.keys:
        detail = f"It was signed with the secret of {known.access_key}."
        yield Finding(cause=Cause.OTHER_KEY, detail=detail), claim, known.secret
    if own is None:
        return
    joined = claim._replace(policy=re.sub(r"\s", "", claim.policy))
    detail = "The policy was signed without the line breaks that it has now."
    yield Finding(cause=Cause.WHITESPACE, detail=detail), joined, own
    for ending in ("\n", "\r\n", " "):
        spoiled = Secret(own.reveal() + ending)
        yield (
            Finding(cause=Cause.SECRET_WHITESPACE, detail="The signer's secret has a blank at its end."),
            claim,
            spoiled,
        )
    for region in hints.regions:
        detail = f"It was signed for the region {region}."
        yield Finding(cause=Cause.REGION, detail=detail), claim._replace(region=region), own


def _is_proved(claim: PostClaim, secret: Secret) -> bool:
    try:
        require_post_signature(claim, secret=secret)
    except SignatureError:
        return False
    return True
