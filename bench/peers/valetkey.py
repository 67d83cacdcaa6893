"""Valetkey itself, as `valetkey serve` comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.peers.peer import Kind, Peer, signer_at
from valetkey.testing.server import running_server

_ENVIRONMENT: Final = {"VALETKEY_ACCESS_LOG": "off"}
"""The others write none here either."""


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[Peer]:
    with running_server(folder / "data", workers=workers, environment=_ENVIRONMENT) as server:
        yield Peer(
            name=VALETKEY.name,
            endpoint=server.endpoint,
            root_processes=(server.process.pid,),
            signer=signer_at(server.endpoint),
        )


VALETKEY: Final = Kind(name="valetkey serve", running=_running, must_check=True)
