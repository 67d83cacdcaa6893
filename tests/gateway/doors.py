"""The door for links, of a gateway that a test makes."""

from __future__ import annotations

from pathlib import Path

from valetkey.gateway.call import Keys, Rules
from valetkey.gateway.links.door import LinkDoor
from valetkey.links import Ledger


def link_door(folder: Path, keys: Keys, rules: Rules) -> LinkDoor:
    """Return a door to the ledger in `folder`, which a store has made."""
    return LinkDoor(ledger=Ledger.open(folder), keys=keys, rules=rules, secret_key=bytes(32))
