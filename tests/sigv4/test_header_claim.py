"""What an Authorization header must say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from valetkey.sigv4.claims import AuthType, Claim, SignatureVersion
from valetkey.sigv4.errors import (
    InvalidAuthorizationError,
    InvalidContentSha256Error,
    MalformedHeaderAuthError,
    MissingContentSha256Error,
    MissingDateError,
    SkewedError,
    UnsupportedMechanismError,
)
from valetkey.sigv4.payload import Payload, PayloadKind
from valetkey.sigv4.received import ReceivedRequest

CREDENTIAL = "AKID/20130524/us-east-1/s3/aws4_request"
V4 = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=abc"
PREFIX = "The authorization header is malformed; "
COMPONENTS = (
    f"{PREFIX}the authorization header requires three components: Credential, SignedHeaders, and Signature."
)
ONE_SPACE = "Authorization header is invalid -- one and only one ' ' (space) required."
V2_FORM = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"


def authorized(
    authorization: str | list[str] = V4,
    *,
    date: str | None = "20130524T000000Z",
    sha256: str | None = "UNSIGNED-PAYLOAD",
    extra: list[tuple[bytes, bytes]] | None = None,
) -> ReceivedRequest:
    each = [authorization] if isinstance(authorization, str) else authorization
    headers = [(b"authorization", value.encode()) for value in each]
    if date is not None:
        headers.append((b"x-amz-date", date.encode()))
    if sha256 is not None:
        headers.append((b"x-amz-content-sha256", sha256.encode()))
    return ReceivedRequest("GET", b"/bucket/key", b"", [(b"host", b"h"), *headers, *(extra or [])])


def test_claim_says_who(claim_of: Callable[..., Claim], at: datetime) -> None:
    claim = claim_of(authorized())
    assert claim.access_key == "AKID"
    assert claim.auth_type is AuthType.HEADER
    assert claim.version is SignatureVersion.V4
    assert (claim.signed_at, claim.expires_at) == (at, None)
    assert claim.signature == "abc"


@pytest.mark.parametrize(
    "spelling",
    [
        V4.replace(", ", ","),
        V4.replace(", ", "  ,\t"),
        f"AWS4-HMAC-SHA256 Signature=abc, SignedHeaders=host;x-amz-date,Credential={CREDENTIAL}",
        V4.replace("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256   "),
    ],
    ids=["no spaces", "more spaces", "other order", "wide gap"],
)
def test_spellings_that_clients_send(spelling: str, claim_of: Callable[..., Claim]) -> None:
    assert claim_of(authorized(spelling)).access_key == "AKID"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        pytest.param("", ONE_SPACE, id="empty"),
        pytest.param("AWS4-HMAC-SHA256", ONE_SPACE, id="scheme alone"),
        pytest.param([V4, V4], ONE_SPACE, id="two headers"),
        pytest.param("Bearer abc", "Unsupported Authorization Type", id="Bearer"),
        pytest.param("aws4-hmac-sha256 abc", "Unsupported Authorization Type", id="small letters"),
        pytest.param("AWS abc", V2_FORM, id="SigV2 without colon"),
        pytest.param("AWS :abc", V2_FORM, id="SigV2 without key"),
        pytest.param("AWS abc:", V2_FORM, id="SigV2 without signature"),
        pytest.param("AWS a b:c", V2_FORM, id="SigV2 with two spaces"),
    ],
)
def test_unknown_authorization(
    authorization: str | list[str], message: str, claim_of: Callable[..., Claim]
) -> None:
    with pytest.raises(InvalidAuthorizationError) as caught:
        claim_of(authorized(authorization))
    assert caught.value.message == message
    assert caught.value.argument_name == "Authorization"
    assert caught.value.argument_value is None


def test_sigv4a_is_not_supported(claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(UnsupportedMechanismError):
        claim_of(authorized(V4.replace("HMAC-SHA256", "ECDSA-P256-SHA256")))


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        pytest.param("AWS4-HMAC-SHA256 x", COMPONENTS, id="no components"),
        pytest.param(V4.replace(", Signature=abc", ""), COMPONENTS, id="no signature"),
        pytest.param(V4 + ", Signature=abc", COMPONENTS, id="two signatures"),
        pytest.param(V4.replace("Signature=abc", "signature=abc"), COMPONENTS, id="small letters"),
        pytest.param(
            V4.replace("/aws4_request", ""),
            f'{PREFIX}the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
            id="credential",
        ),
        pytest.param(
            V4.replace("us-east-1", "eu-west-1"),
            f"{PREFIX}the region 'eu-west-1' is wrong; expecting 'us-east-1'",
            id="region",
        ),
        pytest.param(
            V4.replace("20130524", "20130525"),
            f'{PREFIX}Invalid credential date "20130525". '
            'This date is not the same as X-Amz-Date: "20130524".',
            id="dates differ",
        ),
    ],
)
def test_malformed_header(authorization: str, message: str, claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(MalformedHeaderAuthError) as caught:
        claim_of(authorized(authorization))
    assert caught.value.message == message
    assert caught.value.region == ("us-east-1" if "region '" in message else None)


@pytest.mark.parametrize("authorization", [V4, "AWS AKID:abc"], ids=["SigV4", "SigV2"])
@pytest.mark.parametrize("minutes", [15, -15], ids=["ahead", "behind"])
def test_clock_may_differ_by_fifteen_minutes(
    authorization: str, minutes: int, claim_of: Callable[..., Claim], at: datetime
) -> None:
    request, skew = authorized(authorization), timedelta(minutes=minutes)
    assert claim_of(request, at - skew).signed_at == at
    with pytest.raises(SkewedError) as caught:
        claim_of(request, at - skew * 1.001)
    assert caught.value.request_time_text == "20130524T000000Z"


@pytest.mark.parametrize(
    ("date", "extra"),
    [
        pytest.param(None, [], id="none"),
        pytest.param("", [], id="empty"),
        pytest.param("yesterday", [], id="word"),
        pytest.param("20130524T000000Z", [(b"x-amz-date", b"20130524T000000Z")], id="twice"),
        pytest.param("x", [(b"date", b"Fri, 24 May 2013 00:00:00 GMT")], id="x-amz-date goes first"),
        pytest.param(None, [(b"date", b"2013-05-24")], id="malformed Date"),
    ],
)
@pytest.mark.parametrize("authorization", [V4, "AWS AKID:abc"], ids=["SigV4", "SigV2"])
def test_missing_date(
    authorization: str,
    date: str | None,
    extra: list[tuple[bytes, bytes]],
    claim_of: Callable[..., Claim],
) -> None:
    with pytest.raises(MissingDateError):
        claim_of(authorized(authorization, date=date, extra=extra))


def test_http_date_in_x_amz_date_is_sigv2_only(claim_of: Callable[..., Claim], at: datetime) -> None:
    date = "Fri, 24 May 2013 00:00:00 GMT"
    assert claim_of(authorized("AWS AKID:abc", date=date)).signed_at == at
    with pytest.raises(MissingDateError):
        claim_of(authorized(date=date))


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 24 May 2013 00:00:00 GMT",
        "Fri, 24 May 2013 02:30:00 +0230",
        "Thu, 23 May 2013 23:00:00 -0100",
        "24 May 2013 00:00:00 UTC",
        "20130524T000000Z",
    ],
)
def test_date_takes_the_place_of_x_amz_date(date: str, claim_of: Callable[..., Claim], at: datetime) -> None:
    claim = claim_of(authorized(date=None, extra=[(b"date", date.encode())]))
    assert claim.signed_at == at
    assert claim.signed_at is not None
    assert claim.signed_at.tzinfo is UTC


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 24 Foo 2013 00:00:00 GMT",
        "Fri, 32 May 2013 00:00:00 GMT",
        "Fri, 24 May 2013 00:00:00 +9900",
        "Fri, 24 May 2013 00:00:00",
        "Mon, 01 Jan 0001 00:00:00 +0100",
    ],
)
def test_dates_that_name_no_instant(date: str, claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(MissingDateError):
        claim_of(authorized(date=None, extra=[(b"date", date.encode())]))


def test_content_sha256_is_required(claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(MissingContentSha256Error):
        claim_of(authorized(sha256=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unsigned-payload",
        "a" * 63,
        "g" * 64,
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "UNSIGNED-PAYLOAD,UNSIGNED-PAYLOAD",
    ],
)
def test_content_sha256_must_be_one_that_s3_defines(text: str, claim_of: Callable[..., Claim]) -> None:
    with pytest.raises(InvalidContentSha256Error):
        claim_of(authorized(sha256=text))


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("UNSIGNED-PAYLOAD", Payload(PayloadKind.UNSIGNED)),
        ("a" * 64, Payload(PayloadKind.SHA256, "a" * 64)),
        ("A" * 64, Payload(PayloadKind.SHA256, "a" * 64)),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload(PayloadKind.STREAMING_SIGNED)),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload(PayloadKind.STREAMING_SIGNED_TRAILER)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload(PayloadKind.STREAMING_UNSIGNED_TRAILER)),
    ],
)
def test_payload_of_header_authentication(
    text: str, payload: Payload, claim_of: Callable[..., Claim]
) -> None:
    assert claim_of(authorized(sha256=text)).payload == payload


@pytest.mark.parametrize("authorization", [V4, "AWS AKID:abc"], ids=["SigV4", "SigV2"])
def test_session_token_of_header_authentication(authorization: str, claim_of: Callable[..., Claim]) -> None:
    claim = claim_of(authorized(authorization, extra=[(b"x-amz-security-token", b"token")]))
    assert claim.session_token == "token"
