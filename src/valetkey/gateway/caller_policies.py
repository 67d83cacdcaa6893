"""What applies to a caller by who it is: policies of identities, boundaries, and those of its session."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from valetkey.policy.documents import DocumentKind, Policy, parse_policy
from valetkey.policy.evaluate import NamedPolicy, PolicySet
from valetkey.policy.principal import Principal, PrincipalKind, Session
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import EntityKind, KnownRole, KnownUser, NamedDocument
from valetkey.store.identity_store import Identities

SESSION_POLICY: Final = "session policy"

_NOTHING: Final = PolicySet()


def policies_of(principal: Principal, identities: Identities) -> PolicySet:
    """Return what applies to a caller by who it is, as it stands now.

    Raises:
        NoSuchEntityError: the user or the role is gone, or another has its name by now.
    """
    known = _known(principal, identities)
    session = principal.session
    if known is None and session is None:
        return _NOTHING
    # A guest of an account's root may what the root may, which is everything, as far as its session policies allow it.
    own = _ROOTS if principal.kind is PrincipalKind.FEDERATED else ()
    return PolicySet(
        identity=own if known is None else tuple(map(_named, known.policies)),
        boundary=None if known is None or known.boundary is None else _named(known.boundary),
        session=() if session is None else tuple(map(_of_session, session.policies)),
    )


def _known(principal: Principal, identities: Identities) -> KnownUser | KnownRole | None:
    """Return the user or the role whose policies apply; None for an account, whom none limit, and for strangers."""
    match principal.kind:
        case PrincipalKind.USER:
            return _user(principal, principal.name, principal.unique_id, identities)
        case PrincipalKind.ROLE:
            return _role(principal, identities)
        case PrincipalKind.FEDERATED if principal.session and principal.session.issuer_id:
            session: Session = principal.session
            return _user(principal, session.role_arn.rpartition("/")[2], session.issuer_id, identities)
        case _:
            return None


def _user(principal: Principal, name: str, unique_id: str, identities: Identities) -> KnownUser:
    known = identities.find_user(principal.account_id, name)
    if known.user.unique_id != unique_id:
        raise NoSuchEntityError(EntityKind.USER, name)
    return known


def _role(principal: Principal, identities: Identities) -> KnownRole:
    known = identities.find_role(principal.account_id, principal.name)
    if known.role.unique_id != principal.unique_id.partition(":")[0]:
        raise NoSuchEntityError(EntityKind.ROLE, principal.name)
    return known


def _everything() -> Policy:
    document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    return parse_policy(document, kind=DocumentKind.IDENTITY)


_ROOTS: Final = (NamedPolicy(name="account root", policy=_everything()),)


def _of_session(text: str) -> NamedPolicy:
    return NamedPolicy(name=SESSION_POLICY, policy=_read(text))


def _named(document: NamedDocument) -> NamedPolicy:
    return NamedPolicy(name=document.name, policy=_read(document.document))


@lru_cache(maxsize=512)
def _read(text: str) -> Policy:
    return parse_policy(text, kind=DocumentKind.IDENTITY)
