"""The face of the store that knows access keys."""

import asyncio
from functools import partial
from typing import Final

from valetkey.sigv4.secret import Secret
from valetkey.store import access_keys
from valetkey.store.identity_model import AccessKey, Page
from valetkey.store.known_identities import marking
from valetkey.store.workings import Workings

_MOST_NOTED: Final = 100_000
"""Keys whose last use is remembered here; more only mean that a use is written down twice in a minute."""


class AccessKeys:
    """Access keys. Where `user` is None, the key is the account's own. See `Store` for what all may raise."""

    def __init__(self, workings: Workings) -> None:
        """Use `Store.open`."""
        self._workings: Final = workings
        self._noted_ms: Final[dict[str, int]] = {}

    def find(self, access_key: str) -> AccessKey:
        """Return a key without its secret, active or not, from the catalog.

        Raises:
            NoSuchEntityError
        """
        return self._workings.look(lambda cursor: access_keys.find_access_key(cursor, access_key))

    async def list(
        self, account_id: str, user: str | None, *, after: str = "", limit: int = 1000
    ) -> Page[AccessKey]:
        """Return up to `limit` keys, ordered by id, whose ids come after `after`.

        Raises:
            NoSuchEntityError: of the account or the user.
        """
        read = partial(
            access_keys.list_access_keys, account_id=account_id, user=user, after=after, limit=limit
        )
        return await self._workings.reads.run(read)

    async def create(
        self, account_id: str, user: str | None, *, access_key: str, secret: Secret, now_ms: int
    ) -> AccessKey:
        """Return a new key, which is active. Nobody is ever shown the secret again.

        Raises:
            NoSuchEntityError: of the account or the user.
            EntityExistsError: there is such a key already, anywhere.
            NoMasterKeyError
        """
        seal = self._workings.keyring.seal_secret(secret.reveal().encode(), name=access_key)
        change = partial(
            access_keys.create_access_key,
            key_id=access_key,
            seal=seal,
            account_id=account_id,
            user=user,
            now_ms=now_ms,
        )
        return await self._workings.write(marking(change))

    async def set_active(
        self, account_id: str, user: str | None, access_key: str, *, is_active: bool
    ) -> None:
        """Let the key count, or not. When this returns, no process takes a key any more that does not count.

        Raises:
            NoSuchEntityError: of the account or the user, or they have no such key.
        """
        change = partial(
            access_keys.set_active,
            account_id=account_id,
            user=user,
            key_id=access_key,
            is_active=is_active,
        )
        # A key must be stopped on a full disk, too; the row does not grow.
        await self._workings.free(marking(change))

    async def delete(self, account_id: str, user: str | None, access_key: str) -> None:
        """Remove the key. When this returns, no process takes it any more.

        Raises:
            NoSuchEntityError: of the account or the user, or they have no such key.
        """
        change = partial(access_keys.delete_access_key, account_id=account_id, user=user, key_id=access_key)
        await self._workings.free(marking(change))

    def note_use(self, access_key: str, *, used_ms: int, service: str, region: str) -> None:
        """Have it written down some time that the key was used, at most once a minute. Nothing waits for that.

        Belongs to the event loop's thread. What goes wrong is not heard of: the use is not known then.
        """
        noted_ms = self._noted_ms.get(access_key)
        if noted_ms is not None and used_ms - noted_ms < access_keys.USE_NOTED_MS:
            return
        if len(self._noted_ms) >= _MOST_NOTED:
            self._noted_ms.clear()
        self._noted_ms[access_key] = used_ms
        change = partial(
            access_keys.note_use, key_id=access_key, used_ms=used_ms, service=service, region=region
        )
        self._workings.writer.submit(change, room_bytes=0).add_done_callback(_forget)


def _forget(noted: asyncio.Future[None]) -> None:
    """Ask for the error, which would be logged otherwise as one that nobody saw."""
    if not noted.cancelled():
        noted.exception()
