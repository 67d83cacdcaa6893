"""A process that writes to a store until it is killed, and says what it begins and what it was told is done.

Run as `python scribe.py FOLDER NAME SEED`. Each line is a JSON list: "begin" or "done", then the key and the
digest of its content, or null for a deletion.
"""

import asyncio
import hashlib
import itertools
import json
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from valetkey.store import Deletion, NewObject, Store

KEYS = 6
SIZES = (0, 10, 999, 1001, 30_000, 1_500_000)


def say(word: str, key: str, digest: str | None) -> None:
    print(json.dumps([word, key, digest]), flush=True)


async def put(store: Store, key: str, body: bytes, *, in_parts: bool) -> None:
    async def halves() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        yield body[len(body) // 2 :]

    draft = await store.receive(halves(), size_hint=None, observe=lambda _: None)
    new = NewObject(etag="e", headers={})
    if not in_parts:
        await store.put_object("bucket", key, draft, new, now_ms=0)
        return
    upload_id = random.randbytes(16).hex()
    await store.uploads.create("bucket", key, upload_id=upload_id, headers={}, now_ms=0)
    await store.uploads.put_part(upload_id, 1, draft, "1", None, 0)
    again = await store.receive(halves(), size_hint=None, observe=lambda _: None)
    await store.uploads.put_part(upload_id, 2, again, "2", None, 0)
    parts = [(1, "1"), (2, "2")]
    await store.uploads.complete("bucket", key, upload_id, parts=parts, new=new, now_ms=0)


async def write_on(store: Store, key: str, seed: str) -> None:
    chance = random.Random(f"{seed}{key}")
    for number in itertools.count():
        if chance.random() < 0.25:
            say("begin", key, None)
            await store.delete_object("bucket", Deletion(key=key), now_ms=0)
            say("done", key, None)
            continue
        size = chance.choice(SIZES)
        body = (hashlib.sha256(f"{seed}{key}{number}".encode()).digest() * (size // 32 + 1))[:size]
        in_parts = chance.random() < 0.3
        digest = hashlib.sha256(body * (2 if in_parts else 1)).hexdigest()
        say("begin", key, digest)
        await put(store, key, body, in_parts=in_parts)
        say("done", key, digest)


async def main(folder: Path, name: str, seed: str) -> None:
    store = Store.open(folder, inline_limit_bytes=1000, minimum_part_bytes=0)
    await asyncio.gather(*(write_on(store, f"{name}/{number}", seed) for number in range(KEYS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
