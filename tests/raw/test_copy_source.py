"""The source of a copy as clients in other languages write it."""

from __future__ import annotations

import pytest
from tests.raw.door import Door


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("raw-requests/copy+source", b"with a space"),
        ("raw-requests%2Fcopy%20source", b"with a space"),
        ("/raw-requests/copy%2Bsource", b"with a plus"),
    ],
)
def test_source_is_encoded_as_in_a_query(door: Door, text: str, content: bytes) -> None:
    door.put("copy source", b"with a space")
    door.put("copy+source", b"with a plus")
    reply = door.presigned("PUT", "copied-source", headers={"x-amz-copy-source": text})
    assert reply.status == 200, reply.body
    assert door.content("copied-source") == content
