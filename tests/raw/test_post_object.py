"""Forms as browsers send them: what is kept, what is answered, and what is refused in which words."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from tests.raw.door import Door
from tests.raw.form import CONTENT_TYPE, Sign, encoded_form, policy_of, post, signed_v2, signed_v4, upload
from tests.raw.signing import now, stamp
from tests.raw.wire import Reply

SIGNERS: Final = [pytest.param(signed_v4, id="sigv4"), pytest.param(signed_v2, id="sigv2")]


def message(reply: Reply) -> str:
    assert reply.refusal == (403, "AccessDenied")
    return reply.fault.message


class TestAnswers:
    @pytest.mark.parametrize("sign", SIGNERS)
    def test_a_file_is_kept(self, door: Door, sign: Sign) -> None:
        reply = upload(door, "forms/plain", sign=sign)
        assert reply.status == 204, reply.body
        assert door.content("forms/plain") == b"content"
        assert reply.header("ETag") == '"9a0364b9e99bb480dd25e1f0284c8555"'
        assert reply.header("Location") == f"http://{door.key.host}/{door.bucket}/forms%2Fplain"
        assert reply.header("Content-Length") is None
        assert reply.header("Content-Type") is None

    def test_what_a_download_tells_of_it(self, door: Door) -> None:
        crc = base64.b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
        fields = {
            "Content-Type": "text/plain",
            "Cache-Control": "no-cache",
            "x-amz-meta-Author": "Ünal",
            "x-amz-storage-class": "STANDARD_IA",
            "x-amz-website-redirect-location": "/elsewhere",
            "x-amz-checksum-crc32": crc,
            "acl": "private",
            "x-ignore-csrf": "1",
        }
        reply = upload(door, "forms/facts", fields)
        assert reply.status == 204, reply.body
        assert reply.header("x-amz-checksum-crc32") == crc
        got = door.presigned("GET", "forms/facts")
        assert got.header("Content-Type") == "text/plain"
        assert got.header("Cache-Control") == "no-cache"
        assert got.header("x-amz-meta-author") == "=?UTF-8?Q?=C3=9Cnal?="
        assert got.header("x-amz-storage-class") == "STANDARD_IA"
        assert got.header("x-amz-website-redirect-location") == "/elsewhere"

    def test_the_usual_type_and_checksum(self, door: Door) -> None:
        reply = upload(door, "forms/usual")
        assert reply.header("x-amz-checksum-crc64nvme")
        assert reply.header("x-amz-checksum-type") == "FULL_OBJECT"
        assert door.presigned("GET", "forms/usual").header("Content-Type") == "binary/octet-stream"

    def test_tags(self, door: Door) -> None:
        tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
        assert upload(door, "forms/tags", {"tagging": tagging}).status == 204
        got = door.presigned("GET", "forms/tags", query=[("tagging", "")])
        assert b"<Key>a</Key><Value>1</Value>" in got.body
        assert upload(door, "forms/other-root", {"tagging": "<Tags/>"}).status == 204
        assert upload(door, "forms/no-xml", {"tagging": "a=1"}).refusal == (400, "MalformedXML")
        assert door.content("forms/no-xml") is None

    def test_a_status_of_200(self, door: Door) -> None:
        reply = upload(door, "forms/200", {"success_action_status": "200"})
        assert (reply.status, reply.body, reply.header("Content-Length")) == (200, b"", "0")

    def test_a_status_of_201_tells_of_the_object(self, door: Door) -> None:
        reply = upload(door, "forms/a b", {"success_action_status": "201"})
        assert (reply.status, reply.header("Content-Type")) == (201, "application/xml")
        root = ET.fromstring(reply.body)
        assert root.tag == "PostResponse"
        assert {child.tag: child.text for child in root} == {
            "Location": f"http://{door.key.host}/{door.bucket}/forms%2Fa%20b",
            "Bucket": door.bucket,
            "Key": "forms/a b",
            "ETag": '"9a0364b9e99bb480dd25e1f0284c8555"',
        }

    @pytest.mark.parametrize("status", ["404", "", "abc"])
    def test_another_status_is_204(self, door: Door, status: str) -> None:
        assert upload(door, "forms/odd", {"success_action_status": status}).status == 204

    @pytest.mark.parametrize("name", ["success_action_redirect", "redirect"])
    def test_a_redirect_names_the_object(self, door: Door, name: str) -> None:
        reply = upload(door, "forms/a b", {name: "http://localhost/done?a=1"})
        assert reply.status == 303
        assert reply.header("Location") == (
            f"http://localhost/done?a=1&bucket={door.bucket}&key=forms%2Fa+b"
            "&etag=%229a0364b9e99bb480dd25e1f0284c8555%22"
        )

    def test_a_relative_redirect_counts_as_none(self, door: Door) -> None:
        assert upload(door, "forms/relative", {"success_action_redirect": "/done"}).status == 204

    def test_the_files_name_becomes_the_key(self, door: Door) -> None:
        assert upload(door, "forms/in/${filename}", filename="C:\\a\\März.txt").status == 204
        assert door.content("forms/in/M\u00e4rz.txt") == b"content"

    def test_what_follows_the_file_is_left_out(self, door: Door) -> None:
        reply = upload(door, "forms/after", after={"submit": "Upload", "x-amz-meta-late": "1"})
        assert reply.status == 204
        assert door.presigned("GET", "forms/after").header("x-amz-meta-late") is None

    def test_names_of_fields_are_compared_without_case(self, door: Door) -> None:
        conditions = [{"bUcKeT": door.bucket}, ["StArTs-WiTh", "$KeY", "forms/"], {"AcL": "private"}]
        fields = {"kEy": "forms/case", "aCl": "private", **signed_v2(door.key, conditions)}
        fields["pOLICy"] = fields.pop("policy")
        assert post(door, fields).status == 204

    def test_a_large_file_comes_through(self, door: Door) -> None:
        content = b"\r\n--valetkey-form-boundar" * 400_000
        assert upload(door, "forms/large", content=content).status == 204
        assert door.content("forms/large") == content

    def test_an_empty_file_is_kept(self, door: Door) -> None:
        assert upload(door, "forms/empty", content=b"").status == 204
        assert door.content("forms/empty") == b""

    def test_write_once(self, door: Door) -> None:
        assert upload(door, "forms/once", {"If-None-Match": "*"}).status == 204
        assert upload(door, "forms/once", {"If-None-Match": "*"}).refusal == (412, "PreconditionFailed")


class TestSize:
    RANGE: Final = [["content-length-range", 3, 7]]

    @pytest.mark.parametrize("content", [b"abc", b"content"])
    def test_both_ends_are_allowed(self, door: Door, content: bytes) -> None:
        assert upload(door, "forms/size", content=content, conditions=self.RANGE).status == 204

    def test_too_small(self, door: Door) -> None:
        reply = upload(door, "forms/small", content=b"ab", conditions=self.RANGE)
        assert reply.refusal == (400, "EntityTooSmall")
        assert reply.fault.details["ProposedSize"] == "2"
        assert reply.fault.details["MinSizeAllowed"] == "3"
        assert door.content("forms/small") is None

    def test_too_large(self, door: Door) -> None:
        reply = upload(door, "forms/big", content=b"12345678", conditions=self.RANGE)
        assert reply.refusal == (400, "EntityTooLarge")
        assert reply.fault.details["MaxSizeAllowed"] == "7"
        assert door.content("forms/big") is None

    def test_a_broken_off_file_is_not_kept(self, door: Door) -> None:
        conditions = [{"bucket": door.bucket}, {"key": "forms/cut"}]
        body = encoded_form({"key": "forms/cut", **signed_v4(door.key, conditions)}, b"content")
        headers = {"Content-Type": CONTENT_TYPE}
        reply = door.send("POST", f"/{door.bucket}", headers=headers, body=body[:-33])
        assert reply.refusal == (400, "MalformedPOSTRequest")
        assert door.content("forms/cut") is None


class TestRefusals:
    def test_no_form(self, door: Door) -> None:
        reply = door.send("POST", f"/{door.bucket}", headers={"Content-Type": "text/plain"}, body=b"x")
        assert reply.refusal == (412, "PreconditionFailed")
        assert (
            reply.fault.details["Condition"]
            == "Bucket POST must be of the enclosure-type multipart/form-data"
        )

    def test_no_boundary(self, door: Door) -> None:
        headers = {"Content-Type": "multipart/form-data"}
        reply = door.send("POST", f"/{door.bucket}", headers=headers, body=b"x")
        assert reply.refusal == (400, "MalformedPOSTRequest")
        assert reply.fault.message == "The body of your POST request is not well-formed multipart/form-data."

    def test_no_file(self, door: Door) -> None:
        reply = upload(door, "forms/none", content=None)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == "POST requires exactly one file upload per request."
        assert reply.fault.details["ArgumentName"] == "file"
        assert reply.fault.details["ArgumentValue"] == "0"

    @pytest.mark.parametrize(
        ("missing", "sign", "name"),
        [
            pytest.param("key", signed_v4, "key", id="key"),
            pytest.param("x-amz-signature", signed_v4, "X-Amz-Signature", id="v4-signature"),
            pytest.param("x-amz-algorithm", signed_v4, "X-Amz-Algorithm", id="v4-algorithm"),
            pytest.param("signature", signed_v2, "Signature", id="v2-signature"),
            pytest.param("AWSAccessKeyId", signed_v2, "AWSAccessKeyId", id="v2-key"),
        ],
    )
    def test_a_field_is_missing(self, door: Door, missing: str, sign: Sign, name: str) -> None:
        fields = {"key": "forms/missing", **sign(door.key, [{"bucket": door.bucket}, {"key": "k"}])}
        del fields[missing]
        reply = post(door, fields)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == (
            f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of "
            "the fields."
        )
        assert reply.fault.details["ArgumentName"] == name
        assert reply.fault.details["ArgumentValue"] == ""

    @pytest.mark.parametrize("fields", [{}, {"policy": policy_of([])}], ids=["bare", "policy"])
    def test_nobody_signed(self, door: Door, fields: dict[str, str]) -> None:
        assert message(post(door, {"key": "forms/nobody", **fields})) == "Access Denied"
        assert door.content("forms/nobody") is None

    @pytest.mark.parametrize("sign", SIGNERS)
    def test_a_changed_policy(self, door: Door, sign: Sign) -> None:
        fields = {"key": "forms/changed", **sign(door.key, [{"bucket": door.bucket}, {"key": "k"}])}
        fields["policy"] = policy_of([{"bucket": door.bucket}, ["starts-with", "$key", ""]])
        reply = post(door, fields)
        assert reply.refusal == (403, "SignatureDoesNotMatch")
        assert list(reply.fault.details)[:4] == [
            "AWSAccessKeyId",
            "StringToSign",
            "SignatureProvided",
            "StringToSignBytes",
        ]
        assert reply.fault.details["StringToSign"] == fields["policy"]

    @pytest.mark.parametrize("sign", SIGNERS)
    def test_an_unknown_key(self, door: Door, sign: Sign) -> None:
        fields = {"key": "k", **sign(door.key, [{"bucket": door.bucket}, {"key": "k"}])}
        spoilt = {name: value.replace(door.key.access_key, "AKUNKNOWN") for name, value in fields.items()}
        assert post(door, spoilt).refusal == (403, "InvalidAccessKeyId")

    def test_another_region(self, door: Door) -> None:
        fields = {"key": "k", **signed_v4(door.key, [{"bucket": door.bucket}, {"key": "k"}])}
        fields["x-amz-credential"] = fields["x-amz-credential"].replace("us-east-1", "eu-west-1")
        reply = post(door, fields)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == "the region 'eu-west-1' is wrong; expecting 'us-east-1'"
        assert reply.fault.details["ArgumentName"] == "X-Amz-Credential"
        assert reply.fault.details["Region"] == "us-east-1"

    @pytest.mark.parametrize("sign", SIGNERS)
    def test_what_is_signed_need_not_be_a_policy(self, door: Door, sign: Sign) -> None:
        policy = base64.b64encode(json.dumps({"expiration": "2030-01-01T00:00:00Z"}).encode()).decode()
        reply = post(door, {"key": "k", **sign(door.key, [], policy=policy)})
        assert reply.refusal == (400, "InvalidPolicyDocument")
        assert reply.fault.message == "Invalid Policy: Policy missing conditions."

    def test_a_policy_that_has_ended(self, door: Door) -> None:
        conditions = [{"bucket": door.bucket}, {"key": "k"}]
        fields = signed_v4(door.key, conditions, lifetime=-timedelta(seconds=1))
        reply = post(door, {"key": "k", **fields})
        assert message(reply) == "Invalid according to Policy: Policy expired."

    def test_a_condition_fails(self, door: Door) -> None:
        fields = signed_v4(door.key, [{"bucket": door.bucket}, ["starts-with", "$key", "in/"]])
        reply = post(door, {"key": "out/k", **fields})
        assert message(reply) == (
            'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "in/"]'
        )

    def test_a_field_that_no_condition_covers(self, door: Door) -> None:
        fields = signed_v4(door.key, [{"bucket": door.bucket}, {"key": "k"}])
        reply = post(door, {"key": "k", "x-amz-meta-a": "1", **fields})
        assert message(reply) == "Invalid according to Policy: Extra input fields: x-amz-meta-a"

    def test_a_form_for_another_bucket(self, door: Door) -> None:
        fields = signed_v4(door.key, [{"bucket": "elsewhere"}, {"key": "k"}])
        reply = post(door, {"key": "k", **fields})
        assert message(reply) == (
            'Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "elsewhere"]'
        )

    def test_a_bucket_that_is_not_there(self, door: Door) -> None:
        fields = signed_v4(door.key, [{"bucket": "nowhere-at-all"}, {"key": "k"}])
        reply = post(door, {"key": "k", **fields}, target="/nowhere-at-all")
        assert reply.refusal == (404, "NoSuchBucket")

    def test_too_much_before_the_file(self, door: Door) -> None:
        reply = upload(door, "k", {"x-amz-meta-a": "b" * 20_480})
        assert reply.refusal == (400, "MaxPostPreDataLengthExceeded")
        assert reply.fault.message == "Your POST request fields preceeding the upload file was too large."
        assert reply.fault.details["MaxPostPreDataLengthBytes"] == "20480"

    def test_a_storage_class_that_there_is_not(self, door: Door) -> None:
        reply = upload(door, "k", {"x-amz-storage-class": "COLD"})
        assert reply.refusal == (400, "InvalidStorageClass")
        assert reply.fault.details["StorageClassRequested"] == "COLD"

    def test_a_wrong_checksum(self, door: Door) -> None:
        reply = upload(door, "forms/checksum", {"x-amz-checksum-crc32": "AAAAAA=="})
        assert reply.refusal == (400, "BadDigest")
        assert door.content("forms/checksum") is None

    def test_an_acl_that_grants_something(self, door: Door) -> None:
        reply = upload(door, "forms/acl", {"acl": "public-read"})
        assert reply.refusal == (400, "AccessControlListNotSupported")

    def test_a_session_token_of_a_lasting_key(self, door: Door) -> None:
        assert upload(door, "k", {"x-amz-security-token": "t"}).refusal == (400, "InvalidToken")

    def test_a_signature_beside_the_forms_own(self, door: Door) -> None:
        fields = signed_v4(door.key, [{"bucket": door.bucket}, {"key": "k"}])
        target = door.key.presign("POST", f"/{door.bucket}")
        reply = post(door, {"key": "k", **fields}, target=target)
        assert reply.refusal == (400, "InvalidArgument")
        assert "Only one auth mechanism allowed" in reply.fault.message

    def test_a_line_break_breaks_no_header(self, door: Door) -> None:
        fields = {"x-amz-meta-a": "1\r\nX-Injected: 1", "Content-Type": "text/plain\r\nX-Injected: 1"}
        assert upload(door, "forms/breaks", fields).status == 204
        got = door.presigned("GET", "forms/breaks")
        assert got.header("X-Injected") is None


def test_the_signing_day_may_be_past(door: Door) -> None:
    # How long a form works is what its policy says.
    at = now() - timedelta(days=30)
    own = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{door.key.access_key}/{door.key.scope(at)}",
        "x-amz-date": stamp(at),
    }
    fixed = {"bucket": door.bucket, "key": "forms/old", **own}
    policy = policy_of([{name: value} for name, value in fixed.items()])
    signature = door.key.sign_text(policy, at)
    assert post(door, {**fixed, "policy": policy, "x-amz-signature": signature}).status == 204
