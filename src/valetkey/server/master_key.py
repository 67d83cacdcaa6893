"""The master key: given from outside, or made at the first start and kept in the data folder.

Contents that clients ask to have encrypted are under it, and the server's other secrets are derived from it. Without
it those contents are lost, so whoever backs the data folder up keeps the key too.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from valetkey.processes.file_lock import PRIVATE_FILE_MODE
from valetkey.server.setting_values import parse_master_key
from valetkey.server.settings import Settings, SettingsError
from valetkey.store.folder import sync_folder
from valetkey.store.seal import derive as derive

FILE_NAME: Final = "master.key"
"""Holds 64 hex digits, and the end of the line."""

PRINT_NAME: Final = "master.print"
"""Tells whether a key is the one that the folder was begun with; the key cannot be made of it."""

KEY_BYTES: Final = 32


def master_key(settings: Settings) -> bytes:
    """Return the 32 bytes of `settings`, or those kept in the data folder, made now if absent.

    The caller holds the data folder, so that two first starts cannot make two keys.

    Raises:
        SettingsError: the file is there but cannot be read, or holds no key; or the key is missing, or is not the
            one that the folder was begun with.
    """
    key = _given_or_kept(settings)
    _require_same(settings.data / PRINT_NAME, key)
    return key


def _given_or_kept(settings: Settings) -> bytes:
    if settings.master_key is not None:
        return bytes.fromhex(settings.master_key.reveal())
    path = settings.data / FILE_NAME
    if not path.exists():
        if (settings.data / PRINT_NAME).exists():
            # A new one would open nothing that was encrypted under the lost one.
            raise SettingsError(
                f"The master key {path} is missing. Put it back, or give it as VALETKEY_MASTER_KEY."
            )
        _keep(path, secrets.token_hex(KEY_BYTES))
    return _read(path)


def _require_same(path: Path, key: bytes) -> None:
    fingerprint = derive(key, "master key fingerprint").hex()
    try:
        kept = path.read_text("ascii").strip()
    except FileNotFoundError:
        _keep(path, fingerprint)
        return
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read ({type(error).__name__}).") from None
    if not hmac.compare_digest(kept.encode(), fingerprint.encode()):
        raise SettingsError(
            f"The master key is not the one that {path.parent} was begun with. What was encrypted under that one "
            "could not be read, nor would the root account own its buckets."
        )


def _keep(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    # Before anything is encrypted under it: a power cut must not leave the contents and take the key.
    sync_folder(path.parent)


def _read(path: Path) -> bytes:
    try:
        return bytes.fromhex(parse_master_key(path.read_text("ascii")).reveal())
    except (OSError, ValueError) as error:
        # What the file holds may be most of a key, and is not shown.
        raise SettingsError(f"The master key in {path} cannot be read ({type(error).__name__}).") from None
