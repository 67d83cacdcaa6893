"""moto's server, which keeps everything in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.peers.peer import Kind, Peer, python_program, running, signer_at
from valetkey.testing.server import free_port


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[Peer]:
    port = free_port()
    command = [python_program("moto_server", "moto"), "--host", "127.0.0.1", "--port", str(port)]
    endpoint = f"http://127.0.0.1:{port}"
    with running(command, folder, f"{endpoint}/moto-api/") as process:
        yield Peer(name=MOTO.name, endpoint=endpoint, root_processes=(process,), signer=signer_at(endpoint))


MOTO: Final = Kind(name="moto", running=_running)
