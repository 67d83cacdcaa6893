"""The socket that the server listens on."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

from valetkey.server.setting_values import Listen, ListenUnix
from valetkey.server.settings import SettingsError

BACKLOG: Final = 2048
"""Connections that wait to be taken in; the system may allow fewer."""


def require_free(listen: Listen | ListenUnix) -> None:
    """Return if nobody listens there yet. A Unix socket that a server left behind is removed.

    Raises:
        SettingsError: somebody does, or the address is not ours; the text says what to do.
    """
    if isinstance(listen, ListenUnix):
        _require_free_path(listen.path)
    else:
        _listen_at_port(listen).close()


def listen_at(listen: Listen | ListenUnix, *, socket_mode: int) -> socket.socket:
    """Return a socket that listens there, and never blocks. A Unix socket that a server left behind is removed.

    `socket_mode` is who may connect to a Unix socket, as permissions of its file.

    Raises:
        SettingsError: somebody listens there already, or the address is not ours; the text says what to do.
    """
    if isinstance(listen, ListenUnix):
        listener = _listen_at_path(listen.path, socket_mode)
    else:
        listener = _listen_at_port(listen)
    listener.settimeout(0)
    return listener


def _listen_at_path(path: Path, mode: int) -> socket.socket:
    _require_free_path(path)
    listener = socket.socket(socket.AF_UNIX)
    # Never more than it shall be, not even for a moment.
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(f"Cannot listen on {path}: {error.strerror or error}.") from error
    finally:
        os.umask(before)
    return listener


def _require_free_path(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise SettingsError(f"Cannot listen on {path}: it is no socket.")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
    except FileNotFoundError as error:
        if not path.parent.is_dir():
            raise SettingsError(f"Cannot listen on {path}: its folder is not there.") from error
    except ConnectionRefusedError:
        path.unlink()
    except OSError as error:
        raise SettingsError(f"Cannot listen on {path}: {error.strerror or error}.") from error
    else:
        raise SettingsError(f"Cannot listen on {path}: another server does.")


def _listen_at_port(listen: Listen) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by each connection.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        advice = "Stop what uses it, or say" if error.errno == errno.EADDRINUSE else "Say"
        raise SettingsError(
            f"Cannot listen on {listen}: {error.strerror or error}. {advice} --listen HOST:PORT."
        ) from error
    return listener
