"""Scale: what becomes of requests, memory and start where a store holds ten million objects and not ten thousand."""

from __future__ import annotations

import atexit
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from random import Random
from statistics import median
from typing import Final

from bench.catalogs import FOLDERS, PAGE, Catalog, catalogs
from bench.layouts import BUCKET
from bench.rounds import Comparison, Field, Plan, Side, Unit
from bench.startup import START_MS, started_per_second
from valetkey import Signer
from valetkey.testing.server import ACCESS_KEY, SECRET_KEY, RunningServer, running_server

_LEAST_RATIO: Final = 0.83
"""The same time within 20 %."""

_PUT_BYTES: Final = 1024
_LEAST_REQUESTS: Final = 3

Act = Callable[["Client"], float]
"""Does one thing, and returns how many seconds of the clock it took."""
Query = Callable[[Catalog], Mapping[str, str]]


class Client:
    """One keep-alive connection to a server."""

    def __init__(self, server: RunningServer, catalog: Catalog, *, seed: int = 0) -> None:
        self.catalog = catalog
        self.random = Random(seed)
        self._connection = HTTPConnection(server.host, server.port, timeout=60)
        self._signer = Signer(
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            region=server.region,
            endpoint=server.endpoint,
            addressing="path",
        )

    def any_key(self) -> str:
        return self.catalog.key(self.random.randrange(self.catalog.count))

    def send(
        self, method: str, key: str = "", *, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> float:
        """Send a presigned request, and return how long the whole answer took. Any status but 2xx is an error."""
        url = str(self._signer.presign(method, BUCKET, key or None, query=query))
        target = url.removeprefix(self._signer.endpoint)
        began = time.perf_counter()
        self._connection.request(method, target, body)
        answer = self._connection.getresponse()
        content = answer.read()
        spent_s = time.perf_counter() - began
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {key} answered {answer.status}: {content[:500]!r}")
        return spent_s

    def close(self) -> None:
        self._connection.close()


def _get(client: Client) -> float:
    return client.send("GET", client.any_key())


def _put(client: Client) -> float:
    key = f"{client.any_key()}.new"
    spent_s = client.send("PUT", key, body=bytes(_PUT_BYTES))
    client.send("DELETE", key)
    return spent_s


def _delete(client: Client) -> float:
    key = f"{client.any_key()}.new"
    client.send("PUT", key, body=bytes(_PUT_BYTES))
    return client.send("DELETE", key)


def _list(query: Query) -> Act:
    return lambda client: client.send("GET", query={"list-type": "2"} | dict(query(client.catalog)))


def _behind(number_of: Callable[[Catalog], int]) -> Query:
    return lambda catalog: {"start-after": catalog.key(number_of(catalog))}


def _in_folder(catalog: Catalog) -> Mapping[str, str]:
    """Ask for what is behind the first quarter of a folder in the middle."""
    folder = FOLDERS // 2
    number = int((folder + 0.25) * catalog.folder_count)
    return {"prefix": f"{folder:02}/", "delimiter": "/", "start-after": catalog.key(number)}


def _pace(act: Act, client: Client) -> Callable[[float], float]:
    """Return a `measure` of how many times in a second the thing could be done that took the median time."""

    def measure(seconds: float) -> float:
        spent_s: list[float] = []
        began = time.perf_counter()
        while time.perf_counter() - began < seconds or len(spent_s) < _LEAST_REQUESTS:
            spent_s.append(act(client))
        return 1 / median(spent_s)

    return measure


def quiet_server(catalog: Catalog) -> AbstractContextManager[RunningServer]:
    return running_server(catalog.data, environment={"VALETKEY_ACCESS_LOG": "off"})


class _Servers:
    """Those that the entries share one after the other: most of their time would be starting and stopping."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[str, RunningServer] = {}

    def of(self, catalog: Catalog) -> RunningServer:
        if not self._running:
            # Later than the folder was made, and so done sooner than that is removed.
            atexit.register(self.stop)
        if catalog.name not in self._running:
            self._running[catalog.name] = self._stack.enter_context(quiet_server(catalog))
        return self._running[catalog.name]

    def stop(self) -> None:
        self._stack.close()
        self._running.clear()


SERVERS: Final = _Servers()


@contextmanager
def _requests(act: Act, goal: float | None, plan: Plan) -> Iterator[Field]:
    with ExitStack() as stack:
        sides = []
        for catalog in catalogs(plan.share):
            client = stack.enter_context(closing(Client(SERVERS.of(catalog), catalog)))
            sides.append(Side(name=catalog.name, measure=_pace(act, client)))
        sides[-1] = dataclasses.replace(sides[-1], goal=goal)
        yield Field(sides=sides, slice_s=plan.cpu_slice_s)


@contextmanager
def _starts(plan: Plan) -> Iterator[Field]:
    SERVERS.stop()
    sides = [
        Side(name=catalog.name, measure=partial(started_per_second, data=catalog.data), limit=START_MS)
        for catalog in catalogs(plan.share)
    ]
    # One start in each round.
    yield Field(sides=sides, slice_s=0.001)


def _comparison(name: str, title: str, act: Act, goal: float | None = None) -> Comparison:
    prepare: Callable[[Plan], AbstractContextManager[Field]] = partial(_requests, act, goal)
    return Comparison(name=f"scale-{name}", title=title, unit=Unit.MILLISECONDS, prepare=prepare)


COMPARISONS: Final = (
    _comparison("list-start", "List the first 1,000 keys", _list(lambda _: {}), _LEAST_RATIO),
    _comparison(
        "list-middle",
        "List 1,000 keys in the middle",
        _list(_behind(lambda catalog: catalog.count // 2)),
        _LEAST_RATIO,
    ),
    _comparison(
        "list-end",
        "List 1,000 keys at the end",
        _list(_behind(lambda catalog: catalog.count - PAGE - 2)),
        _LEAST_RATIO,
    ),
    _comparison(
        "list-in-folder",
        "List 1,000 keys in one of five folders, by delimiter",
        _list(_in_folder),
        _LEAST_RATIO,
    ),
    _comparison(
        "list-folders",
        "List the five folders, by delimiter",
        _list(lambda _: {"delimiter": "/"}),
        _LEAST_RATIO,
    ),
    _comparison("get", "GET of any small object, one connection", _get),
    _comparison("put", "PUT of 1 KiB, durable, one connection", _put),
    _comparison("delete", "DELETE, durable, one connection", _delete),
    Comparison(
        name="scale-start",
        title="From the command to the first answer, with many objects",
        unit=Unit.MILLISECONDS,
        prepare=_starts,
    ),
)
