"""A large upload that cannot succeed is refused before its body is sent."""

from __future__ import annotations

import pytest
from tests.raw.door import Door
from tests.raw.wire import connect, head, read_reply

FIVE_GIB = 5 * 1024**3


@pytest.mark.parametrize("waits", [True, False], ids=["100-continue", "at once"])
@pytest.mark.parametrize(
    ("name", "condition", "refusal"),
    [
        ("early", {"if-none-match": "*"}, (412, "PreconditionFailed")),
        ("early", {"if-match": '"of another"'}, (412, "PreconditionFailed")),
        ("early-missing", {"if-match": '"of nothing"'}, (404, "NoSuchKey")),
    ],
    ids=["is there", "is another", "is not there"],
)
def test_condition_that_does_not_hold(
    door: Door, name: str, condition: dict[str, str], refusal: tuple[int, str], *, waits: bool
) -> None:
    door.put("early", b"content")
    signed = door.key.authorize("PUT", door.path(name), headers=condition)
    headers = {"Host": door.key.host, **signed.headers, "Content-Length": str(FIVE_GIB)}
    if waits:
        headers["Expect"] = "100-continue"
    with connect(door.server.port) as connection:
        connection.sendall(head("PUT", door.path(name), headers))
        reply = read_reply(connection, "PUT")
    assert reply.refusal == refusal
    assert reply.header("connection") == "close"
    assert door.content("early") == b"content"


def test_small_body_is_read_and_the_connection_goes_on(door: Door) -> None:
    door.put("early", b"content")
    signed = door.key.authorize("PUT", door.path("early"), headers={"if-none-match": "*"})
    headers = {"Host": door.key.host, **signed.headers, "Content-Length": "4"}
    with connect(door.server.port) as connection:
        for _ in range(2):
            connection.sendall(head("PUT", door.path("early"), headers) + b"body")
            reply = read_reply(connection, "PUT")
            assert reply.refusal == (412, "PreconditionFailed")
            assert reply.header("connection") is None
