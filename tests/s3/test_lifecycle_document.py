from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.lifecycle import (
    DAY_MS,
    Expiration,
    Form,
    NoncurrentExpiration,
    NoncurrentTransition,
    Rule,
    Rules,
    Scope,
    Transition,
)
from valetkey.s3.lifecycle_checks import transition_min_size
from valetkey.s3.xml.lifecycle_reader import parse_lifecycle
from valetkey.s3.xml.lifecycle_writer import render_lifecycle

PREFIX = "<Prefix>a/</Prefix>"
ENABLED = "<Status>Enabled</Status>"
ONE_DAY = "<Expiration><Days>1</Days></Expiration>"
TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>"


def _parse(*rules: str) -> Rules:
    numbers = count(1)
    content = "".join(f"<Rule>{rule}</Rule>" for rule in rules)
    body = f"<LifecycleConfiguration>{content}</LifecycleConfiguration>".encode()
    return parse_lifecycle(body, new_id=lambda: f"drawn-{next(numbers)}")


def _refusal(*rules: str) -> S3Error:
    with pytest.raises(S3Error) as caught:
        _parse(*rules)
    return caught.value


def _scope(filter_: str) -> Scope:
    return _parse(f"<Filter>{filter_}</Filter>{ENABLED}{ONE_DAY}").rules[0].scope


def _with(actions: str, scope: str = "<Filter/>") -> Rule:
    return _parse(f"{scope}{ENABLED}{actions}").rules[0]


def test_configuration_as_botocore_sends_it() -> None:
    body = (
        b'<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><Expiration><Days>31</Days>'
        b"</Expiration><ID>test1/</ID><Prefix>test1/</Prefix><Status>Enabled</Status></Rule><Rule><Expiration>"
        b"<Date>2030-01-01T00:00:00Z</Date></Expiration><Prefix>b</Prefix><Status>Disabled</Status></Rule>"
        b"</LifecycleConfiguration>"
    )
    assert parse_lifecycle(body, new_id=lambda: "drawn") == Rules(
        rules=(
            Rule(
                id="test1/",
                is_enabled=True,
                scope=Scope(form=Form.PREFIX, prefix="test1/"),
                expiration=Expiration(days=31),
            ),
            Rule(
                id="drawn",
                is_enabled=False,
                scope=Scope(form=Form.PREFIX, prefix="b"),
                expiration=Expiration(at_ms=1_893_456_000_000),
            ),
        )
    )


def test_document_comes_back_in_s3s_order() -> None:
    rules = _parse(
        f"<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
        f"</AbortIncompleteMultipartUpload><NoncurrentVersionExpiration><NewerNoncurrentVersions>2"
        f"</NewerNoncurrentVersions><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"
        f"<Expiration><Days>90</Days></Expiration><Transition><StorageClass>GLACIER</StorageClass><Days>0</Days>"
        f"</Transition>{ENABLED}<Filter/><ID>a&amp;b</ID>"
    )
    assert render_lifecycle(rules) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<LifecycleConfiguration '
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>a&amp;b</ID><Filter/><Status>Enabled</Status>'
        "<Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>"
        "<Expiration><Days>90</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>"
        "<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
        "</AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"
    )


