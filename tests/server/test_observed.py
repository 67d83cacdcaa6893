"""What was observed becomes what the history keeps, without anything that opens a door."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from valetkey.gateway.call import Answer, Request, Trail
from valetkey.links.history.model import Note, Party
from valetkey.policy.principal import Principal, PrincipalKind
from valetkey.s3.target import Target
from valetkey.server import observed as observing
from valetkey.server.observed import Notes, Observed, Over, observed

_ALICE = "a" * 64


async def _no_body() -> Any:
    yield b""


def seen(
    *,
    key: str | None = "cats/1.jpg",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    answer: Answer | None = None,
    principal: Principal | None = None,
    sent_bytes: int = 10,
    signer: str = "VKL1",
) -> Observed:
    trail = Trail(target=Target("photos", key, virtual=False), operation="GetObject", principal=principal)
    request = Request("GET", b"/", b"", headers, _no_body, datetime.now(UTC), remote="192.0.2.7", trail=trail)
    over = Over(request, answer, False, "ID", 5_000_000, 6_000_000, 7_500_000, sent_bytes, 3)
    return observed(over, signer, _ALICE)


def noted(one: Observed) -> Note:
    (note,) = Notes()([one])
    return note


def test_an_attempt_is_kept_with_its_circumstances() -> None:
    user = Principal(kind=PrincipalKind.USER, name="ann", account_id=_ALICE)
    headers = ((b"user-agent", b"curl/8"), (b"referer", b"https://Example.com/page?secret=1"))
    note = noted(seen(headers=headers, answer=Answer(206, []), principal=user))
    assert note[:7] == (5, "VKL1", "cats/1.jpg", 10, 3, 2500, "ID")
    assert note.circumstances == (
        False, Party(_ALICE, "ann"), Party(_ALICE), "GetObject", "photos", 206, "192.0.2.7", "curl/8", "example.com",
        None,
    )  # fmt: skip


def test_the_account_alone_is_kept_of_who_is_no_user() -> None:
    role = Principal(kind=PrincipalKind.ROLE, name="job", account_id=_ALICE)
    assert noted(seen(principal=role)).circumstances.party == Party(_ALICE)


def test_a_client_that_left_has_status_0_and_sent_nothing() -> None:
    note = noted(seen(sent_bytes=-1))
    assert (note.circumstances.status, note.sent_bytes) == (0, 0)


@pytest.mark.parametrize("key", ["a?X-Amz-Signature=" + "0f" * 32, "a%3FX-Amz-Signature%3D" + "0f" * 32])
def test_a_key_with_a_signature_is_kept_without_it(key: str) -> None:
    plain, none, redacted = Notes()([seen(), seen(key=None), seen(key=key)])
    assert (plain.key, none.key) == ("cats/1.jpg", None)
    assert redacted.key is not None
    assert "0f" * 8 not in redacted.key


def test_what_no_text_can_hold_is_replaced() -> None:
    assert noted(seen(key="a\ud800")).key == "a?"


def test_a_long_agent_is_cut() -> None:
    assert len(noted(seen(headers=((b"user-agent", b"x" * 9000),))).circumstances.agent) == 256


def test_more_circumstances_than_are_remembered_are_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "_MOST_KNOWN", 5)
    notes = Notes()
    for _ in range(3):
        agents = [b"agent %d" % number for number in range(20)]
        kept = notes([seen(headers=((b"user-agent", agent),)) for agent in agents])
        assert [note.circumstances.agent.encode() for note in kept] == agents
