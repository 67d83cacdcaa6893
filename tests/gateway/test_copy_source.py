"""The source of a copy is what the caller was allowed to read, and nothing that takes its name meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from tests.gateway.doors import link_door

from valetkey import Secret, Signer
from valetkey.gateway.call import Answer, Request, Rules
from valetkey.gateway.flow import Gateway
from valetkey.gateway.session_tokens import TokenBox
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.store.model import Deletion, NewObject, StoredObject
from valetkey.store.store import Store

AT: Final = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NOW_MS: Final = 1_700_000_000_000
SIGNER: Final = Signer("BOBKEY", "the secret of Bob's key", endpoint="http://127.0.0.1:9000")
ALICE_ID: Final = "a" * 64
BOB_ID: Final = "b" * 64
BOB: Final = Principal(kind=PrincipalKind.ACCOUNT, name="bob", account_id=BOB_ID, account_number="1" * 12)


class Keys:
    """Bob's key, and nobody else's."""

    def find(self, access_key: str) -> tuple[Secret, Principal] | None:
        return (Secret("the secret of Bob's key"), BOB) if access_key == "BOBKEY" else None

    def find_session(self, access_key: str, token: str, *, now_ms: int) -> tuple[Secret, Principal] | None:
        return None

    def note_use(self, access_key: str, *, now_ms: int) -> None:
        pass

    def name_of(self, account_id: str) -> str | None:
        return None

    def id_by_email(self, email: str) -> str | None:
        return None


def ignore(block: bytes) -> None:
    pass


async def no_body() -> AsyncIterator[bytes]:
    yield b""


async def put(store: Store, bucket: str, body: bytes) -> StoredObject:
    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async with await store.receive(pieces(), size_hint=len(body), observe=ignore) as draft:
        new = NewObject(etag="e" * 32, headers={})
        return await store.put_object(bucket, "key", draft, new, now_ms=NOW_MS)


async def delete(store: Store, bucket: str) -> None:
    await store.delete_object(bucket, Deletion(key="key"), now_ms=NOW_MS)


async def copy(store: Store) -> Answer:
    """Let Bob copy `source/key`."""
    rules = Rules(region="us-east-1")
    url = str(SIGNER.presign("PUT", "bobs", "copy", query={"x-amz-copy-source": "/source/key"}, at=AT))
    path, _, query = url.removeprefix("http://127.0.0.1:9000").partition("?")
    headers = [(b"host", b"127.0.0.1:9000"), (b"content-length", b"0")]
    request = Request("PUT", path.encode(), query.encode(), headers, no_body, AT)
    with TemporaryDirectory() as folder:
        links = link_door(Path(folder), Keys(), rules)
        gateway = Gateway(
            store=store,
            links=links,
            keys=Keys(),
            rules=rules,
            box=TokenBox(bytes(32)),
            new_id=lambda: "id",
        )
        answer = await gateway.answer(request, request_id="id", host_id="host")
        await links.ledger.close()
    return answer


def interfere(monkeypatch: pytest.MonkeyPatch, store: Store, change: Callable[[], Awaitable[object]]) -> None:
    """Let `change` happen once, between the look at the source and the copy."""
    copy_object = store.copy_object
    changes = iter([change])

    async def change_and_copy(*values: object, **options: object) -> StoredObject:
        for pending in changes:
            await pending()
        return await copy_object(*values, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(store, "copy_object", change_and_copy)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    # Every content is a file, so that one that is replaced is gone, as large ones are.
    opened = Store.open(tmp_path / "data", inline_limit_bytes=0)
    for name in ("source", "bobs"):
        await opened.buckets.create(name, now_ms=NOW_MS, owner_id=BOB_ID)
    await put(opened, "source", b"of Bob")
    yield opened
    await opened.close()


async def content(store: Store, found: StoredObject) -> bytes:
    with store.open_content(found, 0, found.size) as reader:
        return b"".join([block async for block in reader])


async def test_a_source_that_is_replaced_meanwhile_is_found_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    interfere(monkeypatch, store, lambda: put(store, "source", b"of Bob, again"))
    assert (await copy(store)).status == 200
    assert await content(store, store.find_object("bobs", "copy")) == b"of Bob, again"


async def test_a_source_is_not_looked_for_in_a_bucket_that_took_the_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hand_over() -> None:
        await delete(store, "source")
        await store.buckets.delete("source")
        await store.buckets.create("source", now_ms=NOW_MS, owner_id=ALICE_ID)
        await put(store, "source", b"of Alice")

    interfere(monkeypatch, store, hand_over)
    answer = await copy(store)
    assert (answer.status, answer.error_code) == (404, "NoSuchBucket")
    assert (await store.list_objects("bobs")).entries == ()


async def test_the_source_in_a_bucket_of_another_account_is_refused_at_once(store: Store) -> None:
    await delete(store, "source")
    await store.buckets.delete("source")
    await store.buckets.create("source", now_ms=NOW_MS, owner_id=ALICE_ID)
    await put(store, "source", b"of Alice")
    assert (await copy(store)).error_code == "AccessDenied"
