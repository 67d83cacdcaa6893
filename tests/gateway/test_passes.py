"""A read that comes again is not decided anew, and whatever changes meanwhile counts at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.gateway.doors import AT, SIGNER, Door, opened_door

from valetkey.gateway.authority import Authority
from valetkey.gateway.call import Answer, Rules
from valetkey.gateway.guards import Guards
from valetkey.gateway.links.door import signature_digest
from valetkey.links import Ledger
from valetkey.links.model import Cutoff
from valetkey.s3.cors import default_rules
from valetkey.store.model import NewObject
from valetkey.store.store import Store

URL = str(SIGNER.presign("GET", "bucket", "k", expires=60, at=AT))
DENY = (
    '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::bucket/*"}}'
)


@pytest.fixture
async def passed(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A gateway at which `URL` has a pass: it is let through, though nothing is decided any more."""
    for _ in range(2):
        assert (await door.ask("GET", URL)).body == b"one"
    with monkeypatch.context() as patched:
        _decide_nothing(patched)
        assert (await door.ask("GET", URL)).body == b"one"
    return door


def _decide_nothing(patched: pytest.MonkeyPatch) -> None:
    def decide(*_: object, **__: object) -> None:
        raise AssertionError("this is decided anew")

    patched.setattr(Authority, "decide", decide)


async def code(door: Door, **more: object) -> str | None:
    return (await door.ask("GET", URL, **more)).error_code  # type: ignore[arg-type] # the keywords of `ask`


async def put(door: Door, url: str, body: bytes) -> Answer:
    answer = await door.ask("PUT", url, body=body)
    assert answer.status in (200, 204)
    return answer


def signed_put(**query: str) -> str:
    return str(SIGNER.presign("PUT", "bucket", "k", query=query, at=AT))


async def test_the_answer_is_the_same_to_the_letter(door: Door) -> None:
    answers = [await door.ask("GET", URL) for _ in range(4)]
    first = answers[0]
    for answer in answers[1:]:
        assert (answer.status, answer.headers, answer.body) == (first.status, first.headers, first.body)
        assert (answer.operation, answer.bucket, answer.key) == ("GetObject", "bucket", "k")
        assert (answer.access_key, answer.content_length) == (first.access_key, 3)


async def test_an_answer_that_was_given_does_not_change_with_the_next(passed: Door) -> None:
    first = await passed.ask("GET", URL)
    first.headers.append((b"x-amz-request-id", b"1"))
    assert (b"x-amz-request-id", b"1") not in (await passed.ask("GET", URL)).headers


async def test_head_has_the_length_and_no_body(door: Door) -> None:
    url = str(SIGNER.presign("HEAD", "bucket", "k", expires=60, at=AT))
    for _ in range(3):
        answer = await door.ask("HEAD", url)
        assert (answer.status, answer.body, answer.content_length) == (200, b"", 3)


async def test_an_object_that_was_replaced_is_shown_as_it_is(passed: Door) -> None:
    before = dict((await passed.ask("GET", URL)).headers)
    await put(passed, signed_put(), b"second")
    after = await passed.ask("GET", URL)
    assert (after.body, after.content_length) == (b"second", 6)
    assert dict(after.headers)[b"etag"] != before[b"etag"]


async def test_an_object_that_was_deleted_is_gone(passed: Door) -> None:
    deleted = await passed.ask("DELETE", str(SIGNER.presign("DELETE", "bucket", "k", at=AT)))
    assert deleted.status == 204
    assert await code(passed) == "NoSuchKey"


async def test_tags_that_were_added_are_counted(passed: Door) -> None:
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    await put(passed, signed_put(tagging=""), tags)
    assert (b"x-amz-tagging-count", b"1") in (await passed.ask("GET", URL)).headers


async def test_a_policy_counts_at_once(passed: Door) -> None:
    bucket = passed.store.buckets.find("bucket")
    await passed.store.buckets.put_setting(bucket, "policy", DENY)
    assert await code(passed) == "AccessDenied"
    await passed.store.buckets.put_setting(bucket, "policy", None)
    assert await code(passed) is None


async def test_a_change_by_another_process_counts_at_once(passed: Door, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "data")
    await other.buckets.put_setting("bucket", "policy", DENY)
    await other.close()
    assert await code(passed) == "AccessDenied"


async def test_a_url_that_is_taken_back_by_another_process_is_closed_at_once(
    passed: Door, tmp_path: Path
) -> None:
    other = Ledger.open(tmp_path / "data")
    digest = signature_digest("AKIDEXAMPLE", URL[-64:])
    await other.revoke_signature(digest, account_id="a" * 64, now_ms=1, ends_ms=2**42)
    await other.close()
    assert await code(passed) == "LinkRevoked"


async def test_all_urls_of_a_key_are_closed_at_once(passed: Door) -> None:
    now_ms = round(AT.timestamp() * 1000)
    cutoff = Cutoff(
        id="c",
        account_id="a" * 64,
        access_key="AKIDEXAMPLE",
        bucket=None,
        key=None,
        is_prefix=False,
        before_ms=now_ms + 1000,
        created_ms=now_ms,
    )
    await passed.ledger.add_cutoff(cutoff)
    assert await code(passed) == "LinkRevoked"


