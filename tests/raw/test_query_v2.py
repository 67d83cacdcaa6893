"""SigV2 in the query, which boto3 still makes by default: what it is refused for."""

from __future__ import annotations

import pytest
from tests.raw.door import Door
from tests.raw.signing import now
from tests.raw.test_refusals import MISMATCH, SECONDS, require_fault

MISSING = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"


def test_a_v2_url_opens_its_object(door: Door) -> None:
    door.put("v2", b"content")
    target = door.key.presign_v2(
        "GET", door.path("v2"), signed_query=[("response-content-type", "text/x-asked")]
    )
    reply = door.send("GET", target)
    # V2 signs sub-resources decoded and sends them encoded; this one needs no encoding but the slash.
    assert (reply.status, reply.body, reply.header("Content-Type")) == (200, b"content", "text/x-asked")


def test_a_v2_url_stores_an_object(door: Door) -> None:
    target = door.key.presign_v2("PUT", door.path("v2-put"), headers={"Content-Type": "text/x-own"})
    reply = door.send("PUT", target, headers={"Content-Type": "text/x-own"}, body=b"content")
    assert reply.status == 200
    assert door.presigned("HEAD", "v2-put").header("Content-Type") == "text/x-own"


@pytest.mark.parametrize("absent", ["AWSAccessKeyId", "Expires", "Signature"])
def test_each_of_the_three_parameters_is_needed(door: Door, absent: str) -> None:
    reply = door.send("GET", door.key.presign_v2("GET", door.path("v2-three"), changes={absent: None}))
    require_fault(reply, 403, "AccessDenied", MISSING)


@pytest.mark.parametrize("expires", ["tomorrow", "2026-02-21", "1e9", str(10**20)])
def test_the_end_must_be_in_seconds_since_the_epoch(door: Door, expires: str) -> None:
    reply = door.send("GET", door.key.presign_v2("GET", door.path("v2-end"), expires=expires))
    message = f"Invalid date (should be seconds since epoch): {expires}"
    require_fault(reply, 403, "AccessDenied", message)


def test_an_expired_v2_url_tells_when_it_ended(door: Door) -> None:
    reply = door.send("GET", door.key.presign_v2("GET", door.path("v2-expired"), expires="1175139620"))
    require_fault(reply, 403, "AccessDenied", "Request has expired", "Expires", "ServerTime")
    assert reply.fault.details["Expires"] == "2007-03-29T03:40:20Z"
    assert SECONDS.fullmatch(reply.fault.details["ServerTime"])


def test_a_v2_url_may_last_longer_than_a_week(door: Door) -> None:
    door.put("v2-long", b"content")
    expires = str(int(now().timestamp()) + 30 * 86400)
    assert door.send("GET", door.key.presign_v2("GET", door.path("v2-long"), expires=expires)).status == 200


def test_a_v2_mismatch_has_no_canonical_request(door: Door) -> None:
    target = door.key.presign_v2("GET", door.path("v2-mismatch"), expires=str(int(now().timestamp()) + 60))
    altered = target.replace("v2-mismatch", "v2-other")
    reply = door.send("GET", altered)
    require_fault(
        reply, 403, "SignatureDoesNotMatch", MISMATCH, "AWSAccessKeyId", "StringToSign", "SignatureProvided",
        "StringToSignBytes",
    )  # fmt: skip
    details = reply.fault.details
    assert details["StringToSign"].endswith(f"\n{door.path('v2-other')}")
    assert details["StringToSignBytes"] == details["StringToSign"].encode().hex(" ")


def test_an_unknown_v2_access_key_is_named(door: Door) -> None:
    target = door.key.presign_v2("GET", door.path("v2-key"), changes={"AWSAccessKeyId": "AKIDNOBODY"})
    reply = door.send("GET", target)
    assert reply.refusal == (403, "InvalidAccessKeyId")
    assert reply.fault.details["AWSAccessKeyId"] == "AKIDNOBODY"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-amz-copy-source": "/raw-requests/v2"}, id="copy-source"),
        pytest.param({"x-amz-meta-a": "b"}, id="metadata"),
        pytest.param({"Content-Type": "text/plain"}, id="type"),
        pytest.param({"Content-MD5": "mgNkuembtIDdJeHwKEyFVQ=="}, id="md5"),
    ],
)
def test_v2_covers_these_headers(door: Door, headers: dict[str, str]) -> None:
    reply = door.send(
        "PUT", door.key.presign_v2("PUT", door.path("v2-headers")), headers=headers, body=b"content"
    )
    assert reply.status == 403
    assert reply.fault.code in ("SignatureDoesNotMatch", "AccessDenied")
    assert door.content("v2-headers") is None


@pytest.mark.parametrize(
    "added",
    [
        "uploadId=1&partNumber=1",
        "acl",
        "tagging",
        "response-content-type=text%2Fhtml",
        "versionId=1",
        "delete",
        "uploads",
    ],
)
def test_v2_covers_sub_resources(door: Door, added: str) -> None:
    door.put("v2-sub", b"content")
    for method in ("GET", "PUT", "POST", "DELETE"):
        reply = door.send(method, f"{door.key.presign_v2(method, door.path('v2-sub'))}&{added}")
        assert reply.refusal == (403, "SignatureDoesNotMatch")
    assert door.content("v2-sub") == b"content"


@pytest.mark.parametrize(
    "added", ["x-amz-copy-source=%2Fraw-requests%2Fv2-source", "x-amz-meta-a=b", "X-Amz-Acl=private"]
)
def test_v2_covers_headers_that_stand_in_the_query(door: Door, added: str) -> None:
    """boto3 moves the headers that it signs into the query, where S3 gives them effect."""
    door.put("v2-source", b"not for the uploader")
    target = door.key.presign_v2("PUT", door.path("v2-hoist"))
    reply = door.send("PUT", f"{target}&{added}", body=b"own content")
    assert reply.refusal == (403, "SignatureDoesNotMatch")
    assert door.content("v2-hoist") is None


def test_v2_metadata_in_the_query_is_kept(door: Door) -> None:
    headers = {"x-amz-meta-colour": "blue"}
    target = door.key.presign_v2("PUT", door.path("v2-meta"), headers=headers, query=list(headers.items()))
    assert door.send("PUT", target, body=b"content").status == 200
    assert door.presigned("HEAD", "v2-meta").header("x-amz-meta-colour") == "blue"


def test_a_v2_head_is_allowed_on_a_get_link(door: Door) -> None:
    door.put("v2-head", b"0123456789")
    assert door.send("HEAD", door.key.presign_v2("GET", door.path("v2-head"))).status == 200
    assert door.send("GET", door.key.presign_v2("HEAD", door.path("v2-head"))).status == 403
