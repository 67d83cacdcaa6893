"""Inline and managed policies, and which of them apply to whom."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.store.identity_stock import (
    ACCOUNT,
    ALICE,
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

from valetkey.store import Store
from valetkey.store.errors import (
    DeleteConflictError,
    EntityExistsError,
    LimitExceededError,
    NoSuchEntityError,
)
from valetkey.store.identity_model import (
    PROVIDED,
    AttachedPolicy,
    EntityKind,
    Holder,
    NamedDocument,
    NewPolicy,
    Obstacle,
    PolicyHolder,
    Quota,
)

HOLDERS = pytest.mark.parametrize("holder", [ALICE, STAFF, WORKER], ids=lambda one: one.kind.value)


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[Store]:
    opened = open_sealed(folder)
    await fill(opened)
    yield opened
    await opened.close()


def applying(store: Store) -> dict[str, str]:
    found = store.identities.find_key("AK")
    assert found is not None
    assert found.policies == store.identities.find_user(ACCOUNT, "alice").policies
    return dict(found.policies)


async def provide(store: Store, document: str) -> str:
    new = NewPolicy(account_id=PROVIDED, name="Full", unique_id="P-Full", document=document)
    await store.identities.policies.provide(new, now_ms=NOW_MS)
    return "arn:aws:iam::aws:policy/Full"


# Inline


@HOLDERS
async def test_inline_policy_is_put_replaced_and_removed(store: Store, holder: Holder) -> None:
    policies = store.identities.policies
    for document in ("{1}", '{"é": 2}'):
        await policies.put_inline(holder, "b", document)
        assert policies.find_inline(holder, "b") == document
    await policies.put_inline(holder, "a", "{}")
    first = await policies.list_inline(holder, limit=1)
    second = await policies.list_inline(holder, limit=1, after=first.next_after or "")
    assert (first.entries, second.entries, second.next_after) == (("a",), ("b",), None)
    await policies.delete_inline(holder, "b")
    with pytest.raises(NoSuchEntityError) as caught:
        await policies.delete_inline(holder, "b")
    assert caught.value.kind is EntityKind.INLINE_POLICY
    with pytest.raises(NoSuchEntityError):
        policies.find_inline(holder, "b")


# Managed


async def test_managed_policy_has_an_arn_by_its_account_and_path(store: Store) -> None:
    made = await add_policy(store, "Read", "{r}", path="/team/")
    policies = store.identities.policies
    assert made.arn == "arn:aws:iam::111111111111:policy/team/Read"
    assert made == policies.find(ACCOUNT, made.arn)
    assert (made.default_version, made.attachments_count, made.boundaries_count) == (1, 0, 0)
    assert policies.find_version(ACCOUNT, made.arn, 1).document == "{r}"
    with pytest.raises(EntityExistsError):
        await add_policy(store, "read")


async def test_policy_of_another_account_is_not_there(store: Store) -> None:
    policies = store.identities.policies
    arn = (await add_policy(store, "p", account_id=OTHER)).arn
    with pytest.raises(NoSuchEntityError):
        policies.find(ACCOUNT, arn)
    for change in (
        policies.attach(ALICE, arn),
        policies.delete(ACCOUNT, arn),
        policies.create_version(ACCOUNT, arn, "{}", is_default=True, now_ms=NOW_MS),
        store.identities.set_boundary(ALICE, arn),
        store.identities.create_user(entity("bob", boundary_arn=arn), now_ms=NOW_MS),
    ):
        with pytest.raises(NoSuchEntityError) as caught:
            await change
        assert (caught.value.kind, caught.value.name) == (EntityKind.POLICY, arn)


async def test_provided_policy_is_for_all_accounts_and_changed_by_none(store: Store) -> None:
    policies = store.identities.policies
    arn = await provide(store, "{1}")
    await add_key(store, "AK")
    await policies.attach(ALICE, arn)
    assert applying(store) == {arn: "{1}"}
    assert policies.find(OTHER, arn).account_id == PROVIDED
    for change in (
        policies.delete(ACCOUNT, arn),
        policies.delete_version(ACCOUNT, arn, 1),
        policies.set_default_version(ACCOUNT, arn, 1),
        policies.create_version(ACCOUNT, arn, "{}", is_default=True, now_ms=NOW_MS),
    ):
        with pytest.raises(NoSuchEntityError):
            await change
    await provide(store, "{1}")
    assert policies.find(ACCOUNT, arn).default_version == 1
    await provide(store, "{2}")
    assert applying(store) == {arn: "{2}"}
    assert [one.number for one in await policies.list_versions(ACCOUNT, arn)] == [2]


async def test_policy_is_found_by_name_wherever_it_stands(store: Store) -> None:
    policies = store.identities.policies
    await provide(store, "{}")
    provided = (await policies.list(ACCOUNT, with_own=False)).entries[0]
    assert policies.find_named(ACCOUNT, provided.name.upper()) == provided
    deep = await add_policy(store, "read", path="/deep/")
    own = await add_policy(store, provided.name)
    assert policies.find_named(ACCOUNT, "READ") == deep
    assert policies.find_named(ACCOUNT, provided.name) == own
    with pytest.raises(NoSuchEntityError):
        policies.find_named(OTHER, "read")


async def test_policies_are_listed_by_arn(store: Store) -> None:
    policies = store.identities.policies
    provided = await provide(store, "{}")
    own = [(await add_policy(store, name, path=path)).arn for name, path in [("b", "/"), ("a", "/x/")]]
    await add_policy(store, "c", account_id=OTHER)
    first = await policies.list(ACCOUNT, limit=2)
    second = await policies.list(ACCOUNT, limit=2, after=first.next_after or "")
    assert [one.arn for one in (*first.entries, *second.entries)] == [*own, provided]
    assert second.next_after is None
    assert [one.arn for one in (await policies.list(ACCOUNT, with_own=False)).entries] == [provided]
    assert [one.arn for one in (await policies.list(ACCOUNT, with_provided=False)).entries] == own
    assert [one.arn for one in (await policies.list(ACCOUNT, path_prefix="/x/")).entries] == own[1:]
    await policies.attach(WORKER, own[0])
    assert [one.arn for one in (await policies.list(ACCOUNT, only_attached=True)).entries] == own[:1]


async def test_default_version_is_the_one_that_applies(store: Store) -> None:
    policies = store.identities.policies
    arn = (await add_policy(store, "p", "{1}")).arn
    await add_key(store, "AK")
    await policies.attach(ALICE, arn)
    await policies.create_version(ACCOUNT, arn, "{2}", is_default=False, now_ms=NOW_MS + 1)
    assert applying(store) == {arn: "{1}"}
    third = await policies.create_version(ACCOUNT, arn, "{3}", is_default=True, now_ms=NOW_MS + 2)
    assert applying(store) == {arn: "{3}"}
    assert third == policies.find_version(ACCOUNT, arn, 3)
    await policies.set_default_version(ACCOUNT, arn, 2)
    assert applying(store) == {arn: "{2}"}
    assert policies.find(ACCOUNT, arn).updated_ms == NOW_MS + 2
    shown = [(one.number, one.is_default) for one in await policies.list_versions(ACCOUNT, arn)]
    assert shown == [(3, False), (2, True), (1, False)]
    with pytest.raises(DeleteConflictError) as caught:
        await policies.delete_version(ACCOUNT, arn, 2)
    assert caught.value.obstacle is Obstacle.IS_DEFAULT
    with pytest.raises(NoSuchEntityError) as missing:
        await policies.set_default_version(ACCOUNT, arn, 4)
    assert (missing.value.kind, missing.value.name) == (EntityKind.POLICY_VERSION, "v4")


async def test_there_are_few_versions_and_no_number_returns(store: Store) -> None:
    policies = store.identities.policies
    arn = (await add_policy(store, "p")).arn
    for _ in range(Quota.POLICY_VERSIONS.value - 1):
        await policies.create_version(ACCOUNT, arn, "{}", is_default=False, now_ms=NOW_MS)
    with pytest.raises(LimitExceededError) as caught:
        await policies.create_version(ACCOUNT, arn, "{}", is_default=True, now_ms=NOW_MS)
    assert caught.value.quota is Quota.POLICY_VERSIONS
    assert policies.find(ACCOUNT, arn).default_version == 1
    await policies.delete_version(ACCOUNT, arn, 5)
    made = await policies.create_version(ACCOUNT, arn, "{}", is_default=True, now_ms=NOW_MS)
    assert made.number == 6


async def test_policy_is_deleted_when_nobody_has_it_and_it_has_one_version(store: Store) -> None:
    policies = store.identities.policies
    arn = (await add_policy(store, "p")).arn

    async def obstacle() -> Obstacle:
        with pytest.raises(DeleteConflictError) as caught:
            await policies.delete(ACCOUNT, arn)
        return caught.value.obstacle

    await policies.attach(STAFF, arn)
    await store.identities.set_boundary(WORKER, arn)
    await policies.create_version(ACCOUNT, arn, "{}", is_default=True, now_ms=NOW_MS)
    found = policies.find(ACCOUNT, arn)
    assert (found.attachments_count, found.boundaries_count) == (1, 1)
    assert await obstacle() is Obstacle.HOLDERS
    await policies.detach(STAFF, arn)
    assert await obstacle() is Obstacle.HOLDERS
    await store.identities.set_boundary(WORKER, None)
    assert await obstacle() is Obstacle.VERSIONS
    await policies.delete_version(ACCOUNT, arn, 1)
    await policies.delete(ACCOUNT, arn)
    with pytest.raises(NoSuchEntityError):
        policies.find(ACCOUNT, arn)
    await add_policy(store, "p")


# Attached


@HOLDERS
async def test_policy_is_attached_once_and_detached(store: Store, holder: Holder) -> None:
    policies = store.identities.policies
    arns = [(await add_policy(store, name, path=path)).arn for name, path in [("b", "/"), ("a", "/x/")]]
    for arn in (*arns, arns[0]):
        await policies.attach(holder, arn)
    assert (await policies.list_attached(holder)).entries == (
        AttachedPolicy("b", arns[0]),
        AttachedPolicy("a", arns[1]),
    )
    assert (await policies.list_attached(holder, path_prefix="/x/")).entries == (
        AttachedPolicy("a", arns[1]),
    )
    (shown,) = await policies.list_holders(ACCOUNT, arns[0])
    assert (shown.kind, shown.name) == (holder.kind, holder.name)
    assert isinstance(shown, PolicyHolder)
    await policies.detach(holder, arns[0])
    with pytest.raises(NoSuchEntityError) as caught:
        await policies.detach(holder, arns[0])
    assert (caught.value.kind, caught.value.name) == (EntityKind.POLICY, arns[0])


async def test_so_many_policies_are_attached_at_most(store: Store) -> None:
    policies = store.identities.policies
    most = Quota.ATTACHED_POLICIES.value
    arns = [(await add_policy(store, f"p{number}")).arn for number in range(most + 1)]
    for arn in arns[:most]:
        await policies.attach(ALICE, arn)
    await policies.attach(ALICE, arns[0])
    with pytest.raises(LimitExceededError):
        await policies.attach(ALICE, arns[most])
    assert len((await policies.list_attached(ALICE)).entries) == most


# What applies


async def test_policies_of_a_user_and_its_groups_apply_once_each(store: Store, folder: Path) -> None:
    identities = store.identities
    other = open_sealed(folder)
    await add_key(store, "AK")
    assert applying(other) == {}
    arn = (await add_policy(store, "both", "{b}")).arn
    await identities.policies.put_inline(ALICE, "same", "{u}")
    await identities.policies.put_inline(STAFF, "same", "{g}")
    await identities.policies.attach(ALICE, arn)
    await identities.policies.attach(STAFF, arn)
    assert applying(other) == {"user/alice/same": "{u}", arn: "{b}"}
    await identities.add_member(ACCOUNT, "staff", "alice")
    known = other.identities.find_user(ACCOUNT, "alice")
    assert known.policies == (
        NamedDocument(arn, "{b}"),
        NamedDocument("group/staff/same", "{g}"),
        NamedDocument("user/alice/same", "{u}"),
    )
    await identities.policies.detach(ALICE, arn)
    assert arn in applying(other)
    await identities.remove_member(ACCOUNT, "staff", "alice")
    assert applying(other) == {"user/alice/same": "{u}"}
    await other.close()


async def test_policies_of_an_account_key_are_none(store: Store) -> None:
    await add_key(store, "AK", user=None)
    found = store.identities.find_key("AK")
    assert found is not None
    assert (found.user, found.policies, found.boundary) == (None, (), None)


async def test_role_has_its_own_policies_alone(store: Store) -> None:
    arn = (await add_policy(store, "p", "{p}")).arn
    await store.identities.policies.attach(WORKER, arn)
    await store.identities.policies.put_inline(WORKER, "i", "{i}")
    await store.identities.policies.put_inline(ALICE, "i", "{u}")
    found = store.identities.find_role(ACCOUNT, "worker")
    assert dict(found.policies) == {arn: "{p}", "role/worker/i": "{i}"}
    assert (found.account.id, found.role.trust_policy) == (ACCOUNT, "{trust}")


async def test_boundary_applies_in_its_default_version(store: Store) -> None:
    identities = store.identities
    arn = (await add_policy(store, "limit", "{1}")).arn
    await identities.create_user(entity("bob", boundary_arn=arn), now_ms=NOW_MS)
    await identities.set_boundary(WORKER, arn)
    bob = identities.find_user(ACCOUNT, "bob")
    assert (bob.user.boundary_arn, bob.boundary, bob.policies) == (arn, NamedDocument(arn, "{1}"), ())
    await identities.policies.create_version(ACCOUNT, arn, "{2}", is_default=True, now_ms=NOW_MS)
    assert identities.find_user(ACCOUNT, "bob").boundary == NamedDocument(arn, "{2}")
    assert identities.find_role(ACCOUNT, "worker").boundary == NamedDocument(arn, "{2}")
    await identities.set_boundary(WORKER, None)
    assert identities.find_role(ACCOUNT, "worker").boundary is None
