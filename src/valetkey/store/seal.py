"""Encryption at rest: content in frames, and the seals that keep its keys.

Every encrypted blob, and every encrypted content in the catalog, has a random 256-bit key of its own. What the
catalog keeps of it is a seal: the key, encrypted under the store's master key or under one that a client keeps.

    seal     version, kind, 12 random bytes, and the AES-256-GCM ciphertext and tag of the key
    frame    the AES-256-GCM ciphertext and tag of 64 KiB of the content, of fewer in the last frame

Frame n has n as its nonce. A nonce must not meet a key twice with different bytes, and does not: a key seals one
content, once. Frames cannot change places, because each opens under its own number alone; one that is missing is
missed because the catalog knows the size. Empty content has no frame.

Secrets of access keys are sealed too, each under the name that it belongs to, so that none can take the place of
another.

    secret   version, 12 random bytes, and the AES-256-GCM ciphertext and tag of the secret

Source: NIST SP 800-38D, "Galois/Counter Mode (GCM) and GMAC".
"""

import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from valetkey.store.errors import NoMasterKeyError, StorageFailedError, WrongKeyError
from valetkey.store.model import Encryption

FRAME_BYTES: Final = 64 * 1024
"""Of content, in every frame but the last."""
TAG_BYTES: Final = 16
SEALED_FRAME_BYTES: Final = FRAME_BYTES + TAG_BYTES

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

_VERSION: Final = 1
_UNDER_MASTER_KEY: Final = 1
_UNDER_CUSTOMER_KEY: Final = 2
_HEAD_BYTES: Final = 2
_SEAL_BYTES: Final = _HEAD_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES

_SEAL_DATA: Final = b"valetkey content key "
_FRAME_DATA: Final = b"valetkey content frame 1"
_SECRET_DATA: Final = b"valetkey secret "


def derive(key: bytes, label: str) -> bytes:
    """Return a 32-byte key that serves the purpose `label` alone and tells nothing of `key`."""
    return hmac.digest(key, b"valetkey " + label.encode(), hashlib.sha256)


