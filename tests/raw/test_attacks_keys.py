"""A client's own key is told to nobody: not in an answer, not in the log, not on the disk."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

import pytest
from tests.raw.door import Door, open_door
from tests.raw.wire import Reply

from valetkey.testing.server import RunningServer, running_server

KEY = hashlib.sha256(b"a key of a client's own").digest()
OTHER_KEY = hashlib.sha256(b"another key").digest()
PLAIN = b"what the key hides " * 100


def headers_of(key: bytes, *, of_source: bool = False) -> Mapping[str, str]:
    prefix = "x-amz-copy-source-" if of_source else "x-amz-"
    prefix += "server-side-encryption-customer-"
    digest = hashlib.md5(key, usedforsecurity=False).digest()
    return {
        f"{prefix}algorithm": "AES256",
        f"{prefix}key": base64.b64encode(key).decode(),
        f"{prefix}key-md5": base64.b64encode(digest).decode(),
    }


def forms_of(key: bytes) -> list[bytes]:
    """Return how a key may be written, also in the `…Bytes` elements of an error document."""
    text = base64.b64encode(key).decode()
    written = [text, quote(text, safe=""), quote(quote(text, safe=""), safe="")]
    return [key, *(each.encode() for each in written), *(each.encode().hex(" ").encode() for each in written)]


def assert_untold(found: bytes) -> None:
    for key in (KEY, OTHER_KEY):
        for form in forms_of(key):
            assert form not in found
            assert form.upper() not in found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, list[Reply]]]:
    """A server and its answers to requests with keys, of which all but the first two are refused."""
    with running_server(tmp_path_factory.mktemp("keys") / "data") as running:
        door = open_door(running, "keyed")
        forged = replace(door, key=replace(door.key, secret_key="not the secret key"))
        right, source = headers_of(KEY), headers_of(KEY, of_source=True)
        path = door.path("secret")
        query = list(right.items())
        pairs = [f"{name}={quote(value, safe='')}" for name, value in query]
        copied = {"x-amz-copy-source": path, **source, **headers_of(OTHER_KEY)}
        bad_digest = {**right, "x-amz-server-side-encryption-customer-key-md5": "x"}
        bad_algorithm = {**right, "x-amz-server-side-encryption-customer-algorithm": "rot13"}
        v2 = door.key.presign_v2("GET", path, headers=right, changes={"Signature": "AAAA"})
        replies = [
            door.signed("PUT", path, headers=right, body=PLAIN),
            door.presigned("GET", "secret", query=query),
            forged.signed("GET", path, headers=right),
            forged.signed("PUT", door.path("copy"), headers=copied),
            forged.presigned("GET", "secret", headers=right),
            forged.presigned("GET", "secret", query=query),
            forged.presigned("GET", "secret", query=[(name.title(), value) for name, value in query]),
            forged.presigned("GET", "secret", query=list(source.items())),
            door.send("GET", v2, headers=right),
            door.signed("GET", path, headers=bad_digest),
            door.signed("GET", path, headers=bad_algorithm),
            door.presigned("GET", "secret", query=list(bad_digest.items())),
            door.presigned("GET", "secret", headers=right, expires="0"),
            door.signed("GET", path, headers=headers_of(OTHER_KEY)),
            door.send("GET", door.key.presign("GET", path), headers=right),
            door.send("GET", f"{path}?{'&amp;'.join(pairs)}"),
            door.send("GET", f"{path}?{'&'.join(pairs)}".replace("customer-key=", "customer%2Dkey=")),
            door.send("GET", quote(f"{path}?{'&'.join(pairs)}")),
        ]
        yield door, replies


def test_a_key_opens_what_it_closed_and_comes_back_in_no_answer(story: tuple[Door, list[Reply]]) -> None:
    _, replies = story
    assert [reply.status for reply in replies[:2]] == [200, 200]
    assert replies[1].body == PLAIN
    assert all(400 <= reply.status < 500 for reply in replies[2:])
    for reply in replies:
        assert_untold(reply.body)
        assert_untold(repr(reply.headers).encode())


def test_what_was_signed_is_shown_without_the_key(story: tuple[Door, list[Reply]]) -> None:
    shown = [reply.fault for reply in story[1][2:] if b"<CanonicalRequest>" in reply.body]
    assert len(shown) >= 5
    for fault in shown:
        assert re.search("customer-key[:=]REDACTED", fault.details["CanonicalRequest"], re.IGNORECASE)
        told = bytes.fromhex(fault.details["CanonicalRequestBytes"])
        assert told.decode() == fault.details["CanonicalRequest"]
    v2 = next(reply.fault for reply in story[1][2:] if b"customer-key:REDACTED" in reply.body)
    assert "StringToSign" in v2.details


def test_no_key_and_nothing_that_it_hides_is_written_down(story: tuple[Door, list[Reply]]) -> None:
    server: RunningServer = story[0].server
    server.stop()
    log = server.log.read_bytes()
    assert b"customer-key=REDACTED" in log
    assert_untold(log)
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert PLAIN[:19] not in content
        assert_untold(content)
        assert path.stat().st_mode & 0o077 == 0
