"""Listing: what a page costs the server in a bucket of a million keys, wherever in it the page lies."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.layouts import (
    BUCKET,
    DELETED,
    ONE_FOLDER,
    SMALL_FOLDERS,
    THOUSAND_FOLDERS,
    VERSIONS,
    Layout,
    fill,
)
from bench.rounds import Comparison, Field, Plan, Side, Unit
from valetkey import Signer
from valetkey.gateway.call import Request, Rules
from valetkey.gateway.flow import Gateway
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.session_tokens import TokenBox
from valetkey.links import Ledger
from valetkey.server.accounts import Account, AccountKeys, ensure_accounts
from valetkey.sigv4.secret import Secret
from valetkey.store import Store, statements
from valetkey.store.folder import DataFolder
from valetkey.store.schema import open_reader
from valetkey.testing.server import ACCESS_KEY, SECRET_KEY, RunningServer, running_server

_KEYS: Final = 1_000_000
_PAGE: Final = 1000
_PLACES: Final = 40
"""Pages that take turns: the first, the last, and what lies evenly between."""

_OWNER_ID: Final = "0" * 64
_TOKEN: Final = re.compile(rb"<NextContinuationToken>([^<]*)<")

Query = Mapping[str, str]
Send = Callable[[str], bytes]
"""Sends a presigned URL and returns the body of the answer."""
Clock = Callable[[], float]
Floor = Callable[[sqlite3.Cursor, str], object]
"""Takes from SQLite what a page behind a key needs."""


def _v2(after: str, **others: str) -> Query:
    return {"list-type": "2", "start-after": after} | {
        name.replace("_", "-"): v for name, v in others.items()
    }


def _versions(after: str, **others: str) -> Query:
    return {"versions": "", "key-marker": after} | {name.replace("_", "-"): v for name, v in others.items()}


def _later_versions(after: str) -> Query:
    """Ask for what is behind the second of four versions of a key."""
    return _versions(after, version_id_marker=VERSIONS.version_id(after, 1) or "null")


def _scan(statement: str, *place: object) -> Floor:
    def take(cursor: sqlite3.Cursor, after: str) -> object:
        return cursor.execute(statement, (1, after.encode(), *place, b"\xff")).fetchmany(_PAGE + 1)

    return take


def _seek_folders(cursor: sqlite3.Cursor, after: str) -> None:
    position = after.encode()
    for _ in range(_PAGE + 1):
        row = cursor.execute(
            "SELECT key FROM objects WHERE bucket_id = 1 AND key >= ? ORDER BY key LIMIT 1", (position,)
        ).fetchone()
        if row is None:
            return
        position = row[0].partition(b"/")[0] + b"0"  # the byte behind the slash


class _InProcess:
    """The gateway of one server, without HTTP."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._store = Store.open(folder)
        root = Account(id=_OWNER_ID, name="owner", access_key=ACCESS_KEY, secret_key=Secret(SECRET_KEY))
        self._runner.run(ensure_accounts([root], self._store.identities, now_ms=0))
        rules = Rules(region="us-east-1", owner_id=_OWNER_ID, token_key=bytes(32))
        box = TokenBox(bytes(32))
        keys = AccountKeys([root], self._store.identities, box, region="us-east-1")
        self._ledger = Ledger.open(folder)
        self._gateway = Gateway(
            store=self._store,
            links=LinkDoor(ledger=self._ledger, keys=keys, rules=rules, secret_key=bytes(32)),
            keys=keys,
            rules=rules,
            box=box,
            new_id=str,
        )

    def send(self, url: str) -> bytes:
        # Not the runner's own `run`, which sets a handler of signals each time: that costs a repr() of what the
        # last call returned, so 3 ms for a page.
        return self._runner.get_loop().run_until_complete(self._answer(url))

    async def _answer(self, url: str) -> bytes:
        parts = urlsplit(url)
        headers = [(b"host", parts.netloc.encode())]
        now = datetime.now(UTC)
        request = Request("GET", parts.path.encode(), parts.query.encode(), headers, _NoBody, now)
        answer = await self._gateway.answer(request, request_id="", host_id="")
        assert answer.status == 200
        assert isinstance(answer.body, bytes)
        return answer.body

    def close(self) -> None:
        self._runner.run(self._ledger.close())
        self._runner.run(self._store.close())
        self._runner.close()


class _NoBody(AsyncIterator[bytes]):
    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


def _http(connection: HTTPConnection, url: str) -> bytes:
    parts = urlsplit(url)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200
    return body


