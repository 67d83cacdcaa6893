"""s3rver, a server on Node.js that keeps objects as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load import require_program
from bench.peers.peer import Kind, Peer, running, signer_at
from bench.rounds import MissingPeerError
from valetkey.testing.server import free_port

_PROGRAM: Final = Path(__file__).parents[1] / "js" / "node_modules" / "s3rver" / "bin" / "s3rver.js"
_KEY: Final = "S3RVER"
"""Access key and secret: it knows this one and takes no other."""


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[Peer]:
    node = require_program("node")
    if not _PROGRAM.exists():
        raise MissingPeerError("The npm package s3rver is not installed; `make bench` brings it.")
    (folder / "data").mkdir()
    port = free_port()
    command = [
        node, str(_PROGRAM), "--directory", str(folder / "data"), "--address", "127.0.0.1",
        "--port", str(port), "--silent", "--no-vhost-buckets",
    ]  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    signer = signer_at(endpoint, access_key=_KEY, secret_key=_KEY)
    with running(command, folder, f"{endpoint}/") as process:
        yield Peer(name=S3RVER.name, endpoint=endpoint, root_processes=(process,), signer=signer)


S3RVER: Final = Kind(name="s3rver", running=_running)
