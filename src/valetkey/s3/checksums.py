"""Checksums and digests of content: read from headers, computed as it streams, and combined over parts.

Header mappings have lower-case names.
Source: Amazon S3 User Guide, "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final, Protocol

from awscrt import checksums as awscrt

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error

_PREFIX: Final = "x-amz-checksum-"
_NOT_VALUES: Final = frozenset({f"{_PREFIX}algorithm", f"{_PREFIX}mode", f"{_PREFIX}type"})
"""Headers that begin like a checksum's and hold none."""


class Algorithm(Enum):
    """A checksum algorithm. `size_bytes` is the length of its value before base64."""

    CRC32 = ("CRC32", 4)
    CRC32C = ("CRC32C", 4)
    CRC64NVME = ("CRC64NVME", 8)
    SHA1 = ("SHA1", 20)
    SHA256 = ("SHA256", 32)

    header: str
    """The request and response header that carries the value."""
    element: str
    """The XML element that does."""
    size_bytes: int

    def __init__(self, wire: str, size_bytes: int) -> None:
        self.header = _PREFIX + wire.lower()
        self.element = f"Checksum{wire}"
        self.size_bytes = size_bytes


_BY_HEADER: Final = {algorithm.header: algorithm for algorithm in Algorithm}

_Crc = Callable[[bytes, int], int]
_CRCS: Final[Mapping[Algorithm, _Crc]] = {
    Algorithm.CRC32: awscrt.crc32,
    Algorithm.CRC32C: awscrt.crc32c,
    Algorithm.CRC64NVME: awscrt.crc64nvme,
}
_COMBINE: Final[Mapping[Algorithm, Callable[[int, int, int], int]]] = {
    Algorithm.CRC32: awscrt.combine_crc32,
    Algorithm.CRC32C: awscrt.combine_crc32c,
    Algorithm.CRC64NVME: awscrt.combine_crc64nvme,
}


class Hasher(Protocol):
    """A checksum on its way through a stream."""

    def update(self, data: bytes, /) -> None:
        """Take in the next bytes."""

    def base64(self) -> str:
        """Return the checksum of the bytes so far, as headers carry it."""


class _CrcHasher:
    __slots__ = ("_crc", "_size_bytes", "_value")

    def __init__(self, crc: _Crc, size_bytes: int) -> None:
        self._crc = crc
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._crc(data, self._value)

    def base64(self) -> str:
        return b64encode(self._value.to_bytes(self._size_bytes, "big")).decode("ascii")


class _DigestHasher:
    __slots__ = ("_digest",)

    def __init__(self, name: str) -> None:
        self._digest = hashlib.new(name, usedforsecurity=False)

    def update(self, data: bytes, /) -> None:
        self._digest.update(data)

    def base64(self) -> str:
        return b64encode(self._digest.digest()).decode("ascii")


def new_hasher(algorithm: Algorithm) -> Hasher:
    """Return a hasher that has taken in nothing yet."""
    crc = _CRCS.get(algorithm)
    if crc is not None:
        return _CrcHasher(crc, algorithm.size_bytes)
    return _DigestHasher(algorithm.name.lower())


def claimed_checksum(headers: Mapping[str, str]) -> tuple[Algorithm, str] | None:
    """Return the checksum that an `x-amz-checksum-…` header claims for the body, or None where none does.

    Raises:
        S3Error: InvalidRequest, for several of them, an unknown algorithm, or a value that is not its base64.
    """
    names = [name for name in headers if name.startswith(_PREFIX) and name not in _NOT_VALUES]
    if not names:
        return None
    if any(name not in _BY_HEADER for name in names):
        raise S3Error(
            Code.INVALID_REQUEST, "The algorithm type you specified in x-amz-checksum- header is invalid."
        )
    if len(names) > 1:
        raise S3Error(
            Code.INVALID_REQUEST,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    algorithm, value = _BY_HEADER[names[0]], headers[names[0]].strip()
    if _decoded(value, algorithm.size_bytes) is None:
        raise S3Error(Code.INVALID_REQUEST, f"Value for {algorithm.header} header is invalid.")
    return algorithm, value


def announced_trailer(headers: Mapping[str, str]) -> Algorithm | None:
    """Return the algorithm whose value `x-amz-trailer` announces behind the body, or None without it.

    Raises:
        S3Error: InvalidRequest, if it announces anything else.
    """
    announced = headers.get("x-amz-trailer", "").strip().lower()
    if not announced:
        return None
    algorithm = _BY_HEADER.get(announced)
    if algorithm is None:
        raise S3Error(
            Code.INVALID_REQUEST, "The value specified in the x-amz-trailer header is not supported"
        )
    return algorithm


def sdk_algorithm(headers: Mapping[str, str]) -> Algorithm | None:
    """Return the algorithm that `x-amz-sdk-checksum-algorithm`, or else `x-amz-checksum-algorithm`, names.

    Raises:
        S3Error: InvalidRequest, if it is none of ours.
    """
    name = headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm")
    if not name:
        return None
    algorithm = Algorithm.__members__.get(name.strip().upper())
    if algorithm is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(Algorithm.__members__)}]",
        )
    return algorithm


def require_sdk_algorithm_kept(headers: Mapping[str, str], found: Algorithm | None) -> None:
    """Return unless `x-amz-sdk-checksum-algorithm` promises another checksum than `found`.

    `found` is what a header claims or a trailer announces.

    Raises:
        S3Error: InvalidRequest.
    """
    if not headers.get("x-amz-sdk-checksum-algorithm"):
        return
    promised = sdk_algorithm(headers)
    if found is None:
        raise S3Error(
            Code.INVALID_REQUEST,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
            "headers were found.",
        )
    if promised is not found:
        raise S3Error(Code.INVALID_REQUEST, "Value for x-amz-sdk-checksum-algorithm header is invalid.")


def require_md5(headers: Mapping[str, str]) -> bytes | None:
    """Return the sixteen bytes that `Content-MD5` claims for the body, or None without that header.

    Raises:
        S3Error: InvalidDigest, if it is not the base64 of sixteen bytes.
    """
    value = headers.get("content-md5")
    if value is None:
        return None
    digest = _decoded(value.strip(), 16)
    if digest is None:
        raise S3Error(Code.INVALID_DIGEST, None, {"Content-MD5": value})
    return digest


def composite(algorithm: Algorithm, parts: Sequence[str]) -> str:
    """Return the checksum of checksums: over the parts' raw values in order, with `-` and their number."""
    hasher = new_hasher(algorithm)
    for part in parts:
        hasher.update(b64decode(part, validate=True))
    return f"{hasher.base64()}-{len(parts)}"


def combine_crc(algorithm: Algorithm, parts: Sequence[tuple[str, int]]) -> str:
    """Return the checksum of the whole from the base64 values and sizes in bytes of its parts, in order.

    Raises:
        ValueError: `algorithm` is no CRC; digests cannot be combined.
    """
    combine = _COMBINE.get(algorithm)
    if combine is None:
        raise ValueError(f"the {algorithm.name} of a whole cannot be computed from those of its parts")
    total = 0
    for value, size_bytes in parts:
        total = combine(total, int.from_bytes(b64decode(value, validate=True), "big"), size_bytes)
    return b64encode(total.to_bytes(algorithm.size_bytes, "big")).decode("ascii")


def _decoded(text: str, size_bytes: int) -> bytes | None:
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == size_bytes else None
