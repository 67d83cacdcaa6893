"""Real proxies, each with the configuration file of the documentation, in front of a server."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.raw.wire import Headers, Reply, head, read_reply

from valetkey.testing.server import RunningServer

FILES: Final = Path(__file__).resolve().parents[2] / "docs" / "proxies"
READY_S: Final = 30.0
APACHE_MODULES: Final = Path("/usr/lib/apache2/modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that listens, and the server behind it."""

    name: str
    port: int
    certificate: Path
    folder: Path
    """All that it may write."""
    process: subprocess.Popen[bytes]
    server: RunningServer

    def host(self, name: str = "files.localhost") -> str:
        """Return what a client writes into Host."""
        return f"{name}:{self.port}"

    @contextmanager
    def connection(self, name: str = "files.localhost") -> Iterator[ssl.SSLSocket]:
        """Yield a TLS connection to the proxy."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            yield secured

    def send(
        self,
        method: str,
        target: str,
        *,
        name: str = "files.localhost",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send one request, as it is, and return the answer."""
        pairs: list[tuple[str, str]] = [("Host", self.host(name)), *(headers or {}).items()]
        if body or method in ("PUT", "POST"):
            pairs.append(("Content-Length", str(len(body))))
        return self.exchange(method, target, pairs, body, name=name)

    def exchange(self, method: str, target: str, headers: Headers, body: bytes, *, name: str) -> Reply:
        """Send a head as it is, and a body, and return the answer."""
        with self.connection(name) as connection:
            connection.sendall(head(method, target, headers) + body)
            return read_reply(connection, method)

    def processes(self) -> list[int]:
        """Return the ids of the proxy's processes."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found

    def written_bytes(self) -> int:
        """Return how much the proxy has written to disks, be it into files that it has removed since."""
        texts = [Path(f"/proc/{pid}/io").read_text() for pid in self.processes()]
        found = [re.search(r"^write_bytes: (\d+)$", text, re.MULTILINE) for text in texts]
        return sum(int(each[1]) for each in found if each is not None)

    def resident_bytes(self) -> int:
        """Return how much memory the proxy holds."""
        texts = [Path(f"/proc/{pid}/statm").read_text() for pid in self.processes()]
        return sum(int(text.split()[1]) for text in texts) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What stands in a configuration instead of the names in the documentation."""

    folder: Path
    port: int
    backend_port: int
    pair: tuple[Path, Path]
    both: Path

    def filled(self, file: str) -> str:
        """Return a configuration file of the documentation with the names of this machine; each of them occurs."""
        text = (FILES / file).read_text("utf-8")
        commands = [line for line in text.splitlines() if line.startswith("#")]
        text = "\n".join(line for line in text.splitlines() if line not in commands) + "\n"
        for example, ours in self._names(file):
            assert example in text, (file, example)
            text = text.replace(example, ours)
        assert "example.com" not in text
        return text

    def _names(self, file: str) -> Sequence[tuple[str, str]]:
        certificate, key = map(str, self.pair)
        names = [("127.0.0.1:9000", f"127.0.0.1:{self.backend_port}")]
        if file == "haproxy.cfg":
            names += [
                ("/etc/ssl/files.example.com.both.pem", str(self.both)),
                ("bind :443", f"bind :{self.port}"),
            ]
            return [*names, ("example.com", "store.localhost")]
        names += [("/etc/ssl/files.example.com.pem", certificate), ("/etc/ssl/files.example.com.key", key)]
        if file == "nginx.conf":
            names.append(("listen 443", f"listen {self.port}"))
        if file == "apache.conf":
            names.append(("*:443", f"*:{self.port}"))
        return [
            *names,
            ("files.example.com", "files.localhost"),
            ("s3.example.com", "s3.localhost"),
            ("example.com", "store.localhost"),
        ]


def _nginx(places: Places) -> list[str]:
    folder = places.folder
    (folder / "site.conf").write_text(places.filled("nginx.conf"))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\ninclude {folder}/site.conf; }}\n"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def _caddy(places: Places) -> list[str]:
    own = f"{{\n\tadmin off\n\thttps_port {places.port}\n\tauto_https disable_redirects\n\tskip_install_trust\n}}\n"
    file = places.folder / "Caddyfile"
    file.write_text(own + places.filled("Caddyfile"))
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


def _haproxy(places: Places) -> list[str]:
    file = places.folder / "haproxy.cfg"
    file.write_text(places.filled("haproxy.cfg"))
    return ["haproxy", "-f", str(file), "-db"]


def _apache(places: Places) -> list[str]:
    folder = places.folder
    modules = ("mpm_event", "authz_core", "headers", "proxy", "proxy_http", "ssl", "socache_shmcb")
    lines = [f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in modules]
    if os.geteuid() == 0:
        lines += ["User www-data", "Group www-data"]
    lines += [
        f"ServerRoot {folder}", f"PidFile {folder}/pid", f"DefaultRuntimeDir {folder}", "ErrorLog /dev/stderr",
        "ServerName localhost", f"Listen {places.port}", "StartServers 1", "ServerLimit 1", "ThreadsPerChild 16",
        "MaxRequestWorkers 16", "MinSpareThreads 1", "MaxSpareThreads 16", "Mutex pthread",
    ]  # fmt: skip
    file = folder / "apache.conf"
    file.write_text("\n".join(lines) + "\n" + places.filled("apache.conf"))
    return ["apache2", "-f", str(file), "-DFOREGROUND"]


PROGRAMS: Final[Mapping[str, Callable[[Places], list[str]]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
    "haproxy": _haproxy,
    "apache2": _apache,
}


@contextmanager
def running_proxy(name: str, places: Places, server: RunningServer) -> Iterator[Proxy]:
    """Run a proxy for the length of a `with` block."""
    folder = places.folder
    (folder / "tmp").mkdir()
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder / "tmp")}
    kept |= {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder.with_name(f"{name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            PROGRAMS[name](places), env=kept, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            cwd=folder,
        )  # fmt: skip
    try:
        _wait_for(places.port, process, log)
        yield Proxy(
            name=name,
            port=places.port,
            certificate=places.pair[0],
            folder=folder,
            process=process,
            server=server,
        )
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
