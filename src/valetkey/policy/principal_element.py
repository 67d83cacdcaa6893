"""Principal and NotPrincipal: whom a statement is about.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from valetkey.policy.document_rules import texts_of
from valetkey.policy.malformed import MalformedPolicyError, shown
from valetkey.policy.principal import Owner, Principal, PrincipalKind

_ACCOUNT_NUMBER: Final = re.compile(r"[0-9]{12}")
_CANONICAL_ID: Final = re.compile(r"[0-9a-f]{64}")
_ARN: Final = re.compile(
    r"arn:aws:(iam::[\w-]*:(root|(user|role)/[^*?]+)|sts::[\w-]*:(assumed-role/[^*?/]+/[^*?/]+|federated-user/[^*?/]+))",
    re.ASCII,
)
_OTHER_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "CanonicalUser": _CANONICAL_ID,
    "Service": re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com"),
    "Federated": re.compile(r"[^*?\s]+"),
}
_IAM: Final = "arn:aws:iam::"
_NO_IDS: Final[Mapping[str, str]] = {}


class Reach(IntEnum):
    """How closely a statement of a resource's policy names the caller; the higher, the less limits its Allow."""

    NONE = 0
    ACCOUNT = 1
    """The caller's account, which has yet to hand it on to the caller."""
    ENTITY = 2
    """The role or the user that a session is of: what limits the session limits the Allow."""
    DIRECT = 3
    """The caller, or everyone."""


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that a principal element may call one caller."""

    direct: frozenset[str]
    entity: frozenset[str]
    account: frozenset[str]

    @classmethod
    def of(cls, principal: Principal, owner: Owner | None, ids: Mapping[str, str] = _NO_IDS) -> Names:
        """Return the names of `principal`.

        In the owner's own policies an ARN may leave the account out: `arn:aws:iam:::user/ann`. `ids` are the unique
        ids of the users and roles that the policy means by its ARNs: another one of that name is not meant.
        """
        if principal.kind is PrincipalKind.ANONYMOUS:
            return _NAMELESS
        number = principal.account_number
        role_arn = principal.session.role_arn if principal.session else ""
        direct = {principal.arn} if number else set()
        entity = {role_arn} if role_arn else set()
        account = {principal.account_id, f"{_IAM}{number}:root"} if number else {principal.account_id}
        if owner is not None and owner.account_id == principal.account_id:
            for names in (direct, entity, account):
                names |= {name.replace(f"::{number}:", ":::", 1) for name in names}
        if principal.kind is PrincipalKind.ACCOUNT:
            return cls(frozenset(account), frozenset(), frozenset())
        direct = {name for name in direct if ids.get(name, principal.unique_id) == principal.unique_id}
        entity_id = _entity_id(principal)
        entity = {name for name in entity if ids.get(name, entity_id) == entity_id}
        return cls(frozenset(direct), frozenset(entity), frozenset(account))


def _entity_id(principal: Principal) -> str:
    """Return the unique id of the role, or of the user, that a session is of."""
    if principal.kind is PrincipalKind.FEDERATED:
        return principal.session.issuer_id if principal.session else ""
    return principal.unique_id.partition(":")[0]


_NAMELESS: Final = Names(frozenset(), frozenset(), frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalElement:
    """A Principal or NotPrincipal element."""

    is_negated: bool
    is_anyone: bool
    names: frozenset[str]
    """ARNs and canonical user ids; the number of an account stands as the ARN of its root."""
    others: frozenset[str]
    """Services and identity providers. No request to this server comes from one."""

    def reach(self, names: Names) -> Reach:
        """Return how closely this names the caller that has `names`.

        A NotPrincipal spares whom it names directly, or whose role it names. An account that it names is
        spared as root: its users and roles are spared by their own names only.
        """
        if self.is_negated:
            is_spared = self.is_anyone or not self.names.isdisjoint(names.direct | names.entity)
            return Reach.NONE if is_spared else Reach.DIRECT
        if self.is_anyone or not self.names.isdisjoint(names.direct):
            return Reach.DIRECT
        if not self.names.isdisjoint(names.entity):
            return Reach.ENTITY
        return Reach.NONE if self.names.isdisjoint(names.account) else Reach.ACCOUNT


def _aws_name(value: str, where: str) -> str:
    if _ACCOUNT_NUMBER.fullmatch(value):
        return f"{_IAM}{value}:root"
    if _CANONICAL_ID.fullmatch(value) or _ARN.fullmatch(value):
        return value
    raise MalformedPolicyError("Invalid principal in policy", where=where)


def _other_name(kind: str, value: str, where: str) -> str:
    form = _OTHER_FORMS.get(kind)
    if form is None or not form.fullmatch(value):
        raise MalformedPolicyError("Invalid principal in policy", where=where)
    return value


def parse_principal(value: object, *, is_negated: bool, where: str) -> PrincipalElement:
    """Return the element that `value` is.

    Raises:
        MalformedPolicyError: it is none, or names nobody.
    """
    if value == "*":
        value = {"AWS": "*"}
    if not isinstance(value, dict) or not value:
        raise MalformedPolicyError("Invalid principal in policy", where=where)
    names, others, is_anyone = set[str](), set[str](), False
    for kind, given in value.items():
        here = f"{where}.{shown(kind)}"
        for one in texts_of(given, here):
            if kind == "AWS" and one == "*":
                is_anyone = True
            elif kind == "AWS":
                names.add(_aws_name(one, here))
            else:
                (names if kind == "CanonicalUser" else others).add(_other_name(kind, one, here))
    return PrincipalElement(
        is_negated=is_negated, is_anyone=is_anyone, names=frozenset(names), others=frozenset(others)
    )