@pytest.mark.parametrize(
    ("filter_", "scope"),
    [
        pytest.param("", Scope(form=Form.FILTER), id="empty"),
        pytest.param("<Prefix/>", Scope(form=Form.FILTER, prefix=""), id="empty prefix"),
        pytest.param(PREFIX, Scope(form=Form.FILTER, prefix="a/"), id="prefix"),
        pytest.param(TAG, Scope(form=Form.FILTER, tags=(("k", "v"),)), id="tag"),
        pytest.param(
            "<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>",
            Scope(form=Form.FILTER, larger_than=0),
            id="size",
        ),
        pytest.param(
            f"<And>{PREFIX}{TAG}<ObjectSizeLessThan>9</ObjectSizeLessThan></And>",
            Scope(form=Form.AND, prefix="a/", tags=(("k", "v"),), smaller_than=9),
            id="and",
        ),
        pytest.param(
            PREFIX + TAG, Scope(form=Form.AND, prefix="a/", tags=(("k", "v"),)), id="beside each other"
        ),
        pytest.param(
            f"{PREFIX}{TAG}<And><Prefix>a</Prefix><Tag><Key>l</Key></Tag></And>",
            Scope(form=Form.AND, prefix="a/", tags=(("k", "v"), ("l", ""))),
            id="beside an and",
        ),
    ],
)
def test_conditions_of_a_filter_hold_together(filter_: str, scope: Scope) -> None:
    assert _scope(filter_) == scope


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(PREFIX + ONE_DAY, id="no status"),
        pytest.param(f"{PREFIX}<Status>enabled</Status>{ONE_DAY}", id="status in lower case"),
        pytest.param(f"{PREFIX}<Status>invalid</Status>{ONE_DAY}", id="other status"),
        pytest.param(ENABLED + ONE_DAY, id="no scope"),
        pytest.param(f"{PREFIX}<Filter/>{ENABLED}{ONE_DAY}", id="two scopes"),
        pytest.param(PREFIX + PREFIX + ENABLED + ONE_DAY, id="element twice"),
        pytest.param(f"{PREFIX}{ENABLED}{ONE_DAY}<Other/>", id="unknown element"),
        pytest.param(f"<Filter>{PREFIX}{PREFIX}</Filter>{ENABLED}{ONE_DAY}", id="two prefixes"),
        pytest.param(f"<Filter><And>{PREFIX}</And></Filter>{ENABLED}{ONE_DAY}", id="and of one"),
        pytest.param(
            f"<Filter><Prefix>b</Prefix><And>{PREFIX}{TAG}</And></Filter>{ENABLED}{ONE_DAY}",
            id="prefixes that cannot both hold",
        ),
        pytest.param(f"<Filter><Tag/></Filter>{ENABLED}{ONE_DAY}", id="tag without name"),
        pytest.param(f"{PREFIX}{ENABLED}<Expiration/>", id="empty expiration"),
        pytest.param(
            f"{PREFIX}{ENABLED}<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>",
            id="days and date",
        ),
        pytest.param(
            f"{PREFIX}{ENABLED}<Expiration><Days>1</Days>"
            "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
            id="days and markers",
        ),
        pytest.param(f"{PREFIX}{ENABLED}<Expiration><Days>x</Days></Expiration>", id="days in letters"),
        pytest.param(
            f"{PREFIX}{ENABLED}<Expiration><Days>2147483648</Days></Expiration>", id="days beyond an int"
        ),
        pytest.param(f"{PREFIX}{ENABLED}<Expiration><Date>soon</Date></Expiration>", id="no date"),
        pytest.param(
            f"{PREFIX}{ENABLED}<NoncurrentVersionExpiration><NewerNoncurrentVersions>1"
            "</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
            id="noncurrent without days",
        ),
        pytest.param(
            f"{PREFIX}{ENABLED}<Transition><Days>1</Days><StorageClass>ICE</StorageClass></Transition>",
            id="unknown class",
        ),
        pytest.param(f"{PREFIX}{ENABLED}<Transition><Days>1</Days></Transition>", id="no class"),
        pytest.param(
            f"{PREFIX}{ENABLED}<Transition><StorageClass>GLACIER</StorageClass></Transition>", id="no time"
        ),
        pytest.param(f"{PREFIX}{ENABLED}<AbortIncompleteMultipartUpload/>", id="abort without days"),
    ],
)
def test_rule_against_the_schema_is_malformed(rule: str) -> None:
    assert _refusal(rule).code is Code.MALFORMED_XML


def test_rules_number_one_to_a_thousand() -> None:
    rule = PREFIX + ENABLED + ONE_DAY
    assert len(_parse(*[rule] * 1000).rules) == 1000
    assert _refusal().code is Code.MALFORMED_XML
    assert _refusal(*[rule] * 1001).code is Code.MALFORMED_XML


