"""Storing a local file, of any size, in flat memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from valetkey.cli.errors import BadInputError, CliError
from valetkey.cli.file_slice import FileSlice
from valetkey.cli.location import Location
from valetkey.cli.presign import warn
from valetkey.cli.s3_xml import complete_upload, read_upload_id
from valetkey.cli.transport import PATIENT_TIMEOUT_S, RefusedError, Request, Transport

_MIB: Final = 1 << 20

SINGLE_PUT_MAX_BYTES: Final = 64 * _MIB
"""Above this a file goes up in parts, so that a broken connection costs one part only."""
PART_BYTES: Final = 16 * _MIB
MAX_PARTS: Final = 10_000
MAX_OBJECT_BYTES: Final = 5 * 1024 * 1024 * _MIB
"""Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """An open regular file and how long it was when it was opened."""

    file: BinaryIO
    path: Path
    size: int

    def slice(self, *, start: int, size: int) -> FileSlice:
        """Return `size` bytes from `start`."""
        return FileSlice(file=self.file, path=self.path, start=start, size=size)


def part_size_bytes(size: int) -> int:
    """Return the part size, in whole MiB, with which `size` bytes make at most 10,000 parts."""
    least = -(-size // MAX_PARTS)
    return max(PART_BYTES, -(-least // _MIB) * _MIB)


def store_file(
    transport: Transport,
    local: LocalFile,
    location: Location,
    *,
    content_type: str,
    observe: Callable[[int], None],
) -> None:
    """Put `local` at `location`; on return the server has acknowledged the whole of it.

    Each request carries the SHA-256 of its bytes, so that what arrives damaged, or of a file that changes
    meanwhile, is refused by the server and not kept. On failure no part stays behind.

    Raises:
        CliError: the server refused, could not be reached, or the file shrank.
    """
    if local.size > MAX_OBJECT_BYTES:
        raise BadInputError(f"{local.path} is larger than 5 TiB, which is as much as one object holds")
    headers = {"content-type": content_type}
    if local.size > SINGLE_PUT_MAX_BYTES:
        _store_in_parts(transport, local, location, headers=headers, observe=observe)
        return
    body = local.slice(start=0, size=local.size)
    transport.send(Request(method="PUT", location=location, headers=headers, body=body), observe=observe)


def _store_in_parts(
    transport: Transport,
    local: LocalFile,
    location: Location,
    *,
    headers: dict[str, str],
    observe: Callable[[int], None],
) -> None:
    created = transport.send(
        Request(method="POST", location=location, query={"uploads": ""}, headers=headers)
    )
    upload_id = read_upload_id(created.body)
    if not upload_id:
        raise CliError("the server began a multipart upload without saying its id")
    finished = False
    try:
        etags = _send_parts(transport, local, location, upload_id=upload_id, observe=observe)
        _complete(transport, location, upload_id=upload_id, etags=etags, size=local.size)
        finished = True
    finally:
        if not finished:
            _abort(transport, location, upload_id=upload_id)


def _send_parts(
    transport: Transport,
    local: LocalFile,
    location: Location,
    *,
    upload_id: str,
    observe: Callable[[int], None],
) -> list[str]:
    part_size = part_size_bytes(local.size)
    etags = []
    for number, start in enumerate(range(0, local.size, part_size), start=1):
        request = Request(
            method="PUT",
            location=location,
            query={"partNumber": str(number), "uploadId": upload_id},
            body=local.slice(start=start, size=min(part_size, local.size - start)),
        )
        etag = transport.send(request, observe=observe).headers.get("etag")
        if not etag:
            raise CliError(f"the server took part {number} without giving its ETag")
        etags.append(etag)
    return etags


def _complete(
    transport: Transport, location: Location, *, upload_id: str, etags: list[str], size: int
) -> None:
    request = Request(
        method="POST",
        location=location,
        query={"uploadId": upload_id},
        headers={"content-type": "application/xml"},
        body=complete_upload(etags),
        read_timeout_s=PATIENT_TIMEOUT_S,
    )
    try:
        transport.send(request)
    except RefusedError as error:
        # An earlier attempt may have done it, with only its answer lost.
        repeated = error.code == "NoSuchUpload" and error.attempts > 1
        if not (repeated and _is_stored(transport, location, size=size, parts=len(etags))):
            raise


def _is_stored(transport: Transport, location: Location, *, size: int, parts: int) -> bool:
    headers = transport.send(Request(method="HEAD", location=location)).headers
    etag = headers.get("etag", "").strip('"')
    return headers.get("content-length") == str(size) and etag.endswith(f"-{parts}")


def _abort(transport: Transport, location: Location, *, upload_id: str) -> None:
    try:
        transport.send(Request(method="DELETE", location=location, query={"uploadId": upload_id}))
    except CliError as error:
        warn(f"upload {upload_id} of {location} could not be aborted ({error}); its parts still take up room")
