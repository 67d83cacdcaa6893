"""Links and downloads as tests need them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from valetkey.links.model import DAY_MS, Client, Download, Grant, Issuer, Link, LinkFilter, Verb

NOW_MS: Final = 1_790_000_000_000
ALICE: Final = Issuer("a" * 64, "ALICEKEY", None)
CAROL: Final = Issuer("a" * 64, "CAROLKEY", "AIDACAROL")
BOB: Final = Issuer("b" * 64, "BOBKEY", None)
OF_ALICE: Final = LinkFilter(account_id=ALICE.account_id)


def grant(**more: Any) -> Grant:
    """Return a grant to read one key for a day."""
    plain = Grant(verbs=(Verb.GET,), bucket="bucket", key="key", ends_ms=NOW_MS + DAY_MS)
    return replace(plain, **more)


def link(link_id: str = "VKLONE", *, issuer: Issuer = ALICE, **more: Any) -> Link:
    """Return a link with such a grant."""
    return Link(id=link_id, issuer=issuer, grant=grant(**more), created_ms=NOW_MS)


def download(
    length: int = 100, *, size: int = 100, agent: str = "curl", is_range: bool = False, etag: str = "e1"
) -> Download:
    """Return an answer with content for one client."""
    return Download(
        client=Client("10.0.0.1", agent), key="key", etag=etag, size=size, length=length, is_range=is_range
    )