def _days(name: str, days: str, inside: str) -> str:
    return f"{PREFIX}{ENABLED}<{inside}><{name}>{days}</{name}></{inside}>"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            [f"<ID>{'a' * 256}</ID>{PREFIX}{ENABLED}{ONE_DAY}"],
            "ID length should not exceed allowed limit of 255",
        ),
        (
            [f"<ID>a</ID>{PREFIX}{ENABLED}{ONE_DAY}"] * 2,
            "Rule ID must be unique. Found same ID for more than one rule",
        ),
        ([_days("Days", "0", "Expiration")], "'Days' for Expiration action must be a positive integer"),
        ([_days("Days", "-1", "Expiration")], "'Days' for Expiration action must be a positive integer"),
        ([_days("Date", "2030-01-01T00:00:01Z", "Expiration")], "'Date' must be at midnight GMT"),
        (
            [_days("NoncurrentDays", "0", "NoncurrentVersionExpiration")],
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
        ),
        (
            [_days("DaysAfterInitiation", "0", "AbortIncompleteMultipartUpload")],
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
        ),
        (
            [
                f"{PREFIX}{ENABLED}<Transition><Days>29</Days><StorageClass>STANDARD_IA</StorageClass>"
                "</Transition>"
            ],
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
        ),
        (
            [
                f"<Filter>{PREFIX}</Filter>{ENABLED}{ONE_DAY}<Transition><Days>1</Days>"
                "<StorageClass>GLACIER</StorageClass></Transition>"
            ],
            "'Days' in the Expiration action for filter '(prefix=a/)' must be greater than 'Days' in the "
            "Transition action",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_value_out_of_bounds_is_an_invalid_argument(rules: list[str], message: str) -> None:
    refusal = _refusal(*rules)
    assert (refusal.code, refusal.message) == (Code.INVALID_ARGUMENT, message)


MARKER = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
ABORT = (
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"
    "</AbortIncompleteMultipartUpload>"
)
SIZED = "<Filter><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter>"
TO_GLACIER = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"
ON_A_DATE = "<Transition><Date>2030-01-01</Date><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([PREFIX + ENABLED], "At least one action needs to be specified in a rule"),
        (
            [PREFIX + ENABLED + ONE_DAY, f"<Filter/>{ENABLED}{ONE_DAY}"],
            "Filter element can only be used in Lifecycle V2.",
        ),
        (
            [f"<Filter/>{ENABLED}{ONE_DAY}", PREFIX + ENABLED + ONE_DAY],
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        ),
        (
            [
                f"{PREFIX}{ENABLED}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
                "<NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
            ],
            "NewerNoncurrentVersions element can only be used in Lifecycle V2.",
        ),
        (
            [f"<Filter><And>{TAG}{TAG}</And></Filter>{ENABLED}{ONE_DAY}"],
            "Duplicate Tag Keys are not allowed.",
        ),
        (
            [f"<Filter><ObjectSizeLessThan>0</ObjectSizeLessThan></Filter>{ENABLED}{ONE_DAY}"],
            "'ObjectSizeLessThan' should be between 1 and 1099511627776000.",
        ),
        (
            [
                "<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5"
                f"</ObjectSizeLessThan></And></Filter>{ENABLED}{ONE_DAY}"
            ],
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        ),
        (
            [f"<Filter>{TAG}</Filter>{ENABLED}{MARKER}"],
            "ExpiredObjectDeleteMarker cannot be specified with Tags.",
        ),
        (
            [f"{SIZED}{ENABLED}{MARKER}"],
            "ExpiredObjectDeleteMarker cannot be specified with Object Size.",
        ),
        (
            [f"<Filter>{TAG}</Filter>{ENABLED}{ABORT}"],
            "AbortIncompleteMultipartUpload cannot be specified with Tags.",
        ),
        (
            [f"{SIZED}{ENABLED}{ABORT}"],
            "AbortIncompleteMultipartUpload cannot be specified with Object Size.",
        ),
        (
            [f"<Filter/>{ENABLED}{TO_GLACIER}{TO_GLACIER}"],
            "'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=)'",
        ),
        (
            [f"<Filter/>{ENABLED}{TO_GLACIER}{ON_A_DATE}"],
            "Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '(prefix=)'",
        ),
        (
            [f"{PREFIX}{ENABLED}{ONE_DAY}{ON_A_DATE}"],
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix "
            "'a/'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parts_that_do_not_go_together_are_an_invalid_request(rules: list[str], message: str) -> None:
    refusal = _refusal(*rules)
    assert (refusal.code, refusal.message) == (Code.INVALID_REQUEST, message)


def test_every_rule_without_an_id_gets_one_of_its_own() -> None:
    rule = PREFIX + ENABLED + ONE_DAY
    rules = _parse(rule, f"<ID>mine</ID>{rule}", f"<ID/>{rule}")
    assert [entry.id for entry in rules.rules] == ["drawn-1", "mine", "drawn-2"]


def test_markers_may_be_said_not_to_expire() -> None:
    actions = "<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>"
    assert _with(actions).expiration == Expiration(marker=False)


def test_transition_of_noncurrent_versions_is_kept() -> None:
    actions = (
        "<NoncurrentVersionTransition><NoncurrentDays>0</NoncurrentDays><StorageClass>GLACIER_IR</StorageClass>"
        "<NewerNoncurrentVersions>4</NewerNoncurrentVersions></NoncurrentVersionTransition>"
    )
    assert _with(actions).noncurrent_transitions == (
        NoncurrentTransition(storage_class="GLACIER_IR", days=0, newer_versions=4),
    )


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (None, "all_storage_classes_128K"),
        ("varies_by_storage_class", "varies_by_storage_class"),
        ("all_storage_classes_128K", "all_storage_classes_128K"),
    ],
)
def test_least_size_for_transitions_is_kept(header: str | None, value: str) -> None:
    assert transition_min_size(header) == value


