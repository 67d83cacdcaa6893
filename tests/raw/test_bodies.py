"""Bodies that are not what was said of them: refused, and nothing is stored."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import zlib
from contextlib import suppress

import pytest
from tests.raw.door import Door
from tests.raw.signing import EMPTY_SHA256, encode
from tests.raw.wire import connect, head, read_reply

CONTENT = b"what the client sends"
SHA256_MISMATCH = "The provided 'x-amz-content-sha256' header does not match what was computed."
INCOMPLETE = "You did not provide the number of bytes specified by the Content-Length HTTP header"
BEYOND_ONE_PUT = 5 * 1024**3 + 1


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CRC32 = b64(zlib.crc32(CONTENT).to_bytes(4, "big"))
SHA1 = b64(hashlib.sha1(CONTENT).digest())
SHA256 = b64(hashlib.sha256(CONTENT).digest())


class TestDeclaredHash:
    """`x-amz-content-sha256` as a signed header of a presigned PUT."""

    def put(self, door: Door, name: str, declared: str) -> tuple[int, bytes]:
        reply = door.presigned(
            "PUT", name, headers={"x-amz-content-sha256": declared}, payload=declared, body=CONTENT
        )
        return reply.status, reply.body

    def test_the_right_hash_is_accepted(self, door: Door) -> None:
        assert self.put(door, "hash-right", hashlib.sha256(CONTENT).hexdigest())[0] == 200

    @pytest.mark.parametrize(
        "declared",
        [
            pytest.param(EMPTY_SHA256, id="of-something-else"),
            pytest.param("abc", id="malformed"),
            pytest.param("unsigned-payload", id="lower-case-unsigned"),
        ],
    )
    def test_a_wrong_hash_stores_nothing(self, door: Door, declared: str) -> None:
        reply = door.presigned(
            "PUT", "hash-wrong", headers={"x-amz-content-sha256": declared}, payload=declared, body=CONTENT
        )
        assert reply.refusal == (400, "XAmzContentSHA256Mismatch")
        assert reply.fault.message == SHA256_MISMATCH
        assert list(reply.fault.details)[:2] == ["ClientComputedContentSHA256", "S3ComputedContentSHA256"]
        assert reply.fault.details["ClientComputedContentSHA256"] == declared
        assert reply.fault.details["S3ComputedContentSHA256"] == hashlib.sha256(CONTENT).hexdigest()
        assert door.content("hash-wrong") is None

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_reading_ignores_it(self, door: Door, method: str) -> None:
        door.put("hash-read", CONTENT)
        reply = door.presigned(method, "hash-read", headers={"x-amz-content-sha256": "abc"}, payload="abc")
        assert reply.status == 200

    def test_signed_and_not_sent_is_a_mismatch(self, door: Door) -> None:
        declared = hashlib.sha256(CONTENT).hexdigest()
        target = door.key.presign(
            "PUT", door.path("hash-absent"), headers={"x-amz-content-sha256": declared}, payload=declared
        )
        assert door.send("PUT", target, body=CONTENT).refusal == (403, "SignatureDoesNotMatch")

    def test_unsigned_it_may_only_say_unsigned_payload(self, door: Door) -> None:
        right = hashlib.sha256(CONTENT).hexdigest()
        unsigned = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        assert door.presigned("PUT", "hash-unsigned", unsigned=unsigned, body=CONTENT).status == 200
        other = door.presigned("PUT", "hash-other", unsigned={"x-amz-content-sha256": right}, body=CONTENT)
        assert other.refusal == (403, "SignatureDoesNotMatch")

    def test_a_hash_signed_in_the_authorization_header_is_enforced(self, door: Door) -> None:
        path = door.path("hash-header")
        right = hashlib.sha256(CONTENT).hexdigest()
        refused = door.signed("PUT", path, payload=right, body=CONTENT[::-1])
        assert refused.refusal == (400, "XAmzContentSHA256Mismatch")
        assert door.content("hash-header") is None
        assert door.signed("PUT", path, payload=right, body=CONTENT).status == 200


def test_a_body_beside_get_is_ignored(door: Door) -> None:
    door.put("get-body", CONTENT)
    assert door.presigned("GET", "get-body", body=b"nobody asked for this").body == CONTENT


@pytest.mark.parametrize(
    ("declared", "length", "refusal"),
    [
        pytest.param(
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", None, (411, "MissingContentLength"), id="no-length"
        ),
        pytest.param(
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x", (411, "MissingContentLength"), id="bad-length"
        ),
        pytest.param("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "5", (400, "IncompleteBody"), id="other-length"),
        pytest.param(
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            str(len(CONTENT)),
            (400, "XAmzContentSHA256Mismatch"),
            id="same-length",
        ),
    ],
)
def test_a_presigned_url_never_carries_chunks(
    door: Door, declared: str, length: str | None, refusal: tuple[int, str]
) -> None:
    headers = {"x-amz-content-sha256": declared}
    if length is not None:
        headers["x-amz-decoded-content-length"] = length
    reply = door.presigned("PUT", "chunks-in-query", headers=headers, payload=declared, body=CONTENT)
    assert reply.refusal == refusal
    if refusal[1] == "IncompleteBody":
        assert reply.fault.message == INCOMPLETE
        assert reply.fault.details["NumberBytesExpected"] == length
        assert reply.fault.details["NumberBytesProvided"] == str(len(CONTENT))
    assert door.content("chunks-in-query") is None


def test_a_put_needs_its_length(door: Door) -> None:
    reply = door.send("PUT", door.key.presign("PUT", door.path("no-length")), has_length=False)
    assert reply.refusal == (411, "MissingContentLength")
    assert reply.fault.message == "You must provide the Content-Length HTTP header."


def test_a_chunked_put_without_a_length_is_refused(door: Door) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    target = door.key.presign("PUT", door.path("chunked"))
    reply = door.send("PUT", target, headers=headers, body=b"5\r\nabcde\r\n0\r\n\r\n", has_length=False)
    assert reply.refusal == (411, "MissingContentLength")
    assert door.content("chunked") is None


@pytest.mark.parametrize(
    ("headers", "refusal", "message"),
    [
        pytest.param(
            {"Content-MD5": b64(hashlib.md5(b"other").digest())},
            (400, "BadDigest"),
            "The Content-MD5 you specified did not match what we received.",
            id="md5-wrong",
        ),
        pytest.param(
            {"Content-MD5": "abc"},
            (400, "InvalidDigest"),
            "The Content-MD5 you specified was invalid.",
            id="md5-malformed",
        ),
        pytest.param(
            {"x-amz-checksum-crc32": "AAAAAA=="},
            (400, "BadDigest"),
            "The CRC32 you specified did not match the calculated checksum.",
            id="crc32-wrong",
        ),
        pytest.param(
            {"x-amz-checksum-crc32c": "AAAAAA=="},
            (400, "BadDigest"),
            "The CRC32C you specified did not match the calculated checksum.",
            id="crc32c-wrong",
        ),
        pytest.param(
            {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="},
            (400, "BadDigest"),
            "The CRC64NVME you specified did not match the calculated checksum.",
            id="crc64nvme-wrong",
        ),
        pytest.param(
            {"x-amz-checksum-sha1": b64(hashlib.sha1(b"other").digest())},
            (400, "BadDigest"),
            "The SHA1 you specified did not match the calculated checksum.",
            id="sha1-wrong",
        ),
        pytest.param(
            {"x-amz-checksum-sha256": b64(hashlib.sha256(b"other").digest())},
            (400, "BadDigest"),
            "The SHA256 you specified did not match the calculated checksum.",
            id="sha256-wrong",
        ),
        pytest.param(
            {"x-amz-checksum-sha256": "abc"},
            (400, "InvalidRequest"),
            "Value for x-amz-checksum-sha256 header is invalid.",
            id="sha256-malformed",
        ),
        pytest.param(
            {"x-amz-checksum-crc32": CRC32, "x-amz-checksum-sha256": SHA256},
            (400, "InvalidRequest"),
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            id="two-checksums",
        ),
    ],
)
def test_a_wrong_digest_stores_nothing(
    door: Door, headers: dict[str, str], refusal: tuple[int, str], message: str
) -> None:
    reply = door.presigned("PUT", "digest", headers=headers, body=CONTENT)
    assert reply.refusal == refusal
    assert reply.fault.message == message
    assert door.content("digest") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-MD5", b64(hashlib.md5(CONTENT).digest())),
        ("x-amz-checksum-crc32", CRC32),
        ("x-amz-checksum-sha1", SHA1),
        ("x-amz-checksum-sha256", SHA256),
    ],
)
def test_a_right_digest_is_accepted_and_told_back(door: Door, name: str, value: str) -> None:
    key = f"digest-right-{name}"
    reply = door.presigned("PUT", key, headers={name: value}, body=CONTENT)
    assert reply.status == 200
    if name != "Content-MD5":
        assert reply.header(name) == value
        told = door.presigned("GET", key, headers={"x-amz-checksum-mode": "ENABLED"})
        assert (told.header(name), told.header("x-amz-checksum-type")) == (value, "FULL_OBJECT")


def open_upload(door: Door, name: str, length: int, *, expect: bool = False) -> socket.socket:
    """Send the head of a presigned PUT."""
    headers = {"Host": door.key.host, "Content-Length": str(length)}
    if expect:
        headers["Expect"] = "100-continue"
    connection = connect(door.server.port)
    connection.sendall(head("PUT", door.key.presign("PUT", door.path(name)), headers))
    return connection


@pytest.mark.parametrize("length", [100, 10_000_000], ids=["small", "large"])
def test_a_body_that_breaks_off_stores_nothing(door: Door, length: int) -> None:
    with open_upload(door, "broken-off", length) as connection:
        connection.sendall(b"x" * (length // 2))
        connection.shutdown(socket.SHUT_WR)
        # Whether an answer still comes is the HTTP server's affair; that the connection ends is ours.
        while connection.recv(65536):
            pass
    assert door.content("broken-off") is None


def test_a_client_that_stalls_in_its_body_is_cut_off(impatient_door: Door) -> None:
    with open_upload(impatient_door, "stalled", 100) as connection:
        connection.sendall(b"x" * 50)
        reply = read_reply(connection, "PUT")
        assert reply.refusal == (400, "RequestTimeout")
        assert connection.recv(1) == b""
    assert impatient_door.content("stalled") is None


def wait_for_log(door: Door, text: bytes) -> None:
    """Return once the server has logged `text`."""
    while text not in door.server.log.read_bytes():
        with suppress(subprocess.TimeoutExpired):
            door.server.process.wait(0.05)
            raise AssertionError("The server ended.")


def test_a_client_that_takes_nothing_is_cut_off(impatient_door: Door) -> None:
    door = impatient_door
    size = 64 * 1024 * 1024
    door.put("slow-reader", bytes(size))
    request = head("GET", door.key.presign("GET", door.path("slow-reader")), {"Host": door.key.host})
    with connect(door.server.port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(request)
        wait_for_log(door, b'"status":200,"bytes_sent":-1')
        received = 0
        with suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                received += len(piece)
    assert received < size


class TestExpect:
    """`100 Continue` asks for the body: it must not be sent where the body is not wanted."""

    def test_a_welcome_body_is_asked_for(self, door: Door) -> None:
        with (
            open_upload(door, "expected", len(CONTENT), expect=True) as connection,
            connection.makefile("rb") as reader,
        ):
            assert [reader.readline(), reader.readline()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
            connection.sendall(CONTENT)
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
        assert door.content("expected") == CONTENT

    def test_a_body_that_is_too_large_is_not(self, door: Door) -> None:
        with open_upload(door, "too-large", BEYOND_ONE_PUT, expect=True) as connection:
            reply = self.read_raw(connection)
            assert reply.startswith(b"HTTP/1.1 400 ")
            assert b"<Code>EntityTooLarge</Code>" in reply
            assert f"<ProposedSize>{BEYOND_ONE_PUT}</ProposedSize>".encode() in reply
            assert b"<MaxSizeAllowed>5368709120</MaxSizeAllowed>" in reply

    def test_the_body_of_a_refused_signature_is_not(self, door: Door) -> None:
        target = door.key.presign("PUT", door.path("refused"))[:-4] + "0000"
        headers = {"Host": door.key.host, "Content-Length": "5", "Expect": "100-continue"}
        with connect(door.server.port) as connection:
            connection.sendall(head("PUT", target, headers))
            reply = self.read_raw(connection)
            assert reply.startswith(b"HTTP/1.1 403 ")
            assert b"<Code>SignatureDoesNotMatch</Code>" in reply

    def test_the_body_for_a_bucket_that_is_not_there_is_not(self, door: Door) -> None:
        target = door.key.presign("PUT", "/no-such-bucket-at-all/key")
        headers = {"Host": door.key.host, "Content-Length": "5", "Expect": "100-continue"}
        with connect(door.server.port) as connection:
            connection.sendall(head("PUT", target, headers))
            assert self.read_raw(connection).startswith(b"HTTP/1.1 404 ")

    def read_raw(self, connection: socket.socket) -> bytes:
        """Read until the error document ends; the interim answer, if any, comes with it."""
        received = b""
        while b"</Error>" not in received and (piece := connection.recv(65536)):
            received += piece
        return received


class TestLimits:
    def test_a_key_of_1024_bytes_is_the_longest(self, door: Door) -> None:
        longest = "ü" * 512
        door.put(longest, CONTENT)
        assert door.content(longest) == CONTENT
        reply = door.presigned("PUT", longest + "x", body=CONTENT)
        assert reply.refusal == (400, "KeyTooLongError")
        assert reply.fault.message == "Your key is too long"
        assert reply.fault.details["Size"] == "1025"
        assert reply.fault.details["MaxSizeAllowed"] == "1024"

    def test_metadata_of_two_kilobytes_is_the_most(self, door: Door) -> None:
        fits = {"x-amz-meta-a": "v" * (2048 - len("a"))}
        reply = door.presigned("PUT", "metadata", headers=fits, body=CONTENT)
        assert reply.status == 200
        more = {"x-amz-meta-a": "v" * 1024, "x-amz-meta-b": "v" * 1023}
        refused = door.presigned("PUT", "metadata-2", headers=more, body=CONTENT)
        assert refused.refusal == (400, "MetadataTooLarge")
        assert refused.fault.message == "Your metadata headers exceed the maximum allowed metadata size"
        assert refused.fault.details["MaxSizeAllowed"] == "2048"
        assert door.content("metadata-2") is None

    @pytest.mark.parametrize(
        ("query", "argument"),
        [
            pytest.param([("partNumber", "0"), ("uploadId", "x")], "partNumber", id="part-0"),
            pytest.param([("partNumber", "10001"), ("uploadId", "x")], "partNumber", id="part-10001"),
            pytest.param([("partNumber", "1")], "partNumber", id="part-without-upload"),
        ],
    )
    def test_part_numbers_have_bounds(self, door: Door, query: list[tuple[str, str]], argument: str) -> None:
        reply = door.presigned("PUT", "parts", query=query, body=CONTENT)
        assert reply.refusal == (400, "InvalidArgument")
        assert reply.fault.details["ArgumentName"] == argument

    def test_an_upload_that_is_not_there_is_told(self, door: Door) -> None:
        query = [("partNumber", "1"), ("uploadId", "no-such-upload")]
        assert door.presigned("PUT", "parts", query=query, body=CONTENT).refusal == (404, "NoSuchUpload")

    @pytest.mark.parametrize(
        "name", ["ab", "A-Capital", "under_score", "a..b", "192.168.1.1", "xn--a", "a" * 64]
    )
    def test_bucket_names_follow_the_rules(self, door: Door, name: str) -> None:
        reply = door.send("PUT", door.key.presign("PUT", f"/{encode(name)}"))
        assert reply.refusal == (400, "InvalidBucketName")
        assert reply.fault.details["BucketName"] == name


def test_a_value_outside_latin_1_cannot_be_a_response_header(door: Door) -> None:
    door.put("override", CONTENT)
    query = [("response-content-disposition", 'attachment; filename="März–Bericht.pdf"')]
    reply = door.presigned("GET", "override", query=query)
    assert reply.refusal == (400, "InvalidArgument")
    assert reply.fault.message == "Header value cannot be represented using ISO-8859-1."
    assert reply.fault.details["ArgumentName"] == "response-content-disposition"


def test_a_response_header_cannot_be_split(door: Door) -> None:
    door.put("override", CONTENT)
    query = [("response-content-type", "text/html\r\nSet-Cookie: a=b")]
    reply = door.presigned("GET", "override", query=query)
    assert reply.status in (200, 400)
    assert reply.header("Set-Cookie") is None


def test_anonymous_response_overrides_are_refused(door: Door) -> None:
    door.put("override", CONTENT)
    reply = door.send("GET", f"{door.path('override')}?response-content-type=text%2Fhtml")
    assert reply.status in (400, 403)


def test_a_connection_goes_on_after_a_refusal(door: Door) -> None:
    door.put("kept-alive", CONTENT)
    right = door.key.presign("GET", door.path("kept-alive"))
    targets = ((right[:-4] + "0000", 403), (right, 200), (door.path("kept-alive"), 403), (right, 200))
    with connect(door.server.port) as connection:
        for target, status in targets:
            connection.sendall(head("GET", target, {"Host": door.key.host}))
            assert read_reply(connection, "GET").status == status


class TestUnreadBody:
    """A body that nobody read must never be taken for the next request, nor the next request for the body."""

    @pytest.mark.parametrize("expect", [False, True], ids=["sent-at-once", "waiting-for-consent"])
    def test_the_connection_ends_with_the_refusal(self, door: Door, expect: bool) -> None:
        right = door.key.presign("GET", door.path("kept-alive"))
        for _ in range(50):
            with self.open_refused(door, expect=expect) as connection:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(head("GET", right, {"Host": door.key.host}))
                reply = read_reply(connection, "PUT")
                assert reply.refusal == (403, "SignatureDoesNotMatch")
                assert reply.header("Connection") == "close"
                with suppress(ConnectionResetError):
                    assert connection.recv(65536) == b""

    def open_refused(self, door: Door, *, expect: bool) -> socket.socket:
        target = door.key.presign("PUT", door.path("refused"))[:-4] + "0000"
        headers = {"Host": door.key.host, "Content-Length": str(len(CONTENT))}
        if expect:
            headers["Expect"] = "100-continue"
        connection = connect(door.server.port)
        connection.sendall(head("PUT", target, headers) + (b"" if expect else CONTENT))
        return connection

    def test_a_connection_goes_on_after_a_body_that_was_read(self, door: Door) -> None:
        headers = {"Host": door.key.host, "Content-Length": str(len(CONTENT))}
        with connect(door.server.port) as connection:
            for number in range(5):
                target = door.key.presign("PUT", door.path(f"kept-alive-{number}"))
                connection.sendall(head("PUT", target, headers) + CONTENT)
                reply = read_reply(connection, "PUT")
                assert (reply.status, reply.header("Connection")) == (200, None)

    def test_a_large_upload_that_is_refused_still_gets_its_answer(self, door: Door) -> None:
        target = door.key.presign("PUT", door.path("refused"))[:-4] + "0000"
        reply = door.send("PUT", target, body=bytes(20_000_000))
        assert reply.refusal == (403, "SignatureDoesNotMatch")
