"""The body of one request on its way in: decoded, counted, hashed, and compared with what was claimed.

Nothing here keeps the body. The store pulls decoded pieces from `pieces`, calls `observe` with each of
them, and makes the object visible only after `require_as_claimed` has returned.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Final

from valetkey.gateway.call import Call
from valetkey.s3.checksums import (
    Algorithm,
    announced_trailer,
    claimed_checksum,
    new_hasher,
    require_md5,
    require_sdk_algorithm_kept,
)
from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.limits import MAX_SINGLE_UPLOAD_BYTES
from valetkey.s3.post_policy import SizeRange
from valetkey.sigv4.chunks import ChunkDecoder
from valetkey.sigv4.payload import PayloadKind
from valetkey.store.model import Checksum

DEFAULT_ALGORITHM: Final = Algorithm.CRC64NVME
"""What S3 computes where the client sent no checksum."""

_STREAMING: Final = {
    PayloadKind.STREAMING_SIGNED,
    PayloadKind.STREAMING_SIGNED_TRAILER,
    PayloadKind.STREAMING_UNSIGNED_TRAILER,
}
_WITH_TRAILER: Final = {PayloadKind.STREAMING_SIGNED_TRAILER, PayloadKind.STREAMING_UNSIGNED_TRAILER}


class Intake:
    """Reads one body and proves that it is what the request said."""

    def __init__(
        self,
        call: Call,
        *,
        algorithm: Algorithm | None = DEFAULT_ALGORITHM,
        max_bytes: int = MAX_SINGLE_UPLOAD_BYTES,
        may_be_absent: bool = False,
        size_range: SizeRange | None = None,
        besides: Algorithm | None = None,
    ) -> None:
        """Check all that can be checked before the first byte.

        `algorithm` is the checksum to compute where the client names none; None computes none. A body that
        `may_be_absent` needs no length, but then it must be empty. With a `size_range` none is announced either: a
        form's file is as long as it turns out to be, within that range. `besides` is a checksum to compute where
        the client names another.

        Raises:
            S3Error: the length is missing or too large, or a digest header is malformed.
        """
        payload = call.payload
        self._body = call.request.body
        self._claimed_sha256 = payload.sha256_hex if payload and payload.kind is PayloadKind.SHA256 else None
        self._decoder: ChunkDecoder | None = None
        self._trailer: Algorithm | None = None
        self._announced_bytes = _announced_length(call.headers, is_encoded=False)
        self.expected_bytes = self._announced_bytes
        if payload is not None and payload.kind in _STREAMING:
            self._expect_chunks(call, payload.kind)
        elif payload is not None and payload.kind is PayloadKind.NOT_DECODED:
            self._refuse_undecoded(call.headers)
        self._is_absent = self.expected_bytes is None and may_be_absent
        if self._is_absent:
            self.expected_bytes = 0
        self._size_range = size_range
        if size_range is None:
            if self.expected_bytes is None:
                raise S3Error(Code.MISSING_CONTENT_LENGTH)
            require_size(self.expected_bytes, max_bytes)

        self._md5_claim = require_md5(call.headers)
        self._checksum_claim = claimed_checksum(call.headers)
        self.algorithm = self._chosen_algorithm(call.headers, algorithm)
        # MD5 is the ETag here, and protects nothing.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if self._claimed_sha256 is not None else None
        self._hasher = new_hasher(self.algorithm) if self.algorithm else None
        self._besides = new_hasher(besides) if besides and besides is not self.algorithm else None
        self._decoded_bytes = 0

    def _expect_chunks(self, call: Call, kind: PayloadKind) -> None:
        self.expected_bytes = _announced_length(call.headers, is_encoded=True)
        if self.expected_bytes is None:
            raise S3Error(Code.MISSING_CONTENT_LENGTH)
        if kind in _WITH_TRAILER:
            self._trailer = announced_trailer(call.headers)
        signer = call.proof.chunk_signer if call.proof else None
        self._decoder = ChunkDecoder(signer=signer, trailers_allowed=kind in _WITH_TRAILER)

    def _refuse_undecoded(self, headers: Mapping[str, str]) -> None:
        # A presigned URL never carries chunks: S3 takes the frames for the content, so a truthful length cannot match.
        decoded = _announced_length(headers, is_encoded=True)
        if decoded is None or self._announced_bytes is None:
            raise S3Error(Code.MISSING_CONTENT_LENGTH)
        if decoded != self._announced_bytes:
            details = {"NumberBytesExpected": str(decoded), "NumberBytesProvided": str(self._announced_bytes)}
            raise S3Error(Code.INCOMPLETE_BODY, None, details)
        self._claimed_sha256 = headers.get("x-amz-content-sha256", "")

    def _chosen_algorithm(self, headers: Mapping[str, str], default: Algorithm | None) -> Algorithm | None:
        found = self._checksum_claim[0] if self._checksum_claim is not None else self._trailer
        require_sdk_algorithm_kept(headers, found)
        return found or default

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the content, without the framing, as it arrives.

        Raises:
            S3Error: more or fewer bytes came than were announced.
            SignatureError: a chunk's signature or framing is wrong.
        """
        if self._decoder is None:
            async for piece in self._body():
                self._count(piece)
                yield piece
        else:
            async for raw in self._body():
                for piece in self._decoder.feed(raw):
                    self._count(piece)
                    yield piece
        if self._size_range is not None:
            _require_least(self._decoded_bytes, self._size_range.least)
        elif self._decoded_bytes != self.expected_bytes:
            raise self._incomplete()

    def _count(self, piece: bytes) -> None:
        self._decoded_bytes += len(piece)
        if self._size_range is not None:
            require_size(self._decoded_bytes, self._size_range.most)
            return
        if self._is_absent:
            raise S3Error(Code.MISSING_CONTENT_LENGTH)
        assert self.expected_bytes is not None  # refused in __init__
        if self._decoded_bytes > self.expected_bytes:
            raise self._incomplete()

    def _incomplete(self) -> S3Error:
        details = {
            "NumberBytesExpected": str(self.expected_bytes),
            "NumberBytesProvided": str(self._decoded_bytes),
        }
        return S3Error(Code.INCOMPLETE_BODY, None, details)

    def observe(self, piece: bytes) -> None:
        """Hash a piece. Called in order, once for each piece, on whichever thread writes it."""
        self._md5.update(piece)
        if self._sha256 is not None:
            self._sha256.update(piece)
        if self._hasher is not None:
            self._hasher.update(piece)
        if self._besides is not None:
            self._besides.update(piece)

    @property
    def etag(self) -> str:
        """The ETag of the content, unquoted: its MD5 in hex."""
        return self._md5.hexdigest()

    @property
    def besides(self) -> str | None:
        """The checksum that was to be computed beside that of the client, in base64; None if it is the client's."""
        return None if self._besides is None else self._besides.base64()

    def require_as_claimed(self) -> Checksum | None:
        """Return the checksum to keep with the object, once the whole body has been observed.

        Raises:
            S3Error: the body is not what a header, a trailer or the signature says of it.
        """
        # In every case: the end of a chunked body is signed, and proves that none of it was left out.
        trailers = self._decoder.finish() if self._decoder else {}
        self._require_sha256()
        if self._md5_claim is not None and not hmac.compare_digest(self._md5_claim, self._md5.digest()):
            raise S3Error(
                Code.BAD_DIGEST,
                None,
                {
                    # Amazon writes one in hex and the other in base64.
                    "ExpectedDigest": self._md5_claim.hex(),
                    "CalculatedDigest": b64encode(self._md5.digest()).decode(),
                },
            )
        if self._hasher is None or self.algorithm is None:
            return None
        computed = self._hasher.base64()
        claimed = self._claimed_value(trailers)
        if claimed is not None and not hmac.compare_digest(claimed.encode(), computed.encode()):
            raise S3Error(
                Code.BAD_DIGEST,
                f"The {self.algorithm.name} you specified did not match the calculated checksum.",
            )
        return Checksum(algorithm=self.algorithm.name, value=computed, type="FULL_OBJECT")

    def _require_sha256(self) -> None:
        if self._claimed_sha256 is None:
            return
        computed = self._sha256.hexdigest() if self._sha256 else hashlib.sha256().hexdigest()
        # A STREAMING-… text stands here too where it was not decoded; it equals no digest.
        if not hmac.compare_digest(self._claimed_sha256.encode(), computed.encode()):
            raise S3Error(
                Code.X_AMZ_CONTENT_SHA256_MISMATCH,
                None,
                {
                    "ClientComputedContentSHA256": self._claimed_sha256,
                    "S3ComputedContentSHA256": computed,
                },
            )

    def _claimed_value(self, trailers: Mapping[str, str]) -> str | None:
        if self._trailer is not None:
            value = trailers.get(self._trailer.header)
            if value is None:
                raise S3Error(Code.MALFORMED_TRAILER_ERROR)
            return value
        return self._checksum_claim[1] if self._checksum_claim else None


