"""What the tests of identities do over and over."""

from itertools import count
from pathlib import Path

from valetkey.sigv4.secret import Secret
from valetkey.store import Store
from valetkey.store.entities import group_holder, role_holder, user_holder
from valetkey.store.identity_model import AccessKey, ManagedPolicy, NewEntity, NewPolicy, NewRole

NOW_MS = 1_700_000_000_123
MASTER_KEY = b"m" * 32
ACCOUNT, OTHER = "a" * 64, "b" * 64
ALICE = user_holder(ACCOUNT, "alice")
STAFF = group_holder(ACCOUNT, "staff")
WORKER = role_holder(ACCOUNT, "worker")

_DRAWN = count()


def open_sealed(folder: Path, master_key: bytes | None = MASTER_KEY) -> Store:
    return Store.open(folder, master_key=master_key)


async def fill(store: Store) -> None:
    """Make two accounts, and in the first one a user, a group and a role."""
    identities = store.identities
    await identities.accounts.create(
        ACCOUNT, number="111111111111", name="first", email="A@example.com", now_ms=NOW_MS
    )
    await identities.accounts.create(OTHER, number="222222222222", name="second", now_ms=NOW_MS)
    await identities.create_user(entity("alice"), now_ms=NOW_MS)
    await identities.create_group(entity("staff"), now_ms=NOW_MS)
    role = NewRole(account_id=ACCOUNT, name="worker", unique_id="R-worker", trust_policy="{trust}")
    await identities.create_role(role, now_ms=NOW_MS)


def entity(
    name: str,
    *,
    account_id: str = ACCOUNT,
    path: str = "/",
    boundary_arn: str | None = None,
    tags: dict[str, str] | None = None,
) -> NewEntity:
    return NewEntity(
        account_id=account_id,
        name=name,
        unique_id=f"E-{next(_DRAWN)}",
        path=path,
        boundary_arn=boundary_arn,
        tags=tags or {},
    )


async def add_key(
    store: Store,
    access_key: str,
    *,
    account_id: str = ACCOUNT,
    user: str | None = "alice",
    secret: str = "s3cret",
) -> AccessKey:
    return await store.identities.keys.create(
        account_id, user, access_key=access_key, secret=Secret(secret), now_ms=NOW_MS
    )


async def add_policy(
    store: Store, name: str, document: str = "{}", *, account_id: str = ACCOUNT, path: str = "/"
) -> ManagedPolicy:
    new = NewPolicy(account_id=account_id, name=name, unique_id=f"P-{name}", document=document, path=path)
    return await store.identities.policies.create(new, now_ms=NOW_MS)
