"""Users, groups, roles, keys and policies as IAM's answers have them, and what parameters name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.form import (
    ARN,
    FEDERATED_NAME,
    GROUP_NAME,
    PATH,
    POLICY_NAME,
    ROLE_NAME,
    USER_NAME,
    Kind,
    to_marker,
)
from valetkey.gateway.iam.naming import entity_arn, root_arn
from valetkey.gateway.iam.xml import Fields, Value
from valetkey.policy.principal import PrincipalKind
from valetkey.store.errors import NoSuchEntityError
from valetkey.store.identity_model import (
    AccessKey,
    Entity,
    EntityKind,
    Group,
    ManagedPolicy,
    Page,
    PolicyVersion,
    Role,
    User,
)

PARAMETERS: Final[Mapping[EntityKind, tuple[str, Kind]]] = {
    EntityKind.USER: ("UserName", USER_NAME),
    EntityKind.GROUP: ("GroupName", GROUP_NAME),
    EntityKind.ROLE: ("RoleName", ROLE_NAME),
}
"""What names one of a kind."""


def instant(ms: int) -> str:
    """Return an instant as IAM writes it: whole seconds, UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(text: str) -> str:
    """Return a policy document as IAM's answers hold it: percent-encoded after RFC 3986."""
    return quote(text, safe="")


def tags(values: Mapping[str, str]) -> Value:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def boundary(entity: Entity) -> Fields | None:
    if entity.boundary_arn is None:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": entity.boundary_arn}


def paged(name: str, entries: Iterable[Value], next_after: str | None) -> Fields:
    """Return a page of a listing."""
    return {name: list(entries), "IsTruncated": next_after is not None, "Marker": to_marker(next_after)}


def page_of(name: str, page: Page[str]) -> Fields:
    """Return a page of names."""
    return paged(name, page.entries, page.next_after)


def _entity(call: IamCall, kind: EntityKind, entity: Entity) -> dict[str, Value]:
    word = kind.value.capitalize()
    return {
        "Path": entity.path,
        f"{word}Name": entity.name,
        f"{word}Id": entity.unique_id,
        "Arn": entity_arn(call.number, kind, entity.path, entity.name),
        "CreateDate": instant(entity.created_ms),
    }


def user(call: IamCall, value: User, *, in_full: bool = False) -> Fields:
    """Return a user; `in_full` with tags and boundary, which listings leave out."""
    fields = _entity(call, EntityKind.USER, value)
    if in_full:
        fields["PermissionsBoundary"] = boundary(value)
        fields["Tags"] = tags(value.tags) if value.tags else None
    return fields


def group(call: IamCall, value: Group) -> Fields:
    return _entity(call, EntityKind.GROUP, value)


def role(call: IamCall, value: Role, *, in_full: bool = False) -> Fields:
    """Return a role; `in_full` with tags and boundary, which listings leave out."""
    fields = _entity(call, EntityKind.ROLE, value)
    fields |= {
        "AssumeRolePolicyDocument": document(value.trust_policy),
        "Description": value.description or None,
        "MaxSessionDuration": value.max_session_s,
    }
    if in_full:
        fields["PermissionsBoundary"] = boundary(value)
        fields["Tags"] = tags(value.tags) if value.tags else None
    return fields


def access_key(value: AccessKey, owner: str) -> dict[str, Value]:
    return {
        "UserName": owner,
        "AccessKeyId": value.id,
        "Status": "Active" if value.is_active else "Inactive",
        "CreateDate": instant(value.created_ms),
    }


def policy(value: ManagedPolicy, *, in_full: bool = False) -> Fields:
    """Return a managed policy; `in_full` with what listings leave out."""
    fields: dict[str, Value] = {
        "PolicyName": value.name,
        "PolicyId": value.unique_id,
        "Arn": value.arn,
        "Path": value.path,
        "DefaultVersionId": f"v{value.default_version}",
        "AttachmentCount": value.attachments_count,
        "PermissionsBoundaryUsageCount": value.boundaries_count,
        "IsAttachable": True,
        "CreateDate": instant(value.created_ms),
        "UpdateDate": instant(value.updated_ms),
    }
    if in_full:
        fields["Description"] = value.description or None
        fields["Tags"] = tags(value.tags) if value.tags else None
    return fields


def version(value: PolicyVersion, *, with_document: bool) -> Fields:
    return {
        "Document": document(value.document) if with_document else None,
        "VersionId": f"v{value.number}",
        "IsDefaultVersion": value.is_default,
        "CreateDate": instant(value.created_ms),
    }


def named_entity(call: IamCall, kind: EntityKind) -> str:
    """Return the name of the user, group or role that a request is about."""
    parameter, limits = PARAMETERS[kind]
    return call.form.text(parameter, limits)


# The resources by which policies know what a request is about


def anything(_call: IamCall) -> str:
    return "*"


def user_resource(call: IamCall) -> str:
    """Return the ARN of the user that is named, or else of the caller."""
    name = call.form.find("UserName", USER_NAME)
    if name is not None:
        return _resource(call, EntityKind.USER, name)
    if call.principal.kind is PrincipalKind.ACCOUNT:
        return root_arn(call.number)
    return call.principal.arn


def federated_resource(call: IamCall) -> str:
    """Return the ARN of the federated user that is to have a session."""
    return f"arn:aws:sts::{call.number}:federated-user/{call.form.text('Name', FEDERATED_NAME)}"


def group_resource(call: IamCall) -> str:
    return _resource(call, EntityKind.GROUP, named_entity(call, EntityKind.GROUP))


def role_resource(call: IamCall) -> str:
    return _resource(call, EntityKind.ROLE, named_entity(call, EntityKind.ROLE))


def policy_resource(call: IamCall) -> str:
    """Return the ARN of the managed policy that is named, or is to be made."""
    arn = call.form.find("PolicyArn", ARN)
    if arn is not None:
        return arn
    name = call.form.text("PolicyName", POLICY_NAME)
    return entity_arn(call.number, EntityKind.POLICY, call.form.find("Path", PATH) or "/", name)


def _resource(call: IamCall, kind: EntityKind, name: str) -> str:
    """Return the ARN of one of this name, with the path that it has or is to have."""
    try:
        entity = call.identities.get(call.holder(kind, name))
    except NoSuchEntityError:
        return entity_arn(call.number, kind, call.form.find("Path", PATH) or "/", name)
    return entity_arn(call.number, kind, entity.path, entity.name)
