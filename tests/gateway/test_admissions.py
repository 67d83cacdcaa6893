"""What was found right once is not verified again, and nothing slips in with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from tests.gateway.doors import AT, HOST, ROOT, SIGNER, Door

from valetkey import Secret
from valetkey.gateway.admissions import place_of
from valetkey.gateway.call import Request
from valetkey.gateway.links.urls import link_url, new_link_id
from valetkey.links import Ledger
from valetkey.links.model import Grant, Issuer, Link, LinkFilter, State, Verb
from valetkey.sigv4.endpoint import Endpoint


def link(method: str = "GET", *, query: dict[str, str] | None = None) -> str:
    return str(SIGNER.presign(method, "bucket", "k", expires=60, query=query or {}, at=AT))


async def code(door: Door, method: str, url: str, **more: object) -> str | None:
    return (await door.ask(method, url, **more)).error_code  # type: ignore[arg-type] # the keywords of `ask`


async def test_the_same_url_opens_again_and_shows_what_is_there_now(door: Door) -> None:
    url = link()
    assert (await door.ask("GET", url)).body == b"one"
    await door.ask("PUT", str(SIGNER.presign("PUT", "bucket", "k", at=AT)), body=b"two")
    assert (await door.ask("GET", url)).body == b"two"


async def test_it_ends_when_it_ends(door: Door) -> None:
    url = link()
    assert await code(door, "GET", url, at=AT + timedelta(seconds=59)) is None
    answer = await door.ask("GET", url, at=AT + timedelta(seconds=60))
    assert answer.error_code == "AccessDenied"
    assert isinstance(answer.body, bytes)
    assert b"Request has expired" in answer.body


async def test_it_ends_with_its_key(door: Door) -> None:
    url = link()
    assert await code(door, "GET", url) is None
    door.keys.secrets.clear()
    assert await code(door, "GET", url) == "InvalidAccessKeyId"


async def test_it_ends_when_its_key_gets_another_secret(door: Door) -> None:
    url = link()
    assert await code(door, "GET", url) is None
    door.keys.secrets["AKIDEXAMPLE"] = Secret("another-secret-of-it")
    assert await code(door, "GET", url) == "SignatureDoesNotMatch"


async def test_it_does_not_open_before_its_time_when_the_clock_is_set_back(door: Door) -> None:
    url = link()
    assert await code(door, "GET", url) is None
    assert await code(door, "GET", url, at=AT - timedelta(hours=1)) == "AccessDenied"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ((b"x-amz-meta-a", b"1"), "AccessDenied"),
        ((b"content-md5", b"1"), "AccessDenied"),
        ((b"authorization", b"Bearer x"), "InvalidArgument"),
        ((b"host", b"other"), "SignatureDoesNotMatch"),
    ],
    ids=["x-amz-*", "content-md5", "two mechanisms", "a second Host"],
)
async def test_a_header_more_is_looked_at(door: Door, header: tuple[bytes, bytes], expected: str) -> None:
    url = link()
    assert await code(door, "GET", url) is None
    assert await code(door, "GET", url, headers=[header]) == expected


async def test_another_host_method_or_url_is_verified_for_itself(door: Door) -> None:
    url = link()
    assert await code(door, "GET", url) is None
    assert await code(door, "GET", url, host=b"other:9000") == "SignatureDoesNotMatch"
    assert await code(door, "PUT", url, body=b"x") == "SignatureDoesNotMatch"
    assert await code(door, "GET", url.replace("/k?", "/j?")) == "SignatureDoesNotMatch"
    assert await code(door, "GET", url[:-1] + ("0" if url[-1] != "0" else "1")) == "SignatureDoesNotMatch"


async def test_what_stands_in_the_query_counts_each_time(door: Door) -> None:
    url = link(query={"If-Match": '"of something else"'})
    assert await code(door, "GET", url) == "PreconditionFailed"
    assert await code(door, "GET", url) == "PreconditionFailed"


async def test_a_refused_url_is_not_remembered(door: Door) -> None:
    url = link()[:-4] + "0000"
    for _ in range(3):
        assert await code(door, "GET", url) == "SignatureDoesNotMatch"


async def _revoke(folder: Path, link_id: str) -> None:
    ledger = Ledger.open(folder)
    await ledger.set_state(link_id, LinkFilter(account_id=ROOT.account_id), State.REVOKED)
    await ledger.close()


def in_another_worker(folder: Path, link_id: str) -> None:
    worker = Thread(target=lambda: asyncio.run(_revoke(folder, link_id)))
    worker.start()
    worker.join()


async def test_a_link_that_is_revoked_while_it_is_admitted_opens_no_more(door: Door, tmp_path: Path) -> None:
    at_ms = round(AT.timestamp() * 1000)
    made = Link(
        id=new_link_id(),
        issuer=Issuer(ROOT.account_id, "AKIDEXAMPLE", None),
        grant=Grant(verbs=(Verb.GET,), bucket="bucket", key="k", ends_ms=at_ms + 60_000),
        created_ms=at_ms,
    )
    await door.links.ledger.add([made])
    secret = door.links.secret_of(made.id)
    url = str(link_url(made, secret, endpoint=Endpoint.parse("http://127.0.0.1:9000"), region="us-east-1"))
    door.keys.meanwhile = partial(in_another_worker, tmp_path / "data", made.id)
    await door.ask("GET", url)
    assert await code(door, "GET", url) == "LinkRevoked"


@pytest.mark.parametrize(("padding", "is_remembered"), [("y" * 3000, True), ("y" * 4096, False)])
async def test_a_long_url_opens_and_is_not_remembered(
    door: Door, padding: str, *, is_remembered: bool
) -> None:
    url = link(query={"x": padding})
    for _ in range(3):
        assert (await door.ask("GET", url)).body == b"one"
    place = place_of(request_of(url))
    assert (place is not None) is is_remembered


def request_of(url: str) -> Request:
    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    parts = urlsplit(url)
    return Request("GET", parts.path.encode(), parts.query.encode(), [(b"host", HOST)], pieces, AT)
