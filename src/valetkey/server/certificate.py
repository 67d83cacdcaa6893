"""The server's certificate: read, checked, and looked at now and then."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from valetkey.server.settings import Settings, SettingsError

Print = tuple[tuple[int, int, int] | None, ...]
"""What changes when one of the files does."""


class Pair(NamedTuple):
    """The files of a certificate and its key."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what connections are secured with, by the files as they are now.

        Raises:
            SettingsError: they hold no pair, or the key needs a password; the text says which.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, _no_password)
        except (OSError, ValueError) as error:
            reason = (
                getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            )
            raise SettingsError(
                f"The certificate {self.certificate} and the key {self.key} cannot be used: {reason}."
            ) from error
        return context

    def print_now(self) -> Print:
        """Return the print of the files as they are now."""
        return tuple(_print_of(path) for path in self)


def pair_of(settings: Settings) -> Pair | None:
    """Return the files that the settings name, or None where the server speaks no TLS."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return Pair(settings.tls_certificate, settings.tls_key)


class PairWatch:
    """Tells when there is a new pair to be taken up."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._served = self._before = pair.print_now()

    def has_news(self) -> bool:
        """Return True once for each change of the files: when they have rested, and are a pair."""
        now = self._pair.print_now()
        # Not while it is being written, nor before the key has followed.
        is_news = now != self._served and now == self._before and _is_pair(self._pair)
        self._before = now
        if is_news:
            self._served = now
        return is_news


def _is_pair(pair: Pair) -> bool:
    try:
        pair.context()
    except SettingsError:
        return False
    return True


def _print_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _no_password() -> str:
    raise ValueError("the key needs a password")
