"""The address to listen on, before anybody listens."""

from __future__ import annotations

import errno
import socket
import stat
from pathlib import Path

from valetkey.server.setting_values import Listen, ListenUnix
from valetkey.server.settings import SettingsError


def require_free(listen: Listen | ListenUnix) -> None:
    """Return if nobody listens there yet. A Unix socket that a server left behind is removed.

    Raises:
        SettingsError: somebody does, or the address is not ours; the text says what to do.
    """
    if isinstance(listen, ListenUnix):
        _require_free_path(listen.path)
    else:
        _require_free_port(listen)


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


def _require_free_port(listen: Listen) -> None:
    # The workers share the port by SO_REUSEPORT, and would share it with a stranger's server too, without a word.
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        advice = "Stop what uses it, or say" if error.errno == errno.EADDRINUSE else "Say"
        raise SettingsError(
            f"Cannot listen on {listen}: {error.strerror or error}. {advice} --listen HOST:PORT."
        ) from error
