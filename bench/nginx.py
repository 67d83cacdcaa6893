"""nginx as the peer: the same files, served statically."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load import require_program
from valetkey.testing.server import free_port

_READY_S: Final = 10.0
_STOP_S: Final = 10.0

# The settings of Debian's own nginx.conf that touch this path (sendfile, tcp_nopush), no access log, and no
# end to a connection, so that reconnecting is not what is measured.
_CONFIGURATION: Final = """\
{user}
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  default_type application/octet-stream;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  server {{
    listen 127.0.0.1:{port};
    root {root};
  }}
}}
"""


@contextmanager
def running_nginx(folder: Path, *, root: Path, workers: int) -> Iterator[str]:
    """Serve the files below `root` and yield the endpoint; `folder` keeps nginx's own files.

    Raises:
        MissingPeerError: nginx is not installed.
        RuntimeError: it did not start; the text holds what it printed.
    """
    program = require_program("nginx")
    folder.mkdir()
    port = free_port()
    # As root it would hand the files to another user, who may not enter a temporary folder.
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(user=user, workers=workers, folder=folder, port=port, root=root))
    command = [program, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")]
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, folder, f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_STOP_S)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
    logs = (folder / "output.log", folder / "error.log")
    raise RuntimeError("nginx did not start:\n" + "".join(log.read_text() for log in logs if log.exists()))
