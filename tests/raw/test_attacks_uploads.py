"""Uploads in parts that were made to cost much, or to tell what a client's own key hides."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from tests.raw.door import Door
from tests.raw.signing import Query

PART_BYTES: Final = 5 << 20
MOST_SEGMENTS: Final = 16
"""Of an object in two parts, each of which shares at most eight pieces."""


def begin(door: Door, name: str, headers: Mapping[str, str] | None = None) -> str:
    reply = door.signed("POST", door.path(name), query=[("uploads", "")], headers=headers)
    assert reply.status == 200, reply.body
    return reply.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()


def completion(etags: Sequence[str], checksum: str = "") -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{checksum}</Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()


def put_object_of(door: Door, name: str, *parts: bytes | Mapping[str, str]) -> None:
    """Keep an object of parts, each with its bytes or with the headers of a copy."""
    upload_id = begin(door, name)
    etags = []
    for number, part in enumerate(parts, 1):
        query: Query = [("partNumber", str(number)), ("uploadId", upload_id)]
        if isinstance(part, bytes):
            etag = door.signed("PUT", door.path(name), query=query, body=part).header("etag") or ""
        else:
            reply = door.signed("PUT", door.path(name), query=query, headers=part)
            etag = reply.body.partition(b"<ETag>")[2].partition(b"</ETag>")[0].decode()
        etags.append(etag)
    reply = door.signed("POST", door.path(name), query=[("uploadId", upload_id)], body=completion(etags))
    assert reply.status == 200, reply.body


def test_copies_of_copies_do_not_double_their_pieces(door: Door) -> None:
    # Twenty rounds made an object of a million pieces out of 5 MiB, and each look at it took seconds.
    small = b"0"
    put_object_of(door, "doubled-0", b"a" * PART_BYTES, small)
    for number in range(8):
        source = {"x-amz-copy-source": door.path(f"doubled-{number}")}
        tail = f"bytes={PART_BYTES}-{PART_BYTES + len(small) - 1}"
        put_object_of(door, f"doubled-{number + 1}", source, {**source, "x-amz-copy-source-range": tail})
        small += small
    assert door.content("doubled-8") == b"a" * PART_BYTES + small
    with closing(sqlite3.connect(f"file:{door.server.data / 'catalog.sqlite'}?mode=ro", uri=True)) as catalog:
        counts = catalog.execute("SELECT count(*) FROM segments GROUP BY content_id").fetchall()
    assert counts
    assert max(count for (count,) in counts) <= MOST_SEGMENTS


def key_headers() -> Mapping[str, str]:
    key = hashlib.sha256(b"a key for parts").digest()
    digest = hashlib.md5(key, usedforsecurity=False).digest()
    prefix = "x-amz-server-side-encryption-customer-"
    return {
        f"{prefix}algorithm": "AES256",
        f"{prefix}key": base64.b64encode(key).decode(),
        f"{prefix}key-md5": base64.b64encode(digest).decode(),
    }


def test_parts_under_a_clients_key_are_listed_without_digests_and_completed_with_the_key(door: Door) -> None:
    body = b"a part that the key hides"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    upload_id = begin(door, "keyed-parts", {**key_headers(), "x-amz-checksum-algorithm": "SHA256"})
    path, query = door.path("keyed-parts"), [("uploadId", upload_id)]
    part = door.signed("PUT", path, query=[("partNumber", "1"), *query], headers=key_headers(), body=body)
    assert part.header("x-amz-checksum-sha256") == digest
    etag = part.header("etag") or ""
    assert hashlib.md5(body, usedforsecurity=False).hexdigest() not in etag

    listed = door.signed("GET", path, query=query)
    assert b"<PartNumber>1</PartNumber>" in listed.body
    assert digest.encode() not in listed.body
    assert b"<ChecksumSHA256>" not in listed.body

    document = completion([etag], f"<ChecksumSHA256>{digest}</ChecksumSHA256>")
    assert door.signed("POST", path, query=query, body=document).refusal == (400, "InvalidRequest")
    assert door.signed("POST", path, query=query, headers=key_headers(), body=document).status == 200
    assert door.signed("GET", path, headers=key_headers()).body == body


def test_parts_under_a_clients_key_without_a_checksum_are_completed_without_the_key(door: Door) -> None:
    upload_id = begin(door, "keyed-plainly", key_headers())
    path, query = door.path("keyed-plainly"), [("uploadId", upload_id)]
    part = door.signed("PUT", path, query=[("partNumber", "1"), *query], headers=key_headers(), body=b"part")
    reply = door.signed("POST", path, query=query, body=completion([part.header("etag") or ""]))
    assert reply.status == 200
    assert door.signed("GET", path).status == 400