async def test_it_ends_when_the_url_ends(passed: Door) -> None:
    assert await code(passed, at=AT + timedelta(seconds=59)) is None
    assert await code(passed, at=AT + timedelta(seconds=60)) == "AccessDenied"


async def test_it_does_not_open_before_its_time_when_the_clock_is_set_back(passed: Door) -> None:
    assert await code(passed, at=AT - timedelta(hours=1)) == "AccessDenied"


async def test_a_range_and_a_condition_are_heeded(passed: Door) -> None:
    ranged = await passed.ask("GET", URL, headers=[(b"range", b"bytes=1-1")])
    assert (ranged.status, ranged.body) == (206, b"n")
    etag = dict(ranged.headers)[b"etag"]
    assert (await passed.ask("GET", URL, headers=[(b"if-none-match", etag)])).status == 304
    assert await code(passed, headers=[(b"if-match", b'"other"')]) == "PreconditionFailed"
    assert (await passed.ask("GET", URL)).status == 200


async def test_a_page_of_another_origin_is_told_that_it_may_read(tmp_path: Path) -> None:
    rules = Rules(region="us-east-1", cors=default_rules(("*",)))
    async with opened_door(tmp_path / "data", rules=rules) as door:
        for _ in range(3):
            assert await code(door) is None
        answer = await door.ask("GET", URL, headers=[(b"origin", b"https://example.com")])
        assert (b"access-control-allow-origin", b"*") in answer.headers


@pytest.mark.parametrize(
    "header",
    [(b"x-amz-expected-bucket-owner", b"1"), (b"authorization", b"Bearer x"), (b"host", b"other")],
    ids=["x-amz-*", "two mechanisms", "a second Host"],
)
async def test_a_header_that_must_be_signed_is_missed(passed: Door, header: tuple[bytes, bytes]) -> None:
    assert await code(passed, headers=[header]) is not None


async def test_objects_that_others_may_own_are_looked_at_each_time(
    passed: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await passed.store.buckets.put_setting("bucket", "ownershipControls", None)
    for _ in range(3):
        assert await code(passed) is None
    _decide_nothing(monkeypatch)
    with pytest.raises(AssertionError, match="decided anew"):
        await passed.ask("GET", URL)


async def test_whoever_is_changed_among_identities_each_is_looked_at_anew(
    passed: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await passed.store.identities.accounts.ensure(
        "b" * 64, number="1" * 12, name="b", email=None, is_root=False, now_ms=1
    )
    _decide_nothing(monkeypatch)
    with pytest.raises(AssertionError, match="decided anew"):
        await passed.ask("GET", URL)


async def test_where_signatures_may_only_be_so_old_each_is_judged_anew(tmp_path: Path) -> None:
    rules = Rules(region="us-east-1", guards=Guards(largest_age=timedelta(seconds=30)))
    async with opened_door(tmp_path / "data", rules=rules) as door:
        for _ in range(3):
            assert await code(door) is None
        assert await code(door, at=AT + timedelta(seconds=31)) == "AccessDenied"


async def test_an_override_in_the_url_is_part_of_the_answer(door: Door) -> None:
    url = str(SIGNER.presign("GET", "bucket", "k", query={"response-content-type": "text/x"}, at=AT))
    for _ in range(3):
        assert (b"content-type", b"text/x") in (await door.ask("GET", url)).headers


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b"x", b"x"), (b"one", b"other")])
async def test_what_another_worker_puts_while_an_answer_is_remembered_is_not_shown_by_the_old_headers(
    door: Door, tmp_path: Path, method: str, before: bytes, after: bytes
) -> None:
    await put(door, signed_put(), before)
    url = str(SIGNER.presign(method, "bucket", "k", expires=60, at=AT))
    await door.ask(method, url)
    # The first look at the key admits the URL, the second one comes when the answer is there and may be remembered.
    door.keys.meanwhile = partial(setattr, door.keys, "meanwhile", partial(_put_by_another, tmp_path, after))
    await door.ask(method, url)
    answer = await door.ask(method, url)
    assert (answer.content_length, answer.body) == (len(after), after if method == "GET" else b"")
    assert dict(answer.headers)[b"x-amz-meta-of"] == b"another"


def _put_by_another(folder: Path, content: bytes) -> None:
    async def run() -> None:
        other = Store.open(folder / "data")

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        draft = await other.receive(chunks(), size_hint=None, observe=lambda _: None)
        new = NewObject(etag="e", headers={"x-amz-meta-of": "another"})
        await other.put_object("bucket", "k", draft, new, now_ms=1)
        await other.close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, run()).result()


async def test_each_time_the_key_is_known_to_be_in_use(passed: Door) -> None:
    before = len(passed.keys.uses)
    await passed.ask("GET", URL)
    await passed.ask("GET", URL, headers=[(b"range", b"bytes=0-0")])
    assert passed.keys.uses[before:] == ["AKIDEXAMPLE"] * 2
