"""Webhooks, as far as an account has to know of them."""

from __future__ import annotations

from typing import Final

from valetkey.console.call import AdminCall, Json
from valetkey.console.schema import TEXT, TEXTS, Shape
from valetkey.gateway.iam.errors import IamCode, IamError
from valetkey.policy.principal import PrincipalKind

WEBHOOKS: Final = Shape("Webhooks", {"secret": TEXT, "hosts": TEXTS})


async def get_webhooks(call: AdminCall) -> Json:
    """Return which hosts webhooks may go to, and what this account's are signed with."""
    principal = call.iam.principal
    if principal.kind is not PrincipalKind.ACCOUNT:
        # Whoever has it can make messages that the account's receivers believe.
        raise IamError(
            IamCode.ACCESS_DENIED, "Only the root of an account learns the secret of its webhooks."
        )
    if not call.hooks.hosts:
        raise IamError(IamCode.NO_SUCH_ENTITY, "There are no webhooks: VALETKEY_WEBHOOK_HOSTS names no host.")
    return {
        "secret": call.hooks.secret_of(principal.account_id),
        "hosts": [str(host) for host in call.hooks.hosts],
    }
