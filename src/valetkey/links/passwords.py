"""Passwords of links, as Argon2id keeps them."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from valetkey.links.errors import LinkRefusedError, Rule

MAX_CHARS: Final = 256

_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32
_ITERATIONS: Final = 2
_MEMORY_KIB: Final = 19 * 1024
_LANES: Final = 1
"""Source: OWASP Password Storage Cheat Sheet, "Argon2id"."""


def hash_password(password: str) -> str:
    """Return what is kept of a password, in PHC string form. Takes tens of milliseconds."""
    derivation = Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_KEY_BYTES,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return derivation.derive_phc_encoded(password.encode())


def require_password(kept: str, password: bytes) -> None:
    """Return if `password` is the one that `kept` was made of. Takes tens of milliseconds.

    Raises:
        LinkRefusedError: it is another one.
    """
    try:
        Argon2id.verify_phc_encoded(password, kept)
    except InvalidKey as error:
        raise LinkRefusedError(Rule.PASSWORD) from error
