"""Access keys: their secrets, who may change them, and that a stopped one counts in no process."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.store.identity_stock import (
    ACCOUNT,
    ALICE,
    NOW_MS,
    OTHER,
    add_key,
    entity,
    fill,
    open_sealed,
)
from tests.store.stock import put

from valetkey.sigv4.secret import Secret
from valetkey.store import NoMasterKeyError, StorageFailedError, Store
from valetkey.store.errors import (
    EntityExistsError,
    NoSuchEntityError,
)
from valetkey.store.identity_model import (
    EntityKind,
    KeyPair,
    KnownKey,
)

MINUTE_MS = 60_000


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[Store]:
    opened = open_sealed(folder)
    await fill(opened)
    yield opened
    await opened.close()


def known(store: Store, access_key: str = "AK") -> KnownKey:
    found = store.identities.find_key(access_key)
    assert found is not None
    return found


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_key_is_found_with_its_secret_and_whom_it_stands_for(store: Store) -> None:
    made = await add_key(store, "AK", secret="s3cret/é")
    found = known(store)
    assert found.secret.reveal() == "s3cret/é"
    assert (found.account.id, found.user) == (ACCOUNT, store.identities.get_user(ACCOUNT, "alice"))
    assert (found.policies, found.boundary) == ((), None)
    assert made == store.identities.keys.find("AK")
    assert (made.user_name, made.is_active, made.last_used_ms) == ("alice", True, None)


async def test_secret_is_neither_shown_nor_kept_as_it_is(store: Store, folder: Path) -> None:
    await add_key(store, "AK", secret="very-s3cret")
    assert "very-s3cret" not in repr(known(store))
    await store.close()
    assert b"very-s3cret" not in bytes_on_disk(folder)


async def test_seal_of_one_key_does_not_open_as_another(store: Store, folder: Path) -> None:
    await add_key(store, "AK1", user=None, secret="of an account")
    await add_key(store, "AK2", secret="of a user")
    await store.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
        catalog.execute(
            "UPDATE access_keys SET seal = (SELECT seal FROM access_keys WHERE id = 'AK2') WHERE id = 'AK1'"
        )
    store = open_sealed(folder)
    assert known(store, "AK2").secret.reveal() == "of a user"
    with pytest.raises(StorageFailedError):
        store.identities.find_key("AK1")
    await store.close()


async def test_secret_needs_the_master_key_that_it_was_sealed_under(store: Store, folder: Path) -> None:
    await add_key(store, "AK")
    await store.close()
    other, none = open_sealed(folder, b"x" * 32), open_sealed(folder, None)
    with pytest.raises(StorageFailedError):
        other.identities.find_key("AK")
    with pytest.raises(NoMasterKeyError):
        none.identities.find_key("AK")
    with pytest.raises(NoMasterKeyError):
        await add_key(none, "AK2")
    await other.close()
    await none.close()


@pytest.mark.parametrize("name", ["", "AKX", "é", "\udcff", "x" * 10_000], ids=ascii)
async def test_key_that_is_not_there_is_none(store: Store, name: str) -> None:
    assert store.identities.find_key(name) is None


async def test_key_is_made_once_over_all_accounts(store: Store) -> None:
    await add_key(store, "AK")
    with pytest.raises(EntityExistsError) as caught:
        await add_key(store, "AK", account_id=OTHER, user=None, secret="other")
    assert caught.value.kind is EntityKind.ACCESS_KEY
    assert known(store).secret.reveal() == "s3cret"


async def test_account_is_made_with_its_first_key_or_not_at_all(store: Store) -> None:
    create = partial(store.identities.accounts.create, "c" * 64, number="333333333333", name="third")
    pair = KeyPair(access_key="AK", secret=Secret("another"))
    await add_key(store, "AK")
    await store.identities.keys.set_active(ACCOUNT, "alice", "AK", is_active=False)
    with pytest.raises(EntityExistsError):
        await create(first_key=pair, now_ms=NOW_MS)
    with pytest.raises(NoSuchEntityError):
        store.identities.accounts.find("c" * 64)
    await create(first_key=replace(pair, access_key="CK"), now_ms=NOW_MS)
    assert known(store, "CK").account.name == "third"
    assert "another" not in repr(pair)


async def test_key_is_changed_by_its_owner_alone(store: Store) -> None:
    await add_key(store, "AK")
    for account_id, user in [(ACCOUNT, None), (OTHER, None)]:
        with pytest.raises(NoSuchEntityError):
            await store.identities.keys.set_active(account_id, user, "AK", is_active=False)
        with pytest.raises(NoSuchEntityError):
            await store.identities.keys.delete(account_id, user, "AK")
    assert known(store).access_key == "AK"


async def test_keys_are_listed_of_their_owner_in_pages(store: Store) -> None:
    for name in ("AK3", "AK1", "AK2"):
        await add_key(store, name)
    await add_key(store, "AK0", user=None)
    keys = store.identities.keys
    first = await keys.list(ACCOUNT, "alice", limit=2)
    second = await keys.list(ACCOUNT, "alice", limit=2, after=first.next_after or "")
    assert [key.id for key in (*first.entries, *second.entries)] == ["AK1", "AK2", "AK3"]
    assert [key.id for key in (await keys.list(ACCOUNT, None)).entries] == ["AK0"]


async def test_old_and_new_keys_count_together(store: Store) -> None:
    for number in range(3):
        await add_key(store, f"AK{number}", secret=f"secret {number}")
    assert [known(store, f"AK{number}").secret.reveal() for number in range(3)] == [
        "secret 0",
        "secret 1",
        "secret 2",
    ]


async def test_key_that_is_stopped_counts_in_no_process(store: Store, folder: Path) -> None:
    other = open_sealed(folder)
    await add_key(store, "AK")
    for is_active in (False, True, False):
        await store.identities.keys.set_active(ACCOUNT, "alice", "AK", is_active=is_active)
        assert (other.identities.find_key("AK") is not None) is is_active
        assert (store.identities.find_key("AK") is not None) is is_active
        assert store.identities.keys.find("AK").is_active is is_active
    await other.identities.keys.set_active(ACCOUNT, "alice", "AK", is_active=True)
    known(store)
    await other.identities.keys.delete(ACCOUNT, "alice", "AK")
    assert store.identities.find_key("AK") is None
    await other.close()


async def test_nothing_of_an_account_that_is_not_active_counts(store: Store, folder: Path) -> None:
    other = open_sealed(folder)
    await add_key(store, "AK")
    known(other)
    other.identities.find_role(ACCOUNT, "worker")
    await store.identities.accounts.update(ACCOUNT, is_active=False)
    assert other.identities.find_key("AK") is None
    for ask in (
        lambda: other.identities.find_user(ACCOUNT, "alice"),
        lambda: other.identities.find_role(ACCOUNT, "worker"),
        lambda: other.identities.sessions_revoked_before(ACCOUNT),
        lambda: other.identities.sessions_revoked_before(ACCOUNT, user="alice"),
    ):
        with pytest.raises(NoSuchEntityError):
            ask()
    assert other.identities.get_user(ACCOUNT, "alice").name == "alice"
    await store.identities.accounts.update(ACCOUNT, is_active=True)
    assert known(other).account.is_active
    await other.close()


async def test_key_is_kept_in_memory_until_an_identity_changes(store: Store) -> None:
    await add_key(store, "AK")
    found = known(store)
    await store.buckets.create("bucket", now_ms=NOW_MS)
    assert known(store) is found
    store.identities.keys.note_use("AK", used_ms=NOW_MS, service="s3", region="eu")
    await put(store, "key", b"x")
    assert known(store) is found
    await store.identities.create_user(entity("bob"), now_ms=NOW_MS)
    assert known(store) is not found


async def test_use_is_noted_once_a_minute(store: Store, folder: Path) -> None:
    await add_key(store, "AK")
    other = open_sealed(folder)

    async def note(by: Store, used_ms: int, region: str) -> tuple[int | None, str | None, str | None]:
        by.identities.keys.note_use("AK", used_ms=used_ms, service="s3", region=region)
        # Behind the note in the same queue.
        await by.buckets.create(f"{used_ms}-{region}", now_ms=NOW_MS)
        key = store.identities.keys.find("AK")
        return key.last_used_ms, key.last_used_service, key.last_used_region

    first = (NOW_MS, "s3", "one")
    assert await note(store, NOW_MS, "one") == first
    assert await note(store, NOW_MS + MINUTE_MS - 1, "two") == first
    assert await note(other, NOW_MS + MINUTE_MS - 1, "three") == first
    assert await note(store, NOW_MS + MINUTE_MS, "four") == (NOW_MS + MINUTE_MS, "s3", "four")
    await other.close()


async def test_use_of_a_key_that_is_gone_is_not_noted(store: Store) -> None:
    store.identities.keys.note_use("AK", used_ms=NOW_MS, service="s3", region="eu")
    # Behind the note in the same queue.
    await store.identities.amend_tags(ALICE)
    with pytest.raises(NoSuchEntityError):
        store.identities.keys.find("AK")
