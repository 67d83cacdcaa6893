"""Signatures in the `Authorization` header: the same checks as at the other door, in that door's words."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta
from email.utils import format_datetime

import pytest
from tests.raw.door import Door
from tests.raw.signing import Changes, now, stamp
from tests.raw.test_refusals import MISMATCH, NOT_SIGNED, SECONDS, credential, require_fault
from tests.raw.wire import Reply

MALFORMED = "The authorization header is malformed; "
SHA256_FORMS = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 "
    "value."
)


def get(door: Door, *, changes: Changes | None = None, payload: str | None = "UNSIGNED-PAYLOAD") -> Reply:
    """Ask for an object that is not there: 404 means that the signature was accepted."""
    path = door.path("header-auth")
    return door.send(
        "GET", path, headers=door.key.authorize("GET", path, changes=changes, payload=payload).headers
    )


def test_a_signed_request_comes_through(door: Door) -> None:
    assert get(door).refusal == (404, "NoSuchKey")


def test_a_wrong_region_is_told_the_right_one(door: Door) -> None:
    reply = get(door, changes={"Credential": credential(door, region="eu-west-1")})
    message = f"{MALFORMED}the region 'eu-west-1' is wrong; expecting 'us-east-1'"
    require_fault(reply, 400, "AuthorizationHeaderMalformed", message, "Region")
    assert reply.fault.details["Region"] == "us-east-1"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"service": "sns"}, id="service"),
        pytest.param({"terminal": "aws3_request"}, id="terminal"),
        pytest.param({"date": "2026-02-21"}, id="date-form"),
        pytest.param({"akid": ""}, id="empty-access-key"),
        pytest.param({"terminal": "aws4_request/more"}, id="six-parts"),
    ],
)
def test_each_part_of_the_credential_is_checked(door: Door, parts: dict[str, str]) -> None:
    reply = get(door, changes={"Credential": credential(door, **parts)})
    assert reply.refusal == (400, "AuthorizationHeaderMalformed")
    assert reply.fault.message.startswith(MALFORMED)


@pytest.mark.parametrize("absent", ["Credential", "SignedHeaders", "Signature"])
def test_each_part_of_the_header_is_needed(door: Door, absent: str) -> None:
    assert get(door, changes={absent: None}).refusal == (400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("minutes", [-16, 16], ids=["behind", "ahead"])
def test_a_clock_that_is_too_far_off_is_told_the_time(door: Door, minutes: int) -> None:
    at = now() + timedelta(minutes=minutes)
    path = door.path("skew")
    reply = door.send("GET", path, headers=door.key.authorize("GET", path, at=at).headers)
    message = "The difference between the request time and the current time is too large."
    require_fault(
        reply, 403, "RequestTimeTooSkewed", message, "RequestTime", "ServerTime", "MaxAllowedSkewMilliseconds"
    )
    assert reply.fault.details["RequestTime"] == stamp(at)
    assert SECONDS.fullmatch(reply.fault.details["ServerTime"])
    assert reply.fault.details["MaxAllowedSkewMilliseconds"] == "900000"


@pytest.mark.parametrize("minutes", [-14, 14], ids=["behind", "ahead"])
def test_a_clock_that_is_a_little_off_is_good_enough(door: Door, minutes: int) -> None:
    path = door.path("skew")
    signed = door.key.authorize("GET", path, at=now() + timedelta(minutes=minutes))
    assert door.send("GET", path, headers=signed.headers).refusal == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        pytest.param(
            "Whatever",
            "Authorization header is invalid -- one and only one ' ' (space) required.",
            id="no-space",
        ),
        pytest.param("Bearer abcdefgh", "Unsupported Authorization Type", id="bearer"),
        pytest.param("Basic YWJjOmRlZg==", "Unsupported Authorization Type", id="basic"),
    ],
)
def test_another_kind_of_authorization_is_refused_and_not_echoed(
    door: Door, authorization: str, message: str
) -> None:
    reply = door.send("GET", door.path("kinds"), headers={"Authorization": authorization})
    assert (*reply.refusal, reply.fault.message) == (400, "InvalidArgument", message)
    assert authorization.rsplit(maxsplit=1)[-1].encode() not in reply.body


def test_the_payload_must_be_declared(door: Door) -> None:
    message = "Missing required header for this request: x-amz-content-sha256"
    require_fault(get(door, payload=None), 400, "InvalidRequest", message)


@pytest.mark.parametrize("declared", ["unsigned-payload", "abc", "0" * 63, ""])
def test_the_payload_must_be_declared_in_a_known_form(door: Door, declared: str) -> None:
    reply = get(door, payload=declared)
    assert (*reply.refusal, reply.fault.message) == (400, "InvalidArgument", SHA256_FORMS)


def test_a_date_is_needed(door: Door) -> None:
    reply = get(door, changes={"x-amz-date": None})
    require_fault(reply, 403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")


def test_the_date_header_will_do_as_well(door: Door) -> None:
    at = now()
    path = door.path("date")
    changes = {"x-amz-date": None, "date": format_datetime(at, usegmt=True)}
    signed = door.key.authorize("GET", path, at=at, changes=changes)
    assert door.send("GET", path, headers=signed.headers).refusal == (404, "NoSuchKey")


def test_an_unknown_access_key_is_named(door: Door) -> None:
    reply = get(door, changes={"Credential": credential(door, akid="AKIDNOBODY")})
    assert reply.refusal == (403, "InvalidAccessKeyId")
    assert reply.fault.details["AWSAccessKeyId"] == "AKIDNOBODY"


def test_unsigned_amz_headers_are_named(door: Door) -> None:
    path = door.path("unsigned")
    signed = door.key.authorize("PUT", path)
    reply = door.send("PUT", path, headers={**signed.headers, "x-amz-meta-a": "b"}, body=b"content")
    require_fault(reply, 403, "AccessDenied", NOT_SIGNED, "HeadersNotSigned")
    assert reply.fault.details["HeadersNotSigned"] == "x-amz-meta-a"


def test_a_wrong_signature_shows_what_was_to_be_signed(door: Door) -> None:
    reply = get(door, changes={"Signature": "0" * 64})
    require_fault(
        reply, 403, "SignatureDoesNotMatch", MISMATCH, "AWSAccessKeyId", "StringToSign", "SignatureProvided",
        "StringToSignBytes", "CanonicalRequest", "CanonicalRequestBytes",
    )  # fmt: skip
    assert reply.fault.details["CanonicalRequest"].startswith(f"GET\n{door.path('header-auth')}\n\nhost:")


def test_head_is_never_allowed_by_a_signature_for_get_in_the_header(door: Door) -> None:
    door.put("header-head", b"content")
    path = door.path("header-head")
    assert door.send("HEAD", path, headers=door.key.authorize("GET", path).headers).status == 403


def test_a_v2_signature_in_the_header_comes_through(door: Door) -> None:
    date = format_datetime(now(), usegmt=True)
    path = door.path("v2-header")
    text = f"GET\n\n\n{date}\n{path}"
    signature = base64.b64encode(hmac.digest(door.key.secret_key.encode(), text.encode(), "sha1")).decode()
    authorization = f"AWS {door.key.access_key}:{signature}"
    reply = door.send("GET", path, headers={"Date": date, "Authorization": authorization})
    assert reply.refusal == (404, "NoSuchKey")
    other = door.send("GET", path + "2", headers={"Date": date, "Authorization": authorization})
    assert other.refusal == (403, "SignatureDoesNotMatch")
    assert "CanonicalRequest" not in other.fault.details


class TestAcrossRegions:
    def test_amazons_default_region_is_refused_elsewhere(self, frankfurt_door: Door) -> None:
        changes = {"Credential": credential(frankfurt_door, region="us-east-1")}
        reply = get(frankfurt_door, changes=changes)
        assert reply.refusal == (400, "AuthorizationHeaderMalformed")
        assert reply.fault.details["Region"] == "eu-central-1"
