"""The aws-chunked body, whole and byte by byte."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from hashlib import sha256
from io import BytesIO

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given
from hypothesis import strategies as st

from valetkey.sigv4.chunks import MAX_TRAILER_BYTES, ChunkDecoder, ChunkSigner
from valetkey.sigv4.errors import (
    ChunkSignatureMismatchError,
    IncompleteBodyError,
    MalformedChunkError,
    MalformedTrailerError,
    SignatureError,
)
from valetkey.sigv4.keys import SigningKey

KEY = SigningKey(b"k" * 32)
SEED = "5" * 64
SCOPE = "20130524/us-east-1/s3/aws4_request"
DATE = "20130524T000000Z"

Outcome = tuple[bytes, dict[str, str]] | type[SignatureError]


def sign(kind: str, previous: str, hashes: str) -> str:
    to_sign = f"AWS4-HMAC-SHA256-{kind}\n{DATE}\n{SCOPE}\n{previous}\n{hashes}".encode()
    return hmac.digest(b"k" * 32, to_sign, "sha256").hex()


def signed_body(chunks: Iterable[bytes], trailer: bytes | None = None, gap: bytes = b"") -> bytes:
    """Return a body of signed chunks; `trailer` are its lines, each ended by a line feed."""
    body, previous, empty = b"", SEED, sha256(b"").hexdigest()
    for chunk in [*chunks, b""]:
        previous = sign("PAYLOAD", previous, f"{empty}\n{sha256(chunk).hexdigest()}")
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk
        body += b"\r\n" if chunk else b""
    if trailer is not None:
        signature = sign("TRAILER", previous, sha256(trailer).hexdigest())
        body += trailer.replace(b"\n", gap or b"\r\n") + f"x-amz-trailer-signature:{signature}\r\n".encode()
    return body + b"\r\n"


def decoder(*, is_signed: bool = False, trailers_allowed: bool = True) -> ChunkDecoder:
    signer = ChunkSigner(key=KEY, access_key="AKID", amz_date=DATE, scope=SCOPE, seed=SEED)
    return ChunkDecoder(signer=signer if is_signed else None, trailers_allowed=trailers_allowed)


def outcome(pieces: Iterable[bytes], decoder: ChunkDecoder) -> Outcome:
    content = b""
    try:
        for piece in pieces:
            content += b"".join(decoder.feed(piece))
        return content, dict(decoder.finish())
    except SignatureError as error:
        return type(error)


def byte_by_byte(body: bytes) -> list[bytes]:
    return [body[position : position + 1] for position in range(len(body))]


def check(body: bytes, expected: Outcome, make: Callable[[], ChunkDecoder]) -> None:
    assert outcome([body], make()) == expected
    assert outcome(byte_by_byte(body), make()) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"0\r\n\r\n", (b"", {}), id="nothing"),
        pytest.param(b"3\r\nabc\r\n0\r\n\r\n", (b"abc", {}), id="one chunk"),
        pytest.param(
            b"A\r\n0123456789\r\n1\r\na\r\n000\r\n\r\n", (b"0123456789a", {}), id="capital hex, zeros"
        ),
        pytest.param(b"3\r\n\r\n\r\r\n0\r\n\r\n", (b"\r\n\r", {}), id="line breaks as content"),
        pytest.param(
            b"0\r\nX-Amz-Checksum-Crc32: AAAAAA== \r\nb:\r\n\r\n",
            (b"", {"x-amz-checksum-crc32": "AAAAAA==", "b": ""}),
            id="trailers",
        ),
        pytest.param(b"0\r\na:1\n\r\n\r\n", (b"", {"a": "1"}), id="minio-go, unsigned"),
        pytest.param(b"", IncompleteBodyError, id="no body"),
        pytest.param(b"3\r\nab", IncompleteBodyError, id="ends in a chunk"),
        pytest.param(b"3\r\nabc\r\n", IncompleteBodyError, id="no last chunk"),
        pytest.param(b"0\r\n", IncompleteBodyError, id="no last line"),
        pytest.param(b"0\r\na:1\r\n", IncompleteBodyError, id="ends in the trailer"),
        pytest.param(b"0\r\n\r\n\r", IncompleteBodyError, id="ends in a line break"),
        pytest.param(b"\r\n", MalformedChunkError, id="no size"),
        pytest.param(b"-1\r\n", MalformedChunkError, id="negative size"),
        pytest.param(b"0x1\r\na\r\n", MalformedChunkError, id="size with prefix"),
        pytest.param(b"+1\r\na\r\n", MalformedChunkError, id="size with sign"),
        pytest.param(b" 1\r\na\r\n", MalformedChunkError, id="size after space"),
        pytest.param(b"1_0\r\na\r\n", MalformedChunkError, id="size with underscore"),
        pytest.param(b"1" * 17 + b"\r\n", MalformedChunkError, id="size of 17 digits"),
        pytest.param(b"1;a=b\r\na\r\n0\r\n\r\n", MalformedChunkError, id="extension"),
        pytest.param(b"1\na\r\n0\r\n\r\n", MalformedChunkError, id="bare line feed"),
        pytest.param(b"1\r\nab\r\n0\r\n\r\n", MalformedChunkError, id="chunk longer than its size"),
        pytest.param(b"2\r\na\r\n0\r\n\r\n", MalformedChunkError, id="chunk shorter than its size"),
        pytest.param(b"0\r\n\r\nabc\r\n", MalformedChunkError, id="bytes after the end"),
        pytest.param(b"0\r\n\r\n\r\n\r\n", MalformedChunkError, id="two lines after the end"),
        pytest.param(b"1" * 2000, MalformedChunkError, id="endless line"),
        pytest.param(b"0\r\nno colon\r\n\r\n", MalformedTrailerError, id="trailer without colon"),
        pytest.param(b"0\r\na b:1\r\n\r\n", MalformedTrailerError, id="trailer with space in its name"),
        pytest.param(b"0\r\na:1\r\nA:1\r\n\r\n", MalformedTrailerError, id="trailer twice"),
        pytest.param(b"0\r\na:1\r2\r\n\r\n", MalformedTrailerError, id="return in a value"),
        pytest.param(b"0\r\na:" + b"1" * MAX_TRAILER_BYTES, MalformedTrailerError, id="endless trailer"),
        pytest.param(
            b"0\r\n" + b"".join(b"%d:%s\r\n" % (n, b"1" * 990) for n in range(20)) + b"\r\n",
            MalformedTrailerError,
            id="too many trailers",
        ),
    ],
)
def test_unsigned_chunks(body: bytes, expected: Outcome) -> None:
    check(body, expected, decoder)


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_trailer_where_none_is_allowed(is_signed: bool) -> None:
    body = signed_body([b"abc"]) if is_signed else b"3\r\nabc\r\n0\r\n\r\n"
    check(body, (b"abc", {}), lambda: decoder(is_signed=is_signed, trailers_allowed=False))
    body = body[:-2] + b"a:1\r\n\r\n"
    check(body, MalformedTrailerError, lambda: decoder(is_signed=is_signed, trailers_allowed=False))


@pytest.mark.parametrize(
    "gap", [b"\r\n", b"\n", b"\n\r\n"], ids=["as prescribed", "line feed", "minio-go's empty line"]
)
def test_signed_trailer(gap: bytes) -> None:
    body = signed_body([b"abc", b"defg"], b"x-amz-checksum-crc32c:sOO8/Q==\n", gap)
    expected = (b"abcdefg", {"x-amz-checksum-crc32c": "sOO8/Q=="})
    check(body, expected, lambda: decoder(is_signed=True))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(b"def", b"dEf", ChunkSignatureMismatchError, id="content"),
        pytest.param(
            b"4;chunk-signature=", b"4;chunk-signature=0", ChunkSignatureMismatchError, id="signature"
        ),
        pytest.param(b"sOO8", b"sOO9", ChunkSignatureMismatchError, id="trailer's value"),
        pytest.param(b"crc32c", b"crc32", ChunkSignatureMismatchError, id="trailer's name"),
        pytest.param(
            b"trailer-signature:",
            b"trailer-signature:0",
            ChunkSignatureMismatchError,
            id="trailer's signature",
        ),
        pytest.param(b";chunk-signature=", b"", MalformedChunkError, id="no signature"),
        pytest.param(b"x-amz-trailer-signature:", b"x-other:", MalformedTrailerError, id="unsigned trailer"),
        pytest.param(
            b"x-amz-checksum-crc32c:sOO8/Q==\r\n", b"\r\n", MalformedTrailerError, id="empty line, no trailer"
        ),
    ],
)
def test_altered_signed_body(old: bytes, new: bytes, expected: Outcome) -> None:
    body = signed_body([b"abc", b"defg"], b"x-amz-checksum-crc32c:sOO8/Q==\n")
    assert old in body
    check(body.replace(old, new), expected, lambda: decoder(is_signed=True))


def test_chunks_keep_their_order() -> None:
    first, second, *_ = (part + b"\r\n" for part in signed_body([b"aaaa", b"bbbb"]).split(b"\r\nb"))
    assert outcome([b"b" + second + first], decoder(is_signed=True)) is MalformedChunkError
    swapped = signed_body([b"bbbb", b"aaaa"]).split(b"\r\n", 4)
    straight = signed_body([b"aaaa", b"bbbb"]).split(b"\r\n", 4)
    body = b"\r\n".join([*straight[2:4], *swapped[2:4], straight[4]])
    check(body, ChunkSignatureMismatchError, lambda: decoder(is_signed=True))


def test_a_trailer_after_the_trailers_signature() -> None:
    body = signed_body([b"abc"], b"a:1\n")[:-2] + b"b:2\r\n\r\n"
    check(body, MalformedTrailerError, lambda: decoder(is_signed=True))


def test_nothing_but_a_signed_end() -> None:
    check(signed_body([]), (b"", {}), lambda: decoder(is_signed=True, trailers_allowed=False))


def test_incomplete_body_counts_its_bytes() -> None:
    machine = decoder()
    machine.feed(b"3\r\nabc\r\n8\r\nde")
    with pytest.raises(IncompleteBodyError) as caught:
        machine.finish()
    assert (caught.value.expected, caught.value.provided) == (11, 5)
    assert machine.decoded_bytes == 5


def test_large_pieces_pass_through() -> None:
    content = bytes(range(256)) * 1024
    machine = decoder()
    pieces = machine.feed(b"%x\r\n" % len(content))
    pieces += machine.feed(content)
    assert pieces == [content]


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=80), max_size=6),
    trailer=st.sampled_from([None, b"", b"a:1\n", b"a:1\nb:2\n"]),
    cuts=st.lists(st.integers(0, 900), max_size=12),
)
def test_pieces_of_any_size_give_the_same(
    chunks: list[bytes], trailer: bytes | None, cuts: list[int]
) -> None:
    body = signed_body(chunks, trailer)
    ends = [*sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    names = {"a": "1", "b": "2"}
    expected = (b"".join(chunks), dict(list(names.items())[: (trailer or b"").count(b"\n")]))
    assert outcome(pieces, decoder(is_signed=True, trailers_allowed=trailer is not None)) == expected


@given(body=st.binary(max_size=200), is_signed=st.booleans(), allowed=st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, is_signed: bool, allowed: bool) -> None:
    whole = outcome([body], decoder(is_signed=is_signed, trailers_allowed=allowed))
    assert outcome(byte_by_byte(body), decoder(is_signed=is_signed, trailers_allowed=allowed)) == whole


@given(data=st.data(), trailer=st.sampled_from([None, b"a:1\n"]))
def test_altering_one_byte_of_a_signed_body(data: st.DataObject, trailer: bytes | None) -> None:
    body = signed_body([b"abc", b"\r\n0;"], trailer)
    position = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(
        st.binary(min_size=1, max_size=1).filter(lambda byte: byte != body[position : position + 1])
    )
    altered = body[:position] + byte + body[position + 1 :]
    made = [decoder(is_signed=True, trailers_allowed=trailer is not None) for _ in range(2)]
    result = outcome([altered], made[0])
    assert outcome(byte_by_byte(altered), made[1]) == result
    # Only what frames the content may be spelled otherwise, such as the size's letters.
    assert isinstance(result, type) or result == outcome([body], decoder(is_signed=True))


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_botocores_chunks(size: int) -> None:
    content = b"ab" * (size // 2) + b"c" * (size % 2)
    wrapper = AwsChunkedWrapper(
        BytesIO(content), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32", chunk_size=65_536
    )
    body = wrapper.read()
    result = outcome([body], decoder())
    assert isinstance(result, tuple)
    assert result[0] == content
    assert list(result[1]) == ["x-amz-checksum-crc32"]
