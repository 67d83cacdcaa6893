"""What a request to the admin API is run with, and the checks that its handlers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from valetkey.console.hooks import NO_HOOKS, HookDoor
from valetkey.console.schema import Member
from valetkey.gateway.call import Keys
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.facts import facts_of
from valetkey.gateway.iam.form import Form, Kind
from valetkey.gateway.iam.naming import entity_arn
from valetkey.gateway.links.door import LinkDoor
from valetkey.links.history.reader import HistoryReader
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import Account, Entity, EntityKind
from valetkey.store.identity_store import Identities
from valetkey.store.store import Store

if TYPE_CHECKING:
    from valetkey.console.explainer import Explainer

Json = Mapping[str, object]

_CANONICAL_ID: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[0-9]{12}")
_DEFAULT_ITEMS: Final = 1000

ACCOUNT: Final = Member(
    name="account",
    help="Id, number or name of the account to work in; only the root account can.",
    kind=Kind(most=64),
)
AFTER: Final = Member(
    name="after", help="What `next` of the page before said.", kind=Kind(least=0, most=2048)
)
LIMIT: Final = Member(
    name="limit", help="Entries on the page, 1 to 1,000.", kind=Kind(pattern="[0-9]+", most=4)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminCall:
    """A request whose signer is proved."""

    iam: IamCall
    """The same as IAM's functions take it, for the account that the request is about."""
    names: Mapping[str, str]
    """What the path names."""
    query: Mapping[str, str]
    """What the query says, of what the route asks for, within its limits."""
    body: Json
    """The members of the JSON object that was sent, likewise; null only where that says something."""
    is_root: bool
    """The caller is the root account, which manages accounts, and acts in all of them."""
    store: Store
    keys: Keys
    links: LinkDoor
    hooks: HookDoor = NO_HOOKS
    """What is said of webhooks."""
    raw_body: bytes = b""
    """What was sent, where it is no object."""
    history: HistoryReader | None = None
    """None where none is kept."""
    explainer: Explainer | None = None

    @property
    def identities(self) -> Identities:
        """What the store knows of identities."""
        return self.store.identities

    @property
    def account(self) -> Account:
        """The account that the request is about."""
        return self.identities.find_account(self.iam.account_id)

    def text(self, member: Member) -> str:
        """Return a text of the body that the route requires."""
        return str(self.body[member.name])

    def find_text(self, member: Member) -> str | None:
        """Return a text of the body, or None if it is missing."""
        return None if member.name not in self.body else str(self.body[member.name])

    @property
    def revoked_before_ms(self) -> int:
        """The instant such that all sessions that there are began before it, those of this millisecond too."""
        return self.iam.now_ms + 1

    def page(self) -> tuple[str, int]:
        """Return what the wanted page of a listing comes after, and how many it may hold.

        Raises:
            IamError: ValidationError.
        """
        limit = Form(self.query).number("limit", least=1, most=_DEFAULT_ITEMS) or _DEFAULT_ITEMS
        return self.query.get("after", ""), limit

    def require(self, action: str, resource: str, **parameters: str) -> None:
        """Return if the caller may do `action`, such as `iam:CreateUser`.

        `parameters` are those by which IAM's action would name what it is about; conditions may ask for it.

        Raises:
            IamError: AccessDenied.
        """
        asked = replace(self.iam, action=action.partition(":")[2], form=Form(parameters))
        asked.require(action, resource, facts_of(asked))

    def require_entity(self, kind: EntityKind, name: str, *actions: str, **parameters: str) -> Entity:
        """Return the user, group or role of this name, with whom the caller may do all `actions`.

        Of one that is missing hears only who might have done them.

        Raises:
            IamError: AccessDenied.
            NoSuchEntityError
        """
        try:
            found = self.identities.get(self.iam.holder(kind, name))
        except NoSuchEntityError:
            self._require_all(actions, kind, "/", name, parameters)
            raise
        # As it was first written: policies tell names apart that differ in case alone.
        self._require_all(actions, kind, found.path, found.name, parameters)
        return found

    def _require_all(
        self, actions: Iterable[str], kind: EntityKind, path: str, name: str, parameters: Mapping[str, str]
    ) -> None:
        arn = entity_arn(self.iam.number, kind, path, name)
        about = {f"{kind.value.capitalize()}Name": name, **parameters}
        for action in actions:
            self.require(action, arn, **about)

    def require_root(self) -> None:
        """Return if the caller is the root account.

        Raises:
            IamError: AccessDenied.
        """
        if not self.is_root:
            raise IamError(IamCode.ACCESS_DENIED, "Only the root account manages accounts.")


def is_account_id(text: str) -> bool:
    """Return whether a text is taken for an id or a number, and can be nobody's name."""
    return bool(_CANONICAL_ID.fullmatch(text) or _NUMBER.fullmatch(text))


def find_account(identities: Identities, text: str) -> Account:
    """Return the account with this id, number or name.

    Raises:
        NoSuchEntityError
    """
    if _CANONICAL_ID.fullmatch(text):
        return identities.find_account(text)
    if _NUMBER.fullmatch(text):
        return identities.find_account(text, by="number")
    return identities.find_account(text, by="name")


def acting_in(call: IamCall, text: str, *, is_root: bool) -> IamCall:
    """Return the call as made by the root of another account, which the root account may.

    Raises:
        IamError: AccessDenied.
        NoSuchEntityError
    """
    if not is_root:
        # Nobody else learns whether there is such an account.
        own = call.identities.find_account(call.account_id)
        if text in (own.id, own.number, own.name):
            return call
        raise IamError(IamCode.ACCESS_DENIED, "Only the root account acts in other accounts.")
    account = find_account(call.identities, text)
    principal = Principal(
        kind=PrincipalKind.ACCOUNT,
        name=account.name,
        account_id=account.id,
        account_number=account.number,
    )
    return replace(call, principal=principal)


def is_root_account(principal: Principal, identities: Identities) -> bool:
    """Return whether a caller is the root account, by lasting credentials."""
    if principal.kind is not PrincipalKind.ACCOUNT or principal.session is not None:
        return False
    return identities.find_account(principal.account_id).is_root
