"""What a worker takes of memory, and a store of the disk, with so many objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from bench.catalogs import Catalog, catalogs
from bench.rounds import Comparison, Field, Plan, Side, Unit
from bench.scale import SERVERS, Client, quiet_server

_IDLE_MIB: Final = 80
_LOADED_MIB: Final = 150

_CONNECTIONS: Final = 16
_SMALL: Final = bytes(1024)
_LARGE: Final = bytes(8 * 1024 * 1024)

Measure = Callable[[float], float]


def _workers(server_pid: int) -> list[int]:
    """Return the ids of the processes that serve: the children of the one that was started, or itself."""
    children = Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text("ascii").split()
    serving = [pid for pid in map(int, children) if b"resource_tracker" not in _command(pid)]
    return serving or [server_pid]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _mib(pid: int, file: str, name: str) -> float:
    """Return what the system's accounting says of a process. Source: proc(5)."""
    lines = Path(f"/proc/{pid}/{file}").read_text("ascii").splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def _work(client: Client, until: float) -> None:
    """Read, write and list, small and large, again and again."""
    while time.monotonic() < until:
        for _ in range(20):
            client.send("GET", client.any_key())
        new = f"{client.any_key()}.new"
        for body in (_SMALL, _LARGE):
            client.send("PUT", new, body=body)
            client.send("GET", new)
            client.send("DELETE", new)
        client.send("GET", query={"list-type": "2", "start-after": client.any_key()})


def _load(clients: list[Client], seconds: float) -> None:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: _work(client, until), clients))


def _idle(pid: int, name: str) -> Measure:
    return lambda _: 1 / _mib(pid, "smaps_rollup", name)


def _loaded(pid: int, file: str, name: str, clients: list[Client]) -> Measure:
    def measure(seconds: float) -> float:
        _load(clients, seconds)
        return 1 / _mib(pid, file, name)

    return measure


def _sides(catalog: Catalog, stack: ExitStack) -> Iterator[Side]:
    server = stack.enter_context(quiet_server(catalog))
    (pid,) = _workers(server.process.pid)
    rss, pss = _mib(pid, "smaps_rollup", "Rss"), _mib(pid, "smaps_rollup", "Pss")
    clients = [
        stack.enter_context(closing(Client(server, catalog, seed=number))) for number in range(_CONNECTIONS)
    ]
    yield Side(name=f"{catalog.name}, idle, RSS", measure=lambda _: 1 / rss, limit=_IDLE_MIB)
    yield Side(name=f"{catalog.name}, idle, PSS", measure=lambda _: 1 / pss)
    yield Side(
        name=f"{catalog.name}, most under load, RSS",
        measure=_loaded(pid, "status", "VmHWM", clients),
        limit=_LOADED_MIB,
    )
    yield Side(name=f"{catalog.name}, afterwards, PSS", measure=_idle(pid, "Pss"))


@contextmanager
def _memory(plan: Plan) -> Iterator[Field]:
    SERVERS.stop()
    with ExitStack() as stack:
        sides = [side for catalog in catalogs(plan.share) for side in _sides(catalog, stack)]
        yield Field(sides=sides, slice_s=plan.load_slice_s / 3)


def _size(catalog: Catalog) -> Measure:
    return lambda _: 2**20 / (catalog.data / "catalog.sqlite").stat().st_size


@contextmanager
def _files(plan: Plan) -> Iterator[Field]:
    sides = [Side(name=catalog.name, measure=_size(catalog)) for catalog in catalogs(plan.share)]
    yield Field(sides=sides, slice_s=0)


COMPARISONS: Final = (
    Comparison(name="scale-memory", title="Memory of a worker", unit=Unit.MEBIBYTES, prepare=_memory),
    Comparison(name="scale-file", title="The catalog's file", unit=Unit.MEBIBYTES, prepare=_files),
)
