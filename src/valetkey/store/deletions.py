"""Deletions in the catalog, one or many. The changes run inside the writer's transaction."""

import sqlite3
from collections.abc import Sequence

from valetkey.store.buckets import find_bare_bucket
from valetkey.store.contents import Effects
from valetkey.store.errors import StoreError
from valetkey.store.model import Deleted, Deletion
from valetkey.store.versions import delete


def delete_object(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    deletion: Deletion,
    marker_id: str,
    now_ms: int,
) -> Deleted:
    return delete(
        connection,
        effects,
        bucket=find_bare_bucket(connection, bucket),
        deletion=deletion,
        marker_id=marker_id,
        now_ms=now_ms,
    )


def delete_objects(
    connection: sqlite3.Connection,
    effects: Effects,
    *,
    bucket: str,
    wanted: Sequence[tuple[Deletion, str]],
    now_ms: int,
) -> list[Deleted | StoreError]:
    found = find_bare_bucket(connection, bucket)
    outcomes: list[Deleted | StoreError] = []
    for deletion, marker_id in wanted:
        # Each is refused before it has changed anything, so the others go on.
        try:
            outcome: Deleted | StoreError = delete(
                connection,
                effects,
                bucket=found,
                deletion=deletion,
                marker_id=marker_id,
                now_ms=now_ms,
            )
        except StoreError as error:
            outcome = error
        outcomes.append(outcome)
    return outcomes
