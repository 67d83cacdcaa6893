from __future__ import annotations

import pytest

from valetkey.s3.codes import Code
from valetkey.s3.dates import http_date
from valetkey.s3.errors import S3Error
from valetkey.s3.preconditions import (
    Verdict,
    WriteCondition,
    decide_copy_source,
    decide_read,
    parse_delete_condition,
    parse_write,
    range_applies,
)

ETAG = "d41d8cd98f00b204e9800998ecf8427e"
MODIFIED_MS = 1_445_412_480_900
SAME = http_date(MODIFIED_MS)
BEFORE = http_date(MODIFIED_MS - 1000)
AFTER = http_date(MODIFIED_MS + 1000)
NOW_MS = MODIFIED_MS + 60_000
YET_TO_COME = http_date(NOW_MS + 1000)

GO = Verdict.PROCEED
UNCHANGED = Verdict.NOT_MODIFIED

READS = [
    pytest.param({}, GO, id="no condition"),
    pytest.param({"if-match": f'"{ETAG}"'}, GO, id="match"),
    pytest.param({"if-match": ETAG}, GO, id="match without quotes"),
    pytest.param({"if-match": f'"x", "{ETAG}"'}, GO, id="match in a list"),
    pytest.param({"if-match": "*"}, GO, id="match any"),
    pytest.param({"if-match": '"x"'}, "If-Match", id="no match"),
    pytest.param({"if-match": f'W/"{ETAG}"'}, "If-Match", id="weak never matches strongly"),
    pytest.param({"if-none-match": f'"{ETAG}"'}, UNCHANGED, id="same"),
    pytest.param({"if-none-match": f'W/"{ETAG}"'}, UNCHANGED, id="same but weak"),
    pytest.param({"if-none-match": ETAG}, UNCHANGED, id="same without quotes"),
    pytest.param({"if-none-match": "*"}, UNCHANGED, id="any is there"),
    pytest.param({"if-none-match": '"x"'}, GO, id="another"),
    pytest.param({"if-modified-since": BEFORE}, GO, id="modified since"),
    pytest.param({"if-modified-since": SAME}, UNCHANGED, id="not modified since its own second"),
    pytest.param({"if-modified-since": AFTER}, UNCHANGED, id="not modified since"),
    pytest.param({"if-modified-since": http_date(NOW_MS)}, UNCHANGED, id="not modified since now"),
    pytest.param({"if-modified-since": YET_TO_COME}, GO, id="a date that is yet to come is no condition"),
    pytest.param({"if-unmodified-since": BEFORE}, "If-Unmodified-Since", id="modified after all"),
    pytest.param({"if-unmodified-since": SAME}, GO, id="unmodified since its own second"),
    pytest.param({"if-unmodified-since": AFTER}, GO, id="unmodified"),
    pytest.param({"if-modified-since": "yesterday"}, GO, id="no date is no condition"),
    pytest.param({"if-unmodified-since": "0"}, GO, id="no date is no condition either"),
    # Precedence.
    pytest.param({"if-match": ETAG, "if-unmodified-since": BEFORE}, GO, id="match silences unmodified"),
    pytest.param(
        {"if-match": "x", "if-unmodified-since": AFTER}, "If-Match", id="no match though unmodified"
    ),
    pytest.param({"if-none-match": "x", "if-modified-since": AFTER}, GO, id="another silences not modified"),
    pytest.param(
        {"if-none-match": ETAG, "if-modified-since": BEFORE}, UNCHANGED, id="same silences modified"
    ),
    pytest.param({"if-match": "x", "if-none-match": ETAG}, "If-Match", id="failure before 304"),
    pytest.param({"if-match": ETAG, "if-none-match": ETAG}, UNCHANGED, id="match and same"),
    pytest.param({"if-match": ETAG, "if-modified-since": AFTER}, UNCHANGED, id="match and not modified"),
    pytest.param(
        {"if-unmodified-since": BEFORE, "if-none-match": ETAG}, "If-Unmodified-Since", id="modified, same"
    ),
]


@pytest.mark.parametrize(("headers", "expected"), READS)
def test_read(headers: dict[str, str], expected: Verdict | str) -> None:
    if isinstance(expected, Verdict):
        assert decide_read(headers, etag=ETAG, modified_ms=MODIFIED_MS, now_ms=NOW_MS) is expected
        return
    with pytest.raises(S3Error) as caught:
        decide_read(headers, etag=ETAG, modified_ms=MODIFIED_MS, now_ms=NOW_MS)
    assert caught.value.code is Code.PRECONDITION_FAILED
    assert dict(caught.value.details) == {"Condition": expected}


