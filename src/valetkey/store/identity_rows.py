"""The only place where rows about identities become values."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from valetkey.store.identity_model import (
    AccessKey,
    Account,
    Group,
    ManagedPolicy,
    NamedDocument,
    Page,
    PolicyVersion,
    Role,
    User,
)
from valetkey.store.rows import Row, to_map

T = TypeVar("T")


def to_account(row: Row) -> Account:
    account_id, number, name, email, created_ms, is_active, is_root, revoked_before_ms, block = row
    return Account(
        id=account_id,
        number=number,
        name=name,
        email=email,
        created_ms=created_ms,
        is_active=bool(is_active),
        is_root=bool(is_root),
        revoked_before_ms=revoked_before_ms,
        public_access_block=block,
    )


def to_user(row: Row) -> User:
    return User(**_common(row))


def to_group(row: Row) -> Group:
    return Group(**_common(row))


def to_role(row: Row) -> Role:
    *_, trust_policy, description, max_session_s, trust_ids = row
    return Role(
        **_common(row),
        trust_policy=trust_policy,
        trust_ids=to_map(trust_ids),
        description=description,
        max_session_s=max_session_s,
    )


def _common(row: Row) -> dict[str, Any]:
    """Return what users, groups and roles have in common, by the names of their fields."""
    _, account_id, name, path, unique_id, created_ms, tags, _, boundary_arn, revoked_before_ms, *_ = row
    return {
        "account_id": account_id,
        "name": name,
        "path": path,
        "unique_id": unique_id,
        "created_ms": created_ms,
        "tags": to_map(tags),
        "boundary_arn": boundary_arn,
        "revoked_before_ms": revoked_before_ms,
    }


def to_access_key(row: Row) -> AccessKey:
    key_id, account_id, user_name, is_active, created_ms, used_ms, used_service, used_region = row
    return AccessKey(
        id=key_id,
        account_id=account_id,
        user_name=user_name,
        is_active=bool(is_active),
        created_ms=created_ms,
        last_used_ms=used_ms,
        last_used_service=used_service,
        last_used_region=used_region,
    )


def to_policy(row: Row) -> ManagedPolicy:
    (_, arn, name, path, unique_id, created_ms, updated_ms, description, tags, default_version,
     attachments_count, boundaries_count, _, account_id) = row  # fmt: skip
    return ManagedPolicy(
        account_id=account_id,
        arn=arn,
        name=name,
        path=path,
        unique_id=unique_id,
        created_ms=created_ms,
        updated_ms=updated_ms,
        description=description,
        tags=to_map(tags),
        default_version=default_version,
        attachments_count=attachments_count,
        boundaries_count=boundaries_count,
    )


def to_version(row: Row, *, default_version: int) -> PolicyVersion:
    number, document, created_ms = row
    return PolicyVersion(
        number=number, document=document, created_ms=created_ms, is_default=number == default_version
    )


def to_documents(found: Sequence[Row]) -> tuple[NamedDocument, ...]:
    return tuple(NamedDocument(name, document) for name, document in found)


def to_page(
    found: Sequence[Row], to_value: Callable[[Row], T], *, limit: int, place_of: Callable[[T], str]
) -> Page[T]:
    """Return the first `limit` rows as values; one row more says that there is another page."""
    entries = tuple(to_value(row) for row in found[:limit])
    return Page(entries=entries, next_after=place_of(entries[-1]) if len(found) > limit else None)
