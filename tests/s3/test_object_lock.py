from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.instants import LAST_MS
from valetkey.s3.object_lock import (
    DefaultRetention,
    LockConfiguration,
    LockRequest,
    Mode,
    asks_bypass,
    default_retention,
    lock_headers,
    lock_request,
    require_in_future,
    require_lockable,
    require_lockable_upload,
    require_retention_change,
    require_versioned,
    require_versioning_change,
)
from valetkey.s3.xml.object_lock import (
    parse_legal_hold,
    parse_lock_configuration,
    parse_retention,
    render_legal_hold,
    render_lock_configuration,
    render_retention,
)

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
YEAR_2030 = "2030-01-01T00:00:00Z"
YEAR_2030_MS = 1_893_456_000_000
MODE = "x-amz-object-lock-mode"
UNTIL = "x-amz-object-lock-retain-until-date"
HOLD = "x-amz-object-lock-legal-hold"


def _configuration(default: str, enabled: str = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>") -> bytes:
    rule = f"<Rule><DefaultRetention>{default}</DefaultRetention></Rule>"
    return f"<ObjectLockConfiguration>{enabled}{rule}</ObjectLockConfiguration>".encode()


@pytest.mark.parametrize(
    ("headers", "request_"),
    [
        pytest.param({}, LockRequest(), id="none"),
        pytest.param(
            {MODE: "GOVERNANCE", UNTIL: YEAR_2030},
            LockRequest(mode=Mode.GOVERNANCE, until_ms=YEAR_2030_MS),
            id="retention",
        ),
        pytest.param({HOLD: "ON"}, LockRequest(legal_hold=True), id="hold"),
        pytest.param(
            {MODE: "COMPLIANCE", UNTIL: "2030-01-01T00:00:00.250Z", HOLD: "OFF"},
            LockRequest(mode=Mode.COMPLIANCE, until_ms=YEAR_2030_MS + 250, legal_hold=False),
            id="all",
        ),
    ],
)
def test_upload_names_its_lock(headers: dict[str, str], request_: LockRequest) -> None:
    found = lock_request(headers, now_ms=NOW_MS)
    assert found == request_
    assert bool(found) == bool(headers)


BOTH = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"


@pytest.mark.parametrize(
    ("headers", "message", "argument"),
    [
        pytest.param({MODE: "GOVERNANCE"}, BOTH, UNTIL, id="mode alone"),
        pytest.param({UNTIL: YEAR_2030}, BOTH, MODE, id="date alone"),
        pytest.param({MODE: "x", UNTIL: YEAR_2030}, "Unknown wormMode directive.", MODE, id="other mode"),
        pytest.param(
            {MODE: "governance", UNTIL: YEAR_2030}, "Unknown wormMode directive.", MODE, id="lower case"
        ),
        pytest.param(
            {MODE: "GOVERNANCE", UNTIL: "abc"},
            "The retain until date must be provided in ISO 8601 format",
            UNTIL,
            id="no date",
        ),
        pytest.param(
            {MODE: "GOVERNANCE", UNTIL: "2020-01-01T00:00:00Z"},
            "The retain until date must be in the future!",
            UNTIL,
            id="past",
        ),
        pytest.param({HOLD: "on"}, "Legal Hold must be either of 'ON' or 'OFF'", HOLD, id="hold"),
    ],
)
def test_lock_headers_out_of_bounds_are_refused(headers: dict[str, str], message: str, argument: str) -> None:
    with pytest.raises(S3Error) as caught:
        lock_request(headers, now_ms=NOW_MS)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)
    assert caught.value.details["ArgumentName"] == argument


