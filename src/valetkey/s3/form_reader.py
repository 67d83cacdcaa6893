"""A form as it comes in, multipart/form-data: first its fields, then the content of its file, piece by piece.

Nothing of the file is kept, and of the fields no more than 20 KiB. docs/decisions/0026-the-frame-of-a-form.md says
why a library reads the parameters here and not the frame.

Source: RFC 7578, "Returning Values from Forms: multipart/form-data"; RFC 2046, section 5.1.1; Amazon S3 API
Reference, "POST Object".
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from python_multipart.multipart import parse_options_header

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error, invalid_argument
from valetkey.s3.headers import header_text
from valetkey.s3.limits import MAX_FORM_FIELDS_BYTES

_FILE: Final = "file"
_FORM_DATA: Final = b"form-data"
_DISPOSITION: Final = b"content-disposition"
_LINE_END: Final = b"\r\n"
_LAST: Final = b"--"
_MAX_PART_HEADERS: Final = 16
_MAX_BOUNDARY_BYTES: Final = 256
"""RFC 2046 allows 70."""

_PLAIN_TYPE: Final = re.compile(r"multipart/form-data; boundary=([A-Za-z0-9-]+)")
"""As browsers write it."""
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([^\r]*)")
_PLAIN_HEADERS: Final = re.compile(
    rb'Content-Disposition: form-data; name="([^"\\\r]{0,255})"(?:; filename="([^"\\\r]{0,255})")?\r\n'
    rb"(?:Content-Type: [^\r]{0,255}\r\n)?\r\n",
    re.IGNORECASE,
)
"""A part's, as nearly all clients write them. What is said of a part is the same as where they are read one by one."""

_PADDING: Final = b" \t"
_DELIMITED: Final = re.compile(rb"[ \t]{0,64}\r\n|--")
"""What behind a boundary makes it one: the end of its line, or of the form."""
_PERHAPS_DELIMITED: Final = re.compile(rb"[ \t]{0,64}\r?|-")
"""What may become that with the next bytes."""


class Fields(NamedTuple):
    """All of a form that stands before the content of its file."""

    values: tuple[tuple[str, str], ...]
    """Names as sent, and values, in the form's order."""
    filename: str | None
    """As the file's part gives it; None where it gives none."""


class _Place(Enum):
    START = auto()
    HEADERS = auto()
    VALUE = auto()
    FILE = auto()
    AFTER = auto()


