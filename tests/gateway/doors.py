"""Gateways that a test makes, and how it asks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from valetkey import Secret, Signer
from valetkey.gateway.call import Answer, Keys, Request, Rules
from valetkey.gateway.flow import Gateway
from valetkey.gateway.links.door import LinkDoor
from valetkey.gateway.session_tokens import TokenBox
from valetkey.links import Ledger
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.store.store import Store

AT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
HOST = b"127.0.0.1:9000"
SIGNER = Signer("AKIDEXAMPLE", "the-secret-of-the-example", endpoint="http://127.0.0.1:9000")
ROOT = Principal(kind=PrincipalKind.ACCOUNT, name="root", account_id="a" * 64)
STRANGER = Principal(kind=PrincipalKind.ACCOUNT, name="stranger", account_id="b" * 64)


@dataclass
class FewKeys:
    """Keys that can be taken back."""

    secrets: dict[str, Secret] = field(
        default_factory=lambda: {"AKIDEXAMPLE": Secret("the-secret-of-the-example")}
    )
    strangers: set[str] = field(default_factory=set)
    """Those that are another account's."""
    uses: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] | None = None
    """What another worker does while a key is looked up for the next time."""

    def find(self, access_key: str) -> tuple[Secret, Principal] | None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        secret = self.secrets.get(access_key)
        return None if secret is None else (secret, STRANGER if access_key in self.strangers else ROOT)

    def find_session(self, access_key: str, token: str, *, now_ms: int) -> tuple[Secret, Principal] | None:
        return None

    def note_use(self, access_key: str, *, now_ms: int) -> None:
        self.uses.append(access_key)

    def name_of(self, account_id: str) -> str | None:
        return ROOT.name if account_id == ROOT.account_id else None

    def id_by_email(self, email: str) -> str | None:
        return None


@dataclass
class Door:
    """A gateway, and its keys."""

    gateway: Gateway
    keys: FewKeys
    store: Store
    ledger: Ledger
    links: LinkDoor

    async def ask(
        self,
        method: str,
        url: str,
        *,
        at: datetime = AT,
        headers: list[tuple[bytes, bytes]] | None = None,
        body: bytes = b"",
        host: bytes = HOST,
    ) -> Answer:
        async def pieces() -> AsyncIterator[bytes]:
            yield body

        parts = urlsplit(url)
        sent = [(b"host", host), (b"content-length", str(len(body)).encode()), *(headers or [])]
        request = Request(method, parts.path.encode(), parts.query.encode(), sent, pieces, at.replace())
        return await self.gateway.answer(request, request_id="id", host_id="host")


def link_door(folder: Path, keys: Keys, rules: Rules) -> LinkDoor:
    """Return a door to the ledger in `folder`, which a store has made."""
    return LinkDoor(ledger=Ledger.open(folder), keys=keys, rules=rules, secret_key=bytes(32))


@asynccontextmanager
async def opened_door(folder: Path, *, rules: Rules | None = None) -> AsyncIterator[Door]:
    """Yield a gateway to a bucket that holds one object, `k`."""
    store, keys, rules = Store.open(folder), FewKeys(), rules or Rules(region="us-east-1")
    links = link_door(folder, keys, rules)
    gateway = Gateway(
        store=store, links=links, keys=keys, rules=rules, box=TokenBox(bytes(32)), new_id=lambda: "id"
    )
    door = Door(gateway, keys, store, links.ledger, links)
    assert (await door.ask("PUT", str(SIGNER.presign("PUT", "bucket", at=AT)))).status == 200
    put = str(SIGNER.presign("PUT", "bucket", "k", at=AT))
    assert (await door.ask("PUT", put, body=b"one")).status == 200
    yield door
    await links.ledger.close()
    await store.close()
