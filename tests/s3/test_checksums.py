from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.s3.checksums import (
    Algorithm,
    announced_trailer,
    claimed_checksum,
    combine_crc,
    composite,
    new_hasher,
    require_md5,
    require_sdk_algorithm_kept,
    sdk_algorithm,
)
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

CRCS = [Algorithm.CRC32, Algorithm.CRC32C, Algorithm.CRC64NVME]


def _of(algorithm: Algorithm, content: bytes) -> str:
    hasher = new_hasher(algorithm)
    hasher.update(content)
    return hasher.base64()


def _hex(algorithm: Algorithm, content: bytes) -> str:
    return b64decode(_of(algorithm, content)).hex()


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        # The check values of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC, CRC-32/ISCSI,
        # CRC-64/NVME), and FIPS 180 digests from `sha1sum` and `sha256sum`.
        (Algorithm.CRC32, "cbf43926"),
        (Algorithm.CRC32C, "e3069283"),
        (Algorithm.CRC64NVME, "ae8b14860a799888"),
        (Algorithm.SHA1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        (Algorithm.SHA256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    ],
    ids=lambda value: value.name if isinstance(value, Algorithm) else None,
)
def test_checksum_of_the_nine_digits(algorithm: Algorithm, expected: str) -> None:
    assert _hex(algorithm, b"123456789") == expected


def test_crc32c_agrees_with_amazons_own_example() -> None:
    # Amazon S3 API Reference, "Signature calculations … (chunked payload) with trailing headers".
    assert _of(Algorithm.CRC32C, b"a" * (65536 + 1024)) == "sOO8/Q=="


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda algorithm: algorithm.name)
def test_checksum_does_not_depend_on_the_pieces(algorithm: Algorithm) -> None:
    hasher = new_hasher(algorithm)
    for piece in (b"1234", b"", b"5", b"6789"):
        hasher.update(piece)
    assert hasher.base64() == _of(algorithm, b"123456789")
    assert len(b64decode(hasher.base64())) == algorithm.size_bytes


def test_headers_and_elements_are_named_for_the_algorithm() -> None:
    assert Algorithm.CRC64NVME.header == "x-amz-checksum-crc64nvme"
    assert Algorithm.CRC64NVME.element == "ChecksumCRC64NVME"


def test_request_without_checksum_claims_none() -> None:
    assert claimed_checksum({"content-md5": "x", "x-amz-date": "x"}) is None
    only_kinds = {
        "x-amz-checksum-type": "COMPOSITE",
        "x-amz-checksum-algorithm": "CRC32",
        "x-amz-checksum-mode": "x",
    }
    assert claimed_checksum(only_kinds) is None


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda algorithm: algorithm.name)
def test_checksum_header_is_read(algorithm: Algorithm) -> None:
    value = _of(algorithm, b"x")
    assert claimed_checksum({algorithm.header: f" {value} "}) == (algorithm, value)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"},
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ),
        ({"x-amz-checksum-sha256": "AAAAAA=="}, "Value for x-amz-checksum-sha256 header is invalid."),
        ({"x-amz-checksum-crc32": "AAAA"}, "Value for x-amz-checksum-crc32 header is invalid."),
        ({"x-amz-checksum-crc32": "????????"}, "Value for x-amz-checksum-crc32 header is invalid."),
        ({"x-amz-checksum-crc32": "ÄÄÄÄÄÄ=="}, "Value for x-amz-checksum-crc32 header is invalid."),
        ({"x-amz-checksum-crc32": ""}, "Value for x-amz-checksum-crc32 header is invalid."),
        (
            {"x-amz-checksum-xxhash64": "AAAAAAAAAAA="},
            "The algorithm type you specified in x-amz-checksum- header is invalid.",
        ),
    ],
    ids=["two", "wrong length", "too short", "no base64", "no ascii", "empty", "unknown"],
)
def test_checksum_header_is_refused(headers: dict[str, str], message: str) -> None:
    with pytest.raises(S3Error) as caught:
        claimed_checksum(headers)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_REQUEST, message)


def test_trailer_is_announced() -> None:
    assert announced_trailer({}) is None
    assert announced_trailer({"x-amz-trailer": ""}) is None
    assert announced_trailer({"x-amz-trailer": "X-Amz-Checksum-CRC32 "}) is Algorithm.CRC32


