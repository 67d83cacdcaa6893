"""ARNs, unique ids and new keys, as IAM has them.

Source: IAM User Guide, "IAM identifiers".
"""

from __future__ import annotations

import secrets
from typing import Final

from valetkey.gateway.session_tokens import new_secret as new_secret
from valetkey.store.identity_model import EntityKind

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_CHARS: Final = 17

_PREFIXES: Final = {
    EntityKind.USER: "AIDA",
    EntityKind.GROUP: "AGPA",
    EntityKind.ROLE: "AROA",
    EntityKind.POLICY: "ANPA",
    EntityKind.ACCESS_KEY: "VKAK",
}


def new_unique_id(kind: EntityKind) -> str:
    """Return an id that nobody has, nor will have: 21 characters. Of access keys, it is what they are known by."""
    return _PREFIXES[kind] + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARS))


def entity_arn(number: str, kind: EntityKind, path: str, name: str) -> str:
    """Return the ARN of a user, group, role or policy; `number` is that of its account, `path` has both slashes."""
    return f"arn:aws:iam::{number}:{kind.value}{path}{name}"


def account_number(account_id: str) -> str:
    """Return the 12 digits by which ARNs name an account: they follow from its canonical user id."""
    return f"{int(account_id[:16], 16) % 10**12:012}"


def root_arn(number: str) -> str:
    """Return the ARN of an account."""
    return f"arn:aws:iam::{number}:root"