_START, _HEADERS, _VALUE, _CONTENT, _AFTER = _Place
# In Python 3.11 each look-up by the enum's name takes 0.08 µs, and there would be five for each part.


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a form from the `Content-Type` of its request.

    Raises:
        S3Error: PreconditionFailed, where this is no form; MalformedPOSTRequest, where it says no boundary.
    """
    plain = _PLAIN_TYPE.fullmatch(content_type)
    if plain is not None:
        return plain[1].encode()
    kind, options = parse_options_header(content_type.encode("utf-8"))
    if kind.strip() != b"multipart/form-data":
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise S3Error(Code.PRECONDITION_FAILED, None, {"Condition": condition})
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise S3Error(Code.MALFORMED_POST_REQUEST)
    return boundary


class FormReader:
    """Takes in a form's body in pieces of any size; what comes of it is the same for all of them."""

    __slots__ = (
        "_delimiter", "_disposition", "_fields", "_header_count", "_held", "_name", "_place",
        "_searched_bytes", "_taken_bytes", "_values",
    )  # fmt: skip

    def __init__(self, boundary: bytes) -> None:
        """Begin to read.

        Raises:
            S3Error: MalformedPOSTRequest, for a boundary that none can be.
        """
        # A delimiter begins with the one CR in it: `_find_end` relies on that.
        if len(boundary) > _MAX_BOUNDARY_BYTES or b"\r" in boundary or b"\n" in boundary:
            raise S3Error(Code.MALFORMED_POST_REQUEST)
        self._place = _START
        self._delimiter = _LINE_END + b"--" + boundary
        self._taken_bytes = 0
        # What has come in and is not whole yet. The line end that a delimiter begins with is not sent with the first.
        self._held = _LINE_END
        self._values: list[tuple[str, str]] = []
        self._fields: Fields | None = None
        # How much of that is surely content, so that nothing is searched twice, however few bytes come at a time.
        self._searched_bytes = 0
        self._header_count = 0
        self._disposition = b""
        self._name = ""

    @property
    def fields(self) -> Fields | None:
        """All that stands before the file's content, or None until that begins."""
        return self._fields

    @property
    def end_bytes(self) -> int:
        """How many bytes at least stand behind the file's content: the line end and the last boundary, `--B--`."""
        return len(self._delimiter) + len(_LAST)

    @property
    def is_file_whole(self) -> bool:
        """True: the file's content has ended. What follows it counts for nothing."""
        return self._place is _AFTER

    def feed(self, data: bytes) -> list[bytes]:
        """Take in the next bytes of the body, and return what of the file's content is among them.

        Raises:
            S3Error: MalformedPOSTRequest; MaxPostPreDataLengthExceeded, where too much stands before the file;
                InvalidArgument, where the form ends without one.
        """
        if self._fields is None:
            data = self._take_front(data)
        if self._place is not _CONTENT:
            return []
        content = self._held + data if self._held else data
        end, after = self._find_end(content, 0)
        self._held = content[end:] if after is None else b""
        if after is not None:
            self._place = _AFTER
        if end == 0:
            return []
        return [content[:end]]

    def require_whole(self) -> None:
        """Return if the body, which has ended, held one whole file.

        Raises:
            S3Error: InvalidArgument, where there was none; MalformedPOSTRequest, where it broke off.
        """
        if self._fields is None:
            raise _no_file()
        if self._place is _CONTENT:
            raise S3Error(Code.MALFORMED_POST_REQUEST)

    def _take_front(self, data: bytes) -> bytes:
        """Read what is whole of all that stands before the file's content, and return what of that has come."""
        # Beyond the limit nothing is looked at: the same is found wrong, however the body is cut.
        room_bytes = MAX_FORM_FIELDS_BYTES - self._taken_bytes
        self._taken_bytes += min(len(data), room_bytes)
        front, at = self._held + data[:room_bytes], 0
        is_whole = True
        while is_whole:
            if self._place is _HEADERS:
                at, is_whole = self._take_headers(front, at)
                if self._fields is not None:
                    self._held = b""
                    return front[at:] + data[room_bytes:]
            else:
                at, is_whole = self._take_value(front, at)
        self._held = front[at:]
        if len(data) > room_bytes:
            details = {"MaxPostPreDataLengthBytes": str(MAX_FORM_FIELDS_BYTES)}
            raise S3Error(Code.MAX_POST_PRE_DATA_LENGTH_EXCEEDED, None, details)
        return b""

    def _take_value(self, front: bytes, at: int) -> tuple[int, bool]:
        """Read the value that begins `at` as far as a part follows, and return how far that is, and whether it is."""
        end, after = self._find_end(front, at + self._searched_bytes)
        if self._place is _START and front[at:end].strip(_LINE_END):
            # Nothing but empty lines may stand before the first boundary.
            raise S3Error(Code.MALFORMED_POST_REQUEST)
        self._searched_bytes = end - at if after is None else 0
        if after is None:
            return at, False
        if self._place is _VALUE:
            self._values.append((self._name, header_text(front[at:end])))
        if front.endswith(_LAST, end, after):
            raise _no_file()
        self._place = _HEADERS
        self._header_count, self._disposition = 0, b""
        return after, True

    def _take_headers(self, front: bytes, at: int) -> tuple[int, bool]:
        """Read the headers of a part, and return where those end that have come, and whether they are all."""
        if self._header_count == 0 and (plain := _PLAIN_HEADERS.match(front, at)):
            self._begin_content(plain[1], plain[2])
            return plain.end(), True
        while (end := front.find(_LINE_END, at)) > at:
            header = _HEADER.fullmatch(front, at, end)
            self._header_count += 1
            if header is None or self._header_count > _MAX_PART_HEADERS:
                raise S3Error(Code.MALFORMED_POST_REQUEST)
            if header[1].lower() == _DISPOSITION:
                self._disposition = header[2]
            at = end + len(_LINE_END)
        if end < 0:
            return at, False
        kind, options = parse_options_header(self._disposition)
        if kind.strip() != _FORM_DATA or b"name" not in options:
            raise S3Error(Code.MALFORMED_POST_REQUEST)
        self._begin_content(options[b"name"], options.get(b"filename"))
        return at + len(_LINE_END), True

    def _begin_content(self, name: bytes, filename: bytes | None) -> None:
        self._place = _VALUE
        self._name = header_text(name)
        # By its name alone: some clients give each of their fields a file name.
        if self._name.lower() == _FILE:
            self._place = _CONTENT
            self._fields = Fields(
                values=tuple(self._values), filename=None if filename is None else header_text(filename)
            )

    def _find_end(self, data: bytes, at: int) -> tuple[int, int | None]:
        """Return how far the content goes that begins `at`, and where what follows its delimiter begins.

        None instead of that: the delimiter has not come yet, and what stands behind the content may be its beginning.
        """
        delimiter = self._delimiter
        end = data.find(delimiter, at)
        while end >= 0:
            behind = end + len(delimiter)
            found = _DELIMITED.match(data, behind)
            if found is not None:
                return end, found.end()
            if _PERHAPS_DELIMITED.fullmatch(data, behind):
                return end, None
            if data[behind] in _PADDING:
                # A line of content must not be that, and two readers could see two things in it.
                raise S3Error(Code.MALFORMED_POST_REQUEST)
            end = data.find(delimiter, behind)
        end = data.rfind(b"\r", max(at, len(data) - len(delimiter) + 1))
        return (end if end >= 0 and delimiter.startswith(data[end:]) else len(data)), None


def _no_file() -> S3Error:
    return invalid_argument("POST requires exactly one file upload per request.", _FILE, "0")
