"""What a request to the admin API is run with, and the checks that its handlers share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from valetkey.gateway.call import Keys
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.facts import facts_of
from valetkey.gateway.iam.form import Form, Kind
from valetkey.gateway.links.door import LinkDoor
from valetkey.links.history.reader import HistoryReader
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import Account, EntityKind
from valetkey.store.identity_store import Identities
from valetkey.store.store import Store

Json = Mapping[str, object]

_CANONICAL_ID: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[0-9]{12}")
_DEFAULT_ITEMS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminCall:
    """A request whose signer is proved."""

    iam: IamCall
    """The same as IAM's functions take it, for the account that the request is about."""
    names: Mapping[str, str]
    """What the path names."""
    query: Mapping[str, str]
    body: Json
    """The JSON object that was sent; empty if there was none."""
    is_root: bool
    """The caller is the root account, which manages accounts, and acts in all of them."""
    store: Store
    keys: Keys
    links: LinkDoor
    raw_body: bytes = b""
    """What was sent, where it is no object."""
    history: HistoryReader | None = None
    """None where none is kept."""

    @property
    def identities(self) -> Identities:
        """What the store knows of identities."""
        return self.store.identities

    @property
    def account(self) -> Account:
        """The account that the request is about."""
        return self.identities.find_account(self.iam.account_id)

    def text(self, name: str, kind: Kind) -> str:
        """Return a text of the body that must be there.

        Raises:
            IamError: ValidationError.
        """
        return Form(self._texts(name)).text(name, kind)

    def find_text(self, name: str, kind: Kind) -> str | None:
        """Return a text of the body, or None if it is missing.

        Raises:
            IamError: ValidationError.
        """
        return Form(self._texts(name)).find(name, kind)

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

    def require_root(self) -> None:
        """Return if the caller is the root account.

        Raises:
            IamError: AccessDenied.
        """
        if not self.is_root:
            raise IamError(IamCode.ACCESS_DENIED, "Only the root account manages accounts.")

    def _texts(self, name: str) -> dict[str, str]:
        value = self.body.get(name)
        if value is None:
            return {}
        if not isinstance(value, str):
            raise IamError(IamCode.VALIDATION_ERROR, f"{name} must be a text.")
        return {name: value}


def find_account(identities: Identities, text: str) -> Account:
    """Return the account with this id, number or name.

    Raises:
        NoSuchEntityError
    """
    if _CANONICAL_ID.fullmatch(text):
        return identities.find_account(text)
    if _NUMBER.fullmatch(text):
        try:
            return identities.find_account(text, by="number")
        except NoSuchEntityError:
            pass
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


def missing(kind: EntityKind, name: str) -> NoSuchEntityError:
    """Return the error for what is not there, or is somebody else's."""
    return NoSuchEntityError(kind, name)
