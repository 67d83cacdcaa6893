"""The body form `aws-chunked`: framing, chunk signatures and trailers.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload
in Multiple Chunks", and the same "Including Trailing Headers".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from enum import Enum, auto
from hashlib import sha256
from typing import Final, assert_never

from valetkey.sigv4.errors import (
    ChunkSignatureMismatchError,
    IncompleteBodyError,
    MalformedChunkError,
    MalformedTrailerError,
)
from valetkey.sigv4.keys import ALGORITHM, SigningKey

MAX_CHUNK_HEADER_BYTES: Final = 1024
MAX_TRAILER_BYTES: Final = 16 * 1024

_EMPTY_SHA256: Final = sha256(b"").hexdigest()
_TRAILER_SIGNATURE: Final = b"x-amz-trailer-signature"
_UNSIGNED_HEADER: Final = re.compile(rb"([0-9A-Fa-f]{1,16})()\r\n")
_SIGNED_HEADER: Final = re.compile(rb"([0-9A-Fa-f]{1,16});chunk-signature=([!-~]*)\r\n")
_TRAILER_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r\n\x00]*)\r?\n")


class ChunkSigner:
    """Checks the signatures of a body's chunks, each of which depends on the one before."""

    __slots__ = ("_access_key", "_amz_date", "_key", "_previous", "_scope")

    def __init__(self, *, key: SigningKey, access_key: str, amz_date: str, scope: str, seed: str) -> None:
        """Begin after `seed`, the proved signature of the request's head."""
        self._key = key
        self._access_key = access_key
        self._amz_date = amz_date
        self._scope = scope
        self._previous = seed

    def require_chunk(self, sha256_hex: str, provided_signature: str) -> None:
        """Refuse a chunk whose content is not the one that was signed next.

        Raises:
            ChunkSignatureMismatchError: it is not.
        """
        self._require("PAYLOAD", f"{_EMPTY_SHA256}\n{sha256_hex}", provided_signature)

    def require_trailer(self, sha256_hex: str, provided_signature: str) -> None:
        """Refuse a trailer that was not signed after the last chunk.

        `sha256_hex` is the hash of its lines `name:value`, each ended by a line feed.

        Raises:
            ChunkSignatureMismatchError: it was not.
        """
        self._require("TRAILER", sha256_hex, provided_signature)

    def _require(self, kind: str, hashes: str, provided: str) -> None:
        to_sign = f"{ALGORITHM}-{kind}\n{self._amz_date}\n{self._scope}\n{self._previous}\n{hashes}".encode()
        expected = self._key.hex_signature(to_sign)
        if not hmac.compare_digest(expected.encode(), provided.encode()):
            raise ChunkSignatureMismatchError(
                access_key=self._access_key, string_to_sign=to_sign, signature_provided=provided
            )
        self._previous = expected


class _State(Enum):
    HEADER = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    END = auto()


