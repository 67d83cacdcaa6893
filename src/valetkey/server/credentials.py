"""The root credentials: given from outside, or made at the first start and kept in the data folder."""

from __future__ import annotations

import configparser
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valetkey.server.master_key import derive
from valetkey.server.settings import Settings, SettingsError
from valetkey.sigv4.secret import Secret

FILE_NAME: Final = "credentials"
"""In the form of the AWS shared credentials file, so that `AWS_SHARED_CREDENTIALS_FILE` may point to it."""

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCredentials:
    """The access key of the root account."""

    access_key: str
    secret_key: Secret


def owner_id(master_key: bytes) -> str:
    """Return the root account's canonical user id: 64 hex digits that stay when its access key changes."""
    return derive(master_key, "root account id").hex()


def root_credentials(settings: Settings) -> RootCredentials:
    """Return the root credentials of `settings`, or those kept in the data folder, made now if absent.

    The caller holds the data folder, so that two first starts cannot make two pairs.

    Raises:
        SettingsError: the file is there but cannot be read.
    """
    if settings.access_key is not None and settings.secret_key is not None:
        return RootCredentials(access_key=settings.access_key, secret_key=settings.secret_key)
    path = settings.data / FILE_NAME
    if not path.exists():
        _keep(path, access_key="VK" + _random_text(18), secret_key=secrets.token_urlsafe(30))
    return _read(path)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _keep(path: Path, *, access_key: str, secret_key: str) -> None:
    text = f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _read(path: Path) -> RootCredentials:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text("utf-8"))
        access_key = parser.get("default", "aws_access_key_id").strip()
        secret_key = parser.get("default", "aws_secret_access_key").strip()
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # The parser's own message quotes lines of the file, and a line holds the secret.
        raise SettingsError(
            f"The root credentials in {path} cannot be read ({type(error).__name__})."
        ) from None
    return RootCredentials(access_key=access_key, secret_key=Secret(secret_key))
