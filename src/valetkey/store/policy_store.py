"""The face of the store that knows policies of identities."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from valetkey.store import held_policies, managed_policies
from valetkey.store.identity_model import (
    PROVIDED,
    AttachedPolicy,
    Holder,
    ManagedPolicy,
    NewPolicy,
    Page,
    PolicyHolder,
    PolicyVersion,
)
from valetkey.store.known_identities import marking
from valetkey.store.workings import Workings


class Policies:
    """Inline and managed policies. The store does not read the documents.

    An account sees its own managed policies and those that come with the program, and can change its own alone.
    All functions may raise NoSuchEntityError about what they name, and what `Store` says.
    """

    def __init__(self, workings: Workings) -> None:
        """Use `Store.open`."""
        self._workings: Final = workings

    # Inline

    async def put_inline(self, holder: Holder, name: str, document: str) -> None:
        """Keep the document as the holder's policy of that name, in place of what was."""
        change = partial(held_policies.put_inline, holder=holder, name=name, document=document)
        await self._workings.write(marking(change), room_bytes=len(document.encode()))

    def find_inline(self, holder: Holder, name: str) -> str:
        """Return the document."""
        return self._workings.look(lambda cursor: held_policies.find_inline(cursor, holder, name))

    async def list_inline(self, holder: Holder, *, after: str = "", limit: int = 1000) -> Page[str]:
        """Return up to `limit` names, in order, that come after `after`."""
        read = partial(held_policies.list_inline, holder=holder, after=after, limit=limit)
        return await self._workings.reads.run(read)

    async def delete_inline(self, holder: Holder, name: str) -> None:
        await self._workings.free(marking(partial(held_policies.delete_inline, holder=holder, name=name)))

    # Managed

    async def create(self, new: NewPolicy, *, now_ms: int) -> ManagedPolicy:
        """Return a new policy, whose first version is the default one.

        Raises:
            EntityExistsError, LimitExceededError
        """
        change = partial(managed_policies.create_policy, new=new, now_ms=now_ms)
        return await self._workings.write(marking(change), room_bytes=len(new.document.encode()))

    async def provide(self, new: NewPolicy, *, now_ms: int) -> None:
        """Let a policy of the program's own, of the account `PROVIDED`, exist with this document for all accounts."""
        if new.account_id != PROVIDED:
            raise ValueError("A policy is provided by the program, not by an account.")
        change = partial(managed_policies.provide_policy, new=new, now_ms=now_ms)
        await self._workings.write(marking(change), room_bytes=len(new.document.encode()))

    def find(self, account_id: str, arn: str) -> ManagedPolicy:
        return self._workings.look(lambda cursor: managed_policies.find_policy(cursor, account_id, arn))

    def find_named(self, account_id: str, name: str) -> ManagedPolicy:
        """Return the policy of this name, whatever its path: one of the account, or else a provided one."""
        return self._workings.look(
            lambda cursor: managed_policies.find_named_policy(cursor, account_id, name)
        )

    def find_version(self, account_id: str, arn: str, number: int) -> PolicyVersion:
        return self._workings.look(
            lambda cursor: managed_policies.find_version(cursor, account_id, arn, number)
        )

    async def list(
        self,
        account_id: str,
        *,
        with_own: bool = True,
        with_provided: bool = True,
        path_prefix: str = "",
        only_attached: bool = False,
        after: str = "",
        limit: int = 1000,
    ) -> Page[ManagedPolicy]:
        """Return up to `limit` policies, ordered by ARN, whose ARNs come after `after`.

        `only_attached`: those that anybody has, or for a provided one anybody in any account.
        """
        read = partial(
            managed_policies.list_policies,
            account_ids=(account_id if with_own else "", PROVIDED if with_provided else ""),
            path_prefix=path_prefix,
            only_attached=only_attached,
            after=after,
            limit=limit,
        )
        return await self._workings.reads.run(read)

    async def list_versions(self, account_id: str, arn: str) -> Sequence[PolicyVersion]:
        """Return all versions, the newest first; there are few."""
        read = partial(managed_policies.list_versions, account_id=account_id, arn=arn)
        return await self._workings.reads.run(read)

    async def create_version(
        self, account_id: str, arn: str, document: str, *, is_default: bool, now_ms: int
    ) -> PolicyVersion:
        """Return a new version, which applies from now on if it `is_default`.

        Raises:
            LimitExceededError
        """
        change = partial(
            managed_policies.create_version,
            account_id=account_id,
            arn=arn,
            document=document,
            is_default=is_default,
            now_ms=now_ms,
        )
        return await self._workings.write(marking(change), room_bytes=len(document.encode()))

    async def set_default_version(self, account_id: str, arn: str, number: int) -> None:
        change = partial(managed_policies.set_default_version, account_id=account_id, arn=arn, number=number)
        await self._workings.write(marking(change))

    async def delete_version(self, account_id: str, arn: str, number: int) -> None:
        """Remove a version that does not apply.

        Raises:
            DeleteConflictError
        """
        change = partial(managed_policies.delete_version, account_id=account_id, arn=arn, number=number)
        await self._workings.free(marking(change))

    async def delete(self, account_id: str, arn: str) -> None:
        """Remove a policy that nobody has, and that has no version but the default one.

        Raises:
            DeleteConflictError
        """
        change = partial(managed_policies.delete_policy, account_id=account_id, arn=arn)
        await self._workings.free(marking(change))

    # Attached

    async def attach(self, holder: Holder, arn: str) -> None:
        """Let the policy apply to the holder; once more changes nothing.

        Raises:
            LimitExceededError
        """
        await self._workings.write(marking(partial(held_policies.attach, holder=holder, arn=arn)))

    async def detach(self, holder: Holder, arn: str) -> None:
        await self._workings.free(marking(partial(held_policies.detach, holder=holder, arn=arn)))

    async def list_attached(
        self, holder: Holder, *, path_prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[AttachedPolicy]:
        """Return up to `limit` policies of the holder, ordered by ARN, whose ARNs come after `after`."""
        read = partial(
            held_policies.list_attached, holder=holder, path_prefix=path_prefix, after=after, limit=limit
        )
        return await self._workings.reads.run(read)

    async def list_holders(self, account_id: str, arn: str) -> Sequence[PolicyHolder]:
        """Return all in the account that the policy is attached to, by kind and name."""
        read = partial(held_policies.list_holders, account_id=account_id, arn=arn)
        return await self._workings.reads.run(read)
