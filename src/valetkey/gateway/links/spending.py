"""Running an operation by a link: what it may upload, and what it takes from the link's counters.

A use is taken when all that could refuse the request has been asked, and before the first byte flows: of a download
when its answer stands, of an upload before its body is read, which nobody else may fill the last use with meanwhile.
What comes to nothing is given back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from valetkey.gateway.call import Answer, Call, RepeatedAnswer, Request
from valetkey.gateway.links.door import ZIP
from valetkey.gateway.links.zip_download import get_zip, is_zip
from valetkey.links import Ledger, LinkRefusedError, Rule
from valetkey.links.model import Client, Download, Link, Spent
from valetkey.links.rules import require_content_type, require_size
from valetkey.s3.headers import DEFAULT_CONTENT_TYPE, header_text
from valetkey.s3.limits import MAX_PART_NUMBER
from valetkey.store.errors import NoSuchUploadError, StorageFailedError

Run = Callable[[Call], Awaitable[Answer]]

_PARTIAL: Final = 206
_WITH_CONTENT: Final = (200, _PARTIAL)
_READS: Final = frozenset({"GetObject", "HeadObject"})
_TYPED: Final = frozenset({"PutObject", "CreateMultipartUpload"})
_SPENDING: Final = {"PutObject": 1, "CompleteMultipartUpload": 1, "DeleteObject": 0}
"""How many objects a use of each stores."""
_BEGINNING: Final = frozenset({"CreateMultipartUpload", "UploadPart"})

_MOST_OPEN_OF_A_KEY: Final = 10
"""Open uploads of a link to one key: all but one of them make an object that is replaced."""

_NOT_SENT: Final = -1


async def run_by_link(call: Call, link: Link, run: Run, ledger: Ledger) -> Answer:
    """Return the answer of an operation that a link grants.

    Raises:
        LinkRefusedError, UploadSizeError: the link does not grant so much, or has none left.
        Exception: whatever `run` raises.
    """
    name = call.operation.name
    if name == "GetObject" and not link.is_counted and link.grant.etag is None and ZIP not in call.query:
        # The commonest one by far, which nothing can be wrong with any more.
        answer = await run(call)
        if answer.status in _WITH_CONTENT:
            answer.on_sent = partial(ledger.note_sent, link.id, call.now_ms)
        return answer
    if name not in _READS:
        await _require_upload(call, link)
    if name in _SPENDING and not _is_done(call):
        return await _upload(call, link, run, ledger)
    if name in _BEGINNING and link.is_counted:
        # Spent when it is completed; but who has none left shall not fill the disk with parts.
        ledger.require_left(link.id, now_ms=call.now_ms)
    answer = await (get_zip(call, link) if is_zip(call) else run(call))
    if name in _READS:
        return await _download(call, link, answer, ledger)
    if name == "CreateMultipartUpload":
        await _end_older(call, link, ledger)
    return answer


def _is_done(call: Call) -> bool:
    """Return whether an upload is to be completed that is complete: who did not hear of it asks again, for nothing new."""
    if call.operation.name != "CompleteMultipartUpload":
        return False
    asked = (call.bucket_name, call.key, call.query["uploadId"])
    try:
        call.store.uploads.find_completed(*asked)
    except NoSuchUploadError:
        return False
    return True


async def _upload(call: Call, link: Link, run: Run, ledger: Ledger) -> Answer:
    objects = _SPENDING[call.operation.name]
    received = int(call.headers.get("content-length", "0") or 0)
    if not link.is_counted:
        answer = await run(call)
        if not isinstance(answer, RepeatedAnswer):
            ledger.note(link.id, now_ms=call.now_ms, uses=1, objects=objects, bytes_received=received)
        return answer
    spent = await ledger.spend_upload(link.id, objects=objects, now_ms=call.now_ms)
    try:
        answer = await run(call)
    except StorageFailedError:
        # It may be stored after all. Rather a use too few than an object too many; so with a task that is cancelled.
        raise
    except Exception:
        ledger.give_back(spent, uses=1, objects=objects)
        raise
    if isinstance(answer, RepeatedAnswer):
        # Somebody else has completed the upload meanwhile, and spent what that takes.
        ledger.give_back(spent, uses=1, objects=objects)
    else:
        ledger.note(link.id, now_ms=call.now_ms, bytes_received=received)
    return answer


async def spend(request: Request, link: Link, answer: Answer, ledger: Ledger) -> Answer:
    """Return `answer`, which is a whole object, once the use that it takes is spent.

    Raises:
        LinkRefusedError: there is none left, or the link was taken back meanwhile.
    """
    client, length = Client(request.remote, _agent_of(request)), answer.content_length or 0
    download = Download(client, answer.key or "", _etag_of(answer), length, length, is_range=False)
    spent = await ledger.spend_download(link, download, now_ms=request.now_ms)
    answer.on_sent = partial(_settle, ledger, spent)
    return answer


def _agent_of(request: Request) -> str:
    agents = [header_text(value) for name, value in request.headers if name == b"user-agent"]
    return ",".join(agents)


async def _download(call: Call, link: Link, answer: Answer, ledger: Ledger) -> Answer:
    download = _download_of(call.request, call.key, call.headers.get("user-agent", ""), answer)
    if download is None:
        return answer
    try:
        _require_same(link, download)
        if call.request.method == "HEAD":
            return answer
        if not link.is_counted:
            answer.on_sent = partial(ledger.note_sent, link.id, call.now_ms)
            return answer
        spent = await ledger.spend_download(link, download, now_ms=call.now_ms)
    except BaseException:
        _close(answer)
        raise
    answer.on_sent = partial(_settle, ledger, spent)
    return answer


def _require_same(link: Link, download: Download) -> None:
    if link.grant.etag is not None and download.etag != link.grant.etag:
        raise LinkRefusedError(Rule.VERSION)


def _download_of(request: Request, key: str, agent: str, answer: Answer) -> Download | None:
    """Return what goes out; None where it is no content, as with 304."""
    if answer.status not in _WITH_CONTENT or answer.content_length is None:
        return None
    content_range = _header(answer, b"content-range") if answer.status == _PARTIAL else b""
    size = int(content_range.rpartition(b"/")[2]) if content_range else answer.content_length
    return Download(
        client=Client(request.remote, agent),
        key=key,
        etag=_etag_of(answer),
        size=size,
        length=answer.content_length,
        is_range=bool(content_range),
    )


def _etag_of(answer: Answer) -> str:
    return _header(answer, b"etag").decode("latin-1").strip('"')


def _header(answer: Answer, wanted: bytes) -> bytes:
    for name, value in answer.headers:
        if name == wanted:
            return value
    return b""


def _settle(ledger: Ledger, spent: Spent, sent_bytes: int) -> None:
    if sent_bytes == _NOT_SENT:
        ledger.give_back(spent, uses=spent.uses, bytes_sent=spent.bytes_sent)
    elif sent_bytes < spent.bytes_sent:
        ledger.give_back(spent, bytes_sent=spent.bytes_sent - sent_bytes)


async def _require_upload(call: Call, link: Link) -> None:
    """Return if what is announced of an upload may be; what it turns out to be cannot be more.

    Raises:
        LinkRefusedError, UploadSizeError
    """
    grant, name = link.grant, call.operation.name
    if name in _TYPED:
        require_content_type(grant, call.headers.get("content-type") or DEFAULT_CONTENT_TYPE)
    announced = call.headers.get("content-length", "")
    if not announced.isdigit() or len(announced) > 18:
        return  # refused where the body would be read
    if name == "PutObject":
        require_size(grant, int(announced), is_whole=True)
    elif name == "UploadPart" and grant.most_size is not None:
        require_size(grant, int(announced) + await _kept_bytes(call), is_whole=False)


async def _kept_bytes(call: Call) -> int:
    """Return what the other parts of the upload have, as far as they are there."""
    page = await call.store.uploads.list_parts(
        call.bucket, call.key, call.query["uploadId"], after_number=0, limit=MAX_PART_NUMBER
    )
    return sum(part.size for part in page.parts if str(part.number) != call.query["partNumber"])


async def _end_older(call: Call, link: Link, ledger: Ledger) -> None:
    """End the oldest uploads in parts that the link began, where it has more of them open than it may complete.

    They are ended, and the new one is not refused: who comes back after a crash knows nothing of the one before. Whoever
    holds the link could as well spend the uses that the others are for.
    """
    left = ledger.uploads_left(link.id, now_ms=call.now_ms) if link.is_counted else None
    most = [] if left is None else [max(left, 1)]
    if not link.grant.is_prefix:
        most.append(_MOST_OPEN_OF_A_KEY)
    if most:
        await call.store.uploads.keep_newest(link.id, min(most))


def _close(answer: Answer) -> None:
    if not isinstance(answer.body, bytes):
        answer.body.close()
