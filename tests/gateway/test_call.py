"""The values that pass through one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import UTC, datetime

from valetkey.gateway.call import Request, Trail
from valetkey.sigv4.verify import SignedHost


async def first() -> AsyncIterator[bytes]:
    yield b"first"


async def other() -> AsyncIterator[bytes]:
    yield b"other"


def test_a_request_with_another_body_is_the_same_in_all_else() -> None:
    request = Request(
        "POST", b"/b", b"a=1", [(b"host", b"h")], first, datetime(2026, 11, 28, tzinfo=UTC), "192.0.2.1", True,
        (SignedHost(host=b"x"),), Trail(operation="PostObject"), True, 7,
    )  # fmt: skip
    # No field has what it would have by itself.
    assert all(getattr(request, each.name) != each.default for each in fields(Request))
    changed = request.with_body(other)
    names = [each.name for each in fields(Request)]
    assert {name for name in names if getattr(changed, name) is not getattr(request, name)} == {"body"}
    assert changed.body is other
