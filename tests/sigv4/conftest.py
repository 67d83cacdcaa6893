"""What the tests of this room share: Amazon's example key, and requests as they would arrive."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from valetkey.sigv4.claims import Claim, read_claim
from valetkey.sigv4.received import ReceivedRequest
from valetkey.sigv4.secret import Secret
from valetkey.sigv4.signer import Signer
from valetkey.sigv4.verify import Proof, require_signature

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "vectors" / "sigv4-vectors.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="session")
def at() -> datetime:
    return datetime(2013, 5, 24, tzinfo=UTC)


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer(ACCESS_KEY, SECRET_KEY, region=REGION, endpoint="http://127.0.0.1:9000")


@pytest.fixture(scope="session")
def receive() -> Callable[..., ReceivedRequest]:
    def receive(
        url: str, method: str = "GET", headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> ReceivedRequest:
        """Return the request that a client makes of `url`, with the Host that follows from it."""
        host, _, target = url.partition("://")[2].partition("/")
        path, _, query = f"/{target}".partition("?")
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        sent = [(name.lower().encode(), value.encode()) for name, value in pairs]
        if not any(name == b"host" for name, _ in sent):
            sent.insert(0, (b"host", host.encode()))
        return ReceivedRequest(method, path.encode(), query.encode(), sent)

    return receive


@pytest.fixture(scope="session")
def claim_of(at: datetime) -> Callable[..., Claim]:
    def claim_of(request: ReceivedRequest, now: datetime = at) -> Claim:
        claim = read_claim(request, region=REGION, now=now)
        assert claim is not None
        return claim

    return claim_of


@pytest.fixture(scope="session")
def prove(claim_of: Callable[..., Claim], at: datetime) -> Callable[..., Proof]:
    def prove(request: ReceivedRequest, now: datetime = at, **rules: Any) -> Proof:
        """Return the proof of a request signed with Amazon's example key, or raise."""
        return require_signature(claim_of(request, now), request, secret=Secret(SECRET_KEY), **rules)

    return prove
