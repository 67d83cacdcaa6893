"""Bringing the log of a bucket into its target bucket, in pieces.

Source: Amazon S3 User Guide, "Logging requests with server access logging". Unlike there, what the server delivers is
no request, and has no line of its own: a bucket may be its own target.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from valetkey.gateway.call import Rules
from valetkey.gateway.operations.kept_settings import default_encryption_of, logging_of
from valetkey.gateway.operations.rewriting import Digests, stored_etag
from valetkey.processes.file_lock import FileLock
from valetkey.s3.checksums import Algorithm
from valetkey.s3.logging_status import LoggingEnabled, log_key
from valetkey.store.errors import NoSuchBucketError, NoSuchEntityError, StoreClosedError, StoreError
from valetkey.store.folder import PRIVATE_FOLDER_MODE
from valetkey.store.model import Bucket, Encryption, NewObject
from valetkey.store.store import Store

_LOG: Final = logging.getLogger("valetkey")

SPOOL_NAME: Final = "server-logs"
_ONE_LOCK: Final = "delivery.lock"
_PIECE_BYTES: Final = 256 * 1024


class _Piece(NamedTuple):
    """A file of lines, of one bucket and one day."""

    path: Path
    bucket_id: int
    day: datetime


def spool_lock(spool: Path) -> FileLock:
    """Return the lock that is held while files in the spool are written, or taken away. The folder is made.

    Raises:
        OSError
    """
    spool.mkdir(PRIVATE_FOLDER_MODE, exist_ok=True)
    return FileLock(spool / "spool.lock")


async def deliver_logs(
    store: Store, data: Path, rules: Rules, *, now: datetime, new_id: Callable[[], str]
) -> int:
    """Deliver all lines that lie in the data folder, and return how many objects that made.

    If another process does so just now, this one does nothing. After a crash a piece may come twice, none is lost.

    Raises:
        StoreError, OSError
    """
    spool = data / SPOOL_NAME
    if not spool.is_dir():
        return 0
    one = FileLock(spool / _ONE_LOCK)
    try:
        if not one.take_at_once():
            return 0
        pieces = await asyncio.to_thread(_take_pieces, spool)
        buckets = {bucket.id: bucket.name for bucket in await store.buckets.list()} if pieces else {}
        made = 0
        for piece in pieces:
            made += await _deliver(store, rules, piece, buckets, now=now, new_id=new_id)
        return made
    finally:
        one.close()


def _take_pieces(spool: Path) -> list[_Piece]:
    lock = spool_lock(spool)
    try:
        with lock.hold():
            for path in spool.glob("*.log"):
                path.rename(path.with_suffix(f".{secrets.token_hex(8)}.out"))
    finally:
        lock.close()
    pieces = []
    for path in sorted(spool.glob("*.out")):
        bucket_id, day, *_ = path.name.split(".")
        pieces.append(_Piece(path, int(bucket_id), datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)))
    return pieces


async def _deliver(
    store: Store,
    rules: Rules,
    piece: _Piece,
    buckets: Mapping[int, str],
    *,
    now: datetime,
    new_id: Callable[[], str],
) -> int:
    try:
        source = store.buckets.find(buckets.get(piece.bucket_id, ""))
        config = logging_of(source)
        if config is not None and source.id == piece.bucket_id:
            target = store.buckets.find(config.target_bucket)
            if rules.owner_of(target) == rules.owner_of(source):
                key = _key(store, rules, source, config, piece, now)
                await _store(store, target, key, piece.path, now=now, new_id=new_id)
                piece.path.unlink(missing_ok=True)
                return 1
    except NoSuchBucketError:
        pass
    except StoreClosedError:
        raise
    except StoreError as error:
        # The next time again.
        _LOG.warning("A piece of the log of bucket %d cannot be delivered: %s", piece.bucket_id, error)
        return 0
    # Nobody wants it any more, or it has nowhere to go.
    piece.path.unlink(missing_ok=True)
    return 0


def _key(
    store: Store, rules: Rules, source: Bucket, config: LoggingEnabled, piece: _Piece, now: datetime
) -> str:
    try:
        number = store.identities.find_account(rules.owner_of(source)).number
    except NoSuchEntityError:
        number = ""
    return log_key(
        config,
        source_account=number,
        source_region=rules.region,
        source_bucket=source.name,
        event_day=piece.day,
        now=now,
        unique=secrets.token_hex(8).upper(),
    )


async def _store(
    store: Store, target: Bucket, key: str, path: Path, *, now: datetime, new_id: Callable[[], str]
) -> None:
    digests = Digests(Algorithm.CRC64NVME)
    default = default_encryption_of(target)
    async with await store.receive(
        _content(path),
        size_hint=(await asyncio.to_thread(path.stat)).st_size,
        observe=digests.observe,
        encryption=Encryption(kind=default.kind) if default and default.kind else None,
    ) as draft:
        new = NewObject(
            etag=stored_etag(digests.etag, None),
            headers={"content-type": "text/plain"},
            checksum=digests.checksum,
        )
        await store.put_object(
            target, key, draft, new, version_id=new_id(), now_ms=round(now.timestamp() * 1000)
        )


async def _content(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()