def _urls(server: RunningServer, send: Send, queries: Sequence[Query]) -> list[str]:
    """Return presigned URLs for the pages; those of ListObjectsV2 go on by a token of this side."""
    signer = Signer(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=server.region,
        endpoint=server.endpoint,
        addressing="path",
    )

    def presign(query: Query) -> str:
        return str(signer.presign("GET", BUCKET, query=query))

    def resumed(query: Query) -> Query:
        found = _TOKEN.search(send(presign({**query, "max-keys": "1"})))
        if "list-type" not in query or found is None:
            return query
        others = {name: value for name, value in query.items() if name != "start-after"}
        return {**others, "continuation-token": found[1].decode()}

    return [presign(resumed(query)) for query in queries]


def _pace(pages: Sequence[Callable[[], object]], share: float, clock: Clock) -> Callable[[float], float]:
    """Return a `measure` that takes the pages by turns; `share` of them take no longer than it tells."""

    def measure(seconds: float) -> float:
        spent_s: list[float] = []
        started = time.perf_counter()
        while time.perf_counter() - started < seconds or len(spent_s) < len(pages):
            page = pages[len(spent_s) % len(pages)]
            began = clock()
            page()
            spent_s.append(clock() - began)
        return 1 / sorted(spent_s)[int(share * len(spent_s))]

    return measure


def _sides(name: str, send: Send, urls: Sequence[str], clock: Clock) -> list[Side]:
    pages = [partial(send, url) for url in urls]
    return [
        Side(name=f"{name}, median page", measure=_pace(pages, 0.5, clock)),
        Side(name=f"{name}, 99th of 100", measure=_pace(pages, 0.99, clock)),
    ]


@contextmanager
def _listing(
    layout: Layout, query: Callable[[str], Query], floor: Floor | None, plan: Plan
) -> Iterator[Field]:
    count = int(_KEYS * plan.share)
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name:
        data = Path(name, "data")
        fill(data, layout, count)
        places = layout.places(count, _PLACES, page=_PAGE)
        queries = [query(place) for place in places]
        environment = {"VALETKEY_ACCESS_LOG": "off"}
        with (
            closing(_InProcess(data)) as gateway,
            running_server(data, environment=environment) as server,
            closing(HTTPConnection(server.host, server.port, timeout=60)) as connection,
            closing(open_reader(DataFolder(data))) as reader,
        ):
            over_http = partial(_http, connection)
            sides = [
                *_sides("gateway", gateway.send, _urls(server, gateway.send, queries), time.process_time),
                *_sides("HTTP, keep-alive", over_http, _urls(server, over_http, queries), time.perf_counter),
            ]
            if floor is not None:
                takes = [partial(floor, reader.cursor(), place) for place in places]
                sides.append(
                    Side(
                        name="floor: SQLite alone, median page", measure=_pace(takes, 0.5, time.process_time)
                    )
                )
            yield Field(sides=sides, slice_s=plan.cpu_slice_s)


def _comparison(
    name: str, title: str, layout: Layout, query: Callable[[str], Query], floor: Floor | None = None
) -> Comparison:
    prepare: Callable[[Plan], AbstractContextManager[Field]] = partial(_listing, layout, query, floor)
    return Comparison(name=name, title=f"List {title}", unit=Unit.MILLISECONDS, prepare=prepare)


_ROWS: Final = _scan(statements.SCAN_OBJECTS)
_VERSION_ROWS: Final = _scan(statements.SCAN_VERSIONS, -(2**63))

COMPARISONS: Final = (
    _comparison("list-keys", "1,000 of a million keys (goal: 10 ms)", ONE_FOLDER, _v2, _ROWS),
    _comparison(
        "list-in-folder",
        "1,000 of a million keys in a folder, by delimiter",
        ONE_FOLDER,
        partial(_v2, prefix="folder/", delimiter="/"),
        _ROWS,
    ),
    _comparison(
        "list-one-folder",
        "one folder that holds a million keys",
        ONE_FOLDER,
        lambda _: {"list-type": "2", "delimiter": "/"},
    ),
    _comparison(
        "list-folders",
        "the 1,000 folders of 1,000 keys each",
        THOUSAND_FOLDERS,
        lambda _: {"list-type": "2", "delimiter": "/"},
        lambda cursor, _: _seek_folders(cursor, ""),
    ),
    _comparison(
        "list-small-folders",
        "1,000 of a million folders of one key",
        SMALL_FOLDERS,
        partial(_v2, delimiter="/"),
        _seek_folders,
    ),
    _comparison("list-one-key", "one of a million keys", ONE_FOLDER, partial(_v2, max_keys="1")),
    _comparison(
        "list-nothing",
        "a prefix that no key has, among a million",
        ONE_FOLDER,
        lambda place: {"list-type": "2", "prefix": f"{place}/"},
    ),
    _comparison(
        "list-versions",
        "1,000 of a million versions, four for each key",
        VERSIONS,
        _later_versions,
        _VERSION_ROWS,
    ),
    _comparison("list-deleted", "the keys where a million are deleted", DELETED, _v2),
    _comparison("list-markers", "1,000 of a million delete markers", DELETED, _versions, _VERSION_ROWS),
)
