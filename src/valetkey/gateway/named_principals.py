"""The users and roles that a policy names: that they are there, and which ones they are.

Source: IAM User Guide, "AWS JSON policy elements: Principal": when a policy is saved, each ARN of a user or a role
becomes its unique id, so that somebody made anew under the name has nothing of what the former one was given.
"""

from __future__ import annotations

import re
from typing import Final

from valetkey.gateway.iam.naming import entity_arn
from valetkey.policy.documents import Policy
from valetkey.policy.malformed import MalformedPolicyError
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import Entity, EntityKind, Holder
from valetkey.store.identity_store import Identities

_ENTITY: Final = re.compile(r"arn:aws:iam::([^:]*):(user|role)/(?:.*/)?([^/]+)")


def principal_ids(policy: Policy, identities: Identities, *, own_number: str) -> dict[str, str]:
    """Return the unique id of each user and role that a policy names, by the ARN that it writes.

    `own_number` is that of the account whose policy it is, which its ARNs may leave out.

    Raises:
        MalformedPolicyError: there is no such user or role. A name that is free today would let in whoever takes
            it tomorrow.
    """
    ids: dict[str, str] = {}
    for statement in policy.statements:
        for arn in () if statement.principals is None else sorted(statement.principals.names):
            named = _ENTITY.fullmatch(arn)
            if named is None:
                continue
            try:
                ids[arn] = _find(arn, named, identities, own_number).unique_id
            except NoSuchEntityError as error:
                raise MalformedPolicyError(
                    f'Invalid principal in policy: "AWS":"{arn}"',
                    where=f"Statement[{statement.index}].Principal",
                ) from error
    return ids


def _find(arn: str, named: re.Match[str], identities: Identities, own_number: str) -> Entity:
    number, word, name = named[1] or own_number, named[2], named[3]
    account = identities.find_account(number, by="number")
    kind = EntityKind.USER if word == "user" else EntityKind.ROLE
    found = identities.get(Holder(account_id=account.id, kind=kind, name=name))
    if entity_arn(named[1], kind, found.path, found.name) != arn:
        raise NoSuchEntityError(kind, name)
    return found
