"""The one error of this room, and the two of its codes that are raised from many places."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from valetkey.s3.codes import Code

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class S3Error(Exception):
    """A refusal in S3's own words.

    Attributes:
        code: what S3 calls it, with its HTTP status.
        message: the text; the code's usual one unless another was given.
        details: further elements of the XML, in order of writing.
        headers: further headers of the answer, by lower-case name.
    """

    def __init__(
        self,
        code: Code,
        message: str | None = None,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.message = code.message if message is None else message
        self.details = _NOTHING if details is None else details
        self.headers = _NOTHING if headers is None else headers
        super().__init__(code, self.message)

    def __str__(self) -> str:
        return f"{self.code.wire}: {self.message}"


def invalid_argument(message: str, name: str, value: str | None = None) -> S3Error:
    """Return InvalidArgument for the argument `name`; `value` is left out where S3 leaves it out."""
    details = {"ArgumentName": name}
    if value is not None:
        details["ArgumentValue"] = value
    return S3Error(Code.INVALID_ARGUMENT, message, details)


def header_not_implemented(header: str, reason: str | None = None) -> S3Error:
    """Return NotImplemented for a header, with the sentence S3 adds to it where it adds one."""
    details = {"Header": header}
    if reason is not None:
        details["additionalMessage"] = reason
    return S3Error(Code.NOT_IMPLEMENTED, None, details)
