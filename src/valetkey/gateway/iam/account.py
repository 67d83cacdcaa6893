"""What IAM says of an account as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from valetkey.gateway.iam.call import IamCall
from valetkey.gateway.iam.xml import Entries, Fields
from valetkey.store.identity_model import Page, Quota

T = TypeVar("T")


async def get_account_summary(call: IamCall) -> Fields:
    """Return counts and quotas. Where there is no quota, the number is Amazon's largest."""
    own, identities = call.account_id, call.identities
    keys = await identities.keys.list(own, None, limit=1)
    counts = {
        "Users": await _count(lambda after: identities.list_users(own, after=after)),
        "Groups": await _count(lambda after: identities.list_groups(own, after=after)),
        "Roles": await _count(lambda after: identities.list_roles(own, after=after)),
        "Policies": await _count(
            lambda after: identities.policies.list(own, with_provided=False, after=after)
        ),
        "AccountAccessKeysPresent": int(bool(keys.entries)),
        "AccountMFAEnabled": 0,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "Providers": 0,
        "ServerCertificates": 0,
    }
    quotas = {
        "AccessKeysPerUserQuota": 5000,
        "AssumeRolePolicySizeQuota": 2048,
        "AttachedPoliciesPerGroupQuota": Quota.ATTACHED_POLICIES.value,
        "AttachedPoliciesPerRoleQuota": Quota.ATTACHED_POLICIES.value,
        "AttachedPoliciesPerUserQuota": Quota.ATTACHED_POLICIES.value,
        "GroupPolicySizeQuota": 5120,
        "GroupsPerUserQuota": Quota.GROUPS_OF_A_USER.value,
        "GroupsQuota": 500,
        "PoliciesQuota": 5000,
        "PolicySizeQuota": 6144,
        "RolePolicySizeQuota": 10240,
        "RolesQuota": 5000,
        "UserPolicySizeQuota": 2048,
        "UsersQuota": 5000,
        "VersionsPerPolicyQuota": Quota.POLICY_VERSIONS.value,
    }
    return {"SummaryMap": Entries(counts | quotas)}


async def _count(read: Callable[[str], Awaitable[Page[T]]]) -> int:
    count, after = 0, ""
    while True:
        page = await read(after)
        count += len(page.entries)
        if page.next_after is None:
            return count
        after = page.next_after


async def list_account_aliases(_call: IamCall) -> Fields:
    """Return no alias: an account has its name."""
    return {"AccountAliases": [], "IsTruncated": False}


async def list_no_providers(_call: IamCall) -> Fields:
    """Return that there are no identity providers."""
    return {"OpenIDConnectProviderList": []}
