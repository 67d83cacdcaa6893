"""What managed links cost: requests through them beside ordinary presigned URLs, and a ledger of a million."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

from bench.load import load_rate, request_head, require_program, write_requests
from bench.objects import BUCKET, fill, key_of, presigned
from bench.peers.peer import signer_at
from bench.rounds import Comparison, Field, Plan, Side, Unit
from valetkey.links import Ledger
from valetkey.links.model import DAY_MS, Grant, Issuer, Link, LinkFilter, Place, Verb
from valetkey.testing.server import RunningServer, running_server

GOAL_UNLIMITED: Final = 0.85
GOAL_COUNTED: Final = 0.5
GOAL_MILLION: Final = 0.95
GOAL_BULK: Final = 100_000 / 30
"""Links a second."""

_SIZE_BYTES: Final = 1024
_OBJECTS: Final = 200
_URLS: Final = 2000
_ENVIRONMENT: Final = {"VALETKEY_ACCESS_LOG": "off"}
_LINKS: Final = 1_000_000
_BATCH: Final = 10_000
_PAGE: Final = 100
_NOW_MS: Final = 1_790_000_000_000
_ACCOUNT: Final = "a" * 64
_MANY: Final = 10**12


def _issue(server: RunningServer, count: int, **stated: int) -> list[str]:
    """Make links over the admin API in one call, and return their URLs."""
    body = "\n".join(
        json.dumps({"operations": "GET", "bucket": BUCKET, "key": key_of(number % _OBJECTS), **stated})
        for number in range(count)
    ).encode()
    url = f"{server.endpoint}/-/api/v1/links/bulk"
    headers = signer_at(server.endpoint).sign_headers("POST", url, body=body)
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=600) as answer:
        return [json.loads(line)["url"] for line in answer]


def _load(server: RunningServer, urls: list[str], file: Path) -> Callable[[float], float]:
    requests = (request_head("GET", url) for url in urls)
    return load_rate(server.endpoint, write_requests(file, requests, received_bytes=_SIZE_BYTES))


def _fill(server: RunningServer, folder: Path) -> None:
    fill(signer_at(server.endpoint), count=_OBJECTS, size_bytes=_SIZE_BYTES, folder=folder)


@contextmanager
def _reading(plan: Plan, *, goal: float, **stated: int) -> Iterator[Field]:
    require_program("wrk")
    count = int(_URLS * plan.share)
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name,
        running_server(Path(name, "data"), environment=_ENVIRONMENT) as server,
    ):
        _fill(server, Path(name))
        links = _issue(server, count, **stated)
        ordinary = list(presigned(signer_at(server.endpoint), "GET", objects=_OBJECTS, count=count))
        yield Field(
            sides=[
                Side(name="managed links", measure=_load(server, links, Path(name, "links"))),
                Side(
                    name="ordinary presigned URLs",
                    measure=_load(server, ordinary, Path(name, "ordinary")),
                    goal=goal,
                ),
            ],
            slice_s=plan.load_slice_s,
        )


@contextmanager
def _reading_beside(plan: Plan, **stated: int) -> Iterator[Field]:
    """Compare a server whose ledger is full with one whose is nearly empty."""
    require_program("wrk")
    count = int(_URLS * plan.share)
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name:
        full, small = Path(name, "full"), Path(name, "small")
        _copy_ledger(full, int(_LINKS * plan.share))
        with (
            running_server(full, environment=_ENVIRONMENT) as million,
            running_server(small, environment=_ENVIRONMENT) as few,
        ):
            sides = []
            for title, server, goal in (
                ("a million links in the ledger", million, None),
                ("a few", few, GOAL_MILLION),
            ):
                _fill(server, Path(name))
                urls = _issue(server, count, **stated)
                sides.append(Side(name=title, measure=_load(server, urls, Path(name, title)), goal=goal))
            yield Field(sides=sides, slice_s=plan.load_slice_s)


def _copy_ledger(folder: Path, count: int) -> None:
    """Put a ledger of so many links into a folder. It is filled once: that takes a minute."""
    shutil.copytree(_filled(count).name, folder, dirs_exist_ok=True)


@cache
def _filled(count: int) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="valetkey-bench-")
    asyncio.run(_fill_ledger(Path(folder.name), count))
    return folder


async def _fill_ledger(folder: Path, count: int) -> None:
    ledger = Ledger.open(folder)
    issuer = Issuer(_ACCOUNT, "BENCHKEY", None)
    for start in range(0, count, _BATCH):
        await ledger.add(
            [
                Link(
                    id=f"VKLBENCH{number:012}",
                    issuer=issuer,
                    grant=Grant(
                        verbs=(Verb.GET,),
                        bucket=BUCKET,
                        key=f"folder/{number:07}",
                        ends_ms=_NOW_MS + DAY_MS,
                        label=f"label {number % 100}",
                    ),
                    created_ms=_NOW_MS,
                )
                for number in range(start, min(start + _BATCH, count))
            ]
        )
    await ledger.close()


@contextmanager
def _listing(plan: Plan, **narrowed: str) -> Iterator[Field]:
    count = int(_LINKS * plan.share)
    with tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name, asyncio.Runner() as runner:
        _copy_ledger(Path(name), count)
        ledger = runner.run(_opened(Path(name)))
        meant = replace(LinkFilter(account_id=_ACCOUNT), **narrowed)  # type: ignore[arg-type]  # texts alone
        middle = Place(count // 2, f"folder/{count // 2:07}")

        async def ask() -> None:
            await ledger.list(meant, limit=_PAGE)
            await ledger.list(meant, after=middle, limit=_PAGE)

        yield Field(
            sides=[Side(name="two pages of 100", measure=partial(_asking, runner, ask))],
            slice_s=plan.cpu_slice_s,
        )
        runner.run(ledger.close())


async def _opened(folder: Path) -> Ledger:
    return Ledger.open(folder)


def _asking(runner: asyncio.Runner, ask: Callable[[], Coroutine[None, None, None]], seconds: float) -> float:
    loop = runner.get_loop()
    began, done = loop.time(), 0
    while (spent := loop.time() - began) < seconds:
        runner.run(ask())
        done += 1
    return done / spent


@contextmanager
def _issuing(plan: Plan) -> Iterator[Field]:
    with (
        tempfile.TemporaryDirectory(prefix="valetkey-bench-") as name,
        running_server(Path(name, "data"), environment=_ENVIRONMENT) as server,
    ):
        _fill(server, Path(name))
        count = int(100_000 * plan.share)

        def issue(_seconds: float) -> float:
            loop = asyncio.new_event_loop()
            began = loop.time()
            _issue(server, count)
            spent = loop.time() - began
            loop.close()
            return count / spent

        yield Field(
            sides=[Side(name="valetkey serve", measure=issue, limit=GOAL_BULK)], slice_s=plan.load_slice_s
        )


def _comparison(
    name: str, title: str, unit: Unit, prepare: Callable[[Plan], AbstractContextManager[Field]]
) -> Comparison:
    return Comparison(name=name, title=title, unit=unit, prepare=prepare)


COMPARISONS: Final = (
    _comparison(
        "link-get",
        "GET of 1 KiB through links without limits, 1 worker",
        Unit.REQUESTS,
        partial(_reading, goal=GOAL_UNLIMITED),
    ),
    _comparison(
        "link-get-counted",
        "GET of 1 KiB through links with a use counter, 1 worker",
        Unit.REQUESTS,
        partial(_reading, goal=GOAL_COUNTED, max_uses=_MANY),
    ),
    _comparison(
        "link-get-million",
        "GET of 1 KiB through links without limits, a million in the ledger",
        Unit.REQUESTS,
        _reading_beside,
    ),
    _comparison(
        "link-get-counted-million",
        "GET of 1 KiB through links with a use counter, a million in the ledger",
        Unit.REQUESTS,
        partial(_reading_beside, max_uses=_MANY),
    ),
    _comparison("link-list", "Pages of 100 of a million links", Unit.MILLISECONDS, _listing),
    _comparison(
        "link-list-label",
        "Pages of 100 of a million links, those of one label",
        Unit.MILLISECONDS,
        partial(_listing, label="label 7"),
    ),
    _comparison(
        "link-list-prefix",
        "Pages of 100 of a million links, those to one prefix",
        Unit.MILLISECONDS,
        partial(_listing, bucket=BUCKET, prefix="folder/00"),
    ),
    _comparison("link-bulk", "Links issued in one streamed call", Unit.URLS, _issuing),
)
