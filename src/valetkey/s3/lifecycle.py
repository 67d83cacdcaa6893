"""Lifecycle rules, and what they say about one object, version, marker or upload.

Source: Amazon S3 User Guide, "Managing the lifecycle of objects", with its pages on elements, expiration and
conflicts. Transitions are kept and given back, and move nothing: a storage class is a label here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.s3.dates import http_date
from valetkey.s3.instants import LAST_MS

DAY_MS: Final = 86_400_000
"""A day. A server under test may be given shorter ones; instants are rounded to midnight for this length only."""

MAX_RULES: Final = 1000
MAX_ID_CHARACTERS: Final = 255

_UNQUOTABLE: Final = re.compile(r'[^ -~]|["%\\]')


class Form(Enum):
    """How a rule's scope was written, and is written again."""

    PREFIX = "Prefix"
    """As an element of the rule: the form before there were filters."""
    FILTER = "Filter"
    """In a filter, with one condition at most."""
    AND = "And"
    """In a filter that combines conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which objects a rule is for: those that meet every condition."""

    form: Form
    prefix: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    """Names and values, no name twice."""
    larger_than: int | None = None
    """Bytes, exclusive."""
    smaller_than: int | None = None
    """Bytes, exclusive."""

    @property
    def has_sizes(self) -> bool:
        return self.larger_than is not None or self.smaller_than is not None

    def holds_key(self, key: str) -> bool:
        return self.prefix is None or key.startswith(self.prefix)

    def holds(self, *, key: str, size: int, tags: Mapping[str, str]) -> bool:
        return (
            self.holds_key(key)
            and (self.larger_than is None or size > self.larger_than)
            and (self.smaller_than is None or size < self.smaller_than)
            and all(tags.get(name) == value for name, value in self.tags)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiration:
    """What happens to current versions. Exactly one of the three is there."""

    days: int | None = None
    """From 1."""
    at_ms: int | None = None
    """A midnight in UTC."""
    marker: bool | None = None
    """Whether delete markers go that no version is left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of the storage class. One of `days` and `at_ms` is there."""

    storage_class: str
    days: int | None = None
    """From 0."""
    at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoncurrentTransition:
    storage_class: str
    days: int
    """From 0."""
    newer_versions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoncurrentExpiration:
    days: int
    """Since the version was replaced, from 1."""
    newer_versions: int | None = None
    """How many newer noncurrent versions stay in any case, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: str
    is_enabled: bool
    scope: Scope
    expiration: Expiration | None = None
    transitions: tuple[Transition, ...] = ()
    noncurrent_expiration: NoncurrentExpiration | None = None
    noncurrent_transitions: tuple[NoncurrentTransition, ...] = ()
    abort_days: int | None = None
    """Since an upload in parts was begun, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The lifecycle configuration of a bucket."""

    rules: tuple[Rule, ...]
    """1 to 1,000, no id twice."""

    @property
    def needs_tags(self) -> bool:
        """Whether a rule in force looks at tags; if not, they need not be read."""
        return any(rule.scope.tags for rule in self.enabled())

    def enabled(self) -> Iterator[Rule]:
        return (rule for rule in self.rules if rule.is_enabled)


def expiry_of_current(
    rules: Rules, *, key: str, size: int, tags: Mapping[str, str], modified_ms: int, day_ms: int = DAY_MS
) -> tuple[int, str] | None:
    """Return when a current version expires, in ms since the epoch, and by which rule's id; or None.

    Of several rules the earliest counts, and of several at one instant the first. The instant may have passed.
    """
    found = (
        (_expiry(rule.expiration, modified_ms=modified_ms, day_ms=day_ms), rule.id)
        for rule in rules.enabled()
        if rule.expiration is not None and rule.scope.holds(key=key, size=size, tags=tags)
    )
    return _earliest(found)


def expires_noncurrent(
    rules: Rules,
    *,
    key: str,
    size: int,
    tags: Mapping[str, str],
    noncurrent_since_ms: int,
    newer_noncurrent_count: int,
    now_ms: int,
    day_ms: int = DAY_MS,
) -> bool:
    """Return whether a version that is no longer current is to go. A delete marker has no bytes and no tags.

    `noncurrent_since_ms` is when the version after it was made. `newer_noncurrent_count` is how many versions of
    the key lie between it and the current one.
    """
    for rule in rules.enabled():
        wanted = rule.noncurrent_expiration
        if (
            wanted is not None
            and newer_noncurrent_count >= (wanted.newer_versions or 0)
            and _after_days(noncurrent_since_ms, wanted.days, day_ms=day_ms) <= now_ms
            and rule.scope.holds(key=key, size=size, tags=tags)
        ):
            return True
    return False


def expires_marker(rules: Rules, *, key: str, modified_ms: int, now_ms: int, day_ms: int = DAY_MS) -> bool:
    """Return whether a delete marker is to go that is the only version of its key.

    It goes by a rule that says so, or when it is as old as a rule lets objects grow. Rules with tags or sizes are
    not for markers.
    """
    for rule in rules.enabled():
        wanted, scope = rule.expiration, rule.scope
        if wanted is None or scope.tags or scope.has_sizes or not scope.holds_key(key):
            continue
        if wanted.marker:
            return True
        if wanted.days is not None and _after_days(modified_ms, wanted.days, day_ms=day_ms) <= now_ms:
            return True
    return False


def abort_of_upload(
    rules: Rules, *, key: str, initiated_ms: int, day_ms: int = DAY_MS
) -> tuple[int, str] | None:
    """Return when an upload in parts is given up, in ms since the epoch, and by which rule's id; or None."""
    return _earliest(
        (_after_days(initiated_ms, rule.abort_days, day_ms=day_ms), rule.id)
        for rule in rules.enabled()
        if rule.abort_days is not None and rule.scope.holds_key(key)
    )


def expires_upload(rules: Rules, *, key: str, initiated_ms: int, now_ms: int, day_ms: int = DAY_MS) -> bool:
    """Return whether an upload in parts is to be given up."""
    found = abort_of_upload(rules, key=key, initiated_ms=initiated_ms, day_ms=day_ms)
    return found is not None and found[0] <= now_ms


def expiration_header(expiry_ms: int, rule_id: str) -> str:
    """Return the value of `x-amz-expiration`.

    S3's reference says that the id is URL-encoded, yet spaces come as they are; so only what would break the
    header is encoded: quotation marks, `%`, backslashes, and all that is not printable ASCII.
    """
    return f'expiry-date="{http_date(expiry_ms)}", rule-id="{_quotable(rule_id)}"'


def abort_headers(abort_ms: int, rule_id: str) -> dict[str, str]:
    """Return the headers by which CreateMultipartUpload and ListParts tell when an upload is given up."""
    return {"x-amz-abort-date": http_date(abort_ms), "x-amz-abort-rule-id": _quotable(rule_id)}


def _quotable(text: str) -> str:
    return _UNQUOTABLE.sub(_percent_encoded, text)


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")])


def _earliest(found: Iterable[tuple[int | None, str]]) -> tuple[int, str] | None:
    dated = [(at_ms, rule_id) for at_ms, rule_id in found if at_ms is not None]
    return min(dated, key=lambda entry: entry[0], default=None)


def _expiry(wanted: Expiration, *, modified_ms: int, day_ms: int) -> int | None:
    if wanted.days is not None:
        return _after_days(modified_ms, wanted.days, day_ms=day_ms)
    return wanted.at_ms


def _after_days(since_ms: int, days: int, *, day_ms: int) -> int:
    """Return `since_ms` plus `days`, at the next midnight if the days are real ones, and no later than the year 9999."""
    due_ms = since_ms + days * day_ms
    if day_ms == DAY_MS:
        due_ms = -(-due_ms // DAY_MS) * DAY_MS
    return min(due_ms, LAST_MS)
