"""Whatever is altered in a presigned request, it opens nothing."""

from __future__ import annotations

import pytest
from tests.raw.door import Door
from tests.raw.wire import Reply, exchange

REFUSED = {
    "AccessDenied",
    "AuthorizationQueryParametersError",
    "InvalidAccessKeyId",
    "InvalidArgument",
    "InvalidURI",
    "SignatureDoesNotMatch",
}


def altered(character: str) -> list[str]:
    """Return characters that HTTP allows in a request target, near `character` and unlike it."""
    candidates = [character.swapcase(), chr(ord(character) ^ 1), "0", "/", "%", "&", "+", "#"]
    return [other for other in dict.fromkeys(candidates) if other != character and other not in '<>"\\^`{|}'][
        :4
    ]


def require_refused(reply: Reply, what: str) -> None:
    assert reply.status in (400, 403), what
    assert reply.fault.code in REFUSED, what


# 43 and the length of a target have no common divisor, so that every kind of place is met.
@pytest.mark.parametrize("start", range(0, 43, 9))
def test_a_target_with_one_other_character_is_refused(door: Door, start: int) -> None:
    name = "folder/Altered ü+%.txt"
    door.put(name, b"content")
    query = [("response-content-type", "text/plain"), ("x-amz-meta-a", "b c")]
    target = door.key.presign("GET", door.path(name), query=query)
    assert door.send("GET", target).status == 200
    # From 1 on: a target that does not begin with a slash is no HTTP.
    for position in range(1 + start, len(target), 43):
        for other in altered(target[position]):
            changed = target[:position] + other + target[position + 1 :]
            require_refused(door.send("GET", changed), changed)


def test_a_target_with_a_character_more_or_less_is_refused(door: Door) -> None:
    door.put("more-or-less", b"content")
    target = door.key.presign("GET", door.path("more-or-less"))
    for position in range(1, len(target), 11):
        shorter = target[:position] + target[position + 1 :]
        longer = f"{target[:position]}a{target[position:]}"
        require_refused(door.send("GET", shorter), shorter)
        require_refused(door.send("GET", longer), longer)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "example.com", "127.0.0.1:1"])
def test_another_host_is_refused(door: Door, host: str) -> None:
    door.put("host-altered", b"content")
    target = door.key.presign("GET", door.path("host-altered"))
    reply = exchange(door.server.port, "GET", target, host=host)
    assert reply.refusal == (403, "SignatureDoesNotMatch")


def test_a_key_that_only_normalises_to_the_signed_one_is_refused(door: Door) -> None:
    door.put("a/b", b"content")
    target = door.key.presign("GET", door.path("a/b"))
    for other in ("a//b", "./a/b", "a/./b", "x/../a/b", "a%2Fb", "%61/b"):
        require_refused(door.send("GET", target.replace("a/b?", f"{other}?")), other)


def test_a_path_may_be_sent_with_its_punctuation_plain(door: Door) -> None:
    """Clients sign `%21` and some HTTP libraries send `!`: one key, and the same canonical request."""
    name = "a!b,(c)"
    door.put(name, b"content")
    target = door.key.presign("GET", door.path(name))
    assert door.path(name) in target
    assert door.send("GET", target.replace(door.path(name), f"/{door.bucket}/{name}")).body == b"content"
