"""The address to listen on, before anybody listens."""

from __future__ import annotations

import socket

from valetkey.server.setting_values import Listen
from valetkey.server.settings import SettingsError


def require_free(listen: Listen) -> None:
    """Return if nobody listens there yet.

    Raises:
        SettingsError: somebody does, or the address is not ours; the text says what to do.
    """
    # The workers share the port by SO_REUSEPORT, and would share it with a stranger's server too, without a word.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {listen}: {error.strerror or error}. Stop what uses it, or say --listen HOST:PORT."
        ) from error
