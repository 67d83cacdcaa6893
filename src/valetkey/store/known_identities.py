"""What every request asks about identities, kept in memory while nobody changes any of them."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from valetkey.processes.marked_cache import MarkedCache
from valetkey.processes.marks import slot_of
from valetkey.sigv4.secret import Secret
from valetkey.store import identity_rows, rows
from valetkey.store import identity_statements as statements
from valetkey.store.accounts import find_account
from valetkey.store.contents import Effects
from valetkey.store.entities import find_row, role_holder, user_holder
from valetkey.store.errors import NoSuchEntityError, StorageFailedError, StoreClosedError
from valetkey.store.identity_model import (
    Account,
    EntityKind,
    KnownKey,
    KnownRole,
    KnownUser,
    NamedDocument,
)
from valetkey.store.jobs import Change
from valetkey.store.seal import Keyring
from valetkey.store.statements import BEGIN_READ, COMMIT
from valetkey.store.workings import Workings

T = TypeVar("T")

IDENTITIES: Final = ("", "identities")
"""The one place that every change of an identity marks. No bucket has an empty name."""

_CACHE_BYTES: Final = 8 * 1024 * 1024
"""What the kept keys of one process may weigh; likewise its users, its roles and its accounts."""

# What a kept identity weighs beside the documents of its policies.
_OVERHEAD_BYTES: Final = 4096


def marking(change: Callable[[sqlite3.Connection], T]) -> Change[T]:
    """Return the change of an identity as the writer takes it: so that all processes forget what they knew."""

    def run(connection: sqlite3.Connection, effects: Effects) -> T:
        effects.keys.append(IDENTITIES)
        return change(connection)

    return run


class KnownIdentities:
    """See `Identities` for what its functions promise. For one thread: that of the event loop."""

    def __init__(self, workings: Workings) -> None:
        self._workings = workings
        marks, slot = workings.marks, slot_of(*IDENTITIES)
        self._keys = MarkedCache[KnownKey](marks, most_bytes=_CACHE_BYTES, weigh=_weight, slot=slot)
        self._users = MarkedCache[KnownUser](marks, most_bytes=_CACHE_BYTES, weigh=_weight, slot=slot)
        self._roles = MarkedCache[KnownRole](marks, most_bytes=_CACHE_BYTES, weigh=_weight, slot=slot)
        self._accounts = MarkedCache[Account](
            marks, most_bytes=_CACHE_BYTES, weigh=lambda _: _OVERHEAD_BYTES, slot=slot
        )

    def find_key(self, access_key: str) -> KnownKey | None:
        # What no key can be is not asked for: lone surrogates would be an error. And a miss is never kept, so that
        # guessing keys pushes nothing out.
        if not access_key.isascii():
            return None
        place = (access_key, "")
        if (known := self._known(self._keys, place)) is not None:
            return known
        read = partial(_find_key, access_key=access_key, keyring=self._workings.keyring)
        try:
            return self._find(self._keys, place, read)
        except NoSuchEntityError:
            return None

    def find_account(self, value: str, *, by: str) -> Account:
        place = (by, value)
        return self._known(self._accounts, place) or self._find(
            self._accounts, place, partial(find_account, value=value, by=by)
        )

    def find_user(self, account_id: str, name: str) -> KnownUser:
        place = (account_id, name)
        return self._known(self._users, place) or self._find(
            self._users, place, partial(_find_user, account_id=account_id, name=name)
        )

    def find_role(self, account_id: str, name: str) -> KnownRole:
        place = (account_id, name)
        return self._known(self._roles, place) or self._find(
            self._roles, place, partial(_find_role, account_id=account_id, name=name)
        )

    def _known(self, cache: MarkedCache[T], place: tuple[str, str]) -> T | None:
        if self._workings.is_closed:
            raise StoreClosedError
        return cache.known(place)

    def _find(self, cache: MarkedCache[T], place: tuple[str, str], read: Callable[[sqlite3.Cursor], T]) -> T:
        return cache.find(*place, lambda: self._workings.look(read))


@contextmanager
def _one_state(cursor: sqlite3.Cursor) -> Iterator[None]:
    """Let all reads of the block see one state: never somebody's new policies beside an old boundary."""
    cursor.execute(BEGIN_READ)
    try:
        yield
    finally:
        cursor.execute(COMMIT)


def _find_key(cursor: sqlite3.Cursor, *, access_key: str, keyring: Keyring) -> KnownKey:
    """Raises NoSuchEntityError: there is none, or it is not active, or its account is not."""
    with _one_state(cursor):
        found = cursor.execute(statements.FIND_SIGNER, (access_key,)).fetchone()
        if found is None:
            raise NoSuchEntityError(EntityKind.ACCESS_KEY, access_key)
        seal, user_id, *account = found
        row = None if user_id is None else _owner_row(cursor, user_id)
        policies, boundary = ((), None) if row is None else _applying(cursor, row)
    return KnownKey(
        access_key=access_key,
        secret=Secret(keyring.open_secret(seal, name=access_key).decode()),
        account=identity_rows.to_account(tuple(account)),
        user=None if row is None else identity_rows.to_user(row),
        policies=policies,
        boundary=boundary,
    )


def _owner_row(cursor: sqlite3.Cursor, user_id: int) -> rows.Row:
    row: rows.Row | None = cursor.execute(statements.FIND_ENTITY_BY_ID, (user_id,)).fetchone()
    if row is None:
        # Not as the account's own: that would be everything.
        raise StorageFailedError("The user of an access key is missing in the catalog.")
    return row


def _find_user(cursor: sqlite3.Cursor, *, account_id: str, name: str) -> KnownUser:
    with _one_state(cursor):
        account = _active_account(cursor, account_id)
        row = find_row(cursor, user_holder(account_id, name))
        policies, boundary = _applying(cursor, row)
    user = identity_rows.to_user(row)
    return KnownUser(account=account, user=user, policies=policies, boundary=boundary)


def _find_role(cursor: sqlite3.Cursor, *, account_id: str, name: str) -> KnownRole:
    with _one_state(cursor):
        account = _active_account(cursor, account_id)
        row = find_row(cursor, role_holder(account_id, name))
        policies, boundary = _applying(cursor, row)
    role = identity_rows.to_role(row)
    return KnownRole(account=account, role=role, policies=policies, boundary=boundary)


def _active_account(cursor: sqlite3.Cursor, account_id: str) -> Account:
    account = find_account(cursor, account_id)
    if not account.is_active:
        raise NoSuchEntityError(EntityKind.ACCOUNT, account_id)
    return account


def _applying(
    cursor: sqlite3.Cursor, row: rows.Row
) -> tuple[tuple[NamedDocument, ...], NamedDocument | None]:
    """Return the policies of an entity and its boundary, by its row."""
    entity_id, boundary_id = row[0], row[7]
    policies = identity_rows.to_documents(cursor.execute(statements.LIST_APPLYING, (entity_id,)).fetchall())
    if boundary_id is None:
        return policies, None
    found: Sequence[rows.Row] = cursor.execute(statements.FIND_DEFAULT_DOCUMENT, (boundary_id,)).fetchall()
    if not found:
        raise StorageFailedError("The boundary of an identity is missing in the catalog.")
    return policies, identity_rows.to_documents(found)[0]


def _weight(known: KnownKey | KnownUser | KnownRole) -> int:
    documents = known.policies if known.boundary is None else (*known.policies, known.boundary)
    return sum(len(one.document) for one in documents) + _OVERHEAD_BYTES