@pytest.mark.parametrize(("value", "asks"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_bypass_is_asked_for_with_true(value: str, asks: bool) -> None:
    assert asks_bypass({"x-amz-bypass-governance-retention": value}) == asks


def test_bypass_is_not_asked_for_by_silence() -> None:
    assert not asks_bypass({})


@pytest.mark.parametrize(
    ("default", "retention"),
    [
        (None, None),
        (DefaultRetention(mode=Mode.GOVERNANCE, days=1), (Mode.GOVERNANCE, NOW_MS + DAY_MS)),
        (DefaultRetention(mode=Mode.COMPLIANCE, years=2), (Mode.COMPLIANCE, NOW_MS + 730 * DAY_MS)),
    ],
    ids=["none", "days", "years"],
)
def test_default_counts_from_now(
    default: DefaultRetention | None, retention: tuple[Mode, int] | None
) -> None:
    assert default_retention(LockConfiguration(default=default), now_ms=NOW_MS) == retention


def test_default_ends_with_the_calendar() -> None:
    config = LockConfiguration(default=DefaultRetention(mode=Mode.COMPLIANCE, years=100))
    assert default_retention(config, now_ms=LAST_MS) == (Mode.COMPLIANCE, LAST_MS)


LATER_MS = NOW_MS + 10 * DAY_MS
SOONER_MS = NOW_MS + DAY_MS


@pytest.mark.parametrize(
    ("current", "new", "without_bypass", "with_bypass"),
    [
        pytest.param((None, None), ("COMPLIANCE", LATER_MS), True, True, id="first"),
        pytest.param((None, None), (None, None), True, True, id="none to none"),
        pytest.param(("GOVERNANCE", SOONER_MS), ("GOVERNANCE", LATER_MS), True, True, id="governance longer"),
        pytest.param(("GOVERNANCE", LATER_MS), ("GOVERNANCE", LATER_MS), True, True, id="governance same"),
        pytest.param(
            ("GOVERNANCE", LATER_MS), ("GOVERNANCE", SOONER_MS), False, True, id="governance shorter"
        ),
        pytest.param(("GOVERNANCE", LATER_MS), (None, None), False, True, id="governance removed"),
        pytest.param(
            ("GOVERNANCE", SOONER_MS), ("COMPLIANCE", LATER_MS), False, True, id="governance to compliance"
        ),
        pytest.param(("COMPLIANCE", SOONER_MS), ("COMPLIANCE", LATER_MS), True, True, id="compliance longer"),
        pytest.param(
            ("COMPLIANCE", LATER_MS), ("COMPLIANCE", SOONER_MS), False, False, id="compliance shorter"
        ),
        pytest.param(("COMPLIANCE", LATER_MS), (None, None), False, False, id="compliance removed"),
        pytest.param(
            ("COMPLIANCE", SOONER_MS), ("GOVERNANCE", LATER_MS), False, False, id="compliance to governance"
        ),
        pytest.param(("COMPLIANCE", NOW_MS), (None, None), True, True, id="ended"),
    ],
)
def test_retention_is_loosened_by_whom_its_mode_lets(
    current: tuple[str | None, int | None],
    new: tuple[str | None, int | None],
    without_bypass: bool,
    with_bypass: bool,
) -> None:
    for may_bypass, is_allowed in ((False, without_bypass), (True, with_bypass)):
        refusal: S3Error | None = None
        try:
            require_retention_change(*current, *new, now_ms=NOW_MS, may_bypass=may_bypass)
        except S3Error as error:
            refusal = error
        assert (refusal is None) == is_allowed
        if refusal is not None:
            assert refusal.code is Code.ACCESS_DENIED
            assert refusal.message == "Access Denied because object protected by object lock."


def test_retention_of_a_document_must_end_in_the_future() -> None:
    require_in_future(NOW_MS + 1, now_ms=NOW_MS)
    with pytest.raises(S3Error) as caught:
        require_in_future(NOW_MS, now_ms=NOW_MS)
    assert caught.value.message == "The retain until date must be in the future!"
    assert dict(caught.value.details) == {
        "ArgumentName": "RetainUntilDate",
        "ArgumentValue": "2023-11-14T22:13:20.000Z",
    }


def test_bucket_without_object_lock_takes_no_locks() -> None:
    require_lockable(is_lockable=True)
    require_lockable_upload(LockRequest(), is_lockable=False)
    require_lockable_upload(LockRequest(legal_hold=False), is_lockable=True)
    with pytest.raises(S3Error, match="Bucket is missing Object Lock Configuration") as read:
        require_lockable(is_lockable=False)
    with pytest.raises(S3Error, match="Bucket is missing ObjectLockConfiguration") as upload:
        require_lockable_upload(LockRequest(legal_hold=False), is_lockable=False)
    assert read.value.code is upload.value.code is Code.INVALID_REQUEST


@pytest.mark.parametrize("versioning", [None, "Suspended"])
def test_object_lock_takes_versioning(versioning: str | None) -> None:
    require_versioned("Enabled")
    with pytest.raises(S3Error, match="Versioning must be 'Enabled'") as caught:
        require_versioned(versioning)
    assert caught.value.code.status == 409


def test_bucket_with_object_lock_keeps_versioning() -> None:
    require_versioning_change("Enabled", is_lockable=True)
    require_versioning_change("Suspended", is_lockable=False)
    with pytest.raises(S3Error, match="An Object Lock configuration is present") as caught:
        require_versioning_change("Suspended", is_lockable=True)
    assert caught.value.code is Code.INVALID_BUCKET_STATE


def test_headers_tell_of_the_lock() -> None:
    assert lock_headers(None, None, legal_hold=None) == {}
    assert lock_headers("GOVERNANCE", YEAR_2030_MS + 5, legal_hold=True) == {
        MODE: "GOVERNANCE",
        UNTIL: "2030-01-01T00:00:00.005Z",
        HOLD: "ON",
    }
    assert lock_headers(None, None, legal_hold=False) == {HOLD: "OFF"}


CONFIGURATIONS = [
    LockConfiguration(default=None),
    LockConfiguration(default=DefaultRetention(mode=Mode.GOVERNANCE, days=36_500)),
    LockConfiguration(default=DefaultRetention(mode=Mode.COMPLIANCE, years=1)),
]


@pytest.mark.parametrize("config", CONFIGURATIONS, ids=["none", "days", "years"])
def test_configuration_comes_back(config: LockConfiguration) -> None:
    assert parse_lock_configuration(render_lock_configuration(config).encode()) == config


def test_configuration_is_as_s3_writes_it() -> None:
    assert render_lock_configuration(CONFIGURATIONS[2]) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ObjectLockConfiguration '
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>'
        "<DefaultRetention><Mode>COMPLIANCE</Mode><Years>1</Years></DefaultRetention></Rule>"
        "</ObjectLockConfiguration>"
    )


GOVERNANCE = "<Mode>GOVERNANCE</Mode>"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_configuration(f"{GOVERNANCE}<Days>1</Days><Years>1</Years>"), id="two periods"),
        pytest.param(_configuration(GOVERNANCE), id="no period"),
        pytest.param(_configuration("<Days>1</Days>"), id="no mode"),
        pytest.param(_configuration("<Mode>abc</Mode><Years>1</Years>"), id="other mode"),
        pytest.param(_configuration("<Mode>governance</Mode><Years>1</Years>"), id="mode in lower case"),
        pytest.param(_configuration(f"{GOVERNANCE}<Days>x</Days>"), id="days in letters"),
        pytest.param(
            _configuration(f"{GOVERNANCE}<Days>1</Days>", "<ObjectLockEnabled>Disabled</ObjectLockEnabled>"),
            id="disabled",
        ),
        pytest.param(_configuration(f"{GOVERNANCE}<Days>1</Days>", ""), id="not enabled"),
        pytest.param(b"<ObjectLockConfiguration/>", id="empty"),
        pytest.param(
            b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule/>"
            b"</ObjectLockConfiguration>",
            id="empty rule",
        ),
    ],
)
def test_configuration_against_the_schema_is_malformed(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_lock_configuration(body)
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ("<Days>0</Days>", "Default retention period must be a positive integer value."),
        ("<Years>-1</Years>", "Default retention period must be a positive integer value."),
        ("<Days>36501</Days>", "Default retention period too large."),
        ("<Years>101</Years>", "Default retention period too large."),
    ],
)
def test_period_out_of_bounds_is_refused(period: str, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_lock_configuration(_configuration(GOVERNANCE + period))
    assert (caught.value.code, caught.value.message) == (Code.INVALID_RETENTION_PERIOD, message)


@given(st.sampled_from(Mode), st.integers(0, LAST_MS))
def test_retention_comes_back(mode: Mode, until_ms: int) -> None:
    document = render_retention(mode.value, until_ms).encode()
    assert parse_retention(document) == LockRequest(mode=mode, until_ms=until_ms)


def test_empty_retention_removes() -> None:
    assert not parse_retention(b"<Retention/>")


@pytest.mark.parametrize(
    "content",
    [
        GOVERNANCE,
        f"<RetainUntilDate>{YEAR_2030}</RetainUntilDate>",
        f"<Mode>abc</Mode><RetainUntilDate>{YEAR_2030}</RetainUntilDate>",
        f"<Mode>governance</Mode><RetainUntilDate>{YEAR_2030}</RetainUntilDate>",
        f"{GOVERNANCE}<RetainUntilDate>tomorrow</RetainUntilDate>",
        f"{GOVERNANCE}<RetainUntilDate>{YEAR_2030}</RetainUntilDate><Other/>",
    ],
    ids=["no date", "no mode", "other mode", "lower case", "not a date", "more"],
)
def test_retention_against_the_schema_is_malformed(content: str) -> None:
    with pytest.raises(S3Error) as caught:
        parse_retention(f"<Retention>{content}</Retention>".encode())
    assert caught.value.code is Code.MALFORMED_XML


@pytest.mark.parametrize("is_on", [True, False])
def test_legal_hold_comes_back(is_on: bool) -> None:
    assert parse_legal_hold(render_legal_hold(is_on=is_on).encode()) == is_on


@pytest.mark.parametrize(
    "body",
    [
        b"<LegalHold/>",
        b"<LegalHold><Status>abc</Status></LegalHold>",
        b"<LegalHold><Status>on</Status></LegalHold>",
    ],
)
def test_legal_hold_is_on_or_off(body: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        parse_legal_hold(body)
    assert caught.value.code is Code.MALFORMED_XML
