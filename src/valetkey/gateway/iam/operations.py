"""The actions of IAM and STS: what each is allowed by, what it is about, and what runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from valetkey.gateway.iam import (
    account,
    groups,
    held_policies,
    managed_policies,
    roles,
    simulation,
    sts,
    users,
    values,
)
from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.xml import Fields
from valetkey.store.identity_model import EntityKind

Handler = Callable[[IamCall], Awaitable[Fields | None]]
Resource = Callable[[IamCall], str]


class IamOperation(NamedTuple):
    """One action."""

    permission: str | None
    """What policies call it; None: whoever has a key may, or the handler decides."""
    resource: Resource
    """Returns the ARN that it is about."""
    run: Handler
    """None, or what the element of the result holds."""


class Service(NamedTuple):
    """One of the two, as requests and answers name it."""

    version: str
    namespace: str
    operations: Mapping[str, IamOperation]


def _rows(resource: Resource, handlers: Mapping[str, Handler]) -> dict[str, IamOperation]:
    return {name: IamOperation(f"iam:{name}", resource, run) for name, run in handlers.items()}


def _held(kind: EntityKind, resource: Resource) -> dict[str, IamOperation]:
    """Return the actions on policies of users, groups or roles."""
    word = kind.value.capitalize()
    handlers: dict[str, Handler] = {
        f"Put{word}Policy": held_policies.of(held_policies.put_inline, kind),
        f"Get{word}Policy": held_policies.of(held_policies.get_inline, kind),
        f"List{word}Policies": held_policies.of(held_policies.list_inline, kind),
        f"Delete{word}Policy": held_policies.of(held_policies.delete_inline, kind),
        f"Attach{word}Policy": held_policies.of(held_policies.attach, kind),
        f"Detach{word}Policy": held_policies.of(held_policies.detach, kind),
        f"ListAttached{word}Policies": held_policies.of(held_policies.list_attached, kind),
    }
    if kind is not EntityKind.GROUP:
        handlers |= {
            f"Put{word}PermissionsBoundary": held_policies.of(held_policies.put_boundary, kind),
            f"Delete{word}PermissionsBoundary": held_policies.of(held_policies.delete_boundary, kind),
            f"Tag{word}": held_policies.of(held_policies.tag, kind),
            f"Untag{word}": held_policies.of(held_policies.untag, kind),
            f"List{word}Tags": held_policies.of(held_policies.list_tags, kind),
        }
    return _rows(resource, handlers)


IAM: Final = Service(
    version="2010-05-08",
    namespace="https://iam.amazonaws.com/doc/2010-05-08/",
    operations=MappingProxyType(
        _rows(
            values.user_resource,
            {
                "CreateUser": users.create_user,
                "GetUser": users.get_user,
                "UpdateUser": users.update_user,
                "DeleteUser": users.delete_user,
                "CreateAccessKey": users.create_access_key,
                "ListAccessKeys": users.list_access_keys,
                "UpdateAccessKey": users.update_access_key,
                "DeleteAccessKey": users.delete_access_key,
                "ListGroupsForUser": groups.list_groups_for_user,
            },
        )
        | _rows(
            values.group_resource,
            {
                "CreateGroup": groups.create_group,
                "GetGroup": groups.get_group,
                "UpdateGroup": groups.update_group,
                "DeleteGroup": groups.delete_group,
                "AddUserToGroup": groups.add_user_to_group,
                "RemoveUserFromGroup": groups.remove_user_from_group,
            },
        )
        | _rows(
            values.role_resource,
            {
                "CreateRole": roles.create_role,
                "GetRole": roles.get_role,
                "UpdateRole": roles.update_role,
                "UpdateRoleDescription": roles.update_role_description,
                "UpdateAssumeRolePolicy": roles.update_assume_role_policy,
                "DeleteRole": roles.delete_role,
            },
        )
        | _rows(
            values.policy_resource,
            {
                "CreatePolicy": managed_policies.create_policy,
                "GetPolicy": managed_policies.get_policy,
                "DeletePolicy": managed_policies.delete_policy,
                "CreatePolicyVersion": managed_policies.create_policy_version,
                "GetPolicyVersion": managed_policies.get_policy_version,
                "ListPolicyVersions": managed_policies.list_policy_versions,
                "SetDefaultPolicyVersion": managed_policies.set_default_policy_version,
                "DeletePolicyVersion": managed_policies.delete_policy_version,
                "ListEntitiesForPolicy": managed_policies.list_entities_for_policy,
            },
        )
        | _rows(
            values.anything,
            {
                "ListUsers": users.list_users,
                "ListGroups": groups.list_groups,
                "ListRoles": roles.list_roles,
                "ListPolicies": managed_policies.list_policies,
                "GetAccountSummary": account.get_account_summary,
                "ListAccountAliases": account.list_account_aliases,
                "ListOpenIDConnectProviders": account.list_no_providers,
                "SimulateCustomPolicy": simulation.simulate_custom_policy,
            },
        )
        | _rows(users.key_resource, {"GetAccessKeyLastUsed": users.get_access_key_last_used})
        | _rows(
            simulation.source_resource,
            {"SimulatePrincipalPolicy": simulation.simulate_principal_policy},
        )
        | _held(EntityKind.USER, values.user_resource)
        | _held(EntityKind.GROUP, values.group_resource)
        | _held(EntityKind.ROLE, values.role_resource)
    ),
)

STS: Final = Service(
    version="2011-06-15",
    namespace="https://sts.amazonaws.com/doc/2011-06-15/",
    operations=MappingProxyType(
        {
            "GetCallerIdentity": IamOperation(None, values.anything, sts.get_caller_identity),
            "GetSessionToken": IamOperation(None, values.anything, sts.get_session_token),
            # The trust policy of the role decides, together with what the caller's own policies say.
            "AssumeRole": IamOperation(None, values.anything, sts.assume_role),
            "GetFederationToken": IamOperation(
                "sts:GetFederationToken", values.federated_resource, sts.get_federation_token
            ),
        }
    ),
)

SERVICES: Final[Mapping[str, Service]] = MappingProxyType({"iam": IAM, "sts": STS})
"""By the name of the service in a signature's scope."""