def test_unknown_least_size_for_transitions_is_refused() -> None:
    with pytest.raises(S3Error) as caught:
        transition_min_size("value")
    assert caught.value.code is Code.INVALID_REQUEST
    assert caught.value.message == "Invalid TransitionDefaultMinimumObjectSize found: value"


TEXT = st.text(
    st.characters(codec="utf-8", min_codepoint=0x20, max_codepoint=0xFFFD) | st.sampled_from("\t\n\r&<"),
    max_size=8,
)
DAYS = st.integers(1, 2**31 - 1)
NEWER = st.none() | st.integers(1, 100)


@st.composite
def _conditions(draw: st.DrawFn) -> Scope:
    tags = draw(st.dictionaries(TEXT.filter(bool), TEXT, max_size=3))
    above = draw(st.none() | st.integers(0, 1000))
    below = draw(st.none() | st.integers(1001, 2000))
    prefix = draw(st.none() | TEXT)
    number = len(tags) + sum(value is not None for value in (above, below, prefix))
    return Scope(
        form=Form.FILTER if number < 2 else Form.AND,
        prefix=prefix,
        tags=tuple(tags.items()),
        larger_than=above,
        smaller_than=below,
    )


@st.composite
def _rules(draw: st.DrawFn) -> Rules:
    is_old = draw(st.booleans())
    ids = draw(st.lists(TEXT.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True))
    return Rules(rules=tuple(draw(_rule(id_, is_old=is_old)) for id_ in ids))


@st.composite
def _rule(draw: st.DrawFn, id_: str, *, is_old: bool) -> Rule:
    scope = Scope(form=Form.PREFIX, prefix=draw(TEXT)) if is_old else draw(_conditions())
    is_whole = not (scope.tags or scope.has_sizes)
    newer = st.none() if is_old else NEWER
    expirations = [
        st.builds(Expiration, days=st.integers(101, 2**31 - 1)),
        st.builds(Expiration, at_ms=st.integers(-100_000, 100_000).map(lambda day: day * DAY_MS)),
        st.builds(Expiration, marker=st.booleans()) if is_whole else st.none(),
    ]
    expiration = draw(st.one_of(expirations))
    transition = st.builds(Transition, storage_class=st.just("GLACIER"), days=st.integers(0, 100))
    is_dated = expiration is not None and expiration.at_ms is not None
    later = st.builds(NoncurrentTransition, storage_class=st.just("GLACIER"), days=DAYS, newer_versions=newer)
    return Rule(
        id=id_,
        is_enabled=draw(st.booleans()),
        scope=scope,
        expiration=expiration,
        transitions=() if is_dated else tuple(draw(st.lists(transition, max_size=1))),
        noncurrent_expiration=draw(st.builds(NoncurrentExpiration, days=DAYS, newer_versions=newer)),
        noncurrent_transitions=tuple(draw(st.lists(later, max_size=1))),
        abort_days=draw(st.none() | DAYS) if is_whole else None,
    )


@given(_rules())
def test_what_is_rendered_reads_as_the_same_rules(rules: Rules) -> None:
    def no_id() -> str:
        raise AssertionError

    assert parse_lifecycle(render_lifecycle(rules).encode(), new_id=no_id) == rules


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body_is_rules_or_a_refusal(refusal_of: Callable[..., Code | None], body: bytes) -> None:
    wrapped = b"<LifecycleConfiguration><Rule>" + body + b"</Rule></LifecycleConfiguration>"
    for candidate in (body, wrapped):
        code = refusal_of(lambda raw: parse_lifecycle(raw, new_id=lambda: "id"), candidate)
        assert code in {Code.MALFORMED_XML, Code.MISSING_REQUEST_BODY_ERROR}
