"""What a presigned URL is refused for, to the letter: status, code, message and further elements.

Source of the texts: answers recorded from Amazon S3; the S3 API Reference, "Authenticating Requests: Using
Query Parameters".
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import pytest
from tests.raw.door import Door
from tests.raw.signing import ALGORITHM, Changes, now, stamp
from tests.raw.wire import Reply

SIX: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
MISSING: Final = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
CREDENTIAL: Final = "Error parsing the X-Amz-Credential parameter; "
MALFORMED_CREDENTIAL: Final = (
    CREDENTIAL + 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)
DATE_FORM: Final = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
TOO_LONG: Final = (
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
    "604800 seconds"
)
NOT_SIGNED: Final = "There were headers present in the request which were not signed"
ONE_MECHANISM: Final = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
    "parameter or the Authorization header should be specified"
)
MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing "
    "method."
)
IDS: Final = ("RequestId", "HostId")
SECONDS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def credential(door: Door, **parts: str) -> str:
    """The credential with some of its parts replaced."""
    values = {
        "akid": door.key.access_key,
        "date": f"{now():%Y%m%d}",
        "region": door.key.region,
        "service": "s3",
        "terminal": "aws4_request",
    } | parts
    return "/".join(values.values())


def require_fault(reply: Reply, status: int, code: str, message: str, *elements: str) -> None:
    assert (reply.status, reply.fault.code, reply.fault.message) == (status, code, message)
    assert tuple(reply.fault.details) == (*elements, *IDS)
    assert reply.header("Content-Type") == "application/xml"
    assert reply.header("x-amz-request-id") == reply.fault.details["RequestId"]
    assert reply.header("x-amz-id-2") == reply.fault.details["HostId"]


@pytest.mark.parametrize("absent", SIX)
def test_each_of_the_six_parameters_is_needed(door: Door, absent: str) -> None:
    reply = door.presigned("GET", "six", changes={absent: None})
    require_fault(reply, 400, "AuthorizationQueryParametersError", MISSING)


@pytest.mark.parametrize("doubled", SIX)
def test_an_authentication_parameter_that_comes_twice_is_refused(door: Door, doubled: str) -> None:
    target = door.key.presign("GET", door.path("twice"))
    pair = next(pair for pair in target.partition("?")[2].split("&") if pair.startswith(doubled))
    assert door.send("GET", f"{target}&{pair}").refusal == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"X-Amz-Algorithm": "AWS4-HMAC-SHA1"},
            'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
            id="algorithm",
        ),
        pytest.param({"X-Amz-Date": "2026-02-21T00:00:00Z"}, DATE_FORM, id="date-with-hyphens"),
        pytest.param({"X-Amz-Date": "20260230T000000Z"}, DATE_FORM, id="date-not-in-the-calendar"),
        pytest.param({"X-Amz-Date": ""}, DATE_FORM, id="date-empty"),
        pytest.param({"X-Amz-Expires": "soon"}, "X-Amz-Expires should be a number", id="expires-a-word"),
        pytest.param({"X-Amz-Expires": "1.5"}, "X-Amz-Expires should be a number", id="expires-a-fraction"),
        pytest.param(
            {"X-Amz-Expires": str(2**63)}, "X-Amz-Expires should be a number", id="expires-above-63-bits"
        ),
        pytest.param({"X-Amz-Expires": "-1"}, "X-Amz-Expires must be non-negative", id="expires-negative"),
        pytest.param({"X-Amz-Expires": "604801"}, TOO_LONG, id="expires-above-a-week"),
    ],
)
def test_a_malformed_parameter_is_refused_though_the_signature_covers_it(
    door: Door, changes: Changes, message: str
) -> None:
    reply = door.presigned("GET", "malformed", changes=changes)
    require_fault(reply, 400, "AuthorizationQueryParametersError", message)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        pytest.param(
            {"service": "sns"},
            CREDENTIAL + 'incorrect service "sns". This endpoint belongs to "s3".',
            id="service",
        ),
        pytest.param(
            {"terminal": "aws3_request"},
            CREDENTIAL + 'incorrect terminal "aws3_request". This endpoint uses "aws4_request".',
            id="terminal",
        ),
        pytest.param(
            {"date": "2026-02-21"},
            CREDENTIAL
            + 'incorrect date format "2026-02-21". This date in the credential must be in the format "yyyyMMdd".',
            id="date-form",
        ),
        pytest.param(
            {"akid": ""},
            CREDENTIAL + "a non-empty Access Key (AKID) must be provided in the credential.",
            id="empty-access-key",
        ),
        pytest.param({"terminal": "aws4_request/more"}, MALFORMED_CREDENTIAL, id="six-parts"),
    ],
)
def test_each_part_of_the_credential_is_checked(door: Door, parts: dict[str, str], message: str) -> None:
    reply = door.presigned("GET", "credential", changes={"X-Amz-Credential": credential(door, **parts)})
    require_fault(reply, 400, "AuthorizationQueryParametersError", message)


def test_a_doubly_encoded_credential_is_malformed(door: Door) -> None:
    changes = {"X-Amz-Credential": credential(door).replace("/", "%2F")}
    reply = door.presigned("GET", "double", changes=changes)
    require_fault(reply, 400, "AuthorizationQueryParametersError", MALFORMED_CREDENTIAL)


def test_a_wrong_region_is_told_the_right_one(door: Door) -> None:
    changes = {"X-Amz-Credential": credential(door, region="eu-west-1")}
    reply = door.presigned("GET", "region", changes=changes)
    message = f"{CREDENTIAL}the region 'eu-west-1' is wrong; expecting 'us-east-1'"
    require_fault(reply, 400, "AuthorizationQueryParametersError", message, "Region")
    assert reply.fault.details["Region"] == "us-east-1"


def test_the_dates_of_credential_and_request_must_agree(door: Door) -> None:
    yesterday = f"{now() - timedelta(days=1):%Y%m%d}"
    today = f"{now():%Y%m%d}"
    reply = door.presigned("GET", "dates", changes={"X-Amz-Credential": credential(door, date=yesterday)})
    message = f'Invalid credential date "{yesterday}". This date is not the same as X-Amz-Date: "{today}".'
    require_fault(reply, 400, "AuthorizationQueryParametersError", message)


def test_an_expired_url_tells_when_it_ended(door: Door) -> None:
    signed_at = now() - timedelta(hours=1)
    target = door.key.presign("GET", door.path("expired"), at=signed_at, expires="2")
    reply = door.send("GET", target)
    require_fault(reply, 403, "AccessDenied", "Request has expired", "X-Amz-Expires", "Expires", "ServerTime")
    details = reply.fault.details
    assert details["X-Amz-Expires"] == "2"
    assert details["Expires"] == f"{signed_at + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}"
    assert SECONDS.fullmatch(details["ServerTime"])


def test_a_lifetime_of_nothing_has_expired(door: Door) -> None:
    target = door.key.presign("GET", door.path("zero"), at=now() - timedelta(seconds=2), expires="0")
    assert door.send("GET", target).refusal == (403, "AccessDenied")


def test_a_url_signed_six_days_ago_for_seven_works(door: Door) -> None:
    door.put("six-days", b"still here")
    target = door.key.presign("GET", door.path("six-days"), at=now() - timedelta(days=6), expires="604800")
    assert door.send("GET", target).body == b"still here"


def test_a_url_from_a_clock_that_is_fourteen_minutes_ahead_works(door: Door) -> None:
    door.put("ahead", b"here")
    target = door.key.presign("GET", door.path("ahead"), at=now() + timedelta(minutes=14))
    assert door.send("GET", target).status == 200


def test_a_url_from_the_future_is_not_yet_valid(door: Door) -> None:
    signed_at = now() + timedelta(minutes=20)
    reply = door.send("GET", door.key.presign("GET", door.path("future"), at=signed_at, expires="60"))
    require_fault(
        reply, 403, "AccessDenied", "Request is not yet valid", "X-Amz-Date", "Expires", "ServerTime"
    )
    details = reply.fault.details
    assert details["X-Amz-Date"] == str(int(signed_at.timestamp() * 1000))
    assert details["Expires"] == f"{signed_at + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}"
    assert SECONDS.fullmatch(details["ServerTime"])


def test_an_unknown_access_key_is_named(door: Door) -> None:
    changes = {"X-Amz-Credential": credential(door, akid="AKIDNOBODY")}
    reply = door.presigned("GET", "unknown", changes=changes)
    message = "The AWS Access Key Id you provided does not exist in our records."
    require_fault(reply, 403, "InvalidAccessKeyId", message, "AWSAccessKeyId")
    assert reply.fault.details["AWSAccessKeyId"] == "AKIDNOBODY"


def test_a_session_token_with_a_permanent_key_is_invalid_and_is_not_echoed(door: Door) -> None:
    reply = door.presigned("GET", "token", query=[("X-Amz-Security-Token", "a-session-token")])
    message = "The provided token is malformed or otherwise invalid."
    assert (reply.status, reply.fault.code, reply.fault.message) == (400, "InvalidToken", message)
    assert b"a-session-token" not in reply.body


def test_a_mismatch_shows_what_was_to_be_signed_and_never_the_right_signature(door: Door) -> None:
    target = door.key.presign("GET", door.path("mismatch"), query=[("x-id", "GetObject")])
    right = target[-64:]
    wrong = "0" * 64
    reply = door.send("GET", target.replace(right, wrong))
    require_fault(
        reply, 403, "SignatureDoesNotMatch", MISMATCH, "AWSAccessKeyId", "StringToSign", "SignatureProvided",
        "StringToSignBytes", "CanonicalRequest", "CanonicalRequestBytes",
    )  # fmt: skip
    details = reply.fault.details
    assert details["AWSAccessKeyId"] == door.key.access_key
    assert details["SignatureProvided"] == wrong
    query = target.partition("?")[2].partition("&X-Amz-Signature=")[0]
    assert details["CanonicalRequest"] == (
        f"GET\n{door.path('mismatch')}\n{query}\nhost:{door.key.host}\n\nhost\nUNSIGNED-PAYLOAD"
    )
    assert details["StringToSign"].startswith(f"{ALGORITHM}\n")
    assert details["StringToSign"].count("\n") == 3
    for text, spelt in (("StringToSign", "StringToSignBytes"), ("CanonicalRequest", "CanonicalRequestBytes")):
        assert details[spelt] == details[text].encode().hex(" ")
    assert right.encode() not in reply.body


def test_an_anonymous_request_is_denied(door: Door) -> None:
    door.put("private", b"nobody's business")
    reply = door.send("GET", door.path("private"))
    require_fault(reply, 403, "AccessDenied", "Access Denied")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_an_anonymous_request_is_denied_before_it_is_looked_at(door: Door, method: str) -> None:
    require_fault(door.send(method, "/"), 403, "AccessDenied", "Access Denied")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-amz-meta-a": "b"}, id="metadata"),
        pytest.param({"x-amz-acl": "private"}, id="acl"),
        pytest.param({"x-amz-date": "20260221T000000Z"}, id="date"),
        pytest.param({"x-amz-expires": "9"}, id="expires"),
        pytest.param({"x-amz-user-agent": "some-sdk"}, id="user-agent"),
        pytest.param({"x-amz-security-token": "token"}, id="token"),
        pytest.param({"x-amz-copy-source": "/raw-requests/other"}, id="copy-source"),
        pytest.param({"x-amz-storage-class": "STANDARD"}, id="storage-class"),
        pytest.param({"x-amz-checksum-crc32": "AAAAAA=="}, id="checksum"),
        pytest.param({"x-amz-tagging": "a=b"}, id="tagging"),
        pytest.param({"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, id="content-md5"),
        pytest.param({"X-AMZ-Meta-Shouting": "b"}, id="other-case"),
        pytest.param({"x-amz-date": "20260221T000000Z", "x-amz-decoded-content-length": "5"}, id="two-names"),
    ],
)
def test_a_header_that_was_not_signed_is_named(door: Door, headers: dict[str, str]) -> None:
    reply = door.presigned("PUT", "unsigned-header", unsigned=headers, body=b"content")
    require_fault(reply, 403, "AccessDenied", NOT_SIGNED, "HeadersNotSigned")
    assert reply.fault.details["HeadersNotSigned"] == ", ".join(sorted(name.lower() for name in headers))
    assert door.content("unsigned-header") is None


def test_a_presigned_put_cannot_be_turned_into_a_copy(door: Door) -> None:
    door.put("secret-source", b"not for the uploader")
    source = {"x-amz-copy-source": door.path("secret-source")}
    assert door.presigned("PUT", "stolen", unsigned=source).refusal == (403, "AccessDenied")
    target = door.key.presign("PUT", door.path("stolen"))
    by_query = door.send("PUT", f"{target}&x-amz-copy-source={door.path('secret-source')}")
    assert by_query.refusal == (403, "SignatureDoesNotMatch")
    assert door.content("stolen") is None


def test_host_must_be_signed(door: Door) -> None:
    target = door.key.presign(
        "GET", door.path("host"), headers={"range": "bytes=0-1"}, changes={"X-Amz-SignedHeaders": "range"}
    )
    reply = door.send("GET", target, headers={"range": "bytes=0-1"})
    require_fault(reply, 403, "AccessDenied", NOT_SIGNED, "HeadersNotSigned")
    assert reply.fault.details["HeadersNotSigned"] == "host"


def test_if_range_must_be_signed_where_range_is(door: Door) -> None:
    door.put("if-range", b"0123456789")
    reply = door.presigned(
        "GET", "if-range", headers={"range": "bytes=0-1"}, unsigned={"if-range": '"another"'}
    )
    require_fault(reply, 403, "AccessDenied", NOT_SIGNED, "HeadersNotSigned")
    assert reply.fault.details["HeadersNotSigned"] == "if-range"


def test_unsigned_headers_are_told_before_a_wrong_signature(door: Door) -> None:
    target = door.key.presign("PUT", door.path("order"), headers={"x-amz-meta-foo": "bar"})
    reply = door.send("PUT", target, headers={"x-amz-meta-wrong": "bar"}, body=b"content")
    assert reply.refusal == (403, "AccessDenied")
    assert reply.fault.details["HeadersNotSigned"] == "x-amz-meta-wrong"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="absent"),
        pytest.param({"x-amz-meta-foo": "other"}, id="changed"),
        pytest.param({"x-amz-meta-foo": "bar", "X-Amz-Meta-Foo": "baz"}, id="added-to"),
    ],
)
def test_a_signed_header_must_come_as_it_was_signed(door: Door, sent: dict[str, str]) -> None:
    target = door.key.presign("PUT", door.path("signed-header"), headers={"x-amz-meta-foo": "bar"})
    reply = door.send("PUT", target, headers=sent, body=b"content")
    assert reply.refusal == (403, "SignatureDoesNotMatch")
    assert door.content("signed-header") is None


def test_spaces_in_a_signed_header_may_be_folded_and_lines_joined(door: Door) -> None:
    target = door.key.presign("PUT", door.path("folded"), headers={"x-amz-meta-foo": "a b,c"})
    reply = door.send(
        "PUT", target, headers=[("x-amz-meta-foo", "  a   b "), ("X-Amz-Meta-Foo", "c")], body=b"content"
    )
    assert reply.status == 200


def test_headers_that_need_no_signature_take_effect(door: Door) -> None:
    reply = door.presigned(
        "PUT", "unsigned-type", unsigned={"Content-Type": "text/x-own"}, body=b"0123456789"
    )
    assert reply.status == 200
    part = door.presigned("GET", "unsigned-type", unsigned={"Range": "bytes=2-4"})
    assert (part.status, part.body, part.header("Content-Type")) == (206, b"234", "text/x-own")
    same = door.presigned("GET", "unsigned-type", unsigned={"If-None-Match": part.header("ETag") or ""})
    assert (same.status, same.body) == (304, b"")


@pytest.mark.parametrize(
    "authorization", ["Bearer abcdefgh", "Token abcdefgh", "Basic YWJjOmRlZg==", f"{ALGORITHM} abcdefgh"]
)
def test_two_mechanisms_are_one_too_many_whatever_else_is_wrong(door: Door, authorization: str) -> None:
    targets = (
        door.key.presign("GET", door.path("two")),
        door.key.presign_v2("GET", door.path("two")),
        door.path("two") + "?X-Amz-Algorithm=nonsense",
    )
    for target in targets:
        reply = door.send("GET", target, headers={"Authorization": authorization})
        require_fault(reply, 400, "InvalidArgument", ONE_MECHANISM, "ArgumentName", "ArgumentValue")
        assert reply.fault.details["ArgumentName"] == "Authorization"
        assert authorization.split()[1].encode() not in reply.body


def test_two_signatures_in_one_query_are_one_too_many(door: Door) -> None:
    second = door.key.presign_v2("GET", door.path("two")).partition("?")[2]
    reply = door.send("GET", door.key.presign("GET", door.path("two"), query=[]) + "&" + second)
    assert reply.refusal == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        pytest.param(
            {"X-Amz-Credential": "x/y/z"},
            {"X-Amz-Date": "tomorrow"},
            MALFORMED_CREDENTIAL,
            id="credential-before-date",
        ),
        pytest.param(
            {"X-Amz-Date": "tomorrow"}, {"X-Amz-Expires": "-1"}, DATE_FORM, id="date-before-expires"
        ),
        pytest.param(
            {"X-Amz-Expires": "604801"},
            {"X-Amz-Signature": "0" * 64},
            TOO_LONG,
            id="expires-before-signature",
        ),
        pytest.param(
            {"X-Amz-Expires": "0", "X-Amz-Date": f"{now() - timedelta(seconds=5):%Y%m%dT%H%M%SZ}"},
            {"X-Amz-Signature": "0" * 64},
            "Request has expired",
            id="expired-before-signature",
        ),
    ],
)
def test_of_two_faults_the_earlier_check_speaks(
    door: Door, first: dict[str, str], second: dict[str, str], refusal: str
) -> None:
    reply = door.presigned("GET", "two-faults", changes=first | second)
    assert reply.fault.message == refusal


class TestMethod:
    def test_head_is_allowed_on_a_get_link(self, door: Door) -> None:
        door.put("head-on-get", b"0123456789")
        target = door.key.presign("GET", door.path("head-on-get"))
        reply = door.send("HEAD", target)
        assert (reply.status, reply.body, reply.header("Content-Length")) == (200, b"", "10")

    def test_strict_refuses_head_on_a_get_link(self, strict_door: Door) -> None:
        strict_door.put("head-on-get", b"0123456789")
        target = strict_door.key.presign("GET", strict_door.path("head-on-get"))
        reply = strict_door.send("HEAD", target)
        assert (reply.status, reply.body) == (403, b"")
        assert strict_door.send("GET", target).status == 200

    @pytest.mark.parametrize(
        ("signed", "used"),
        [("HEAD", "GET"), ("GET", "PUT"), ("GET", "DELETE"), ("GET", "POST"), ("PUT", "GET"), ("PUT", "HEAD"),
         ("PUT", "DELETE"), ("DELETE", "GET"), ("DELETE", "PUT"), ("DELETE", "HEAD")],
    )  # fmt: skip
    def test_a_url_is_for_one_method(self, door: Door, signed: str, used: str) -> None:
        door.put("one-method", b"content")
        reply = door.send(used, door.key.presign(signed, door.path("one-method")))
        assert reply.status == 403
        if used != "HEAD":
            assert reply.fault.code == "SignatureDoesNotMatch"
        assert door.content("one-method") == b"content"

    @pytest.mark.parametrize("name", ["missing", "expired", "mismatch"])
    def test_a_refusal_of_head_has_no_body(self, door: Door, name: str) -> None:
        at = now() - timedelta(hours=1) if name == "expired" else now()
        target = door.key.presign("HEAD", door.path("no-such-object"), at=at, expires="60")
        if name == "mismatch":
            target = target[:-1] + ("1" if target.endswith("0") else "0")
        reply = door.send("HEAD", target)
        assert (reply.status, reply.body) == (404 if name == "missing" else 403, b"")

    def test_deleting_answers_with_neither_type_nor_length(self, door: Door) -> None:
        door.put("delete", b"content")
        reply = door.presigned("DELETE", "delete")
        assert (reply.status, reply.body) == (204, b"")
        assert reply.header("Content-Type") is None
        assert reply.header("Content-Length") is None
        assert door.content("delete") is None


def test_the_signed_date_is_that_of_the_parameter(door: Door) -> None:
    target = door.key.presign("GET", door.path("date"), date=stamp(now() - timedelta(seconds=90)))
    assert door.send("GET", target).refusal == (403, "SignatureDoesNotMatch")
