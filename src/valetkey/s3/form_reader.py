"""A form as it comes in, multipart/form-data: first its fields, then the content of its file, piece by piece.

Nothing of the file is kept, and of the fields no more than 20 KiB.

Source: RFC 7578, "Returning Values from Forms: multipart/form-data"; Amazon S3 API Reference, "POST Object".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from valetkey.s3.codes import Code
from valetkey.s3.errors import S3Error
from valetkey.s3.headers import header_text
from valetkey.s3.limits import MAX_FORM_FIELDS_BYTES

_FILE: Final = "file"
_FORM_DATA: Final = b"form-data"
_DISPOSITION: Final = b"content-disposition"
_LINE_END_BYTES: Final = 2
_MAX_PART_HEADERS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """All of a form that stands before the content of its file."""

    values: tuple[tuple[str, str], ...]
    """Names as sent, and values, in the form's order."""
    filename: str | None
    """As the file's part gives it; None where it gives none."""


class _Place(Enum):
    FIELDS = auto()
    FILE = auto()
    AFTER = auto()


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a form from the `Content-Type` of its request.

    Raises:
        S3Error: PreconditionFailed, where this is no form; MalformedPOSTRequest, where it says no boundary.
    """
    kind, options = parse_options_header(content_type.encode("utf-8"))
    if kind.strip() != b"multipart/form-data":
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise S3Error(Code.PRECONDITION_FAILED, None, {"Condition": condition})
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise S3Error(Code.MALFORMED_POST_REQUEST)
    return boundary


class FormReader:
    """Takes in a form's body in pieces of any size."""

    def __init__(self, boundary: bytes) -> None:
        """Begin to read.

        Raises:
            S3Error: MalformedPOSTRequest, for a boundary that none can be.
        """
        self._place = _Place.FIELDS
        # With the ends of its own line and of the empty one below the part's headers.
        self._boundary_bytes = len(b"--") + len(boundary) + 2 * _LINE_END_BYTES
        self._end_bytes = _LINE_END_BYTES + len(b"--") + len(boundary) + len(b"--")
        self._fields_bytes = 0
        self._values: list[tuple[str, str]] = []
        self._fields: Fields | None = None
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        self._pieces: list[bytes] = []
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take_content,
                    "on_part_end": self._end_part,
                },
                max_header_count=_MAX_PART_HEADERS,
                max_header_size=MAX_FORM_FIELDS_BYTES,
            )
        except FormParserError as error:
            raise S3Error(Code.MALFORMED_POST_REQUEST) from error

    @property
    def fields(self) -> Fields | None:
        """All that stands before the file's content, or None until that begins."""
        return self._fields

    @property
    def end_bytes(self) -> int:
        """How many bytes at least stand behind the file's content: the line end and the last boundary, `--B--`."""
        return self._end_bytes

    @property
    def is_file_whole(self) -> bool:
        """True: the file's content has ended. What follows it counts for nothing."""
        return self._place is _Place.AFTER

    def feed(self, data: bytes) -> list[bytes]:
        """Take in the next bytes of the body, and return what of the file's content is among them.

        Raises:
            S3Error: MalformedPOSTRequest; MaxPostPreDataLengthExceeded, where too much stands before the file.
        """
        if not self.is_file_whole:
            try:
                self._parser.write(data)
            except FormParserError as error:
                # What stands behind the file may be anything, also in the piece that ends it.
                if not self.is_file_whole:
                    raise S3Error(Code.MALFORMED_POST_REQUEST) from error
        pieces, self._pieces = self._pieces, []
        return pieces

    def require_whole(self) -> None:
        """Return if the body, which has ended, held one whole file.

        Raises:
            S3Error: InvalidArgument, where there was none; MalformedPOSTRequest, where it broke off.
        """
        if self._place is _Place.FIELDS:
            message = "POST requires exactly one file upload per request."
            raise S3Error(Code.INVALID_ARGUMENT, message, {"ArgumentName": _FILE, "ArgumentValue": "0"})
        if self._place is _Place.FILE:
            raise S3Error(Code.MALFORMED_POST_REQUEST)

    def _count(self, size_bytes: int) -> None:
        self._fields_bytes += size_bytes
        if self._fields_bytes > MAX_FORM_FIELDS_BYTES:
            details = {"MaxPostPreDataLengthBytes": str(MAX_FORM_FIELDS_BYTES)}
            raise S3Error(Code.MAX_POST_PRE_DATA_LENGTH_EXCEEDED, None, details)

    def _begin_part(self) -> None:
        if self._place is _Place.FIELDS:
            self._count(self._boundary_bytes)
            self._disposition, self._value = b"", bytearray()

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        if self._place is _Place.FIELDS:
            self._count(end - start)
            self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        if self._place is _Place.FIELDS:
            self._count(end - start)
            self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._place is _Place.FIELDS:
            self._count(len(b": ") + _LINE_END_BYTES)
        if bytes(self._header_name).lower() == _DISPOSITION:
            self._disposition = bytes(self._header_value)
        self._header_name, self._header_value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        if self._place is not _Place.FIELDS:
            return
        kind, options = parse_options_header(self._disposition)
        if kind.strip() != _FORM_DATA or b"name" not in options:
            raise S3Error(Code.MALFORMED_POST_REQUEST)
        self._name = header_text(options[b"name"])
        # By its name alone: some clients give each of their fields a file name.
        if self._name.lower() == _FILE:
            filename = options.get(b"filename")
            self._fields = Fields(
                values=tuple(self._values), filename=None if filename is None else header_text(filename)
            )
            self._place = _Place.FILE

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self._place is _Place.FILE:
            self._pieces.append(data[start:end])
        elif self._place is _Place.FIELDS:
            self._count(end - start)
            self._value += data[start:end]

    def _end_part(self) -> None:
        if self._place is _Place.FILE:
            self._place = _Place.AFTER
        elif self._place is _Place.FIELDS:
            self._count(_LINE_END_BYTES)
            self._values.append((self._name, header_text(bytes(self._value))))
