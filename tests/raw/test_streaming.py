"""aws-chunked bodies, signed by hand: each form, and each way to tamper with one.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
Multiple Chunks" and its sequel on trailing headers.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from tests.raw.door import Door
from tests.raw.signing import EMPTY_SHA256, Signed, now
from tests.raw.wire import Reply

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
FORMS = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)

CHUNKS = (b"a" * 65536, b"b" * 8192, b"the end")
CRC32 = base64.b64encode(zlib.crc32(b"".join(CHUNKS)).to_bytes(4, "big")).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One chunk as it goes out."""

    data: bytes
    signature: str | None
    size: str

    def to_wire(self) -> bytes:
        extension = f";chunk-signature={self.signature}" if self.signature is not None else ""
        return f"{self.size}{extension}\r\n".encode() + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A chunked upload, ready to be sent or tampered with."""

    door: Door
    name: str
    signed: Signed
    frames: tuple[Frame, ...]
    trailers: tuple[str, ...]

    def body(self) -> bytes:
        data = b"".join(frame.to_wire() + b"\r\n" for frame in self.frames[:-1])
        ends = "".join(f"{line}\r\n" for line in self.trailers)
        return data + self.frames[-1].to_wire() + ends.encode() + b"\r\n"

    def send(self, body: bytes | None = None) -> Reply:
        body = self.body() if body is None else body
        return self.door.send("PUT", self.door.path(self.name), headers=self.signed.headers, body=body)


def prepare(
    door: Door,
    name: str,
    form: str,
    *,
    chunks: Sequence[bytes] = CHUNKS,
    decoded: int | None = None,
    trailers: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Upload:
    """Return an upload of `chunks` that is right in every respect."""
    at = now()
    has_trailer = form != SIGNED
    trailers = ({"x-amz-checksum-crc32": CRC32} if trailers is None else trailers) if has_trailer else {}
    sent = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(sum(map(len, chunks)) if decoded is None else decoded),
    }
    if has_trailer:
        sent["x-amz-trailer"] = ",".join(trailers) or "x-amz-checksum-crc32"
    sent |= headers or {}
    signed = door.key.authorize("PUT", door.path(name), at=at, headers=sent, payload=form)
    previous, frames = signed.signature, []
    for chunk in [*chunks, b""]:
        signature = None
        if form != UNSIGNED_TRAILER:
            before = f"AWS4-HMAC-SHA256-PAYLOAD\n{signed.date}\n{signed.scope}\n{previous}\n{EMPTY_SHA256}"
            text = f"{before}\n{hashlib.sha256(chunk).hexdigest()}"
            previous = signature = door.key.sign_text(text, at)
        frames.append(Frame(data=chunk, signature=signature, size=f"{len(chunk):x}"))
    frames[-1] = replace(frames[-1], data=b"")
    lines = [f"{name}:{value}" for name, value in trailers.items()]
    if form == SIGNED_TRAILER:
        hashed = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256-TRAILER\n{signed.date}\n{signed.scope}\n{previous}\n{hashed}"
        lines.append(f"x-amz-trailer-signature:{door.key.sign_text(text, at)}")
    return Upload(door=door, name=name, signed=signed, frames=tuple(frames), trailers=tuple(lines))


def changed(signature: str | None) -> str:
    """Return another signature."""
    assert signature is not None
    return ("1" if signature.startswith("0") else "0") + signature[1:]


@pytest.mark.parametrize("form", FORMS)
def test_a_chunked_body_is_stored_without_its_framing(door: Door, form: str) -> None:
    upload = prepare(door, f"right-{form}", form, headers={"content-encoding": "gzip,aws-chunked"})
    reply = upload.send()
    assert reply.status == 200, reply.body
    assert reply.header("ETag") == f'"{hashlib.md5(b"".join(CHUNKS)).hexdigest()}"'
    assert door.content(upload.name) == b"".join(CHUNKS)
    kept = door.presigned("HEAD", upload.name, headers={"x-amz-checksum-mode": "ENABLED"})
    assert kept.header("Content-Encoding") == "gzip"
    if form != SIGNED:
        assert kept.header("x-amz-checksum-crc32") == CRC32


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_chunked_body_is_an_empty_object(door: Door, form: str) -> None:
    upload = prepare(door, f"empty-{form}", form, chunks=(), trailers={"x-amz-checksum-crc32": "AAAAAA=="})
    reply = upload.send()
    assert reply.status == 200, reply.body
    assert door.content(upload.name) == b""


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("sha1", base64.b64encode(hashlib.sha1(b"".join(CHUNKS)).digest()).decode()),
        ("sha256", base64.b64encode(hashlib.sha256(b"".join(CHUNKS)).digest()).decode()),
    ],
)
@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_trailer_may_hold_another_checksum(door: Door, form: str, algorithm: str, value: str) -> None:
    name = f"x-amz-checksum-{algorithm}"
    upload = prepare(door, f"{algorithm}-{form}", form, trailers={name: value})
    reply = upload.send()
    assert (reply.status, reply.header(name)) == (200, value)


def test_a_large_body_of_many_chunks_is_stored(door: Door) -> None:
    chunks = [bytes([number]) * 65536 for number in range(64)]
    upload = prepare(door, "many-chunks", SIGNED, chunks=chunks)
    assert upload.send().status == 200
    assert door.content("many-chunks") == b"".join(chunks)


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
@pytest.mark.parametrize("number", range(4), ids=["first", "second", "third", "last"])
def test_a_wrong_chunk_signature_stores_nothing(door: Door, form: str, number: int) -> None:
    upload = prepare(door, "chunk-signature", form)
    frames = list(upload.frames)
    frames[number] = replace(frames[number], signature=changed(frames[number].signature))
    assert replace(upload, frames=tuple(frames)).send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("chunk-signature") is None


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
def test_an_altered_chunk_stores_nothing(door: Door, form: str) -> None:
    upload = prepare(door, "altered-chunk", form)
    frames = (upload.frames[0], replace(upload.frames[1], data=b"c" * 8192), *upload.frames[2:])
    assert replace(upload, frames=frames).send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("altered-chunk") is None


def test_chunks_in_another_order_store_nothing(door: Door) -> None:
    chunks = (b"a" * 8192, b"b" * 8192)
    upload = prepare(door, "chunk-order", SIGNED, chunks=chunks)
    frames = (upload.frames[1], upload.frames[0], upload.frames[2])
    assert replace(upload, frames=frames).send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("chunk-order") is None


def test_a_chunk_without_its_signature_stores_nothing(door: Door) -> None:
    upload = prepare(door, "chunk-unsigned", SIGNED)
    frames = (replace(upload.frames[0], signature=None), *upload.frames[1:])
    reply = replace(upload, frames=frames).send()
    assert reply.status in (400, 403)
    assert reply.fault.code in ("IncompleteBody", "InvalidRequest", "SignatureDoesNotMatch")
    assert door.content("chunk-unsigned") is None


def test_a_trailer_that_its_signature_does_not_cover_stores_nothing(door: Door) -> None:
    upload = prepare(door, "trailer-altered", SIGNED_TRAILER)
    altered = replace(upload, trailers=("x-amz-checksum-crc32:AAAAAA==", upload.trailers[1]))
    assert altered.send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("trailer-altered") is None


def test_a_trailer_signature_that_is_wrong_stores_nothing(door: Door) -> None:
    upload = prepare(door, "trailer-signature", SIGNED_TRAILER)
    name, _, signature = upload.trailers[1].partition(":")
    altered = replace(upload, trailers=(upload.trailers[0], f"{name}:{changed(signature)}"))
    assert altered.send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("trailer-signature") is None


def test_a_trailer_signature_cannot_be_left_out(door: Door) -> None:
    upload = prepare(door, "trailer-unsigned", SIGNED_TRAILER)
    reply = replace(upload, trailers=upload.trailers[:1]).send()
    assert reply.status in (400, 403)
    assert reply.fault.code in ("IncompleteBody", "MalformedTrailerError", "SignatureDoesNotMatch")
    assert door.content("trailer-unsigned") is None


@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_checksum_in_the_trailer_is_enforced(door: Door, form: str) -> None:
    upload = prepare(door, "trailer-checksum", form, trailers={"x-amz-checksum-crc32": "AAAAAA=="})
    reply = upload.send()
    assert reply.refusal == (400, "BadDigest")
    assert reply.fault.message == "The CRC32 you specified did not match the calculated checksum."
    assert door.content("trailer-checksum") is None


def test_an_announced_trailer_must_come(door: Door) -> None:
    upload = prepare(door, "trailer-absent", UNSIGNED_TRAILER)
    assert replace(upload, trailers=()).send().refusal == (400, "MalformedTrailerError")
    assert door.content("trailer-absent") is None


def test_an_announced_trailer_must_be_a_checksum(door: Door) -> None:
    upload = prepare(door, "trailer-other", UNSIGNED_TRAILER, headers={"x-amz-trailer": "x-amz-meta-late"})
    reply = upload.send()
    assert reply.refusal == (400, "InvalidRequest")
    assert reply.fault.message == "The value specified in the x-amz-trailer header is not supported"
    assert door.content("trailer-other") is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("difference", [-1, 1], ids=["shorter", "longer"])
def test_the_decoded_length_must_be_true(door: Door, form: str, difference: int) -> None:
    decoded = sum(map(len, CHUNKS)) + difference
    reply = prepare(door, "decoded-length", form, decoded=decoded).send()
    assert reply.refusal == (400, "IncompleteBody")
    assert door.content("decoded-length") is None


@pytest.mark.parametrize("form", FORMS)
def test_the_decoded_length_must_be_given(door: Door, form: str) -> None:
    upload = prepare(door, "no-decoded-length", form, headers={"x-amz-decoded-content-length": ""})
    assert upload.send().refusal == (411, "MissingContentLength")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kept", [0, 10, 70_000, -20], ids=["at-once", "in-size", "in-chunk", "near-end"])
def test_a_body_that_ends_early_stores_nothing(door: Door, form: str, kept: int) -> None:
    upload = prepare(door, "ends-early", form)
    reply = upload.send(upload.body()[:kept])
    assert reply.status in (400, 403)
    assert reply.fault.code in ("IncompleteBody", "MalformedTrailerError", "SignatureDoesNotMatch")
    assert door.content("ends-early") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_body_without_its_last_chunk_stores_nothing(door: Door, form: str) -> None:
    upload = prepare(door, "no-last-chunk", form)
    body = b"".join(frame.to_wire() + b"\r\n" for frame in upload.frames[:-1])
    assert upload.send(body).refusal == (400, "IncompleteBody")
    assert door.content("no-last-chunk") is None


@pytest.mark.parametrize("size", ["", "xyz", "-5", "10000000000000000", "0x10000"])
def test_a_chunk_size_must_be_in_hexadecimal_digits(door: Door, size: str) -> None:
    upload = prepare(door, "chunk-size", UNSIGNED_TRAILER)
    frames = (replace(upload.frames[0], size=size), *upload.frames[1:])
    assert replace(upload, frames=frames).send().refusal == (400, "IncompleteBody")
    assert door.content("chunk-size") is None


def test_a_wrong_seed_signature_stores_nothing(door: Door) -> None:
    upload = prepare(door, "seed", SIGNED)
    authorization = upload.signed.headers["authorization"]
    headers = dict(upload.signed.headers) | {
        "authorization": authorization.replace(upload.signed.signature, "0" * 64)
    }
    altered = replace(upload, signed=replace(upload.signed, headers=headers))
    assert altered.send().refusal == (403, "SignatureDoesNotMatch")
    assert door.content("seed") is None


@pytest.mark.parametrize(
    "form", ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"]
)
def test_forms_that_this_store_does_not_read_are_refused(door: Door, form: str) -> None:
    upload = prepare(door, "ecdsa", form)
    reply = upload.send()
    assert reply.status in (400, 501)
    assert door.content("ecdsa") is None