@pytest.mark.parametrize(("headers", "expected"), READS)
def test_copy_source_follows_reads_but_an_unchanged_source_fails(
    headers: dict[str, str], expected: Verdict | str
) -> None:
    own = {f"x-amz-copy-source-{name}": value for name, value in headers.items()}
    if expected is GO:
        decide_copy_source(own, etag=ETAG, modified_ms=MODIFIED_MS, now_ms=NOW_MS)
        return
    with pytest.raises(S3Error) as caught:
        decide_copy_source(own, etag=ETAG, modified_ms=MODIFIED_MS, now_ms=NOW_MS)
    assert caught.value.code is Code.PRECONDITION_FAILED
    if expected is UNCHANGED:
        expected = "If-None-Match" if "if-none-match" in headers else "If-Modified-Since"
    assert dict(caught.value.details) == {"Condition": f"x-amz-copy-source-{expected}"}


def test_copy_source_pays_no_heed_to_conditions_on_the_target() -> None:
    decide_copy_source(
        {"if-match": "x", "if-none-match": "*"}, etag=ETAG, modified_ms=MODIFIED_MS, now_ms=NOW_MS
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, True),
        ({"if-range": f'"{ETAG}"'}, True),
        ({"if-range": ETAG}, True),
        ({"if-range": '"x"'}, False),
        ({"if-range": f'W/"{ETAG}"'}, False),
        ({"if-range": SAME}, True),
        ({"if-range": BEFORE}, False),
        ({"if-range": AFTER}, False),
    ],
    ids=["absent", "same", "unquoted", "another", "weak", "same second", "before", "after"],
)
def test_range_counts_only_if_it_is_of_what_is_stored(headers: dict[str, str], expected: bool) -> None:
    assert range_applies(headers, etag=ETAG, modified_ms=MODIFIED_MS) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"if-none-match": "*"}, WriteCondition(create_only=True, etag=None)),
        ({"if-match": f'"{ETAG}"'}, WriteCondition(create_only=False, etag=ETAG)),
        ({"if-match": ETAG}, WriteCondition(create_only=False, etag=ETAG)),
        ({"if-match": "*"}, WriteCondition(create_only=False, etag="*")),
        ({"if-none-match": f'"{ETAG}"'}, WriteCondition(create_only=False, etag=None, other_than=ETAG)),
    ],
    ids=["none", "create only", "quoted", "unquoted", "any", "other than a tag"],
)
def test_condition_on_a_write(headers: dict[str, str], expected: WriteCondition | None) -> None:
    assert parse_write(headers, is_strict=False) == expected


@pytest.mark.parametrize(
    ("headers", "header", "sentence"),
    [
        (
            {"if-none-match": '"x"'},
            "If-None-Match",
            "We don't accept the provided value of If-None-Match header for this API",
        ),
        ({"if-match": "*"}, "If-Match", "We don't accept the provided value of If-Match header for this API"),
        (
            {"if-match": "x", "if-none-match": "*"},
            "If-Match,If-None-Match",
            "Multiple conditional request headers present in the request",
        ),
    ],
    ids=["other than star", "star", "both"],
)
def test_condition_on_a_write_that_amazon_does_not_take(
    headers: dict[str, str], header: str, sentence: str
) -> None:
    with pytest.raises(S3Error) as caught:
        parse_write(headers, is_strict=True)
    assert caught.value.code is Code.NOT_IMPLEMENTED
    assert dict(caught.value.details) == {"Header": header, "additionalMessage": sentence}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"if-match": f'"{ETAG}"'}, WriteCondition(create_only=False, etag=ETAG)),
        ({"if-match": "*"}, WriteCondition(create_only=False, etag="*")),
        (
            {"x-amz-if-match-last-modified-time": "Wed, 21 Oct 2015 07:28:00 GMT"},
            WriteCondition(create_only=False, etag=None, modified_ms=1_445_412_480_000),
        ),
        (
            {"x-amz-if-match-last-modified-time": "2015-10-21T07:28:00Z", "x-amz-if-match-size": "0"},
            WriteCondition(create_only=False, etag=None, modified_ms=1_445_412_480_000, size=0),
        ),
        (
            {"if-match": ETAG, "x-amz-if-match-size": " 7 "},
            WriteCondition(create_only=False, etag=ETAG, size=7),
        ),
    ],
    ids=["none", "tag", "whatever is there", "time", "ISO time and size", "tag and size"],
)
def test_condition_on_a_deletion(headers: dict[str, str], expected: WriteCondition | None) -> None:
    assert parse_delete_condition(headers) == expected


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("if-none-match", "*", Code.NOT_IMPLEMENTED),
        ("x-amz-if-match-size", "-1", Code.INVALID_ARGUMENT),
        ("x-amz-if-match-size", "", Code.INVALID_ARGUMENT),
        ("x-amz-if-match-last-modified-time", "yesterday", Code.INVALID_ARGUMENT),
    ],
    ids=["absence", "negative size", "empty size", "no time"],
)
def test_condition_on_a_deletion_is_never_passed_over(name: str, text: str, code: Code) -> None:
    with pytest.raises(S3Error) as caught:
        parse_delete_condition({name: text})
    assert caught.value.code is code
