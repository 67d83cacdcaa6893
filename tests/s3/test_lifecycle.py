from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from valetkey.s3.instants import LAST_MS
from valetkey.s3.lifecycle import (
    DAY_MS,
    Expiration,
    Form,
    NoncurrentExpiration,
    Rule,
    Rules,
    Scope,
    abort_headers,
    abort_of_upload,
    expiration_header,
    expires_marker,
    expires_noncurrent,
    expires_upload,
    expiry_of_current,
)

# 15 January 2014, 10:30 in UTC: the example of the guide's page on expiration.
MADE_MS = 1_389_781_800_000
MIDNIGHT_19_MS = 1_390_089_600_000
SHORT_DAY_MS = 10_000


def _rule(id_: str = "r", *, is_enabled: bool = True, scope: Scope | None = None, **actions: Any) -> Rule:
    scope = Scope(form=Form.FILTER) if scope is None else scope
    return Rule(id=id_, is_enabled=is_enabled, scope=scope, **actions)


def _scope(**conditions: Any) -> Scope:
    return Scope(form=Form.AND, **conditions)


def _expiry(
    *rules: Rule,
    key: str = "logs/a",
    size: int = 10,
    tags: Mapping[str, str] | None = None,
    day_ms: int = DAY_MS,
) -> tuple[int, str] | None:
    return expiry_of_current(
        Rules(rules=rules), key=key, size=size, tags=tags or {}, modified_ms=MADE_MS, day_ms=day_ms
    )


def test_days_end_at_the_next_midnight() -> None:
    assert _expiry(_rule(expiration=Expiration(days=3))) == (MIDNIGHT_19_MS, "r")


def test_object_made_at_midnight_waits_for_no_other_midnight() -> None:
    rules = Rules(rules=(_rule(expiration=Expiration(days=1)),))
    found = expiry_of_current(rules, key="k", size=0, tags={}, modified_ms=MIDNIGHT_19_MS)
    assert found == (MIDNIGHT_19_MS + DAY_MS, "r")


def test_short_days_are_not_rounded() -> None:
    rule = _rule(expiration=Expiration(days=3))
    assert _expiry(rule, day_ms=SHORT_DAY_MS) == (MADE_MS + 30_000, "r")


def test_a_date_is_itself_though_it_has_passed() -> None:
    assert _expiry(_rule(expiration=Expiration(at_ms=0))) == (0, "r")


def test_days_beyond_the_calendar_end_with_it() -> None:
    assert _expiry(_rule(expiration=Expiration(days=2**31 - 1))) == (LAST_MS, "r")


def test_earliest_of_several_rules_counts() -> None:
    rules = [_rule(id_, expiration=Expiration(days=days)) for id_, days in (("a", 5), ("b", 3), ("c", 3))]
    assert _expiry(*rules) == (MIDNIGHT_19_MS, "b")


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(_rule(is_enabled=False, expiration=Expiration(days=1)), id="disabled"),
        pytest.param(_rule(expiration=Expiration(marker=True)), id="markers only"),
        pytest.param(_rule(noncurrent_expiration=NoncurrentExpiration(days=1)), id="noncurrent only"),
        pytest.param(_rule(abort_days=1), id="uploads only"),
    ],
)
def test_other_rules_do_not_expire_objects(rule: Rule) -> None:
    assert _expiry(rule) is None


@pytest.mark.parametrize(
    ("scope", "is_in"),
    [
        (_scope(prefix="logs/"), True),
        (_scope(prefix="log"), True),
        (_scope(prefix=""), True),
        (_scope(prefix="Logs/"), False),
        (_scope(larger_than=9), True),
        (_scope(larger_than=10), False),
        (_scope(smaller_than=11), True),
        (_scope(smaller_than=10), False),
        (_scope(tags=(("a", "1"),)), True),
        (_scope(tags=(("a", "1"), ("b", ""))), True),
        (_scope(tags=(("a", "2"),)), False),
        (
            _scope(
                tags=(("a", "1"), ("c", "")),
            ),
            False,
        ),
        (_scope(prefix="logs/", larger_than=10, tags=(("a", "1"),)), False),
    ],
)
def test_all_conditions_of_a_scope_must_hold(scope: Scope, is_in: bool) -> None:
    rule = _rule(scope=scope, expiration=Expiration(days=1))
    assert (_expiry(rule, tags={"a": "1", "b": ""}) is not None) == is_in


def _noncurrent(rule: Rule, **changed: Any) -> bool:
    given: dict[str, Any] = {
        "key": "k",
        "size": 1,
        "tags": {},
        "noncurrent_since_ms": MADE_MS,
        "newer_noncurrent_count": 0,
        "now_ms": MIDNIGHT_19_MS,
    }
    return expires_noncurrent(Rules(rules=(rule,)), **(given | changed))


def test_noncurrent_version_goes_days_after_it_was_replaced() -> None:
    rule = _rule(noncurrent_expiration=NoncurrentExpiration(days=3))
    assert _noncurrent(rule)
    assert not _noncurrent(rule, now_ms=MIDNIGHT_19_MS - 1)
    assert _noncurrent(rule, now_ms=MADE_MS + 30_000, day_ms=SHORT_DAY_MS)
    assert not _noncurrent(rule, now_ms=MADE_MS + 29_999, day_ms=SHORT_DAY_MS)