def sealed_size(size: int) -> int:
    """Return how many bytes the frames of content of `size` bytes take."""
    return size + -(-size // FRAME_BYTES) * TAG_BYTES


class Keyring:
    """Makes and opens seals. May be asked from several threads at once."""

    def __init__(self, master_key: bytes | None) -> None:
        """Without `master_key` only what is under customers' keys can be read and written."""
        self._master = None if master_key is None else _wrapping(master_key)
        self._secrets = None if master_key is None else AESGCM(derive(master_key, "secrets of access keys"))

    def new_seal(self, encryption: Encryption) -> tuple[bytes, bytes]:
        """Return a new random key for one content, and the seal of it.

        Raises:
            NoMasterKeyError: it has to be sealed under a master key, and there is none.
            ValueError: the kind of encryption is unknown, or the customer's key is not one of 32 bytes.
        """
        if encryption.kind == "AES256":
            kind, wrapping = _UNDER_MASTER_KEY, self._require_master()
        elif encryption.kind == "SSE-C":
            if encryption.customer_key is None or len(encryption.customer_key) != KEY_BYTES:
                raise ValueError(f"A customer's key has {KEY_BYTES} bytes.")
            kind, wrapping = _UNDER_CUSTOMER_KEY, _wrapping(encryption.customer_key)
        else:
            raise ValueError(f"There is no encryption {encryption.kind!r}.")
        key = os.urandom(KEY_BYTES)
        head, nonce = bytes((_VERSION, kind)), os.urandom(NONCE_BYTES)
        return key, head + nonce + wrapping.encrypt(nonce, key, _SEAL_DATA + head)

    def open_seal(self, seal: bytes, customer_key: bytes | None) -> bytes:
        """Return the key in the seal. `customer_key` counts only where the seal is under such a key.

        Raises:
            WrongKeyError: the customer's key is missing, or the seal is under another.
            NoMasterKeyError: the seal is under a master key, and there is none.
            StorageFailedError: the seal is malformed, or under another master key than ours.
        """
        kind = _kind_of(seal)
        if kind == _UNDER_MASTER_KEY:
            wrapping = self._require_master()
        elif customer_key is not None:
            wrapping = _wrapping(customer_key)
        else:
            raise WrongKeyError(is_missing=True)
        head, nonce, wrapped = (
            seal[:_HEAD_BYTES],
            seal[_HEAD_BYTES:][:NONCE_BYTES],
            seal[-KEY_BYTES - TAG_BYTES :],
        )
        try:
            return wrapping.decrypt(nonce, wrapped, _SEAL_DATA + head)
        except InvalidTag:
            if kind == _UNDER_CUSTOMER_KEY:
                raise WrongKeyError(is_missing=False) from None
            raise StorageFailedError("The content was encrypted under another master key.") from None

    def seal_secret(self, secret: bytes, *, name: str) -> bytes:
        """Return the secret under the master key, such that it opens under the same `name` alone.

        Raises:
            NoMasterKeyError
        """
        head, nonce = bytes((_VERSION,)), os.urandom(NONCE_BYTES)
        return head + nonce + self._require_secrets().encrypt(nonce, secret, _secret_data(head, name))

    def open_secret(self, seal: bytes, *, name: str) -> bytes:
        """Return the secret that was sealed under `name`.

        Raises:
            NoMasterKeyError
            StorageFailedError: the seal is malformed, of another name, or under another master key than ours.
        """
        cipher = self._require_secrets()
        head, nonce, sealed = seal[:1], seal[1:][:NONCE_BYTES], seal[1 + NONCE_BYTES :]
        if head != bytes((_VERSION,)) or len(sealed) < TAG_BYTES:
            raise StorageFailedError("The seal of a secret is malformed.")
        try:
            return cipher.decrypt(nonce, sealed, _secret_data(head, name))
        except InvalidTag:
            raise StorageFailedError(
                "A secret is damaged, or was encrypted under another master key."
            ) from None

    def _require_secrets(self) -> AESGCM:
        if self._secrets is None:
            raise NoMasterKeyError
        return self._secrets

    def _require_master(self) -> AESGCM:
        if self._master is None:
            raise NoMasterKeyError
        return self._master


class FrameSealer:
    """Encrypts one content from its first byte to its last, under a key that has sealed nothing before."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0
        self._rest = b""

    def feed(self, block: bytes) -> bytes:
        """Return the frames that are full now."""
        known = self._rest + block if self._rest else block
        whole = len(known) - len(known) % FRAME_BYTES
        self._rest = known[whole:]
        view = memoryview(known)
        return b"".join(
            self._seal(view[start : start + FRAME_BYTES]) for start in range(0, whole, FRAME_BYTES)
        )

    def finish(self) -> bytes:
        """Return the last frame, or nothing if the content has ended with a full one."""
        rest, self._rest = self._rest, b""
        return self._seal(rest) if rest else b""

    def _seal(self, plain: bytes | memoryview) -> bytes:
        frame = self._cipher.encrypt(_nonce(self._number), plain, _FRAME_DATA)
        self._number += 1
        return frame


class FrameOpener:
    """Decrypts any range of one content."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def open(self, frames: bytes | memoryview, *, start: int, end: int, name: str) -> bytes:
        """Return the bytes from `start` to before `end` of the content; there is at least one.

        `frames` begins where `first_byte(start)` says, and reaches to `last_byte(end)` or the end of the last
        frame. `name` says in an error what is damaged.

        Raises:
            StorageFailedError: a frame that is asked for is missing or not as it was written.
        """
        first = start // FRAME_BYTES
        view = memoryview(frames)
        plain = []
        for number in range(first, (end - 1) // FRAME_BYTES + 1):
            at = (number - first) * SEALED_FRAME_BYTES
            try:
                frame = self._cipher.decrypt(_nonce(number), view[at : at + SEALED_FRAME_BYTES], _FRAME_DATA)
            except InvalidTag:
                raise StorageFailedError(f"{name} is damaged in frame {number}.") from None
            plain.append(frame)
        whole = plain[0] if len(plain) == 1 else b"".join(plain)
        if first * FRAME_BYTES + len(whole) < end:
            raise StorageFailedError(f"{name} ends before byte {end}.")
        return whole[start - first * FRAME_BYTES : end - first * FRAME_BYTES]


def first_byte(start: int) -> int:
    """Return where the frame begins that holds byte `start` of the content."""
    return start // FRAME_BYTES * SEALED_FRAME_BYTES


def last_byte(end: int) -> int:
    """Return where the frame ends, if it is full, that holds the byte before `end` of the content."""
    return -(-end // FRAME_BYTES) * SEALED_FRAME_BYTES


def seal_content(key: bytes, content: bytes) -> bytes:
    """Return the frames of a whole content, under a key that has sealed nothing before."""
    sealer = FrameSealer(key)
    return sealer.feed(content) + sealer.finish()


def _secret_data(head: bytes, name: str) -> bytes:
    return _SECRET_DATA + head + name.encode()


def _wrapping(key: bytes) -> AESGCM:
    return AESGCM(derive(key, "content keys"))


def _kind_of(seal: bytes) -> int:
    """Raises StorageFailedError."""
    if (
        len(seal) != _SEAL_BYTES
        or seal[0] != _VERSION
        or seal[1] not in {_UNDER_MASTER_KEY, _UNDER_CUSTOMER_KEY}
    ):
        raise StorageFailedError("The seal of an encrypted content is malformed.")
    return seal[1]


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")
