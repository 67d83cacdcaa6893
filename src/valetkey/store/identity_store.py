"""The face of the store that knows identities: who there is, and what applies to them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypeVar

from valetkey.store import entities, memberships
from valetkey.store.account_store import Accounts
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import (
    Account,
    Entity,
    EntityKind,
    Group,
    Holder,
    KnownKey,
    KnownRole,
    KnownUser,
    NewEntity,
    NewRole,
    Page,
    Role,
    User,
)
from valetkey.store.identity_rows import to_group, to_role, to_user
from valetkey.store.key_store import AccessKeys
from valetkey.store.known_identities import KnownIdentities, marking
from valetkey.store.policy_store import Policies
from valetkey.store.rows import Row
from valetkey.store.workings import Workings

E = TypeVar("E", bound=Entity)


class Identities:
    """Users, groups and roles, and by attribute the accounts, access keys and policies.

    The functions `find_…` answer in microseconds what every request asks, and see each change in any process as
    soon as whoever made it hears of it. All others, besides what they name, may raise NoSuchEntityError about the
    account and the entities that they are given, and what `Store` says. Names are taken as they are.
    """

    def __init__(self, workings: Workings) -> None:
        """Use `Store.open`."""
        self.accounts: Final = Accounts(workings)
        self.keys: Final = AccessKeys(workings)
        self.policies: Final = Policies(workings)
        self._workings = workings
        self._known = KnownIdentities(workings)

    # What every request asks

    def find_key(self, access_key: str) -> KnownKey | None:
        """Return the key with whom it stands for; None if there is none, or if it or its account is not active.

        Raises:
            NoMasterKeyError
            StorageFailedError: its secret cannot be opened, or something that limits it is missing.
        """
        return self._known.find_key(access_key)

    def find_user(self, account_id: str, name: str) -> KnownUser:
        """Return what applies to a user.

        Raises:
            NoSuchEntityError: there is no such user, or the account is not active.
            StorageFailedError: its boundary is missing.
        """
        return self._known.find_user(account_id, name)

    def find_role(self, account_id: str, name: str) -> KnownRole:
        """Return what applies to the sessions of a role, likewise."""
        return self._known.find_role(account_id, name)

    def find_account(self, value: str, *, by: str = "id") -> Account:
        """Return the account, active or not, whose `by` ("id", "number", "name" or "email") is the value.

        Raises:
            NoSuchEntityError
        """
        return self._known.find_account(value, by=by)

    def sessions_revoked_before(
        self, account_id: str, *, user: str | None = None, role: str | None = None
    ) -> int:
        """Return the instant such that sessions of the user, the role or the account itself count if not before it.

        It is never before the user or role was made, so that no session of a former one of the name counts.

        Raises:
            NoSuchEntityError: there is none of whom sessions could be, or the account is not active.
        """
        if user is not None:
            of_user = self._known.find_user(account_id, user)
            return _sessions_since_ms(of_user.account, of_user.user)
        if role is not None:
            of_role = self._known.find_role(account_id, role)
            return _sessions_since_ms(of_role.account, of_role.role)
        account = self._known.find_account(account_id, by="id")
        if not account.is_active:
            raise NoSuchEntityError(EntityKind.ACCOUNT, account_id)
        return account.revoked_before_ms

    async def revoke_sessions(
        self, account_id: str, *, user: str | None = None, role: str | None = None, before_ms: int
    ) -> None:
        """End the sessions that began before `before_ms`: of the user, of the role, or of all in the account."""
        holder = None
        if user is not None:
            holder = entities.user_holder(account_id, user)
        elif role is not None:
            holder = entities.role_holder(account_id, role)
        change = partial(entities.revoke_sessions, account_id=account_id, holder=holder, before_ms=before_ms)
        # Sessions must end on a full disk, too; the row does not grow.
        await self._workings.free(marking(change))

    # Users

    async def create_user(self, new: NewEntity, *, now_ms: int) -> User:
        """Return a new user.

        Raises:
            EntityExistsError, LimitExceededError
        """
        return await self._workings.write(marking(partial(entities.create_user, new=new, now_ms=now_ms)))

    def get_user(self, account_id: str, name: str) -> User:
        """Return a user as the catalog has it, also of an account that is not active."""
        return self._workings.look(lambda cursor: entities.find_user(cursor, account_id, name))

    async def list_users(
        self, account_id: str, *, path_prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[User]:
        """Return up to `limit` users, ordered by name, whose names come after `after`."""
        return await self._list(
            to_user, EntityKind.USER, account_id, path_prefix=path_prefix, after=after, limit=limit
        )

    # Groups

    async def create_group(self, new: NewEntity, *, now_ms: int) -> Group:
        """Return a new group.

        Raises:
            EntityExistsError
        """
        return await self._workings.write(marking(partial(entities.create_group, new=new, now_ms=now_ms)))

    def get_group(self, account_id: str, name: str) -> Group:
        return self._workings.look(lambda cursor: entities.find_group(cursor, account_id, name))

    async def list_groups(
        self, account_id: str, *, path_prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[Group]:
        """Return up to `limit` groups, likewise."""
        return await self._list(
            to_group, EntityKind.GROUP, account_id, path_prefix=path_prefix, after=after, limit=limit
        )

    async def list_members(
        self, account_id: str, group: str, *, after: str = "", limit: int = 1000
    ) -> Page[User]:
        """Return up to `limit` users in the group, likewise."""
        read = partial(memberships.list_members, account_id=account_id, group=group, after=after, limit=limit)
        return await self._workings.reads.run(read)

    async def list_groups_of(
        self, account_id: str, user: str, *, after: str = "", limit: int = 1000
    ) -> Page[Group]:
        """Return up to `limit` groups that the user is in, likewise."""
        read = partial(memberships.list_groups_of, account_id=account_id, user=user, after=after, limit=limit)
        return await self._workings.reads.run(read)

    async def add_member(self, account_id: str, group: str, user: str) -> None:
        """Put the user into the group; once more changes nothing.

        Raises:
            LimitExceededError
        """
        change = partial(memberships.add_member, account_id=account_id, group=group, user=user)
        await self._workings.write(marking(change))

    async def remove_member(self, account_id: str, group: str, user: str) -> None:
        """Take the user out of the group; one who is not in it stays so."""
        change = partial(memberships.remove_member, account_id=account_id, group=group, user=user)
        await self._workings.free(marking(change))

    # Roles

    async def create_role(self, new: NewRole, *, now_ms: int) -> Role:
        """Return a new role.

        Raises:
            EntityExistsError, LimitExceededError
        """
        change = partial(entities.create_role, new=new, now_ms=now_ms)
        return await self._workings.write(marking(change), room_bytes=len(new.trust_policy.encode()))

    def get_role(self, account_id: str, name: str) -> Role:
        """Return a role as the catalog has it, also of an account that is not active."""
        return self._workings.look(lambda cursor: entities.find_role(cursor, account_id, name))

    async def list_roles(
        self, account_id: str, *, path_prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[Role]:
        """Return up to `limit` roles, likewise."""
        return await self._list(
            to_role, EntityKind.ROLE, account_id, path_prefix=path_prefix, after=after, limit=limit
        )

    async def update_role(
        self,
        account_id: str,
        name: str,
        *,
        trust_policy: str | None = None,
        trust_ids: Mapping[str, str] | None = None,
        description: str | None = None,
        max_session_s: int | None = None,
    ) -> Role:
        """Change what is not None, and return the role. A trust policy comes with its ids."""
        change = partial(
            entities.update_role,
            account_id=account_id,
            name=name,
            trust_policy=trust_policy,
            trust_ids=trust_ids,
            description=description,
            max_session_s=max_session_s,
        )
        return await self._workings.write(marking(change), room_bytes=len((trust_policy or "").encode()))

    # Users, groups and roles alike

    def get(self, holder: Holder) -> Entity:
        """Return a user, group or role as the catalog has it, also of an account that is not active."""
        find: Callable[[str, str], Entity] = {
            EntityKind.USER: self.get_user,
            EntityKind.GROUP: self.get_group,
            EntityKind.ROLE: self.get_role,
        }[holder.kind]
        return find(holder.account_id, holder.name)

    async def _list(
        self,
        to_value: Callable[[Row], E],
        kind: EntityKind,
        account_id: str,
        *,
        path_prefix: str,
        after: str,
        limit: int,
    ) -> Page[E]:
        read = partial(
            entities.list_entities,
            to_value=to_value,
            account_id=account_id,
            kind=kind,
            path_prefix=path_prefix,
            after=after,
            limit=limit,
        )
        return await self._workings.reads.run(read)

    async def move(self, holder: Holder, *, new_name: str | None = None, new_path: str | None = None) -> None:
        """Give it another name or path. What it has, and who is in it, stays.

        Raises:
            EntityExistsError
        """
        change = partial(entities.move_entity, holder=holder, new_name=new_name, new_path=new_path)
        await self._workings.write(marking(change))

    async def amend_tags(
        self, holder: Holder, *, put: Mapping[str, str] | None = None, remove: Iterable[str] = ()
    ) -> None:
        """Put tags in place of those of the same names, and remove tags by name; one that is missing is gone.

        Raises:
            LimitExceededError
        """
        change = partial(entities.amend_tags, holder=holder, put=put or {}, remove=tuple(remove))
        await self._workings.write(marking(change))

    async def set_boundary(self, holder: Holder, arn: str | None) -> None:
        """Let nothing be allowed beyond what the managed policy allows; None: let there be no such limit."""
        await self._workings.write(marking(partial(entities.set_boundary, holder=holder, arn=arn)))

    async def delete(self, holder: Holder) -> None:
        """Remove a user, group or role that has nothing left.

        Raises:
            DeleteConflictError
        """
        await self._workings.free(marking(partial(entities.delete_entity, holder=holder)))


def _sessions_since_ms(account: Account, entity: Entity) -> int:
    return max(account.revoked_before_ms, entity.revoked_before_ms, entity.created_ms)
