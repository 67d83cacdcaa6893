"""Forms on the way in: who may send them and where to, how large they are, and what is left of a broken one."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.clients.identities import EVERYTHING_IN_S3, allow, new_user, policy, root_of
from tests.raw.door import Door, open_door
from tests.raw.form import BOUNDARY, CONTENT_TYPE, Sign, encoded_form, post, signed_v2, signed_v4, upload
from tests.raw.wire import Reply, connect, exchange, head, read_reply

from valetkey.testing.server import RunningServer

END: Final = f"\r\n--{BOUNDARY}--\r\n".encode()
GIB: Final = 1024**3


def conditions(door: Door, *more: Any) -> list[Any]:
    return [{"bucket": door.bucket}, ["starts-with", "$key", ""], *more]


def begun(door: Door, key: str, *more: Any) -> bytes:
    """Return a form as far as its file begins."""
    body = encoded_form({"key": key, **signed_v4(door.key, conditions(door, *more))}, b"")
    return body.removesuffix(END)


def announce(door: Door, size_bytes: int) -> bytes:
    """Return the head of a form of this size."""
    names = {"Host": door.key.host, "Content-Type": CONTENT_TYPE, "Content-Length": str(size_bytes)}
    return head("POST", f"/{door.bucket}", names)


def announced(door: Door, size_bytes: int, sent: bytes) -> Reply:
    """Announce a form of `size_bytes`, send no more than the beginning of it, and return the answer."""
    with connect(door.server.port) as connection:
        connection.sendall(announce(door, size_bytes) + sent)
        return read_reply(connection, "POST")


class TestSize:
    def test_a_file_that_must_be_too_large_is_refused_before_it_is_sent(self, door: Door) -> None:
        front = begun(door, "forms/announced", ["content-length-range", 0, 1000])
        reply = announced(door, GIB, front + b"x")
        assert reply.refusal == (400, "EntityTooLarge")
        assert reply.fault.details["MaxSizeAllowed"] == "1000"
        assert reply.fault.details["ProposedSize"] == str(GIB - len(front) - len(END.rstrip()))

    def test_so_is_one_of_more_than_five_gibibytes(self, door: Door) -> None:
        reply = announced(door, 5 * GIB + 2**20, begun(door, "forms/announced"))
        assert reply.refusal == (400, "EntityTooLarge")
        assert reply.fault.details["MaxSizeAllowed"] == str(5 * GIB)

    def test_what_follows_a_small_file_is_not_taken_for_it(self, door: Door) -> None:
        limit = [["content-length-range", 0, 10]]
        assert upload(door, "forms/followed", after={"a": "b" * 1000}, conditions=limit).status == 204

    def test_a_file_of_unannounced_size_is_counted(self, door: Door) -> None:
        front = begun(door, "forms/counted", ["content-length-range", 0, 1000])
        body = front + bytes(2000) + END
        names = {"Host": door.key.host, "Content-Type": CONTENT_TYPE, "Transfer-Encoding": "chunked"}
        with connect(door.server.port) as connection:
            connection.sendall(head("POST", f"/{door.bucket}", names))
            connection.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
            reply = read_reply(connection, "POST")
        assert reply.refusal == (400, "EntityTooLarge")
        assert door.content("forms/counted") is None

    @pytest.mark.parametrize("ends", [["5", "10"], [5, 10]], ids=["strings", "numbers"])
    def test_a_range_may_be_given_as_text(self, door: Door, ends: list[Any]) -> None:
        limit = [["content-length-range", *ends]]
        assert upload(door, "forms/range", conditions=limit).status == 204
        assert upload(door, "forms/range", content=b"abcd", conditions=limit).refusal[1] == "EntityTooSmall"

    def test_a_range_of_words_fails(self, door: Door) -> None:
        reply = upload(door, "forms/words", conditions=[["content-length-range", "test", "10"]])
        assert reply.refusal == (403, "AccessDenied")
        assert reply.fault.message == (
            'Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]'
        )


def test_an_upload_that_breaks_off_leaves_nothing(door: Door) -> None:
    def files() -> int:
        return sum(1 for path in (door.server.data / "blobs").rglob("*") if path.is_file())

    def wait_until(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline

    before = files()
    with connect(door.server.port) as connection:
        connection.sendall(announce(door, 20_000_000) + begun(door, "forms/left") + bytes(5_000_000))
        wait_until(lambda: files() > before)
    wait_until(lambda: files() == before)
    assert door.content("forms/left") is None


class TestFields:
    def test_headers_of_the_object(self, door: Door) -> None:
        fields = {
            "Cache-Control": "no-cache",
            "Content-Disposition": 'attachment; filename="a.txt"',
            "Content-Encoding": "identity",
            "Content-Language": "de",
            "Expires": "Thu, 01 Dec 2044 16:00:00 GMT",
            "Content-MD5": base64.b64encode(hashlib.md5(b"content").digest()).decode(),
            "x-amz-server-side-encryption": "AES256",
        }
        reply = upload(door, "forms/headers", fields)
        assert reply.status == 204, reply.body
        assert reply.header("x-amz-server-side-encryption") == "AES256"
        got = door.presigned("GET", "forms/headers")
        assert {name: got.header(name) for name in fields if name != "Content-MD5"} == {
            name: value for name, value in fields.items() if name != "Content-MD5"
        }

    @pytest.mark.parametrize(
        ("digest", "code"),
        [pytest.param("AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest", id="wrong"), ("x", "InvalidDigest")],
    )
    def test_a_digest_that_is_wrong(self, door: Door, digest: str, code: str) -> None:
        assert upload(door, "forms/digest", {"Content-MD5": digest}).refusal == (400, code)
        assert door.content("forms/digest") is None

    def test_the_files_name_goes_into_any_field_before_conditions_are_looked_at(self, door: Door) -> None:
        fields = {"x-amz-meta-name": "${filename}", "success_action_redirect": "http://localhost/${filename}"}
        exact = [{"x-amz-meta-name": "b.txt"}, {"success_action_redirect": "http://localhost/b.txt"}]
        reply = upload(door, "forms/name", fields, conditions=exact, filename="a/b.txt")
        assert reply.status == 303
        assert (reply.header("Location") or "").startswith("http://localhost/b.txt?bucket=")
        assert door.presigned("GET", "forms/name").header("x-amz-meta-name") == "b.txt"

    @pytest.mark.parametrize(
        ("filename", "key"),
        [pytest.param("", "forms/empty-name/", id="empty"), (None, "forms/empty-name/${filename}")],
    )
    def test_a_file_without_a_name(self, door: Door, filename: str | None, key: str) -> None:
        assert upload(door, "forms/empty-name/${filename}", filename=filename).status == 204
        assert door.content(key) == b"content"

    @pytest.mark.parametrize(("key", "filename"), [("", "a"), ("${filename}", "")], ids=["given", "put-in"])
    def test_an_empty_key(self, door: Door, key: str, filename: str) -> None:
        reply = upload(door, key, filename=filename)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == "User key must have a length greater than 0."
        assert list(reply.fault.details.items())[:2] == [("ArgumentName", "key"), ("ArgumentValue", "")]

    def test_a_key_that_is_too_long(self, door: Door) -> None:
        assert upload(door, "k" * 1025).refusal == (400, "KeyTooLongError")

    def test_values_of_one_name_are_joined(self, door: Door) -> None:
        signed = signed_v4(door.key, conditions(door, {"x-amz-meta-a": "1,2"}))
        rest = encoded_form({"x-amz-meta-a": "2", "key": "forms/twice", **signed}, b"content")
        body = encoded_form({"x-amz-meta-a": "1"}, None).removesuffix(f"--{BOUNDARY}--\r\n".encode()) + rest
        reply = door.send("POST", f"/{door.bucket}", headers={"Content-Type": CONTENT_TYPE}, body=body)
        assert reply.status == 204, reply.body
        assert door.presigned("GET", "forms/twice").header("x-amz-meta-a") == "1,2"

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("x-amz-date", "2026-01-01", "X-Amz-Date must be formated via ISO8601 Long format"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA1", "Only AWS4-HMAC-SHA256 is supported"),
        ],
    )
    def test_a_field_of_the_signature_is_malformed(
        self, door: Door, name: str, value: str, message: str
    ) -> None:
        fields = {"key": "k", **signed_v4(door.key, conditions(door)), name: value}
        reply = post(door, fields)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.message == message

    def test_a_policy_that_lost_its_end(self, door: Door) -> None:
        fields = {"key": "k", **signed_v4(door.key, conditions(door))}
        assert post(door, {**fields, "policy": fields["policy"][:-4]}).refusal[1] == "SignatureDoesNotMatch"

    def test_a_policy_that_names_no_bucket(self, door: Door) -> None:
        reply = post(door, {"key": "k", **signed_v4(door.key, [["starts-with", "$key", ""]])})
        assert reply.refusal == (403, "AccessDenied")
        assert reply.fault.message == "Invalid according to Policy: Extra input fields: bucket"


def test_a_form_may_be_sent_to_the_buckets_own_host(virtual_server: RunningServer) -> None:
    door = open_door(virtual_server, "raw-forms")
    fields = {"key": "a/b", "success_action_status": "201"}
    covered = conditions(door, {"success_action_status": "201"})
    host = f"{door.bucket}.localhost:{door.server.port}"
    body = encoded_form({**fields, **signed_v4(door.key, covered)}, b"content")
    reply = exchange(
        door.server.port, "POST", "/", host=host, headers={"Content-Type": CONTENT_TYPE}, body=body
    )
    assert reply.status == 201, reply.body
    assert f"<Location>http://{host}/a%2Fb</Location>".encode() in reply.body
    assert door.content("a/b") == b"content"


class TestWho:
    @pytest.fixture
    def open_bucket(self, door: Door) -> Iterator[Door]:
        """A bucket in which anybody may create objects in one folder."""
        opened = open_door(door.server, "raw-open-forms")
        s3 = root_of(door.server).client("s3")
        s3.delete_public_access_block(Bucket=opened.bucket)
        anybody = allow("s3:PutObject", f"arn:aws:s3:::{opened.bucket}/in/*", Principal="*")
        s3.put_bucket_policy(Bucket=opened.bucket, Policy=policy(anybody))
        yield opened
        s3.delete_bucket_policy(Bucket=opened.bucket)

    def test_anybody_where_the_bucket_says_so(self, open_bucket: Door) -> None:
        assert post(open_bucket, {"key": "in/a"}).status == 204
        assert open_bucket.content("in/a") == b"content"
        assert post(open_bucket, {"key": "out/a"}).refusal == (403, "AccessDenied")
        assert open_bucket.content("out/a") is None

    def test_a_signer_without_rights_is_refused(self, door: Door) -> None:
        user = new_user(root_of(door.server), "forms-without-rights")
        key = replace(door.key, access_key=user.access_key, secret_key=user.secret_key)
        reply = post(door, {"key": "forms/rights", **signed_v4(key, conditions(door))})
        assert reply.refusal == (403, "AccessDenied")
        assert door.content("forms/rights") is None

    @pytest.mark.parametrize("sign", [signed_v4, signed_v2], ids=["sigv4", "sigv2"])
    def test_temporary_credentials(self, door: Door, sign: Sign) -> None:
        name = f"forms-session-{sign.__name__.replace('_', '-')}"
        user = new_user(root_of(door.server), name, EVERYTHING_IN_S3)
        found = user.client("sts").get_session_token()["Credentials"]
        key = replace(door.key, access_key=found["AccessKeyId"], secret_key=found["SecretAccessKey"])
        token = {"x-amz-security-token": found["SessionToken"]}
        fields = {"key": f"forms/{name}", **sign(key, conditions(door, token))}
        assert post(door, fields | token).status == 204
        assert post(door, fields).refusal == (403, "InvalidAccessKeyId")
        assert post(door, fields | {"x-amz-security-token": "abc"}).refusal == (400, "InvalidToken")
        uncovered = post(door, {"key": f"forms/{name}", **sign(key, conditions(door)), **token})
        assert uncovered.refusal == (403, "AccessDenied")
        assert uncovered.fault.message == (
            "Invalid according to Policy: Extra input fields: x-amz-security-token"
        )
