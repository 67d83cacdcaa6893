"""What a presigned URL must say, and in which order it is checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.sigv4.claims import AuthType, Claim, SignatureVersion, read_claim
from valetkey.sigv4.errors import (
    ExpiredError,
    MalformedQueryAuthError,
    MisuseError,
    NotYetValidError,
    TwoMechanismsError,
    UnsupportedMechanismError,
)
from valetkey.sigv4.payload import Payload, PayloadKind
from valetkey.sigv4.received import ReceivedRequest

BASE = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "3600",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0" * 64,
}
MISSING = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
CREDENTIAL = "Error parsing the X-Amz-Credential parameter; "
MALFORMED_CREDENTIAL = (
    f'{CREDENTIAL}the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)
DATE_FORM = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
NOT_A_NUMBER = "X-Amz-Expires should be a number"
NEGATIVE = "X-Amz-Expires must be non-negative"
TOO_LONG = (
    "X-Amz-Expires must be less than a week (in seconds); "
    "that is, the given X-Amz-Expires must be less than 604800 seconds"
)


def presigned(
    changes: dict[str, str | None] | None = None,
    *,
    extra: str = "",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> ReceivedRequest:
    values = {**BASE, **(changes or {})}
    query = "&".join(f"{name}={value}" for name, value in values.items() if value is not None) + extra
    return ReceivedRequest("GET", b"/bucket/key", query.encode(), [(b"host", b"h"), *(headers or [])])


def credential(**changes: str) -> str:
    parts = {"key": "AKID", "date": "20130524", "region": "us-east-1", "service": "s3", "end": "aws4_request"}
    return "%2F".join({**parts, **changes}.values())


def test_claim_says_who_and_for_how_long(claim_of: Callable[..., Claim]) -> None:
    claim = claim_of(presigned())
    assert claim.access_key == "AKID"
    assert claim.session_token is None
    assert claim.auth_type is AuthType.QUERY
    assert claim.version is SignatureVersion.V4
    assert claim.signed_at == datetime(2013, 5, 24, tzinfo=UTC)
    assert claim.expires_at == datetime(2013, 5, 24, 1, tzinfo=UTC)
    assert claim.payload == Payload(PayloadKind.UNSIGNED)


def test_nothing_claimed_is_anonymous(at: datetime) -> None:
    request = ReceivedRequest("GET", b"/bucket/key", b"list-type=2&X-Amz-Date=1&Expires=1", [(b"host", b"h")])
    assert read_claim(request, region="us-east-1", now=at) is None


def test_naive_now_is_refused() -> None:
    with pytest.raises(MisuseError, match="naive"):
        read_claim(presigned(), region="us-east-1", now=datetime(2013, 5, 24))  # noqa: DTZ001


@pytest.mark.parametrize("name", BASE)
def test_each_parameter_is_required(name: str, claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(MalformedQueryAuthError) as caught:
        claim_of(presigned({name: None}))
    assert caught.value.message == MISSING


@pytest.mark.parametrize(
    "extra",
    [
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "&X-Amz-Credential=x",
        "&X-Amz-Date=20130524T000000Z",
        "&X-Amz-Expires=3600",
        "&X-Amz-SignedHeaders=host",
        f"&X-Amz-Signature={'0' * 64}",
        "&X-Amz-Security-Token=a&X-Amz-Security-Token=a",
        "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD",
        "&X%2DAmz-Expires=3600",
        "&X-Amz-Expires",
    ],
)
def test_a_parameter_given_twice_is_refused(extra: str, claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(MalformedQueryAuthError, match="must not be given more than once"):
        claim_of(presigned(extra=extra))


def test_other_parameters_may_be_repeated(claim_of: Callable[..., Claim]) -> None:
    assert claim_of(presigned(extra="&tag=1&tag=2&x-amz-date=1")).access_key == "AKID"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"X-Amz-Algorithm": "AWS4-HMAC-SHA1"}, None, id="algorithm"),
        pytest.param({"X-Amz-Credential": "AKID"}, MALFORMED_CREDENTIAL, id="too few parts"),
        pytest.param({"X-Amz-Credential": credential() + "%2Fx"}, MALFORMED_CREDENTIAL, id="too many parts"),
        pytest.param(
            {"X-Amz-Credential": credential().replace("%2F", "%252F")},
            MALFORMED_CREDENTIAL,
            id="encoded twice",
        ),
        pytest.param(
            {"X-Amz-Credential": credential(key="")},
            f"{CREDENTIAL}a non-empty Access Key (AKID) must be provided in the credential.",
            id="empty access key",
        ),
        pytest.param(
            {"X-Amz-Credential": credential(date="2013-05-24")},
            f'{CREDENTIAL}incorrect date format "2013-05-24". '
            'This date in the credential must be in the format "yyyyMMdd".',
            id="form of the scope date",
        ),
        pytest.param(
            {"X-Amz-Credential": credential(service="sns")},
            f'{CREDENTIAL}incorrect service "sns". This endpoint belongs to "s3".',
            id="service",
        ),
        pytest.param(
            {"X-Amz-Credential": credential(end="x")},
            f'{CREDENTIAL}incorrect terminal "x". This endpoint uses "aws4_request".',
            id="terminal",
        ),
        pytest.param(
            {"X-Amz-Credential": credential(region="eu-west-1")},
            f"{CREDENTIAL}the region 'eu-west-1' is wrong; expecting 'us-east-1'",
            id="region",
        ),
        pytest.param({"X-Amz-Date": "2013-05-24T00:00:00Z"}, DATE_FORM, id="extended form of the date"),
        pytest.param({"X-Amz-Date": "20130524T240000Z"}, DATE_FORM, id="hour 24"),
        pytest.param({"X-Amz-Date": "20130532T000000Z"}, DATE_FORM, id="no such day"),
        pytest.param({"X-Amz-Date": "20130524T000000z"}, DATE_FORM, id="small z"),
        pytest.param({"X-Amz-Date": "20130524T00000%D9%A1Z"}, DATE_FORM, id="Arabic digit"),
        pytest.param({"X-Amz-Date": "00000524T000000Z"}, DATE_FORM, id="year 0"),
        pytest.param(
            {"X-Amz-Date": "20130525T000000Z"},
            'Invalid credential date "20130524". This date is not the same as X-Amz-Date: "20130525".',
            id="dates differ",
        ),
        pytest.param({"X-Amz-Expires": ""}, NOT_A_NUMBER, id="no lifetime"),
        pytest.param({"X-Amz-Expires": "1h"}, NOT_A_NUMBER, id="lifetime in words"),
        pytest.param({"X-Amz-Expires": "3600.0"}, NOT_A_NUMBER, id="lifetime with fraction"),
        pytest.param({"X-Amz-Expires": "+3600"}, NOT_A_NUMBER, id="lifetime after a space"),
        pytest.param({"X-Amz-Expires": "%2B3600"}, NOT_A_NUMBER, id="lifetime with plus sign"),
        pytest.param({"X-Amz-Expires": "3_600"}, NOT_A_NUMBER, id="lifetime with underscore"),
        pytest.param({"X-Amz-Expires": "%D9%A1%D9%A2"}, NOT_A_NUMBER, id="lifetime in Arabic digits"),
        pytest.param({"X-Amz-Expires": str(2**63)}, NOT_A_NUMBER, id="lifetime of 2**63"),
        pytest.param({"X-Amz-Expires": "9" * 5000}, NOT_A_NUMBER, id="lifetime of 5000 digits"),
        pytest.param({"X-Amz-Expires": "-1"}, NEGATIVE, id="negative lifetime"),
        pytest.param({"X-Amz-Expires": "604801"}, TOO_LONG, id="a second more than a week"),
        pytest.param({"X-Amz-Expires": str(2**63 - 1)}, TOO_LONG, id="lifetime of 2**63 - 1"),
    ],
)
def test_malformed_parameter(
    changes: dict[str, str | None], message: str | None, claim_of: Callable[..., Claim]
) -> None:
    with pytest.raises(MalformedQueryAuthError) as caught:
        claim_of(presigned(changes))
    assert caught.value.message == (
        message or 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
    )
    assert caught.value.region == ("us-east-1" if "the region" in (message or "") else None)


def test_sigv4a_is_told_apart(claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(UnsupportedMechanismError):
        claim_of(presigned({"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"X-Amz-Algorithm": "x", "X-Amz-Signature": None}, MISSING, id="missing before algorithm"
        ),
        pytest.param(
            {"X-Amz-Credential": "AKID", "X-Amz-Date": "x"},
            MALFORMED_CREDENTIAL,
            id="credential before date",
        ),
        pytest.param({"X-Amz-Date": "x", "X-Amz-Expires": "-1"}, DATE_FORM, id="date before lifetime"),
    ],
)
def test_order_of_checks(
    changes: dict[str, str | None], message: str, claim_of: Callable[..., Claim]
) -> None:
    with pytest.raises(MalformedQueryAuthError) as caught:
        claim_of(presigned(changes))
    assert caught.value.message == message


def test_malformed_lifetime_is_said_before_the_time(claim_of: Callable[..., Claim], at: datetime) -> None:
    with pytest.raises(MalformedQueryAuthError):
        claim_of(presigned({"X-Amz-Expires": "604801"}), at + timedelta(days=30))


@pytest.mark.parametrize("lifetime_s", [1, 3600, 604_800])
def test_last_moment_counts_and_the_end_does_not(
    lifetime_s: int, claim_of: Callable[..., Claim], at: datetime
) -> None:
    request = presigned({"X-Amz-Expires": str(lifetime_s)})
    end = at + timedelta(seconds=lifetime_s)
    assert claim_of(request, end - timedelta(microseconds=1)).expires_at == end
    with pytest.raises(ExpiredError) as caught:
        claim_of(request, end)
    assert (caught.value.expires_at, caught.value.now) == (end, end)
    assert caught.value.lifetime_text == str(lifetime_s)


@pytest.mark.parametrize("ahead_s", [0, 60, 900])
def test_lifetime_of_zero_is_over(ahead_s: int, claim_of: Callable[..., Claim], at: datetime) -> None:
    with pytest.raises(ExpiredError):
        claim_of(presigned({"X-Amz-Expires": "0"}), at - timedelta(seconds=ahead_s))


def test_a_signer_may_be_fifteen_minutes_ahead(claim_of: Callable[..., Claim], at: datetime) -> None:
    fifteen = timedelta(minutes=15)
    assert claim_of(presigned(), at - fifteen).signed_at == at
    with pytest.raises(NotYetValidError) as caught:
        claim_of(presigned(), at - fifteen - timedelta(microseconds=1))
    assert caught.value.signed_at == at
    assert caught.value.expires_at == at + timedelta(hours=1)


def test_a_url_signed_a_week_ago_is_good_for_its_week(claim_of: Callable[..., Claim], at: datetime) -> None:
    request = presigned({"X-Amz-Expires": "604800"})
    assert claim_of(request, at + timedelta(days=6, hours=23)).signed_at == at


def test_the_last_day_of_the_calendar_is_only_far_away(claim_of: Callable[..., Claim]) -> None:
    changes = {"X-Amz-Date": "99991231T235959Z", "X-Amz-Credential": credential(date="99991231")}
    with pytest.raises(NotYetValidError):
        claim_of(presigned({**changes}))


@pytest.mark.parametrize(
    ("extra", "headers"),
    [
        pytest.param("", [(b"authorization", b"Bearer x")], id="query and Bearer"),
        pytest.param("", [(b"authorization", b"")], id="query and an empty header"),
        pytest.param("&Signature=x", [], id="SigV4 and SigV2 query"),
        pytest.param("&AWSAccessKeyId=x", [], id="SigV4 query and a SigV2 key"),
    ],
)
def test_two_mechanisms_come_before_everything(
    extra: str, headers: list[tuple[bytes, bytes]], claim_of: Callable[..., Claim]
) -> None:
    with pytest.raises(TwoMechanismsError):
        claim_of(presigned({"X-Amz-Algorithm": "x"}, extra=extra, headers=headers))


def test_sigv2_query_and_header_are_two_mechanisms(claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(TwoMechanismsError):
        claim_of(ReceivedRequest("GET", b"/", b"Signature=x", [(b"authorization", b"AWS a:b")]))


@pytest.mark.parametrize(
    ("extra", "headers", "token"),
    [
        pytest.param("&X-Amz-Security-Token=a%2Bb", [], "a+b", id="query"),
        pytest.param("", [(b"x-amz-security-token", b"a+b")], "a+b", id="header"),
        pytest.param("&x-amz-security-token=a", [], None, id="other capitals"),
    ],
)
def test_session_token(
    extra: str, headers: list[tuple[bytes, bytes]], token: str | None, claim_of: Callable[..., Claim]
) -> None:
    claim = claim_of(presigned(extra=extra, headers=headers))
    assert claim.session_token == token
    assert "a+b" not in repr(claim)


@pytest.mark.parametrize(
    ("extra", "header", "payload"),
    [
        pytest.param("&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", None, Payload(PayloadKind.UNSIGNED), id="JS"),
        pytest.param(
            f"&X-Amz-Content-Sha256={'A' * 64}",
            None,
            Payload(PayloadKind.SHA256, "a" * 64),
            id="hoisted hash",
        ),
        pytest.param("", "UNSIGNED-PAYLOAD", Payload(PayloadKind.UNSIGNED), id="header"),
        pytest.param("", "a" * 64, Payload(PayloadKind.SHA256, "a" * 64), id="hash in the header"),
        pytest.param(
            "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD",
            "b" * 64,
            Payload(PayloadKind.SHA256, "b" * 64),
            id="header before query",
        ),
        pytest.param(
            "", "unsigned-payload", Payload(PayloadKind.SHA256, "unsigned-payload"), id="a hash that none has"
        ),
        pytest.param(
            "", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload(PayloadKind.NOT_DECODED), id="streaming"
        ),
    ],
)
def test_payload_of_query_authentication(
    extra: str, header: str | None, payload: Payload, claim_of: Callable[..., Claim]
) -> None:
    headers = [] if header is None else [(b"x-amz-content-sha256", header.encode())]
    assert claim_of(presigned(extra=extra, headers=headers)).payload == payload
