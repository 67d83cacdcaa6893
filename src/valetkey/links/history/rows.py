"""The only place where a row of the history becomes a value, or a value a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valetkey.links.history.model import Attempt, Entry, Note, Party


def entry_of(row: Sequence[Any]) -> Entry:
    """Return the entry of a row as `statements` select it."""
    return Entry(
        row[0],
        Attempt(
            row[1], row[2], bool(row[3]), Party(row[4], row[5]), Party(row[6], row[7]), *row[8:],
        ),
    )  # fmt: skip


def values_of(note: Note, *, party: int, account: int, owner: int) -> tuple[object, ...]:
    """Return what is kept of an attempt, with the numbers of its parties."""
    alike = note.circumstances
    return (
        note.at_ms, note.signer, alike.is_proved, party, account, owner, alike.operation, alike.bucket, note.key,
        alike.status, note.sent_bytes, note.received_bytes, note.duration_us, alike.address, alike.agent,
        alike.referrer, alike.error, note.request_id,
    )  # fmt: skip
