"""What a signature says of the body."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from valetkey.sigv4.errors import InvalidContentSha256Error

UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"


class PayloadKind(Enum):
    """The forms that a body may have under a signature."""

    UNSIGNED = auto()
    """The signature does not cover the body."""
    SHA256 = auto()
    """The signature covers the hash of the whole body."""
    STREAMING_SIGNED = auto()
    """aws-chunked, each chunk signed."""
    STREAMING_SIGNED_TRAILER = auto()
    """aws-chunked, each chunk and the trailer signed."""
    STREAMING_UNSIGNED_TRAILER = auto()
    """aws-chunked with a trailer, nothing of it signed."""
    NOT_DECODED = auto()
    """A streaming form where S3 does not de-chunk: query authentication, and SigV2."""


class Payload(NamedTuple):
    """The form of the body, and its hash where the signature covers one."""

    kind: PayloadKind
    sha256_hex: str | None = None
    """64 lower-case hex digits. Under query authentication and SigV2 also whatever else was sent, which no
    body can match: S3 answers that with XAmzContentSHA256Mismatch, not with a complaint of its form."""


UNSIGNED: Final = Payload(PayloadKind.UNSIGNED)
_NOT_DECODED: Final = Payload(PayloadKind.NOT_DECODED)
_WORDS: Final[Mapping[str, Payload]] = {
    UNSIGNED_PAYLOAD: UNSIGNED,
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": Payload(PayloadKind.STREAMING_SIGNED),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": Payload(PayloadKind.STREAMING_SIGNED_TRAILER),
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": Payload(PayloadKind.STREAMING_UNSIGNED_TRAILER),
}


def is_sha256(text: str) -> bool:
    """Tell whether `text` is 64 hex digits, of either case."""
    return len(text) == 64 and not text.strip("0123456789abcdefABCDEF")


def is_payload_line(text: str) -> bool:
    """Tell whether S3 takes `text` as x-amz-content-sha256 with header authentication."""
    return text in _WORDS or is_sha256(text)


def header_payload(text: str) -> Payload:
    """Return what x-amz-content-sha256 says under SigV4 header authentication.

    The two forms of SigV4A are refused: their chunks are signed with a key that we do not have.

    Raises:
        InvalidContentSha256Error: `text` is none of the words and no SHA-256.
    """
    word = _WORDS.get(text)
    if word is not None:
        return word
    if not is_sha256(text):
        raise InvalidContentSha256Error
    return Payload(PayloadKind.SHA256, text.lower())


def undecoded_payload(text: str) -> Payload:
    """Return what x-amz-content-sha256 says under query authentication or SigV2. Never raises."""
    if text == UNSIGNED_PAYLOAD:
        return UNSIGNED
    if text.startswith("STREAMING-"):
        return _NOT_DECODED
    return Payload(PayloadKind.SHA256, text.lower() if is_sha256(text) else text)