class ChunkDecoder:
    """Takes an aws-chunked body in pieces of any size and gives back its content.

    It holds no content and never more than one line. After an error it is of no further use.
    """

    def __init__(self, *, signer: ChunkSigner | None, trailers_allowed: bool) -> None:
        """Expect signed chunks if there is a `signer`, and trailers if `trailers_allowed`."""
        self.decoded_bytes = 0
        """Bytes of content given back so far."""
        self._signer = signer
        self._trailers_allowed = trailers_allowed
        self._header = _UNSIGNED_HEADER if signer is None else _SIGNED_HEADER
        self._state = _State.HEADER
        self._line = bytearray()
        self._left = 0
        self._provided = ""
        self._hash = sha256()
        self._trailers: dict[str, str] = {}
        self._trailer_text = b""
        self._trailer_bytes = 0
        self._has_gap = False
        self._is_trailer_proved = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the content that `data` completes.

        It may come before its chunk's signature was checked: commit only after `finish`.

        Raises:
            MalformedChunkError: the framing is wrong.
            MalformedTrailerError: the trailer is wrong, or there must be none.
            ChunkSignatureMismatchError: a chunk or the trailer was not signed as it is.
        """
        pieces: list[bytes] = []
        position = 0
        while position < len(data):
            if self._state is _State.DATA:
                piece = data[position : position + self._left]
                self._take(piece)
                pieces.append(piece)
                position += len(piece)
            else:
                position = self._gather(data, position)
        return pieces

    def finish(self) -> Mapping[str, str]:
        """Return the trailers by lower-case name, once the whole body was fed.

        Raises:
            IncompleteBodyError: the body is not complete.
            MalformedTrailerError: it ends where the signature of the trailer must stand.
        """
        if self._state is _State.TRAILER and self._has_gap:
            raise MalformedTrailerError("the trailer lacks its signature")
        if self._state is not _State.END or self._line:
            raise IncompleteBodyError(expected=self.decoded_bytes + self._left, provided=self.decoded_bytes)
        return self._trailers

    def _take(self, piece: bytes) -> None:
        self._left -= len(piece)
        self.decoded_bytes += len(piece)
        if self._signer is not None:
            self._hash.update(piece)
        if self._left == 0:
            self._require_chunk()
            self._state = _State.DATA_END

    def _gather(self, data: bytes, position: int) -> int:
        """Add to the line that is being read, act on it if it is whole, and return where it ended."""
        feed = data.find(b"\n", position)
        stop = len(data) if feed < 0 else feed + 1
        allowed = MAX_TRAILER_BYTES if self._state is _State.TRAILER else MAX_CHUNK_HEADER_BYTES
        if len(self._line) + stop - position > allowed:
            raise self._malformed("a line is too long")
        self._line += data[position:stop]
        if feed >= 0:
            line = bytes(self._line)
            self._line.clear()
            self._state = self._act(line)
        return stop

    def _act(self, line: bytes) -> _State:
        """Act on a whole line and return the state that follows: the transitions."""
        match self._state:
            case _State.HEADER:
                return self._read_header(line)
            case _State.DATA_END:
                return self._read_data_end(line)
            case _State.TRAILER:
                return self._read_trailer(line)
            case _State.END | _State.DATA:
                return self._read_rest(line)
            case _:
                assert_never(self._state)

    def _read_header(self, line: bytes) -> _State:
        found = self._header.fullmatch(line)
        if found is None:
            raise MalformedChunkError("a chunk does not begin with its size, or lacks its signature")
        self._left = int(found[1], 16)
        self._provided = found[2].decode("ascii")
        self._hash = sha256()
        if self._left:
            return _State.DATA
        self._require_chunk()
        return _State.TRAILER

    def _require_chunk(self) -> None:
        if self._signer is not None:
            self._signer.require_chunk(self._hash.hexdigest(), self._provided)

    def _read_data_end(self, line: bytes) -> _State:
        if line != b"\r\n":
            raise MalformedChunkError("a chunk is longer than its size")
        return _State.HEADER

    def _read_trailer(self, line: bytes) -> _State:
        if line in {b"\r\n", b"\n"}:
            return self._end_trailer()
        self._trailer_bytes += len(line)
        found = _TRAILER_LINE.fullmatch(line)
        if not self._trailers_allowed or found is None or self._trailer_bytes > MAX_TRAILER_BYTES:
            raise MalformedTrailerError("the trailer is malformed, too long, or not expected")
        if self._is_trailer_proved:
            raise MalformedTrailerError("a trailer follows the trailer's signature")
        name, value = found[1].lower(), found[2].strip()
        if self._signer is not None and name == _TRAILER_SIGNATURE:
            self._signer.require_trailer(
                sha256(self._trailer_text).hexdigest(), value.decode("utf-8", "replace")
            )
            self._is_trailer_proved = True
            return _State.TRAILER
        text_name = name.decode("ascii")
        if text_name in self._trailers or self._has_gap:
            raise MalformedTrailerError("a trailer is repeated, or follows an empty line")
        self._trailers[text_name] = value.decode("utf-8", "replace")
        self._trailer_text += name + b":" + value + b"\n"
        return _State.TRAILER

    def _end_trailer(self) -> _State:
        if self._signer is None or not self._trailers_allowed or self._is_trailer_proved:
            self._has_gap = False
            return _State.END
        if self._has_gap or not self._trailers:
            raise MalformedTrailerError("the trailer lacks its signature")
        # minio-go writes an empty line between the trailers and their signature.
        self._has_gap = True
        return _State.TRAILER

    def _read_rest(self, line: bytes) -> _State:
        # One empty line more than prescribed: minio-go again, where the trailer is not signed.
        if line != b"\r\n" or self._has_gap:
            raise MalformedChunkError("bytes follow the last chunk")
        self._has_gap = True
        return _State.END

    def _malformed(self, text: str) -> MalformedChunkError | MalformedTrailerError:
        return (MalformedTrailerError if self._state is _State.TRAILER else MalformedChunkError)(text)
