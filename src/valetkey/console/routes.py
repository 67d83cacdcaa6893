"""The table of the admin API. Routing reads it, requests are checked by it, and its description is written from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from valetkey.console import explanation_routes, identity_routes, link_routes
from valetkey.console.route import Route
from valetkey.gateway.iam.errors import IamCode, IamError

ROUTES: Final = (
    *identity_routes.ACCOUNTS,
    *identity_routes.USERS,
    *identity_routes.KEYS,
    *identity_routes.POLICIES,
    *link_routes.LINKS,
    *link_routes.SHORT_ADDRESSES,
    *link_routes.REVOCATIONS,
    *link_routes.HISTORY,
    *explanation_routes.EXPLANATIONS,
)
"""Of two that a request fits, the first."""

NAMES: Final[Mapping[str, str]] = {
    "account": "Id, number or name of an account.",
    "user": "Name of a user.",
    "key": "Id of an access key.",
    "policy": "Name of a policy.",
    "link": "Id of a link.",
    "address": "Id of a short address.",
    "refusal": "Id of a refused request, or `last`.",
    "revocation": "Id of a revocation.",
}
"""What the names in paths stand for."""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


_PATTERNS: Final = [(route, _pattern(route.path)) for route in ROUTES]


def find_route(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """Return the operation that is asked for, with the names in the path, decoded.

    Raises:
        IamError: InvalidAction.
    """
    for route, pattern in _PATTERNS:
        found = pattern.fullmatch(path) if route.method == method else None
        if found is not None:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise IamError(IamCode.INVALID_ACTION, f"There is no operation {method} {path}.")
