"""What waits to be told, in the history's file: a restart goes on with it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from valetkey.links.history.statements import BEGIN, COMMIT, ROLLBACK
from valetkey.links.webhooks import statements
from valetkey.links.webhooks.events import ONCE, HookEvent, HookKind, body_of

MOST_WAITING: Final = 20_000
MOST_OF_ACCOUNT: Final = 2_000
"""So that one account's receiver that is down does not leave the others without."""

GIVEN_UP_MS: Final = 24 * 3600 * 1000
_FIRST_DELAY_MS: Final = 5_000
_MOST_DELAY_MS: Final = 3600 * 1000


class Delivery(NamedTuple):
    """One message."""

    id: int
    account: str
    url: str
    body: str
    created_ms: int
    tries: int
    """How often it was tried before."""


def keep(
    connection: sqlite3.Connection,
    events: Sequence[HookEvent],
    *,
    most_refusals: int,
    new_id: Callable[[], str],
    now_ms: int,
) -> int:
    """Put what is to be told of `events` into the queue, durably; return for how many there was no room.

    Raises:
        sqlite3.Error: nothing has changed.
    """
    refused = [event for event in events if event.kind is HookKind.REFUSED]
    lost = 0
    with _change(connection) as cursor:
        for event in events:
            if event.kind is HookKind.REFUSED:
                continue
            told = (event.link, event.kind.value, now_ms)
            if event.kind in ONCE and not cursor.execute(statements.TELL_ONCE, told).rowcount:
                continue
            lost += not _add(cursor, event, {}, new_id(), now_ms)
        for event, number in _beyond(cursor, refused, most_refusals):
            lost += not _add(cursor, event, {"refusals": number}, new_id(), now_ms)
    return lost


def _beyond(
    cursor: sqlite3.Cursor, refused: Sequence[HookEvent], most: int
) -> Iterator[tuple[HookEvent, int]]:
    """Yield an event of each link that has now been refused more often than `most` times, and was not before."""
    last = {event.link: event for event in refused}
    for link, number in Counter(event.link for event in refused).items():
        total: int = cursor.execute(statements.COUNT_REFUSALS, (link, number)).fetchone()[0]
        if total - number <= most < total:
            yield last[link], total


def _add(
    cursor: sqlite3.Cursor, event: HookEvent, more: dict[str, object], delivery_id: str, now_ms: int
) -> bool:
    waiting = cursor.execute(statements.COUNT_WAITING).fetchone()[0]
    own = cursor.execute(statements.COUNT_OF_ACCOUNT, (event.account,)).fetchone()[0]
    if waiting >= MOST_WAITING or own >= MOST_OF_ACCOUNT:
        return False
    body = body_of(event, delivery_id=delivery_id, more=more)
    cursor.execute(statements.ADD, (event.account, event.link, event.url, body, now_ms, now_ms))
    return True


def due(connection: sqlite3.Connection, *, now_ms: int, limit: int) -> list[Delivery]:
    """Return what is to be tried now, longest due first."""
    return [Delivery(*row) for row in connection.execute(statements.DUE, (now_ms, limit))]


def done(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Forget messages that arrived, or are given up."""
    connection.executemany(statements.DONE, [(each,) for each in ids])


def later(connection: sqlite3.Connection, delivery: Delivery, *, now_ms: int, jitter: float) -> bool:
    """Try a message again after a while, or give it up after a day; return whether it will be tried again.

    The first delay is 5 s, each one twice the one before, and none above an hour. `jitter` is from 0 to 1.
    """
    delay_ms = min(_FIRST_DELAY_MS * 2 ** min(delivery.tries, 20), _MOST_DELAY_MS)
    due_ms = now_ms + round(delay_ms * (0.8 + 0.4 * jitter))
    if due_ms - delivery.created_ms > GIVEN_UP_MS:
        connection.execute(statements.DONE, (delivery.id,))
        return False
    connection.execute(statements.LATER, (due_ms, delivery.id))
    return True


@contextmanager
def _change(connection: sqlite3.Connection) -> Iterator[sqlite3.Cursor]:
    cursor = connection.cursor()
    cursor.execute(BEGIN)
    try:
        yield cursor
        cursor.execute(COMMIT)
    except BaseException:
        with suppress(sqlite3.Error):
            cursor.execute(ROLLBACK)
        raise
