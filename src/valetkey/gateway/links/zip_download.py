"""All that is under a link's prefix as one ZIP file, made while it goes out.

Its length is known before its first byte, since nothing is compressed: clients show how far they are, and a link's
bytes are counted as those of any other download. Memory holds the names, and one block of one object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from typing import Final
from unicodedata import normalize
from weakref import WeakSet

from zipstream import ZipStream

from valetkey.gateway.call import Answer, Call
from valetkey.gateway.links.door import ZIP
from valetkey.links import LinkRefusedError, Rule
from valetkey.links.model import Link, Verb
from valetkey.s3.codes import Code
from valetkey.s3.disposition import attachment, is_filename
from valetkey.s3.errors import S3Error
from valetkey.store.content_reader import ContentReader
from valetkey.store.errors import ContentGoneError
from valetkey.store.model import ObjectSummary, StoredObject

MOST_OBJECTS: Final = 100_000
"""In one file: each takes about 1 KiB of memory while it is made."""

MOST_AT_ONCE: Final = 4 * MOST_OBJECTS
"""In all the files that one worker makes at a time."""

_PAGE: Final = 1000
_THREADS: Final = 4
_CUSTOMER_KEY: Final = "SSE-C"
_POOL: Final = ThreadPoolExecutor(_THREADS, thread_name_prefix="valetkey-zip")


def is_zip(call: Call) -> bool:
    """Return whether the whole of a link's prefix is asked for."""
    return ZIP in call.query and call.operation.name in ("GetObject", "HeadObject")


async def get_zip(call: Call, link: Link) -> Answer:
    """Return the answer that holds all that is under the key asked for and that the link's issuer may read.

    Objects under a key of their client's own are left out: nobody here can read them.

    Raises:
        LinkRefusedError: the link does not list and read a prefix.
        S3Error: InvalidRequest, where there are too many objects.
        AccessDeniedError: the issuer may not list them.
    """
    grant = link.grant
    if not (grant.is_prefix and {Verb.GET, Verb.LIST} <= set(grant.verbs)):
        raise LinkRefusedError(Rule.OPERATION)
    call.authority.at(call.bucket, "").require("s3:ListBucket")
    archive, digest = ZipStream(sized=True), md5(usedforsecurity=False)
    loop = asyncio.get_running_loop()
    body = ZipBody(archive)
    _LIVE.add(body)
    names: dict[str, int] = {}
    async for entry in _readable(call, call.key):
        name = _free_name(entry.key[len(call.key) :], names)
        if name is None:
            continue
        body.count += 1
        _require_room()
        digest.update(f"{entry.key}\0{entry.etag}\0".encode())
        archive.add(_content(call, entry, loop), name, size=entry.size)
    headers = [
        (b"content-type", b"application/zip"),
        (b"content-disposition", attachment(f"{_title(call.key, link)}.zip").encode()),
        (b"etag", f'"{digest.hexdigest()}-zip"'.encode()),
    ]
    length = len(archive)
    if call.request.method == "HEAD":
        return Answer(200, headers, b"", length)
    return Answer(200, headers, body, length)


class ZipBody:
    """The bytes of an archive on their way out."""

    def __init__(self, archive: ZipStream) -> None:
        self.count = 0
        """How many objects it holds."""
        self._archive: ZipStream | None = archive

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop, blocks = asyncio.get_running_loop(), iter(self._archive or ())
        while (block := await loop.run_in_executor(_POOL, next, blocks, None)) is not None:
            if block:
                yield block

    def close(self) -> None:
        """What is open of an object is closed with the generator that reads it."""
        self._archive, self.count = None, 0


_LIVE: Final[WeakSet[ZipBody]] = WeakSet()


def _require_room() -> None:
    if sum(body.count for body in _LIVE) > MOST_AT_ONCE:
        raise S3Error(Code.SLOW_DOWN)


def _content(call: Call, entry: ObjectSummary, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield an object's content, from a thread that makes the archive.

    Raises:
        ContentGoneError: it has been replaced or deleted since it was listed. The length is promised, so the
            download then breaks off.
    """
    found = asyncio.run_coroutine_threadsafe(_find(call, entry), loop).result()
    reader = asyncio.run_coroutine_threadsafe(_open(call, found), loop).result()
    try:
        blocks = aiter(reader)
        while (block := asyncio.run_coroutine_threadsafe(_next(blocks), loop).result()) is not None:
            yield block
    finally:
        loop.call_soon_threadsafe(reader.close)


async def _find(call: Call, entry: ObjectSummary) -> StoredObject:
    found = call.store.find_object(call.bucket_name, entry.key)
    if (found.etag, found.size) != (entry.etag, entry.size):
        raise ContentGoneError
    return found


async def _open(call: Call, found: StoredObject) -> ContentReader:
    return call.store.open_content(found, 0, found.size, customer_key=None)


async def _next(blocks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(blocks, None)


async def _readable(call: Call, prefix: str) -> AsyncIterator[ObjectSummary]:
    """Yield what is under the prefix and may be read."""
    after, count = "", 0
    while True:
        page = await call.store.list_objects(call.bucket, prefix=prefix, after=after, limit=_PAGE)
        for entry in page.entries:
            count += 1
            if count > MOST_OBJECTS:
                raise S3Error(
                    Code.INVALID_REQUEST,
                    f"There are more than {MOST_OBJECTS} objects: fetch them one by one.",
                )
            if _may_read(call, entry):
                yield entry
        if page.next_after is None:
            return
        after = page.next_after


def _may_read(call: Call, entry: ObjectSummary) -> bool:
    if not call.authority.at(call.bucket, entry.key).allows("s3:GetObject"):
        return False
    found = call.store.find_object(call.bucket_name, entry.key)
    return found.encryption != _CUSTOMER_KEY


def _free_name(key: str, taken: dict[str, int]) -> str | None:
    """Return a name in the archive that leads out of no folder and that nothing else has; None for a folder.

    Keys may hold `..`, begin with a slash or be told apart by what file systems fold; programs that unpack do with
    such names what they like. `taken` holds the names given so far, folded, and how often each was wanted.
    """
    if key.endswith("/"):
        return None
    parts = [part for part in key.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if not parts:
        return None
    *folders, last = [part.replace(":", "_") for part in parts]
    wanted = name = "/".join([*folders, last])
    stem, dot, ending = last.rpartition(".")
    while _folded(name) in taken:
        # It goes on where it ended for the last such name: else many of them would take for ever.
        number = taken[_folded(wanted)] = taken[_folded(wanted)] + 1
        numbered = f"{stem} ({number}).{ending}" if dot and stem else f"{last} ({number})"
        name = "/".join([*folders, numbered])
    taken[_folded(name)] = 1
    return name


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()


def _title(prefix: str, link: Link) -> str:
    """Return what the file is called: as the issuer says, or like the folder or the bucket."""
    grant = link.grant
    name = grant.filename or prefix.rstrip("/").rpartition("/")[2] or grant.bucket
    name = name.removesuffix(".zip")
    return name if is_filename(name) else grant.bucket