def _announced_length(headers: Mapping[str, str], *, is_encoded: bool) -> int | None:
    text = headers.get("x-amz-decoded-content-length" if is_encoded else "content-length")
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18:
        return None
    return int(text)


def require_size(size_bytes: int, max_bytes: int) -> None:
    """Return unless a body or an object of `size_bytes` is too large.

    Raises:
        S3Error: EntityTooLarge, with both numbers.
    """
    if size_bytes > max_bytes:
        details = {"ProposedSize": str(size_bytes), "MaxSizeAllowed": str(max_bytes)}
        raise S3Error(Code.ENTITY_TOO_LARGE, None, details)


def _require_least(size_bytes: int, least_bytes: int) -> None:
    if size_bytes < least_bytes:
        details = {"ProposedSize": str(size_bytes), "MinSizeAllowed": str(least_bytes)}
        raise S3Error(Code.ENTITY_TOO_SMALL, None, details)


async def read_document(call: Call, *, max_bytes: int, is_integrity_required: bool = False) -> bytes:
    """Return the whole body of a request that carries an XML document of at most `max_bytes`.

    Raises:
        S3Error: it is longer, or not what its digests say, or has no digest where one is required.
    """
    # Some clients send no length with an empty body (CreateBucket).
    intake = Intake(call, algorithm=None, max_bytes=max_bytes, may_be_absent=True)
    if is_integrity_required and "content-md5" not in call.headers and intake.algorithm is None:
        raise S3Error(
            Code.INVALID_REQUEST, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )
    document = bytearray()
    async for piece in intake.pieces():
        intake.observe(piece)
        document += piece
    intake.require_as_claimed()
    return bytes(document)
