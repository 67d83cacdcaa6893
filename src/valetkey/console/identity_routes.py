"""The operations of the admin API on accounts, users, keys and policies."""

from __future__ import annotations

from typing import Final

from valetkey.console import access_keys, accounts, policies, simulation, users
from valetkey.console.call import ACCOUNT
from valetkey.console.route import PAGE, Route
from valetkey.console.schema import listing

ACCOUNTS: Final = (
    Route(
        "GET",
        "accounts",
        accounts.list_accounts,
        "List the accounts.",
        gives=(listing("accounts", accounts.ACCOUNT),),
        asks=PAGE,
    ),
    Route(
        "POST",
        "accounts",
        accounts.create_account,
        "Make an account and its first access key.",
        gives=(accounts.NEW_ACCOUNT,),
        takes=accounts.NEW_MEMBERS,
    ),
    Route("GET", "accounts/{account}", accounts.get_account, "Show an account.", gives=(accounts.ACCOUNT,)),
    Route(
        "POST",
        "accounts/{account}/activate",
        accounts.activate_account,
        "Let the keys of an account count again.",
        gives=(accounts.ACCOUNT,),
    ),
    Route(
        "POST",
        "accounts/{account}/deactivate",
        accounts.deactivate_account,
        "Let no key of an account count, nor any session.",
        gives=(accounts.ACCOUNT,),
    ),
    Route(
        "POST",
        "accounts/{account}/revoke-sessions",
        accounts.revoke_account_sessions,
        "End all temporary credentials of an account that there are now.",
    ),
    Route(
        "DELETE",
        "accounts/{account}",
        accounts.delete_account,
        "Delete an account that has nothing but keys of its own.",
    ),
)

USERS: Final = (
    Route(
        "GET",
        "users",
        users.list_users,
        "List the users.",
        gives=(listing("users", users.USER),),
        asks=(ACCOUNT, *PAGE, users.PATH_PREFIX),
    ),
    Route(
        "POST",
        "users",
        users.create_user,
        "Make a user, who may do nothing yet.",
        gives=(users.USER,),
        asks=(ACCOUNT,),
        takes=users.NEW_MEMBERS,
    ),
    Route(
        "GET",
        "users/{user}",
        users.get_user,
        "Show a user with its groups and policies.",
        gives=(users.USER_IN_FULL,),
        asks=(ACCOUNT,),
    ),
    Route(
        "POST",
        "users/{user}/revoke-sessions",
        users.revoke_user_sessions,
        "End all temporary credentials of a user that there are now.",
        asks=(ACCOUNT,),
    ),
    Route(
        "DELETE",
        "users/{user}",
        users.delete_user,
        "Delete a user that has no keys and no policies.",
        asks=(ACCOUNT,),
    ),
)

KEYS: Final = (
    Route(
        "GET",
        "keys",
        access_keys.list_keys,
        "List the keys of a user, or the account's own.",
        gives=(listing("keys", access_keys.KEY),),
        asks=(ACCOUNT, *PAGE, access_keys.OF_USER),
    ),
    Route(
        "POST",
        "keys",
        access_keys.create_key,
        "Make a key for a user, or for the account itself. The secret is shown this once.",
        gives=(access_keys.NEW_KEY,),
        asks=(ACCOUNT,),
        takes=(access_keys.OF_USER, *access_keys.PAIR),
    ),
    Route(
        "POST",
        "keys/{key}/activate",
        access_keys.activate_key,
        "Let a key count again, and the URLs that it signed.",
        gives=(access_keys.KEY,),
        asks=(ACCOUNT,),
    ),
    Route(
        "POST",
        "keys/{key}/deactivate",
        access_keys.deactivate_key,
        "End every URL that a key signed, at the next request.",
        gives=(access_keys.KEY,),
        asks=(ACCOUNT,),
    ),
    Route(
        "POST",
        "keys/{key}/rotate",
        access_keys.rotate_key,
        "Make a key that takes another's place. Both count until the old one is deactivated.",
        gives=(access_keys.NEXT_KEY,),
        asks=(ACCOUNT,),
    ),
    Route(
        "DELETE",
        "keys/{key}",
        access_keys.delete_key,
        "Delete a key, and end every URL that it signed.",
        asks=(ACCOUNT,),
    ),
)

POLICIES: Final = (
    Route(
        "POST",
        "simulate",
        simulation.simulate_policies,
        "Tell what would be decided, and by which statement.",
        gives=(simulation.SIMULATION,),
        asks=(ACCOUNT,),
        takes=simulation.MEMBERS,
    ),
    Route(
        "GET",
        "policies",
        policies.list_policies,
        "List the policies that can be attached, or those that a user, group or role has of its own.",
        gives=(listing("policies", policies.POLICY, policies.INLINE_POLICY),),
        asks=(ACCOUNT, *PAGE, *policies.HOLDERS),
    ),
    Route(
        "GET",
        "policies/{policy}",
        policies.get_policy,
        "Show a policy with its document.",
        gives=(policies.POLICY_IN_FULL, policies.INLINE_POLICY_IN_FULL),
        asks=(ACCOUNT, *policies.HOLDERS),
    ),
    Route(
        "PUT",
        "policies/{policy}",
        policies.put_policy,
        "Keep a document, as a policy that can be attached or as one of a user, group or role alone.",
        gives=(policies.POLICY, policies.INLINE_POLICY),
        asks=(ACCOUNT, *policies.HOLDERS),
        takes=(policies.DOCUMENT_MEMBER,),
    ),
    Route(
        "POST",
        "policies/{policy}/attach",
        policies.attach_policy,
        "Let a policy apply to a user, group or role.",
        asks=(ACCOUNT, *policies.HOLDERS),
    ),
    Route(
        "POST",
        "policies/{policy}/detach",
        policies.detach_policy,
        "Let a policy apply to a user, group or role no more.",
        asks=(ACCOUNT, *policies.HOLDERS),
    ),
    Route(
        "DELETE",
        "policies/{policy}",
        policies.delete_policy,
        "Delete a policy that nobody has, or one of a user, group or role alone.",
        asks=(ACCOUNT, *policies.HOLDERS),
    ),
)
