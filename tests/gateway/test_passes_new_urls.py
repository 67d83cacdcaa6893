"""A bare URL that is new, to what another has just opened: only its signature and its time are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.gateway.doors import AT, SIGNER, Door, opened_door

from valetkey import Secret, Signer
from valetkey.gateway.authority import Authority
from valetkey.gateway.call import Rules
from valetkey.gateway.guards import Guards
from valetkey.gateway.links.door import signature_digest
from valetkey.links import Ledger
from valetkey.links.model import Cutoff
from valetkey.store.errors import StorageFailedError
from valetkey.store.store import Store


def url(number: int, method: str = "GET", **more: object) -> str:
    """Return one of many URLs to the same object."""
    return str(SIGNER.presign(method, "bucket", "k", expires=60 + number, at=AT, **more))  # type: ignore[arg-type]


@dataclass
class Deciding:
    """How often something was decided."""

    times: int = 0


@pytest.fixture
def deciding(monkeypatch: pytest.MonkeyPatch) -> Deciding:
    counted, decide = Deciding(), Authority.decide

    def count(authority: Authority, *args: object, **more: object) -> object:
        counted.times += 1
        return decide(authority, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Authority, "decide", count)
    return counted


@pytest.fixture
async def opened(door: Door, deciding: Deciding) -> Door:
    """A gateway that answers new URLs of `k` without deciding again."""
    for number in range(2):
        assert (await door.ask("GET", url(number))).body == b"one"
    before = deciding.times
    assert (await door.ask("GET", url(2))).body == b"one"
    assert deciding.times == before
    return door


async def code(door: Door, asked: str, method: str = "GET", **more: object) -> str | None:
    return (await door.ask(method, asked, **more)).error_code  # type: ignore[arg-type] # the keywords of `ask`


async def test_the_answer_is_the_same_to_the_letter(door: Door) -> None:
    first, *others = [await door.ask("GET", url(number)) for number in range(4)]
    for answer in others:
        assert (answer.status, answer.headers, answer.body) == (first.status, first.headers, first.body)
        assert (answer.operation, answer.bucket, answer.key) == ("GetObject", "bucket", "k")
        assert (answer.access_key, answer.content_length) == ("AKIDEXAMPLE", 3)


async def test_head_is_another_thing_than_get(opened: Door) -> None:
    for number in range(4):
        answer = await opened.ask("HEAD", url(number, "HEAD"))
        assert (answer.status, answer.body, answer.content_length) == (200, b"", 3)
    assert await code(opened, url(9, "HEAD")) == "SignatureDoesNotMatch"


async def test_a_wrong_signature_is_refused(opened: Door) -> None:
    right = url(3)
    assert await code(opened, right[:-1] + ("0" if right[-1] != "0" else "1")) == "SignatureDoesNotMatch"
    assert await code(opened, right.replace("Expires=63", "Expires=64")) == "SignatureDoesNotMatch"
    assert await code(opened, right) is None


async def test_it_opens_when_it_begins_and_no_longer_than_it_holds(opened: Door) -> None:
    assert await code(opened, url(3), at=AT + timedelta(seconds=63)) == "AccessDenied"
    assert await code(opened, url(3), at=AT - timedelta(hours=1)) == "AccessDenied"
    assert await code(opened, url(3), at=AT + timedelta(seconds=62)) is None
    assert await code(opened, url(3), at=AT + timedelta(seconds=63)) == "AccessDenied"


async def test_a_key_that_was_taken_back_opens_nothing(opened: Door) -> None:
    opened.keys.secrets.clear()
    assert await code(opened, url(3)) == "InvalidAccessKeyId"


async def test_the_key_of_somebody_else_does_not_open_it(opened: Door) -> None:
    opened.keys.secrets["AKIDOTHER"] = Secret("another")
    opened.keys.strangers.add("AKIDOTHER")
    other = Signer("AKIDOTHER", "another", endpoint="http://127.0.0.1:9000")
    assert await code(opened, str(other.presign("GET", "bucket", "k", at=AT))) == "AccessDenied"
    assert await code(opened, url(3)) is None


async def test_another_host_or_a_signed_header_is_another_thing(opened: Door) -> None:
    assert await code(opened, url(3), host=b"127.0.0.1:9001") == "SignatureDoesNotMatch"
    assert await code(opened, url(3), headers=[(b"x-amz-meta-a", b"1")]) == "AccessDenied"
    signed = url(3, headers={"x-amz-meta-a": "1"})
    assert await code(opened, signed, headers=[(b"x-amz-meta-a", b"1")]) is None
    assert await code(opened, signed) == "SignatureDoesNotMatch"


async def test_whatever_else_a_url_says_is_heeded(opened: Door, deciding: Deciding) -> None:
    before = deciding.times
    named = url(3, query={"response-content-disposition": "attachment"})
    assert (b"content-disposition", b"attachment") in (await opened.ask("GET", named)).headers
    assert await code(opened, url(3, query={"versionId": "1" * 32})) == "NoSuchVersion"
    assert deciding.times > before
    bare = (await opened.ask("GET", url(4))).headers
    assert not [name for name, _ in bare if name == b"content-disposition"]


async def test_a_url_that_says_more_makes_no_way_for_bare_ones(door: Door) -> None:
    for number in range(3):
        for _ in range(3):
            await door.ask("GET", url(number, query={"response-content-disposition": "attachment"}))
    for number in range(3):
        bare = (await door.ask("GET", url(number))).headers
        assert not [name for name, _ in bare if name == b"content-disposition"]


async def test_a_range_is_heeded(opened: Door) -> None:
    answer = await opened.ask("GET", url(3), headers=[(b"range", b"bytes=1-1")])
    assert (answer.status, answer.body) == (206, b"n")


async def test_what_is_changed_by_another_process_counts_at_once(opened: Door, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "data")
    policy = '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::bucket/*"}}'
    await other.buckets.put_setting("bucket", "policy", policy)
    assert await code(opened, url(3)) == "AccessDenied"
    await other.buckets.put_setting("bucket", "policy", None)
    await other.close()
    assert await code(opened, url(4)) is None


async def test_a_url_that_was_taken_back_before_it_came_opens_nothing(opened: Door, tmp_path: Path) -> None:
    other = Ledger.open(tmp_path / "data")
    digest = signature_digest("AKIDEXAMPLE", url(3)[-64:])
    await other.revoke_signature(digest, account_id="a" * 64, now_ms=1, ends_ms=2**42)
    await other.close()
    assert await code(opened, url(3)) == "LinkRevoked"
    assert await code(opened, url(4)) is None


async def test_what_is_taken_back_closes_no_other_door(opened: Door, deciding: Deciding) -> None:
    before = deciding.times
    digest = signature_digest("AKIDEXAMPLE", url(3)[-64:])
    await opened.ledger.revoke_signature(digest, account_id="a" * 64, now_ms=1, ends_ms=2**42)
    for _ in range(2):
        assert await code(opened, url(3)) == "LinkRevoked"
        assert await code(opened, url(4)) is None
    assert deciding.times == before


async def test_all_that_were_signed_before_an_instant_are_closed(opened: Door) -> None:
    now_ms = round(AT.timestamp() * 1000)
    cutoff = Cutoff(
        id="c", account_id="a" * 64, access_key=None, bucket="bucket", key="k", is_prefix=False,
        before_ms=now_ms + 1000, created_ms=now_ms,
    )  # fmt: skip
    await opened.ledger.add_cutoff(cutoff)
    later = AT + timedelta(seconds=5)
    fresh = str(SIGNER.presign("GET", "bucket", "k", expires=60, at=later))
    for _ in range(3):
        assert await code(opened, url(3)) == "LinkRevoked"
        assert await code(opened, url(0)) == "LinkRevoked"
        assert await code(opened, fresh, at=later) is None


async def test_the_object_is_shown_as_it_is(opened: Door) -> None:
    assert (await opened.ask("PUT", url(3, "PUT"), body=b"second")).status == 200
    for number in range(3, 7):
        assert (await opened.ask("GET", url(number))).body == b"second"
    assert (await opened.ask("DELETE", url(3, "DELETE"))).status == 204
    assert await code(opened, url(8)) == "NoSuchKey"


async def test_the_key_is_noted_as_used(opened: Door) -> None:
    before = len(opened.keys.uses)
    await opened.ask("GET", url(3))
    assert opened.keys.uses[before:] == ["AKIDEXAMPLE"]


async def test_where_signatures_may_only_be_so_old_each_is_judged(tmp_path: Path) -> None:
    rules = Rules(region="us-east-1", guards=Guards(largest_age=timedelta(seconds=30)))
    async with opened_door(tmp_path / "data", rules=rules) as door:
        for number in range(4):
            assert await code(door, url(number)) is None
        assert await code(door, url(4), at=AT + timedelta(seconds=31)) == "AccessDenied"


async def test_a_key_that_cannot_be_looked_up_is_told_of_as_ever(opened: Door) -> None:
    def fail(*, times: int) -> None:
        opened.keys.meanwhile = partial(fail, times=times - 1) if times > 1 else None
        raise StorageFailedError("no disk")

    opened.keys.meanwhile = partial(fail, times=2)
    assert await code(opened, url(7)) == "InternalError"
    opened.keys.meanwhile = partial(fail, times=1)
    assert await code(opened, url(8)) is None
