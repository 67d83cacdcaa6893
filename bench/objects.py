"""The objects that every server gets, and requests to make them."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.load import request_head
from bench.peers.peer import Peer
from bench.transfer import Client, Sending
from valetkey import Signer

BUCKET: Final = "benchmark"
CONTENT_TYPE: Final = "application/octet-stream"
LIFETIME_S: Final = 3600
MIB: Final = 1024 * 1024

_CONNECTIONS: Final = 8
_SMALL_BYTES: Final = 64 * 1024


def key_of(number: int) -> str:
    """Return the key of one of the objects."""
    return f"objects/{number:05}.bin"


def content_of(number: int, size_bytes: int) -> bytes:
    """Return what an object holds."""
    return (b"%05d " % number * (size_bytes // 6 + 1))[:size_bytes]


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Send one request and return the body of its answer.

    Raises:
        urllib.error.HTTPError: it was refused.
    """
    typed = {} if body is None else {"Content-Type": CONTENT_TYPE}
    request = urllib.request.Request(url, data=body, method=method, headers=typed | dict(headers or {}))
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def make_bucket(signer: Signer) -> None:
    """Make the bucket for the objects."""
    send("PUT", str(signer.presign("PUT", BUCKET)))


def put_small(url: str, body: bytes) -> bytes:
    """Return a whole request that uploads `body`."""
    return request_head("PUT", url, length=len(body), content_type=CONTENT_TYPE) + body


def put_file(url: str, file: Path) -> Sending:
    """Return a request that uploads a file."""
    length = file.stat().st_size
    return Sending(request_head("PUT", url, length=length, content_type=CONTENT_TYPE), file, length)


def fill(signer: Signer, *, count: int, size_bytes: int, folder: Path) -> None:
    """Make the bucket and put the objects into it. Large ones come from files in `folder`, written if missing."""
    make_bucket(signer)
    urls = [str(signer.presign("PUT", BUCKET, key_of(number))) for number in range(count)]
    if size_bytes <= _SMALL_BYTES:
        sendings = [
            Sending(put_small(url, content_of(number, size_bytes))) for number, url in enumerate(urls)
        ]
    else:
        files = source_files(folder, count=count, size_bytes=size_bytes)
        sendings = [put_file(url, file) for url, file in zip(urls, files, strict=True)]
    # rclone fails if two uploads want to make the same folder, so the first one goes alone.
    Client(signer.endpoint, connections=1).send_all(iter(sendings[:1]))
    Client(signer.endpoint, connections=_CONNECTIONS).send_all(iter(sendings[1:]))


def fill_files(root: Path, *, count: int, size_bytes: int, folder: Path) -> None:
    """Put the same objects below `root`, as links to the files in `folder`."""
    (root / BUCKET / "objects").mkdir(parents=True)
    for number, file in enumerate(source_files(folder, count=count, size_bytes=size_bytes)):
        (root / BUCKET / key_of(number)).hardlink_to(file)


def source_files(folder: Path, *, count: int, size_bytes: int) -> Sequence[Path]:
    """Return files with what the first objects hold."""
    folder.mkdir(exist_ok=True)
    files = [folder / str(number) for number in range(count)]
    for number, file in enumerate(files):
        if not file.exists():
            file.write_bytes(content_of(number, size_bytes))
    return files


def presigned(signer: Signer, method: str, *, objects: int, count: int, first: int = 0) -> Iterator[str]:
    """Yield so many distinct URLs by turns to each of the objects, from one of them on.

    Those of one object differ in their lifetime, and so in the signature.
    """
    for keys, lifetime_s in _turns(objects, count, first):
        yield from signer.presign_many(method, BUCKET, keys, expires=lifetime_s)


def links_to(peer: Peer, method: str, *, objects: int, count: int) -> Iterator[str]:
    """Yield the same for a server, which may have a way of its own to sign."""
    if peer.link is None:
        yield from presigned(peer.signer, method, objects=objects, count=count)
        return
    for keys, lifetime_s in _turns(objects, count):
        for key in keys:
            yield peer.link(f"/{BUCKET}/{key}", lifetime_s)


def _turns(objects: int, count: int, first: int = 0) -> Iterator[tuple[Sequence[str], int]]:
    keys = [key_of(number) for number in range(first, first + objects)]
    for turn in range(-(-count // objects)):
        yield keys[: count - turn * objects], LIFETIME_S + turn
