"""The one place where rows of the ledger become values, and values rows."""

from __future__ import annotations

from typing import Any

from valetkey.links.model import Cutoff, Grant, Issuer, Link, ShortAddress, State, Usage


def to_link(row: tuple[Any, ...]) -> Link:
    (
        link_id, account_id, access_key, user_id, grant_text, created_ms, state, uses, bytes_sent, bytes_received,
        objects, last_used_ms, number,
    ) = row  # fmt: skip
    return Link(
        id=link_id,
        issuer=Issuer(account_id, access_key, user_id),
        grant=Grant.from_json(grant_text),
        created_ms=created_ms,
        state=State(state),
        usage=Usage(
            uses=uses,
            bytes_sent=bytes_sent,
            bytes_received=bytes_received,
            objects=objects,
            last_used_ms=last_used_ms,
        ),
        number=number,
    )


def from_link(link: Link) -> tuple[Any, ...]:
    grant, issuer = link.grant, link.issuer
    return (
        link.id, issuer.account_id, issuer.access_key, issuer.user, grant.bucket, grant.key, grant.label,
        grant.to_json(), link.created_ms, grant.ends_ms, link.state.value, grant.max_uses, grant.max_bytes,
        grant.max_objects,
    )  # fmt: skip


def from_grant(link_id: str, grant: Grant) -> tuple[Any, ...]:
    return (
        grant.bucket, grant.key, grant.label, grant.to_json(), grant.ends_ms, grant.max_uses, grant.max_bytes,
        grant.max_objects, link_id,
    )  # fmt: skip


def to_cutoff(row: tuple[Any, ...]) -> Cutoff:
    cutoff_id, account_id, access_key, bucket, key, is_prefix, before_ms, created_ms = row
    return Cutoff(
        id=cutoff_id,
        account_id=account_id,
        access_key=access_key,
        bucket=bucket,
        key=key,
        is_prefix=bool(is_prefix),
        before_ms=before_ms,
        created_ms=created_ms,
    )


def to_short(row: tuple[Any, ...]) -> ShortAddress:
    short_id, account_id, link_id, name, is_paused, created_ms = row
    return ShortAddress(
        id=short_id,
        account_id=account_id,
        link_id=link_id,
        name=name,
        is_paused=bool(is_paused),
        created_ms=created_ms,
    )
