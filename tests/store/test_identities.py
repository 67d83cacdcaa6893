"""Accounts, users, groups and roles, and what becomes of their sessions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store.identity_stock import (
    ACCOUNT,
    ALICE,
    MASTER_KEY,
    NOW_MS,
    OTHER,
    STAFF,
    WORKER,
    add_key,
    add_policy,
    entity,
    fill,
    open_sealed,
)

from valetkey.store import Store, StoreClosedError
from valetkey.store.entities import group_holder, role_holder, user_holder
from valetkey.store.errors import (
    DeleteConflictError,
    EntityExistsError,
    LimitExceededError,
    NoSuchEntityError,
)
from valetkey.store.identity_model import (
    EntityKind,
    Holder,
    KnownKey,
    NamedDocument,
    NewRole,
    Obstacle,
    Quota,
)


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


@asynccontextmanager
async def other_process(folder: Path) -> AsyncIterator[Store]:
    """Open the folder once more, as another worker does."""
    opened = open_sealed(folder)
    try:
        yield opened
    finally:
        await opened.close()


# Accounts


@pytest.mark.parametrize(
    ("by", "value"),
    [("id", ACCOUNT), ("number", "111111111111"), ("name", "first"), ("email", "a@EXAMPLE.com")],
    ids=["id", "number", "name", "email in another case"],
)
async def test_account_is_found_by_each_of_its_names(store: Store, by: str, value: str) -> None:
    found = store.identities.find_account(value, by=by)
    assert found == store.identities.accounts.find(value, by=by)
    assert (found.id, found.email, found.is_active, found.is_root) == (ACCOUNT, "A@example.com", True, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("account_id", ACCOUNT), ("number", "111111111111"), ("name", "first"), ("email", "a@example.com")],
    ids=["id", "number", "name", "email in another case"],
)
async def test_no_two_accounts_share_a_name(store: Store, field: str, value: str) -> None:
    new: dict[str, Any] = {
        "account_id": "c" * 64,
        "number": "333333333333",
        "name": "third",
        "email": "c@example.com",
    }
    with pytest.raises(EntityExistsError) as caught:
        await store.identities.accounts.create(**{**new, field: value}, now_ms=NOW_MS)
    assert (caught.value.kind, caught.value.name) == (EntityKind.ACCOUNT, value)


async def test_several_accounts_may_have_no_email(store: Store) -> None:
    await store.identities.accounts.create("c" * 64, number="333333333333", name="third", now_ms=NOW_MS)
    assert store.identities.find_account(OTHER).email is store.identities.find_account("c" * 64).email is None


async def test_account_is_ensured_once_and_stays_as_it_is(store: Store) -> None:
    ensured = [
        await store.identities.accounts.ensure(
            "d" * 64, number=number, name="root", is_root=True, now_ms=now_ms
        )
        for number, now_ms in [("444444444444", NOW_MS), ("555555555555", NOW_MS + 1)]
    ]
    assert ensured[0] == ensured[1] == store.identities.find_account("d" * 64)
    with pytest.raises(DeleteConflictError) as caught:
        await store.identities.accounts.delete("d" * 64)
    assert caught.value.obstacle is Obstacle.IS_ROOT


async def test_accounts_are_listed_by_name_in_pages(store: Store) -> None:
    first = await store.identities.accounts.list(limit=1)
    assert first.next_after is not None
    second = await store.identities.accounts.list(limit=1, after=first.next_after)
    assert [page.entries[0].name for page in (first, second)] == ["first", "second"]
    assert second.next_after is None


async def test_account_is_renamed_but_not_to_the_name_of_another(store: Store) -> None:
    accounts = store.identities.accounts
    changed = await accounts.update(ACCOUNT, name="new", email="a@example.com")
    assert changed == store.identities.find_account("new", by="name")
    with pytest.raises(NoSuchEntityError):
        store.identities.find_account("first", by="name")
    with pytest.raises(EntityExistsError):
        await accounts.update(ACCOUNT, name="second")


async def test_what_an_account_blocks_is_kept_until_it_is_taken_away(folder: Path, store: Store) -> None:
    accounts = store.identities.accounts
    assert store.identities.find_account(ACCOUNT).public_access_block is None
    async with other_process(folder) as elsewhere:
        assert elsewhere.identities.find_account(ACCOUNT).public_access_block is None
        await accounts.put_public_access_block(ACCOUNT, "<a/>")
        for each in (store, elsewhere):
            assert each.identities.find_account(ACCOUNT).public_access_block == "<a/>"
            assert each.identities.find_account(OTHER).public_access_block is None
        await accounts.update(ACCOUNT, name="renamed")
        assert elsewhere.identities.find_account(ACCOUNT).public_access_block == "<a/>"
        await accounts.put_public_access_block(ACCOUNT, None)
        assert elsewhere.identities.find_account(ACCOUNT).public_access_block is None
    with pytest.raises(NoSuchEntityError):
        await accounts.put_public_access_block("nobody", "<a/>")


async def test_account_that_owns_anything_stays(store: Store) -> None:
    for owner in (ACCOUNT, OTHER):
        await store.buckets.create(f"of-{owner[0]}", owner_id=owner, now_ms=NOW_MS)
    with pytest.raises(DeleteConflictError) as caught:
        await store.identities.accounts.delete(OTHER)
    assert caught.value.obstacle is Obstacle.BUCKETS
    await store.buckets.delete("of-a")
    with pytest.raises(DeleteConflictError) as caught:
        await store.identities.accounts.delete(ACCOUNT)
    assert caught.value.obstacle is Obstacle.ENTITIES


async def test_keys_of_an_account_go_with_it(store: Store) -> None:
    await add_key(store, "AK", account_id=OTHER, user=None)
    assert known(store).user is None
    await store.identities.accounts.delete(OTHER)
    assert store.identities.find_key("AK") is None
    with pytest.raises(NoSuchEntityError):
        store.identities.find_account(OTHER)


# Users, groups and roles


async def test_names_that_differ_in_case_alone_are_one(store: Store) -> None:
    identities = store.identities
    with pytest.raises(EntityExistsError) as caught:
        await identities.create_user(entity("ALICE"), now_ms=NOW_MS)
    assert (caught.value.kind, caught.value.name) == (EntityKind.USER, "ALICE")
    assert identities.get_user(ACCOUNT, "Alice").name == "alice"
    assert identities.find_user(ACCOUNT, "ALICE").user.name == "alice"


async def test_kinds_and_accounts_have_names_of_their_own(store: Store) -> None:
    await store.identities.create_group(entity("alice"), now_ms=NOW_MS)
    await store.identities.create_user(entity("alice", account_id=OTHER), now_ms=NOW_MS)
    assert store.identities.get_user(OTHER, "alice").account_id == OTHER
    with pytest.raises(NoSuchEntityError):
        await store.identities.create_user(entity("bob", account_id="c" * 64), now_ms=NOW_MS)


async def test_role_has_all_that_it_began_with(store: Store) -> None:
    new = NewRole(
        account_id=ACCOUNT,
        name="reader",
        unique_id="R",
        path="/team/",
        tags={"k": "v"},
        trust_policy="{t}",
        description="reads",
        max_session_s=7200,
    )
    made = await store.identities.create_role(new, now_ms=NOW_MS)
    assert made == store.identities.get_role(ACCOUNT, "reader")
    assert made == store.identities.find_role(ACCOUNT, "reader").role
    changed = await store.identities.update_role(ACCOUNT, "reader", trust_policy="{u}")
    assert changed == replace(made, trust_policy="{u}") == store.identities.find_role(ACCOUNT, "reader").role


async def test_users_are_listed_by_name_under_their_path(store: Store) -> None:
    for name, path in [("Bob", "/a/"), ("carl", "/a/b/"), ("dora", "/A/"), ("eve", "/ab/")]:
        await store.identities.create_user(entity(name, path=path), now_ms=NOW_MS)
    names: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await store.identities.list_users(ACCOUNT, after=after, limit=2)
        names += [user.name for user in page.entries]
        after = page.next_after
    assert names == ["alice", "Bob", "carl", "dora", "eve"]
    under = await store.identities.list_users(ACCOUNT, path_prefix="/a/")
    assert [user.name for user in under.entries] == ["Bob", "carl"]
    assert (await store.identities.list_users(OTHER)).entries == ()
    assert [one.name for one in (await store.identities.list_groups(ACCOUNT)).entries] == ["staff"]
    assert [one.name for one in (await store.identities.list_roles(ACCOUNT)).entries] == ["worker"]


async def test_renamed_user_keeps_what_it_has(store: Store) -> None:
    identities = store.identities
    await add_key(store, "AK")
    await identities.policies.put_inline(ALICE, "p", "{}")
    await identities.move(ALICE, new_name="Alice", new_path="/x/")
    await identities.move(ALICE, new_name="bob")
    user = known(store).user
    assert user is not None
    assert (user.name, user.path) == ("bob", "/x/")
    assert known(store).policies == (NamedDocument("user/bob/p", "{}"),)
    await identities.create_user(entity("alice"), now_ms=NOW_MS)
    with pytest.raises(EntityExistsError):
        await identities.move(ALICE, new_name="BOB")


async def test_tags_are_put_and_removed_up_to_the_limit(store: Store) -> None:
    identities = store.identities
    await identities.amend_tags(ALICE, put={"a": "1", "b": "2"})
    await identities.amend_tags(ALICE, put={"b": "3"}, remove=["a", "x"])
    assert identities.get_user(ACCOUNT, "alice").tags == {"b": "3"}
    with pytest.raises(LimitExceededError) as caught:
        await identities.amend_tags(ALICE, put={str(number): "" for number in range(50)})
    assert caught.value.quota is Quota.TAGS
    assert identities.get_user(ACCOUNT, "alice").tags == {"b": "3"}


async def test_members_and_their_groups_are_listed(store: Store) -> None:
    identities = store.identities
    await identities.create_user(entity("bob"), now_ms=NOW_MS)
    for user in ("bob", "alice", "alice"):
        await identities.add_member(ACCOUNT, "staff", user)
    assert [user.name for user in (await identities.list_members(ACCOUNT, "staff")).entries] == [
        "alice",
        "bob",
    ]
    assert [one.name for one in (await identities.list_groups_of(ACCOUNT, "bob")).entries] == ["staff"]
    await identities.remove_member(ACCOUNT, "staff", "bob")
    await identities.remove_member(ACCOUNT, "staff", "bob")
    assert (await identities.list_groups_of(ACCOUNT, "bob")).entries == ()
    for group, user in [("none", "bob"), ("staff", "none")]:
        with pytest.raises(NoSuchEntityError):
            await identities.add_member(ACCOUNT, group, user)


async def test_user_is_in_so_many_groups_at_most(store: Store) -> None:
    for number in range(Quota.GROUPS_OF_A_USER.value + 1):
        await store.identities.create_group(entity(f"g{number}"), now_ms=NOW_MS)
    for number in range(Quota.GROUPS_OF_A_USER.value):
        await store.identities.add_member(ACCOUNT, f"g{number}", "alice")
    with pytest.raises(LimitExceededError):
        await store.identities.add_member(ACCOUNT, f"g{Quota.GROUPS_OF_A_USER.value}", "alice")
    groups = (await store.identities.list_groups_of(ACCOUNT, "alice")).entries
    assert len(groups) == Quota.GROUPS_OF_A_USER.value


@pytest.mark.parametrize("holder", [ALICE, STAFF, WORKER], ids=lambda holder: holder.kind.value)
async def test_what_holds_policies_is_not_deleted(store: Store, holder: Holder) -> None:
    identities = store.identities
    policy = await add_policy(store, "p")
    await identities.policies.put_inline(holder, "inline", "{}")
    await identities.policies.attach(holder, policy.arn)

    async def obstacle() -> Obstacle:
        with pytest.raises(DeleteConflictError) as caught:
            await identities.delete(holder)
        assert (caught.value.kind, caught.value.name) == (holder.kind, holder.name)
        return caught.value.obstacle

    assert await obstacle() is Obstacle.INLINE_POLICIES
    await identities.policies.delete_inline(holder, "inline")
    assert await obstacle() is Obstacle.ATTACHED_POLICIES
    await identities.policies.detach(holder, policy.arn)
    await identities.delete(holder)
    with pytest.raises(NoSuchEntityError):
        await identities.delete(holder)


async def test_user_with_keys_or_groups_and_group_with_users_stay(store: Store) -> None:
    identities = store.identities
    await add_key(store, "AK")
    await identities.add_member(ACCOUNT, "staff", "alice")
    for holder, obstacle in [(ALICE, Obstacle.ACCESS_KEYS), (STAFF, Obstacle.MEMBERS)]:
        with pytest.raises(DeleteConflictError) as caught:
            await identities.delete(holder)
        assert caught.value.obstacle is obstacle
    await identities.keys.delete(ACCOUNT, "alice", "AK")
    with pytest.raises(DeleteConflictError) as caught:
        await identities.delete(ALICE)
    assert caught.value.obstacle is Obstacle.GROUPS


@pytest.mark.parametrize(
    "holder",
    [user_holder(ACCOUNT, "none"), group_holder(ACCOUNT, "alice"), role_holder(OTHER, "worker")],
    ids=["no such name", "of another kind", "of another account"],
)
async def test_what_is_missing_cannot_be_changed(store: Store, holder: Holder) -> None:
    policies = store.identities.policies
    for change in (
        store.identities.delete(holder),
        store.identities.move(holder, new_name="x"),
        store.identities.amend_tags(holder, put={"a": "b"}),
        store.identities.set_boundary(holder, None),
        policies.put_inline(holder, "p", "{}"),
        policies.delete_inline(holder, "p"),
        policies.attach(holder, "arn"),
        policies.detach(holder, "arn"),
        policies.list_inline(holder),
        policies.list_attached(holder),
    ):
        with pytest.raises(NoSuchEntityError) as caught:
            await change
        assert (caught.value.kind, caught.value.name) == (holder.kind, holder.name)


# Sessions


async def test_sessions_end_with_their_user_role_or_account(store: Store, folder: Path) -> None:
    other = open_sealed(folder)
    before = other.identities.sessions_revoked_before
    assert before(ACCOUNT) == 0
    assert before(ACCOUNT, user="alice") == before(ACCOUNT, role="worker") == NOW_MS
    await store.identities.revoke_sessions(ACCOUNT, user="alice", before_ms=NOW_MS + 10)
    assert before(ACCOUNT, user="alice") == NOW_MS + 10
    assert before(ACCOUNT, role="worker") == NOW_MS
    await store.identities.revoke_sessions(ACCOUNT, role="worker", before_ms=NOW_MS + 20)
    assert before(ACCOUNT, role="worker") == NOW_MS + 20
    await store.identities.revoke_sessions(ACCOUNT, before_ms=NOW_MS + 15)
    assert (before(ACCOUNT), before(ACCOUNT, user="alice")) == (NOW_MS + 15, NOW_MS + 15)
    assert before(ACCOUNT, role="worker") == NOW_MS + 20
    assert before(OTHER) == 0
    await other.close()


async def test_sessions_that_ended_do_not_come_back(store: Store) -> None:
    identities = store.identities
    for before_ms in (NOW_MS + 20, NOW_MS + 10):
        await identities.revoke_sessions(ACCOUNT, user="alice", before_ms=before_ms)
        await identities.revoke_sessions(OTHER, before_ms=before_ms)
    assert identities.sessions_revoked_before(ACCOUNT, user="alice") == NOW_MS + 20
    assert identities.sessions_revoked_before(OTHER) == NOW_MS + 20


async def test_sessions_of_a_former_user_are_not_those_of_its_namesake(store: Store) -> None:
    identities = store.identities
    await identities.delete(ALICE)
    with pytest.raises(NoSuchEntityError):
        identities.sessions_revoked_before(ACCOUNT, user="alice")
    await identities.create_user(entity("alice"), now_ms=NOW_MS + 5)
    assert identities.sessions_revoked_before(ACCOUNT, user="alice") == NOW_MS + 5


async def test_closed_store_answers_nothing_about_identities(store: Store) -> None:
    await add_key(store, "AK")
    known(store)
    await store.close()
    with pytest.raises(StoreClosedError):
        store.identities.find_key("AK")
    with pytest.raises(StoreClosedError):
        store.identities.find_account(ACCOUNT)
    assert MASTER_KEY not in repr(store).encode()