@pytest.mark.parametrize(
    "value", ["x-amz-checksum-md5", "x-amz-meta-a", "x-amz-checksum-crc32,x-amz-checksum-sha1"]
)
def test_trailer_of_another_kind_is_refused(value: str) -> None:
    with pytest.raises(S3Error) as caught:
        announced_trailer({"x-amz-trailer": value})
    assert caught.value.message == "The value specified in the x-amz-trailer header is not supported"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, Algorithm.CRC32),
        ({"x-amz-sdk-checksum-algorithm": "crc64nvme"}, Algorithm.CRC64NVME),
        ({"x-amz-checksum-algorithm": "SHA256"}, Algorithm.SHA256),
        ({"x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-checksum-algorithm": "SHA1"}, Algorithm.CRC32),
        ({"x-amz-sdk-checksum-algorithm": ""}, None),
    ],
    ids=["none", "sdk", "small letters", "other", "both", "empty"],
)
def test_algorithm_is_named(headers: dict[str, str], expected: Algorithm | None) -> None:
    assert sdk_algorithm(headers) is expected


def test_unknown_algorithm_is_refused_with_the_ones_that_are_known() -> None:
    with pytest.raises(S3Error) as caught:
        sdk_algorithm({"x-amz-checksum-algorithm": "MD4"})
    assert caught.value.message.endswith("valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")


@pytest.mark.parametrize(
    ("promised", "found"), [(None, None), (None, Algorithm.SHA1), ("CRC32", Algorithm.CRC32), ("", None)]
)
def test_promised_checksum_is_there(promised: str | None, found: Algorithm | None) -> None:
    headers = {} if promised is None else {"x-amz-sdk-checksum-algorithm": promised}
    require_sdk_algorithm_kept(headers, found)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            None,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
            "headers were found.",
        ),
        (Algorithm.SHA1, "Value for x-amz-sdk-checksum-algorithm header is invalid."),
    ],
    ids=["missing", "another"],
)
def test_promised_checksum_is_missing(found: Algorithm | None, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        require_sdk_algorithm_kept({"x-amz-sdk-checksum-algorithm": "CRC32"}, found)
    assert caught.value.message == message


def test_content_md5_is_sixteen_bytes() -> None:
    digest = hashlib.md5(b"x").digest()
    assert require_md5({}) is None
    assert require_md5({"content-md5": b64encode(digest).decode()}) == digest


@pytest.mark.parametrize(
    "value", ["", " ", "rL0Y20zC+Fzt72VPzMSk2A", "YWJyYWNhZGFicmE=", hashlib.md5(b"").hexdigest(), "ü"]
)
def test_other_content_md5_is_refused(value: str) -> None:
    with pytest.raises(S3Error) as caught:
        require_md5({"content-md5": value})
    assert caught.value.code is Code.INVALID_DIGEST
    assert dict(caught.value.details) == {"Content-MD5": value}


def test_composite_is_the_checksum_of_the_checksums() -> None:
    parts = [b"a" * 10, b"b" * 5]
    raw = b"".join(hashlib.sha256(part).digest() for part in parts)
    expected = b64encode(hashlib.sha256(raw).digest()).decode()
    assert composite(Algorithm.SHA256, [_of(Algorithm.SHA256, part) for part in parts]) == f"{expected}-2"


def test_composite_of_crcs_is_over_their_big_endian_bytes() -> None:
    raw = zlib.crc32(b"a").to_bytes(4, "big") + zlib.crc32(b"b").to_bytes(4, "big")
    expected = b64encode(zlib.crc32(raw).to_bytes(4, "big")).decode()
    assert (
        composite(Algorithm.CRC32, [_of(Algorithm.CRC32, b"a"), _of(Algorithm.CRC32, b"b")])
        == f"{expected}-2"
    )


@pytest.mark.parametrize("algorithm", CRCS, ids=lambda algorithm: algorithm.name)
@given(parts=st.lists(st.binary(max_size=300), max_size=6))
def test_crc_of_the_whole_follows_from_the_parts(algorithm: Algorithm, parts: list[bytes]) -> None:
    measured = [(_of(algorithm, part), len(part)) for part in parts]
    assert combine_crc(algorithm, measured) == _of(algorithm, b"".join(parts))


@pytest.mark.parametrize("algorithm", CRCS, ids=lambda algorithm: algorithm.name)
def test_crc_is_combined_over_parts_of_real_size(algorithm: Algorithm) -> None:
    parts = [bytes(5 * 1024**2), b"\x01" * (5 * 1024**2), b"end"]
    measured = [(_of(algorithm, part), len(part)) for part in parts]
    assert combine_crc(algorithm, measured) == _of(algorithm, b"".join(parts))


def test_digests_cannot_be_combined() -> None:
    with pytest.raises(ValueError, match="SHA256"):
        combine_crc(Algorithm.SHA256, [])


@given(
    st.dictionaries(
        st.sampled_from([*(a.header for a in Algorithm), "x-amz-checksum-foo"]), st.text(max_size=12)
    )
)
def test_any_headers_claim_a_checksum_or_none_or_are_refused(
    refusal_of: Callable[..., Code | None], headers: dict[str, str]
) -> None:
    code = refusal_of(claimed_checksum, headers)
    assert code in (None, Code.INVALID_REQUEST)
    if code is None:
        assert (claimed_checksum(headers) is None) == (not headers)
