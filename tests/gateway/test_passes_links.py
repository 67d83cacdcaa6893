"""What is answered again through a managed link, and what is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gateway.doors import AT, ROOT, SIGNER, Door

from valetkey.gateway.authority import Authority
from valetkey.gateway.links.urls import link_url, new_link_id
from valetkey.links import Ledger
from valetkey.links.model import Grant, Issuer, Link, LinkFilter, State, Verb
from valetkey.sigv4.endpoint import Endpoint

AT_MS = round(AT.timestamp() * 1000)
OURS = LinkFilter(account_id=ROOT.account_id)


async def made(door: Door, **stated: object) -> tuple[str, str]:
    """Return the id and the URL of a link to read `k`, used twice."""
    stated.setdefault("verbs", (Verb.GET,))
    grant = Grant(bucket="bucket", key="k", ends_ms=AT_MS + 60_000, **stated)  # type: ignore[arg-type] # as each test states them
    link = Link(
        id=new_link_id(),
        issuer=Issuer(ROOT.account_id, "AKIDEXAMPLE", None),
        grant=grant,
        created_ms=AT_MS,
    )
    await door.links.ledger.add([link])
    secret = door.links.secret_of(link.id)
    url = link_url(link, secret, endpoint=Endpoint.parse("http://127.0.0.1:9000"), region="us-east-1")
    for _ in range(2):
        assert (await door.ask("GET", str(url))).body == b"one"
    return link.id, str(url)


async def is_decided(door: Door, url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether the next request is decided about anew."""
    decided = []
    decide = Authority.decide

    def seen(self: Authority, action: str) -> object:
        decided.append(action)
        return decide(self, action)

    with monkeypatch.context() as patched:
        patched.setattr(Authority, "decide", lambda self, action, **_: seen(self, action))
        assert (await door.ask("GET", url)).body == b"one"
    return bool(decided)


async def test_a_link_without_limits_is_answered_again_and_told_of(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_id, url = await made(door)
    assert not await is_decided(door, url, monkeypatch)
    answer = await door.ask("GET", url)
    assert answer.on_sent is not None
    answer.on_sent(3)
    assert (await door.ledger.get(link_id, OURS)).usage.uses == 1


async def test_a_link_that_is_bound_to_a_content_is_looked_at_each_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = await made(door, etag="f97c5d29941bfb1b2fdab0874906ab82")
    assert await is_decided(door, url, monkeypatch)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [({"max_uses": 5}, "LinkUsedUp"), ({"max_bytes": 15}, "LinkBytesUsedUp")],
    ids=["uses", "bytes"],
)
async def test_a_link_that_counts_is_answered_again_as_often_as_it_grants(
    door: Door, monkeypatch: pytest.MonkeyPatch, stated: dict[str, object], expected: str
) -> None:
    link_id, url = await made(door, **stated)
    assert not await is_decided(door, url, monkeypatch)
    codes = [(await door.ask("GET", url)).error_code for _ in range(4)]
    assert codes == [None, None, expected, expected]
    assert (await door.ledger.get(link_id, OURS)).usage.uses == 5


async def test_exactly_as_many_of_many_at_once_are_answered(door: Door) -> None:
    _, url = await made(door, max_uses=32)
    answers = await asyncio.gather(*(door.ask("GET", url) for _ in range(100)))
    assert [answer.error_code for answer in answers].count(None) == 30
    assert {answer.status for answer in answers} == {200, 403}


async def test_a_use_that_nobody_got_is_given_back(door: Door) -> None:
    _, url = await made(door, max_uses=5)
    answer = await door.ask("GET", url)
    assert answer.on_sent is not None
    answer.on_sent(-1)
    assert [(await door.ask("GET", url)).error_code for _ in range(4)] == [*[None] * 3, "LinkUsedUp"]


async def test_head_of_a_link_that_counts_takes_nothing(door: Door) -> None:
    link_id, url = await made(door, max_uses=3, verbs=(Verb.GET, Verb.HEAD))
    for _ in range(4):
        answer = await door.ask("HEAD", url)
        assert (answer.status, answer.body, answer.on_sent) == (200, b"", None)
    assert (await door.ledger.get(link_id, OURS)).usage.uses == 2


async def test_the_refusal_of_a_link_is_contained_like_any_answer(door: Door) -> None:
    _, url = await made(door, max_uses=2)
    assert (b"referrer-policy", b"no-referrer") in (await door.ask("GET", url)).headers


@pytest.mark.parametrize("state", [State.PAUSED, State.REVOKED], ids=["paused", "revoked"])
async def test_what_another_process_does_to_a_link_counts_at_once(
    door: Door, tmp_path: Path, state: State
) -> None:
    link_id, url = await made(door)
    other = Ledger.open(tmp_path / "data")
    await other.set_state(link_id, OURS, state)
    await other.close()
    assert (await door.ask("GET", url)).status == 403


async def test_a_link_ends_when_it_ends(door: Door) -> None:
    _, url = await made(door)
    assert (await door.ask("GET", url, at=AT + timedelta(milliseconds=59_999))).status == 200
    assert (await door.ask("GET", url, at=AT + timedelta(seconds=60))).error_code == "LinkExpired"


async def test_a_listing_is_made_each_time(door: Door) -> None:
    url = str(SIGNER.presign("GET", "bucket", at=AT))
    assert [(await door.ask("GET", url)).status for _ in range(3)] == [200] * 3
