"""What is told of a link, and how it is written and signed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

SIGNATURE_HEADER: Final = "Valetkey-Signature"


class HookKind(Enum):
    """What has happened. The values stay as they are: programs match on them."""

    FIRST_USE = "link.first_use"
    USED_UP = "link.used_up"
    UPLOAD_FINISHED = "link.upload_finished"
    REFUSED = "link.refused"
    """A request by the link was refused. It is told when there were more than a certain number of them."""


ONCE: Final = frozenset({HookKind.FIRST_USE, HookKind.USED_UP})
"""What is told once in a link's life, however often it is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """Something that happened to a link that names a webhook."""

    kind: HookKind
    link: str
    account: str
    """Of the link's issuer, as canonical user id."""
    url: str
    at_ms: int
    """Unix time in milliseconds."""
    label: str = ""
    facts: Mapping[str, object]
    """What else is told: bucket, key, operation, and so on; JSON."""


def body_of(event: HookEvent, *, delivery_id: str, more: Mapping[str, object]) -> str:
    """Return the JSON that is sent. The id is the same however often a delivery is tried."""
    instant = datetime.fromtimestamp(event.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    told = {
        "id": delivery_id,
        "event": event.kind.value,
        "time": instant.replace("+00:00", "Z"),
        "link": event.link,
        "label": event.label,
        **event.facts,
        **more,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def signature_of(body: bytes, *, secret: str, at_s: int) -> str:
    """Return the value of the signature's header: `t=SECONDS,v1=HEX`.

    What is signed is the time, a dot, and the body; the key is the secret's text.
    """
    digest = hmac.digest(secret.encode(), b"%d." % at_s + body, "sha256").hex()
    return f"t={at_s},v1={digest}"
