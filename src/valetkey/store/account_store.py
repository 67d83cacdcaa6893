"""The face of the store that knows accounts."""

import sqlite3
from functools import partial
from typing import Final

from valetkey.store import access_keys, accounts
from valetkey.store.identity_model import Account, KeyPair, Page
from valetkey.store.known_identities import marking
from valetkey.store.workings import Workings


class Accounts:
    """Accounts, active or not. See `Store` for what all functions may raise."""

    def __init__(self, workings: Workings) -> None:
        """Use `Store.open`."""
        self._workings: Final = workings

    def find(self, value: str, *, by: str = "id") -> Account:
        """Return the account whose `by` ("id", "number", "name" or "email") is the value, from the catalog.

        Raises:
            NoSuchEntityError
        """
        return self._workings.look(lambda cursor: accounts.find_account(cursor, value, by=by))

    async def list(self, *, after: str = "", limit: int = 1000) -> Page[Account]:
        """Return up to `limit` accounts, ordered by name, whose names come after `after`."""
        return await self._workings.reads.run(partial(accounts.list_accounts, after=after, limit=limit))

    async def create(
        self,
        account_id: str,
        *,
        number: str,
        name: str,
        email: str | None = None,
        first_key: KeyPair | None = None,
        now_ms: int,
    ) -> Account:
        """Return a new account, which is active. It is made together with its first key, or not at all.

        Raises:
            EntityExistsError: another one has the id, number, name or email, or anybody has the key.
            NoMasterKeyError
        """
        new = _new_account(account_id, number=number, name=name, email=email, is_root=False, now_ms=now_ms)
        if first_key is None:
            return await self._workings.write(marking(partial(accounts.create_account, new=new)))
        seal = self._workings.keyring.seal_secret(
            first_key.secret.reveal().encode(), name=first_key.access_key
        )
        change = partial(_create_with_key, new=new, key_id=first_key.access_key, seal=seal)
        return await self._workings.write(marking(change))

    async def ensure(
        self,
        account_id: str,
        *,
        number: str,
        name: str,
        email: str | None = None,
        is_root: bool = False,
        now_ms: int,
    ) -> Account:
        """Return the account with the id, as it is; make it if there is none.

        Raises:
            EntityExistsError: there is none, and another one has the number, name or email.
        """
        new = _new_account(account_id, number=number, name=name, email=email, is_root=is_root, now_ms=now_ms)
        return await self._workings.write(marking(partial(accounts.ensure_account, new=new)))

    async def update(
        self,
        account_id: str,
        *,
        name: str | None = None,
        email: str | None = None,
        is_active: bool | None = None,
    ) -> Account:
        """Change what is not None, and return the account. Of an inactive one no key counts, nor a user or role.

        Raises:
            NoSuchEntityError
            EntityExistsError: another one has the name or email.
        """
        change = partial(
            accounts.update_account, account_id=account_id, name=name, email=email, is_active=is_active
        )
        return await self._workings.write(marking(change))

    async def put_public_access_block(self, account_id: str, document: str | None) -> None:
        """Keep what the account blocks of public access in place of what it did; None removes it.

        Raises:
            NoSuchEntityError
        """
        change = partial(accounts.put_public_access_block, account_id=account_id, document=document)
        if document is None:
            await self._workings.free(marking(change))
        else:
            await self._workings.write(marking(change), room_bytes=len(document.encode()))

    async def delete(self, account_id: str) -> None:
        """Remove an account that has nothing but access keys of its own; those go with it.

        Raises:
            NoSuchEntityError, DeleteConflictError
        """
        await self._workings.free(marking(partial(accounts.delete_account, account_id=account_id)))


def _create_with_key(connection: sqlite3.Connection, *, new: Account, key_id: str, seal: bytes) -> Account:
    made = accounts.create_account(connection, new)
    access_keys.create_access_key(
        connection, key_id=key_id, seal=seal, account_id=new.id, user=None, now_ms=new.created_ms
    )
    return made


def _new_account(
    account_id: str, *, number: str, name: str, email: str | None, is_root: bool, now_ms: int
) -> Account:
    return Account(
        id=account_id,
        number=number,
        name=name,
        email=email,
        created_ms=now_ms,
        is_active=True,
        is_root=is_root,
        revoked_before_ms=0,
        public_access_block=None,
    )
