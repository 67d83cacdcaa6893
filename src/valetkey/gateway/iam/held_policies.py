"""Policies of users, groups and roles: inline ones, managed ones attached to them, and their boundaries.

Each operation exists three times, for what it is about; `of` makes the three.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from valetkey.gateway.iam import values
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.gateway.iam.form import ARN, DOCUMENT, PATH_PREFIX, POLICY_NAME, TAG_KEY
from valetkey.gateway.iam.xml import Fields
from valetkey.policy.documents import (
    MAX_GROUP_POLICIES,
    MAX_ROLE_POLICIES,
    MAX_USER_POLICIES,
    DocumentKind,
    parse_policy,
)
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import EntityKind, Holder

Handler = Callable[[IamCall], Awaitable[Fields | None]]

_LARGEST: Final[Mapping[EntityKind, int]] = {
    EntityKind.USER: MAX_USER_POLICIES,
    EntityKind.GROUP: MAX_GROUP_POLICIES,
    EntityKind.ROLE: MAX_ROLE_POLICIES,
}


def of(operation: Callable[[IamCall, Holder], Awaitable[Fields | None]], kind: EntityKind) -> Handler:
    """Return the operation for users, groups or roles."""
    return partial(_run, operation=operation, kind=kind)


async def _run(
    call: IamCall,
    *,
    operation: Callable[[IamCall, Holder], Awaitable[Fields | None]],
    kind: EntityKind,
) -> Fields | None:
    return await operation(call, call.holder(kind, values.named_entity(call, kind)))


def _policy_name(call: IamCall) -> str:
    return call.form.text("PolicyName", POLICY_NAME)


async def put_inline(call: IamCall, holder: Holder) -> None:
    name, text = _policy_name(call), call.form.text("PolicyDocument", DOCUMENT)
    await keep_inline(call, holder, name, text)


async def keep_inline(call: IamCall, holder: Holder, name: str, text: str) -> None:
    """Keep an inline policy, if all of the holder together are not too long.

    Raises:
        MalformedPolicyError, PolicyTooLargeError, NoSuchEntityError
        IamError: LimitExceeded.
    """
    largest = _LARGEST[holder.kind]
    parse_policy(text, kind=DocumentKind.IDENTITY, limit=largest)
    others = (await call.identities.policies.list_inline(holder)).entries
    size = _size(text)
    for other in others:
        if other == name:
            continue
        with suppress(NoSuchEntityError):  # somebody else has just removed it
            size += _size(call.identities.policies.find_inline(holder, other))
    if size > largest:
        raise IamError(
            IamCode.LIMIT_EXCEEDED,
            f"Maximum policy size of {largest} bytes exceeded for {holder.kind.value} {holder.name}",
        )
    await call.identities.policies.put_inline(holder, name, text)


def _size(text: str) -> int:
    """Return the characters of a document without white space, as quotas count."""
    return len("".join(text.split()))


async def get_inline(call: IamCall, holder: Holder) -> Fields:
    name = _policy_name(call)
    text = call.identities.policies.find_inline(holder, name)
    parameter, _ = values.PARAMETERS[holder.kind]
    return {parameter: holder.name, "PolicyName": name, "PolicyDocument": values.document(text)}


async def list_inline(call: IamCall, holder: Holder) -> Fields:
    after, limit = call.form.page()
    page = await call.identities.policies.list_inline(holder, after=after, limit=limit)
    return values.page_of("PolicyNames", page)


async def delete_inline(call: IamCall, holder: Holder) -> None:
    await call.identities.policies.delete_inline(holder, _policy_name(call))


async def attach(call: IamCall, holder: Holder) -> None:
    await call.identities.policies.attach(holder, call.form.text("PolicyArn", ARN))


async def detach(call: IamCall, holder: Holder) -> None:
    await call.identities.policies.detach(holder, call.form.text("PolicyArn", ARN))


async def list_attached(call: IamCall, holder: Holder) -> Fields:
    after, limit = call.form.page()
    page = await call.identities.policies.list_attached(
        holder,
        path_prefix=call.form.find("PathPrefix", PATH_PREFIX) or "",
        after=after,
        limit=limit,
    )
    policies = [{"PolicyName": one.name, "PolicyArn": one.arn} for one in page.entries]
    return values.paged("AttachedPolicies", policies, page.next_after)


async def put_boundary(call: IamCall, holder: Holder) -> None:
    await call.identities.set_boundary(holder, call.form.text("PermissionsBoundary", ARN))


async def delete_boundary(call: IamCall, holder: Holder) -> None:
    if call.identities.get(holder).boundary_arn is None:
        raise NoSuchEntityError(EntityKind.POLICY, "PermissionsBoundary")
    await call.identities.set_boundary(holder, None)


async def tag(call: IamCall, holder: Holder) -> None:
    await call.identities.amend_tags(holder, put=call.form.tags())


async def untag(call: IamCall, holder: Holder) -> None:
    await call.identities.amend_tags(holder, remove=call.form.texts("TagKeys", TAG_KEY))


async def list_tags(call: IamCall, holder: Holder) -> Fields:
    return {"Tags": values.tags(call.identities.get(holder).tags), "IsTruncated": False}
