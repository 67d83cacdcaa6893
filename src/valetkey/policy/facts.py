"""What policies can ask of a request: what follows from caller and owner, and what the request brings.

Source: IAM User Guide, "AWS global condition context keys" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from valetkey.policy.matching import Lookup
from valetkey.policy.principal import Owner, Principal, PrincipalKind

_TYPES: Final[Mapping[PrincipalKind, str]] = MappingProxyType(
    {
        PrincipalKind.ACCOUNT: "Account",
        PrincipalKind.USER: "User",
        PrincipalKind.ROLE: "AssumedRole",
        PrincipalKind.FEDERATED: "FederatedUser",
        PrincipalKind.ANONYMOUS: "Anonymous",
    }
)


def _user_name(principal: Principal) -> str:
    return principal.name if principal.kind is PrincipalKind.USER else ""


def _user_id(principal: Principal) -> str:
    if principal.kind is PrincipalKind.ANONYMOUS:
        return "anonymous"
    return principal.unique_id or principal.account_number


def _is_service(principal: Principal) -> str:
    return "false"


def _arn(principal: Principal) -> str:
    """Of a role's session the role."""
    is_role = principal.kind is PrincipalKind.ROLE and principal.session is not None
    return principal.session.role_arn if is_role and principal.session else principal.arn


_OF_PRINCIPAL: Final[Mapping[str, Callable[[Principal], str]]] = MappingProxyType(
    {
        "aws:principalaccount": lambda principal: principal.account_number,
        "aws:principalarn": _arn,
        "aws:principalisawsservice": _is_service,
        "aws:principaltype": lambda principal: _TYPES[principal.kind],
        "aws:userid": _user_id,
        "aws:username": _user_name,
    }
)
"""What each says of a caller; empty if the caller has nothing of the kind."""

_TAG: Final = "aws:principaltag/"

_OF_OWNER: Final = frozenset({"aws:resourceaccount", "s3:resourceaccount"})


def tagged(tags: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    """Return the values of the tags whose key, in lower case, is `name`; None if there is none.

    Names of condition keys know no case, those of tags may: a tag in any case must not slip past a condition.
    """
    return tuple(value for key, value in tags.items() if key.lower() == name) or None


class Facts:
    """The values of all condition keys of one request, each asked for once."""

    __slots__ = ("_ask", "_known", "_owner", "_principal")

    def __init__(self, principal: Principal, owner: Owner | None, ask: Lookup) -> None:
        self._principal = principal
        self._owner = owner
        self._ask = ask
        self._known: dict[str, tuple[str, ...] | None] = {}

    def lookup(self, key: str) -> tuple[str, ...] | None:
        """Return the values of `key`, which is in lower case; None if the request has none."""
        if key not in self._known:
            self._known[key] = self._find(key)
        return self._known[key]

    def _find(self, key: str) -> tuple[str, ...] | None:
        of_principal = _OF_PRINCIPAL.get(key)
        if of_principal is not None:
            value = of_principal(self._principal)
        elif key in _OF_OWNER:
            value = self._owner.account_number if self._owner is not None else ""
        elif key.startswith(_TAG):
            return tagged(self._principal.tags, key.removeprefix(_TAG)) or self._ask(key)
        else:
            return self._ask(key)
        return (value,) if value else None