def test_newer_noncurrent_versions_stay() -> None:
    rule = _rule(noncurrent_expiration=NoncurrentExpiration(days=1, newer_versions=5))
    gone = [count for count in range(9) if _noncurrent(rule, newer_noncurrent_count=count)]
    assert gone == [5, 6, 7, 8]


def test_noncurrent_version_outside_the_scope_stays() -> None:
    rule = _rule(scope=_scope(tags=(("a", "1"),)), noncurrent_expiration=NoncurrentExpiration(days=1))
    assert not _noncurrent(rule)
    assert _noncurrent(rule, tags={"a": "1"})


def test_disabled_rule_touches_nothing() -> None:
    rule = _rule(
        is_enabled=False,
        expiration=Expiration(marker=True),
        noncurrent_expiration=NoncurrentExpiration(days=1),
        abort_days=1,
    )
    rules = Rules(rules=(rule,))
    assert not _noncurrent(rule)
    assert not expires_marker(rules, key="k", modified_ms=0, now_ms=MADE_MS)
    assert not expires_upload(rules, key="k", initiated_ms=0, now_ms=MADE_MS)
    assert not rules.needs_tags


@pytest.mark.parametrize(
    ("rule", "goes"),
    [
        pytest.param(_rule(expiration=Expiration(marker=True)), True, id="says so"),
        pytest.param(_rule(expiration=Expiration(marker=False)), False, id="says not"),
        pytest.param(_rule(expiration=Expiration(days=3)), True, id="old enough"),
        pytest.param(_rule(expiration=Expiration(days=4)), False, id="too young"),
        pytest.param(_rule(expiration=Expiration(at_ms=0)), False, id="date"),
        pytest.param(_rule(noncurrent_expiration=NoncurrentExpiration(days=1)), False, id="noncurrent"),
        pytest.param(
            _rule(scope=_scope(prefix="x"), expiration=Expiration(marker=True)), False, id="other key"
        ),
        pytest.param(
            _rule(scope=_scope(tags=(("a", "1"),)), expiration=Expiration(days=1)), False, id="tags"
        ),
        pytest.param(_rule(scope=_scope(larger_than=0), expiration=Expiration(days=1)), False, id="size"),
    ],
)
def test_lone_marker_goes_by_rule_or_by_age(rule: Rule, goes: bool) -> None:
    found = expires_marker(Rules(rules=(rule,)), key="k", modified_ms=MADE_MS, now_ms=MIDNIGHT_19_MS)
    assert found == goes


def test_upload_is_given_up_at_the_midnight_after_its_days() -> None:
    rules = Rules(rules=(_rule("a", abort_days=4), _rule("b", abort_days=3)))
    assert abort_of_upload(rules, key="k", initiated_ms=MADE_MS) == (MIDNIGHT_19_MS, "b")
    assert expires_upload(rules, key="k", initiated_ms=MADE_MS, now_ms=MIDNIGHT_19_MS)
    assert not expires_upload(rules, key="k", initiated_ms=MADE_MS, now_ms=MIDNIGHT_19_MS - 1)
    assert expires_upload(rules, key="k", initiated_ms=MADE_MS, now_ms=MADE_MS + 30_000, day_ms=SHORT_DAY_MS)


def test_upload_elsewhere_is_not_given_up() -> None:
    rules = Rules(rules=(_rule(scope=_scope(prefix="a/"), abort_days=1),))
    assert abort_of_upload(rules, key="b/", initiated_ms=0) is None


def test_rules_in_force_say_what_they_need_to_know() -> None:
    tagged = _rule(scope=_scope(tags=(("a", "1"),)), expiration=Expiration(days=1))
    sized = _rule(scope=_scope(larger_than=1), expiration=Expiration(days=1))
    plain = _rule(scope=_scope(prefix="a"), expiration=Expiration(days=1))
    assert [Rules(rules=(plain, rule)).needs_tags for rule in (tagged, sized, plain)] == [True, False, False]


@pytest.mark.parametrize(
    ("rule_id", "written"),
    [
        ("picture-deletion-rule", "picture-deletion-rule"),
        ("Delete after 14 days", "Delete after 14 days"),
        ('a"b%\\', "a%22b%25%5C"),
        ("größe\n", "gr%C3%B6%C3%9Fe%0A"),
    ],
)
def test_expiration_header_is_as_s3_writes_it(rule_id: str, written: str) -> None:
    header = expiration_header(1_356_220_800_000, rule_id)
    assert header == f'expiry-date="Sun, 23 Dec 2012 00:00:00 GMT", rule-id="{written}"'


def test_end_of_an_upload_is_told_in_two_headers() -> None:
    assert abort_headers(MIDNIGHT_19_MS, "a b") == {
        "x-amz-abort-date": "Sun, 19 Jan 2014 00:00:00 GMT",
        "x-amz-abort-rule-id": "a b",
    }
