"""The parameters of a request to IAM or STS, each taken with its limits.

Source: the service models of IAM (2010-05-08) and STS (2011-06-15), from which names, patterns and lengths are; the
sentences of the errors are Amazon's.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from valetkey.gateway.iam.errors import IamCode, IamError

MAX_PARAMETERS: Final = 4000

_DEFAULT_ITEMS: Final = 100
_MOST_ITEMS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a parameter may hold."""

    pattern: str = ""
    """Empty: anything."""
    least: int = 1
    """Characters; likewise `most`."""
    most: int


USER_NAME: Final = Kind(pattern=r"[\w+=,.@-]+", most=64)
GROUP_NAME: Final = Kind(pattern=r"[\w+=,.@-]+", most=128)
ROLE_NAME: Final = Kind(pattern=r"[\w+=,.@-]+", most=64)
POLICY_NAME: Final = Kind(pattern=r"[\w+=,.@-]+", most=128)
PATH: Final = Kind(pattern=r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", most=512)
PATH_PREFIX: Final = Kind(pattern=r"\u002F[\u0021-\u007E]*", most=512)
ARN: Final = Kind(least=20, most=2048)
DOCUMENT: Final = Kind(pattern=r"[\u0009\u000A\u000D\u0020-\u00FF]+", most=131_072)
ACCESS_KEY: Final = Kind(pattern=r"[\w]+", least=16, most=128)
DESCRIPTION: Final = Kind(pattern=r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", least=0, most=1000)
VERSION_ID: Final = Kind(pattern=r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", most=20)
TAG_KEY: Final = Kind(pattern=r"(?u:[\w\s_.:/=+\-@]+)", most=128)
TAG_VALUE: Final = Kind(pattern=r"(?u:[\w\s_.:/=+\-@]*)", least=0, most=256)
SESSION_NAME: Final = Kind(pattern=r"[\w+=,.@-]*", least=2, most=64)
FEDERATED_NAME: Final = Kind(pattern=r"[\w+=,.@-]*", least=2, most=32)
SESSION_POLICY: Final = Kind(pattern=r"[\u0009\u000A\u000D\u0020-\u00FF]+", most=2048)
EXTERNAL_ID: Final = Kind(pattern=r"[\w+=,.@:/-]*", least=2, most=1224)


class Form:
    """Parameters by name. Names of parameters begin in upper case, in messages in lower."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    @classmethod
    def parse(cls, text: bytes) -> Form:
        """Return the parameters of a body, or of a query.

        Raises:
            IamError: MalformedInput, if it is none, or a parameter is given twice.
        """
        try:
            pairs = parse_qsl(
                text.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict"
            )
        except ValueError as error:
            raise IamError(IamCode.MALFORMED_INPUT, "The request is no list of parameters.") from error
        values = dict(pairs)
        if len(values) < len(pairs):
            raise IamError(IamCode.MALFORMED_INPUT, "A parameter is given more than once.")
        return cls(values)

    def raw(self, name: str) -> str | None:
        """Return a parameter as it was sent, or None."""
        return self._values.get(name)

    def find(self, name: str, kind: Kind) -> str | None:
        """Return a parameter that may be missing.

        Raises:
            IamError: ValidationError.
        """
        value = self._values.get(name)
        if value is not None:
            _require(name, value, kind)
        return value

    def text(self, name: str, kind: Kind) -> str:
        """Return a parameter that must be there.

        Raises:
            IamError: ValidationError.
        """
        value = self._values.get(name)
        if value is None:
            raise _invalid(f"Value null at '{_shown(name)}'", "Member must not be null")
        _require(name, value, kind)
        return value

    def number(self, name: str, *, least: int, most: int) -> int | None:
        """Return a whole number, or None if it is missing.

        Raises:
            IamError: ValidationError.
        """
        value = self._values.get(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
            raise IamError(IamCode.MALFORMED_INPUT, f"{name} must be a whole number.")
        number = int(value)
        what = f"Value '{number}' at '{_shown(name)}'"
        if number < least:
            raise _invalid(what, f"Member must have value greater than or equal to {least}")
        if number > most:
            raise _invalid(what, f"Member must have value less than or equal to {most}")
        return number

    def flag(self, name: str) -> bool:
        """Return whether a parameter says true.

        Raises:
            IamError: MalformedInput.
        """
        value = self._values.get(name, "false").lower()
        if value not in ("true", "false"):
            raise IamError(IamCode.MALFORMED_INPUT, f"{name} must be true or false.")
        return value == "true"

    def choice(self, name: str, choices: frozenset[str], default: str | None = None) -> str:
        """Return a parameter that is one of `choices`.

        Raises:
            IamError: ValidationError.
        """
        value = self._values.get(name, default)
        if value is None:
            raise _invalid(f"Value null at '{_shown(name)}'", "Member must not be null")
        if value not in choices:
            raise _invalid(
                f"Value '{value}' at '{_shown(name)}'",
                f"Member must satisfy enum value set: [{', '.join(sorted(choices))}]",
            )
        return value

    def texts(self, name: str, kind: Kind) -> tuple[str, ...]:
        """Return the members of a list, `Name.member.1` and so on; none if there is no list.

        Raises:
            IamError: ValidationError.
        """
        found: list[str] = []
        while (value := self._values.get(f"{name}.member.{len(found) + 1}")) is not None:
            _require(name, value, kind)
            found.append(value)
        return tuple(found)

    def structures(self, name: str) -> tuple[Form, ...]:
        """Return the members of a list of structures, each with the parameters of its own."""
        # One pass over all parameters, however many members there are: anybody may send thousands.
        prefix, by_number = f"{name}.member.", dict[str, dict[str, str]]()
        for key, value in self._values.items():
            number, dot, inner = key.removeprefix(prefix).partition(".")
            if dot and key.startswith(prefix):
                by_number.setdefault(number, {})[inner] = value
        found: list[Form] = []
        while (values := by_number.get(str(len(found) + 1))) is not None:
            found.append(Form(values))
        return tuple(found)

    def tags(self) -> dict[str, str]:
        """Return the tags of a request.

        Raises:
            IamError: one is malformed, or its key stands twice in whatever case.
        """
        tags: dict[str, str] = {}
        for one in self.structures("Tags"):
            tags[one.text("Key", TAG_KEY)] = one.text("Value", TAG_VALUE)
        names = {name.lower() for name in tags}
        if len(names) < len(self.structures("Tags")):
            raise IamError(
                IamCode.INVALID_INPUT,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            )
        if any(name.startswith("aws:") for name in names):
            raise IamError(IamCode.INVALID_INPUT, "Tag keys may not begin with aws:.")
        return tags

    def page(self) -> tuple[str, int]:
        """Return what the wanted page comes after, and how many it may hold.

        Raises:
            IamError: ValidationError, if we did not make the marker.
        """
        limit = self.number("MaxItems", least=1, most=_MOST_ITEMS) or _DEFAULT_ITEMS
        marker = self._values.get("Marker", "")
        try:
            after = b64decode(marker, b"-_", validate=True).decode()
        except ValueError as error:
            raise IamError(IamCode.VALIDATION_ERROR, "Invalid Marker.") from error
        return after, limit


def to_marker(after: str | None) -> str | None:
    """Return what asks for the page that comes after; None on the last page."""
    return None if after is None else urlsafe_b64encode(after.encode()).decode()


def _require(name: str, value: str, kind: Kind) -> None:
    what = f"Value at '{_shown(name)}'"
    if len(value) > kind.most:
        raise _invalid(what, f"Member must have length less than or equal to {kind.most}")
    if len(value) < kind.least:
        raise _invalid(what, f"Member must have length greater than or equal to {kind.least}")
    if kind.pattern and re.fullmatch(kind.pattern, value, re.ASCII) is None:
        raise _invalid(what, f"Member must satisfy regular expression pattern: {kind.pattern}")


def _invalid(what: str, constraint: str) -> IamError:
    return IamError(
        IamCode.VALIDATION_ERROR,
        f"1 validation error detected: {what} failed to satisfy constraint: {constraint}",
    )


def _shown(name: str) -> str:
    return name[:1].lower() + name[1:]
