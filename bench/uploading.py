"""Writing, listing and both together by presigned URLs, beside every S3 server that can be had."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from bench.contest import Contest, Rival, UnableError, Work, comparison
from bench.load import loading, request_head, write_requests
from bench.objects import (
    BUCKET,
    CONTENT_TYPE,
    LIFETIME_S,
    MIB,
    content_of,
    fill,
    key_of,
    links_to,
    presigned,
    put_file,
    put_small,
    send,
    source_files,
)
from bench.peers.moto import MOTO
from bench.peers.peer import Peer
from bench.peers.rclone import RCLONE
from bench.peers.s3rver import S3RVER
from bench.peers.seaweedfs import SEAWEEDFS
from bench.peers.valetkey import VALETKEY
from bench.rounds import Plan, Unit
from bench.serving import PANEL
from bench.transfer import Client, Sending, transferring
from bench.usage import Done
from valetkey import Signer

GOAL_SMALL_PUT: Final = 2.0
GOAL_MULTIPART: Final = 1.0

_LISTED: Final = 1000
_READ: Final = 200
_PART_BYTES: Final = 16 * MIB
_PARTS: Final = 64
_FEW_CONNECTIONS: Final = 4
_UPLOAD_ID: Final = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_ETAG: Final = re.compile(rb'\r\netag: *"?([^"\r]+)"?\r\n', re.IGNORECASE)
_BOUNDARY: Final = "valetkey-bench-boundary"


def _putting(size_bytes: int, urls: int, peer: Peer, folder: Path, plan: Plan) -> Work:
    """Upload small objects, each under a key of its own until all have been there."""
    count = int(urls * plan.share)
    fill(peer.signer, count=1, size_bytes=size_bytes, folder=folder / "objects")
    requests = (
        put_small(url, content_of(number, size_bytes))
        for number, url in enumerate(presigned(peer.signer, "PUT", objects=count, count=count))
    )
    return loading(peer.endpoint, write_requests(folder / f"requests of {peer.name}", requests))


def _putting_large(size_bytes: int, urls: int, peer: Peer, folder: Path, plan: Plan) -> Work:
    fill(peer.signer, count=1, size_bytes=size_bytes, folder=folder / "objects")
    (source,) = source_files(folder / "objects", count=1, size_bytes=size_bytes)
    return transferring(
        peer.endpoint,
        [put_file(url, source) for url in presigned(peer.signer, "PUT", objects=urls, count=urls)],
        connections=_FEW_CONNECTIONS,
        amount_each=size_bytes / 1e6,
    )


def _putting_parts(peer: Peer, folder: Path, plan: Plan) -> Work:
    """Upload one object in parts, from the start of the upload to the answer that all of it is kept."""
    fill(peer.signer, count=1, size_bytes=1024, folder=folder / "objects")
    (part,) = source_files(folder / "part", count=1, size_bytes=_PART_BYTES)
    key = key_of(1)
    sign = partial(peer.signer.presign, bucket=BUCKET, key=key)
    parts = max(2, int(_PARTS * plan.share**2))

    def work(_seconds: float) -> Done:
        started = time.perf_counter()
        begun = _UPLOAD_ID.search(send("POST", str(sign("POST", query={"uploads": ""})), b""))
        if begun is None:
            raise RuntimeError(f"{peer.name} told no id of the upload.")
        upload_id = begun[1].decode()
        puts = (
            put_file(str(sign("PUT", query={"partNumber": str(number + 1), "uploadId": upload_id})), part)
            for number in range(parts)
        )
        heads = Client(peer.endpoint, connections=_FEW_CONNECTIONS).send_all(puts)
        send("POST", str(sign("POST", query={"uploadId": upload_id})), _completion(heads))
        seconds = time.perf_counter() - started
        _require_length(str(sign("HEAD")), parts * _PART_BYTES)
        # Where it goes, so that no disk fills up.
        send("DELETE", str(sign("DELETE")))
        return Done(requests=parts + 2, seconds=seconds, amount=parts * _PART_BYTES / 1e6)

    return work


def _completion(heads: list[bytes]) -> bytes:
    """Return the request that makes one object of the parts whose answers began so."""
    parts = []
    for number, head in enumerate(heads):
        etag = _ETAG.search(head)
        if etag is None:
            raise RuntimeError(f"A part has no ETag: {head!r}")
        parts.append(f'<Part><PartNumber>{number + 1}</PartNumber><ETag>"{etag[1].decode()}"</ETag></Part>')
    return f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()


def _require_length(url: str, expected_bytes: int) -> None:
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request, timeout=60) as answer:
        if int(answer.headers["Content-Length"]) != expected_bytes:
            raise RuntimeError(f"The object is of {answer.headers['Content-Length']} bytes.")


def _posting(peer: Peer, folder: Path, plan: Plan) -> Work:
    """Upload 1 KiB by the form of a browser, each with a policy of its own."""
    fill(peer.signer, count=1, size_bytes=1024, folder=folder / "objects")
    forms = (_form(peer.signer, number) for number in range(int(10_000 * plan.share)))
    load = write_requests(folder / f"requests of {peer.name}", forms)
    try:
        Client(peer.endpoint, connections=1).send_all(iter([Sending(_form(peer.signer, 0))]))
    except (RuntimeError, ConnectionError) as error:
        raise UnableError(f"It takes no form as browsers send it: {_status(error)}.") from error
    if send("GET", next(links_to(peer, "GET", objects=1, count=1))) != content_of(0, 1024):
        raise UnableError("What comes in a form it does not keep as the object.")
    return loading(peer.endpoint, load)


def _status(error: Exception) -> str:
    match = re.search(r"HTTP/1\.\d (\d{3} [\w ]*)", str(error))
    return match[1] if match else "no answer"


def _form(signer: Signer, number: int) -> bytes:
    post = signer.presign_post(BUCKET, key_of(number), expires=LIFETIME_S)
    fields = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in post.fields.items()
    )
    file = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        f"Content-Type: {CONTENT_TYPE}\r\n\r\n"
    )
    body = f"{fields}{file}".encode() + content_of(number, 1024) + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return request_head("POST", post.url, length=len(body), content_type=kind) + body


def _mixing(peer: Peer, folder: Path, plan: Plan) -> Work:
    """Read four objects and write another, over and over. None is written that is read."""
    urls = int(20_000 * plan.share)
    fill(peer.signer, count=_READ, size_bytes=1024, folder=folder / "objects")
    gets = presigned(peer.signer, "GET", objects=_READ, count=urls)
    puts = presigned(peer.signer, "PUT", objects=urls, count=urls // 4, first=_READ)

    def requests() -> Iterator[bytes]:
        for number, put in enumerate(puts):
            for _ in range(4):
                yield request_head("GET", next(gets))
            yield put_small(put, content_of(number, 1024))

    return loading(peer.endpoint, write_requests(folder / f"requests of {peer.name}", requests()))


def _listing(peer: Peer, folder: Path, plan: Plan) -> Work:
    fill(peer.signer, count=_LISTED, size_bytes=16, folder=folder / "objects")
    urls = [
        str(
            peer.signer.presign(
                "GET", BUCKET, expires=LIFETIME_S + number, query={"list-type": "2", "max-keys": str(_LISTED)}
            )
        )
        for number in range(2000)
    ]
    listed = send("GET", urls[0]).count(b"<Contents>")
    if listed != _LISTED:
        raise RuntimeError(f"{peer.name} lists {listed} keys.")
    requests = (request_head("GET", url) for url in urls)
    # With few connections, so that a slow server has little left to do when its turn is over.
    load = write_requests(
        folder / f"requests of {peer.name}",
        requests,
        received_bytes=_LISTED * 100,
        connections=_FEW_CONNECTIONS,
    )
    return loading(peer.endpoint, load)


def _rivals(goal: float | None = None) -> list[Rival]:
    return [
        Rival(kind=VALETKEY),
        *(Rival(kind=kind, goal=goal) for kind in (SEAWEEDFS, RCLONE, S3RVER, MOTO)),
    ]


COMPARISONS: Final = (
    comparison(
        "put-1kib",
        "Presigned PUT of 1 KiB, 1 worker",
        Unit.REQUESTS,
        Contest(
            rivals=_rivals(GOAL_SMALL_PUT), prepare=partial(_putting, 1024, 20_000), rounds=5, slice_s=2.0
        ),
        panel=PANEL,
    ),
    comparison(
        "put-64kib",
        "Presigned PUT of 64 KiB, 1 worker",
        Unit.REQUESTS,
        Contest(rivals=_rivals(), prepare=partial(_putting, 64 * 1024, 1000)),
    ),
    comparison(
        "put-8mib",
        "Presigned PUT of 8 MiB, 1 worker",
        Unit.MEGABYTES,
        Contest(rivals=_rivals(), prepare=partial(_putting_large, 8 * MIB, 100)),
    ),
    comparison(
        "put-1gib",
        "Presigned multipart PUT of 1 GiB, 1 worker",
        Unit.MEGABYTES,
        Contest(rivals=_rivals(GOAL_MULTIPART), prepare=_putting_parts, is_warmed_up=False),
        panel=PANEL,
    ),
    comparison(
        "post-1kib",
        "POST form of 1 KiB, 1 worker",
        Unit.REQUESTS,
        Contest(rivals=_rivals(), prepare=_posting),
    ),
    comparison(
        "mixed-1kib",
        "Presigned GET and PUT of 1 KiB, 80 to 20, 1 worker",
        Unit.REQUESTS,
        Contest(rivals=_rivals(), prepare=_mixing),
    ),
    comparison(
        "list-1000",
        "Presigned list of 1,000 keys, 1 worker",
        Unit.REQUESTS,
        Contest(rivals=_rivals(), prepare=_listing),
    ),
)
