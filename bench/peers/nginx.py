"""nginx: files as they lie there, and with `secure_link`, which checks a signed URL that ends."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from bench.load import require_program
from bench.peers.peer import Kind, Peer, running, signer_at
from valetkey.testing.server import SECRET_KEY, free_port

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
    root {folder}/files;
    location / {{
      {check}
    }}
  }}
}}
"""
_CHECK: Final = """\
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$uri {secret}";
      if ($secure_link = "") {{ return 403; }}
      if ($secure_link = "0") {{ return 410; }}
"""


@contextmanager
def _running(name: str, check: str, folder: Path, workers: int) -> Iterator[Peer]:
    program = require_program("nginx")
    files = folder / "files"
    files.mkdir()
    port = free_port()
    # As root it would hand the files to another user, who may not enter a temporary folder.
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(
        _CONFIGURATION.format(user=user, workers=workers, folder=folder, port=port, check=check), "utf-8"
    )
    command = [program, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")]
    endpoint = f"http://127.0.0.1:{port}"
    with running(command, folder, f"{endpoint}/") as process:
        yield Peer(
            name=name,
            endpoint=endpoint,
            root_processes=(process,),
            signer=signer_at(endpoint),
            link=partial(_link, endpoint) if check else None,
            files=files,
        )


def _link(endpoint: str, path: str, lifetime_s: int) -> str:
    """Return a URL as the module's manual describes it."""
    expires = int(time.time()) + lifetime_s
    digest = hashlib.md5(f"{expires}{path} {SECRET_KEY}".encode()).digest()
    md5 = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return f"{endpoint}{path}?md5={md5}&expires={expires}"


def _kind(name: str, check: str) -> Kind:
    return Kind(name=name, running=partial(_running, name, check), must_check=bool(check))


NGINX: Final = _kind("nginx, static files", "")
NGINX_SECURE_LINK: Final = _kind("nginx with secure_link", _CHECK.format(secret=SECRET_KEY))
