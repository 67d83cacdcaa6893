"""The digests of bytes that go from one object to another, within the store."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

from valetkey.s3.checksums import Algorithm, new_hasher
from valetkey.s3.encryption import CustomerKey
from valetkey.store.model import Checksum


class Digests:
    """Computes an ETag and a checksum as bytes pass by."""

    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm = algorithm
        # MD5 is the ETag here, and protects nothing.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hasher = new_hasher(algorithm)

    def observe(self, block: bytes) -> None:
        """Take in the next bytes."""
        self._md5.update(block)
        self._hasher.update(block)

    async def observe_all(self, blocks: AsyncIterator[bytes]) -> None:
        """Take in all that `blocks` has, in a thread, since large blocks take their time."""
        async for block in blocks:
            await asyncio.to_thread(self.observe, block)

    @property
    def etag(self) -> str:
        return self._md5.hexdigest()

    @property
    def checksum(self) -> Checksum:
        return Checksum(algorithm=self._algorithm.name, value=self._hasher.base64(), type="FULL_OBJECT")


def stored_etag(md5_hex: str, key: CustomerKey | None) -> str:
    """Return the ETag of bytes with this MD5.

    Whoever may list a bucket sees its ETags, and is not to learn from them what lies there under a client's own
    key. So that of such an object is no MD5 of its bytes, and takes the key to make. Source: Amazon S3 API
    Reference, "Object".
    """
    return md5_hex if key is None else hmac.digest(key.key, md5_hex.encode(), "md5").hex()
