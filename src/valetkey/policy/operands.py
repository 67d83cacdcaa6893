"""The values of a condition: each says whether a value of the request fits it.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Protocol

from valetkey.policy.matching import ArnPattern, Lookup, Template, parse_arn_pattern, parse_template

_NUMBER: Final = re.compile(r"[+-]?0*[0-9]{1,30}(\.[0-9]{1,30})?")
"""Any number of zeros may come first, as they may in what requests say."""
_DATE: Final = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_YEAR_DIGITS: Final = 4
_MAPPED_BITS: Final = 96
"""Of `::ffff:0:0`, behind which IPv6 writes IPv4."""
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - only differences are taken, each side made UTC by hand
_MICROSECOND: Final = timedelta(microseconds=1)

Relation = Callable[[Decimal, Decimal], bool]
"""Takes the request's value, then the condition's."""


class Operand(Protocol):
    """One value of a condition."""

    def accepts(self, value: str, lookup: Lookup) -> bool:
        """Whether `value`, which the request has, fits. A value of a wrong form fits nothing."""

    def can_be_told(self, lookup: Lookup) -> bool:
        """Whether the request has a value for each variable in it."""


class _Plain:
    """A value without variables."""

    __slots__ = ()

    def can_be_told(self, lookup: Lookup) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class TextOperand:
    template: Template

    def accepts(self, value: str, lookup: Lookup) -> bool:
        return self.template.matches(value, lookup)

    def can_be_told(self, lookup: Lookup) -> bool:
        return self.template.has_all_variables(lookup)


@dataclass(frozen=True, slots=True)
class ArnOperand:
    pattern: ArnPattern

    def accepts(self, value: str, lookup: Lookup) -> bool:
        return self.pattern.matches(value, lookup)

    def can_be_told(self, lookup: Lookup) -> bool:
        return self.pattern.has_all_variables(lookup)


@dataclass(frozen=True, slots=True)
class NumberOperand(_Plain):
    number: Decimal
    relation: Relation

    def accepts(self, value: str, lookup: Lookup) -> bool:
        return _NUMBER.fullmatch(value) is not None and self.relation(Decimal(value), self.number)


@dataclass(frozen=True, slots=True)
class DateOperand(_Plain):
    instant: Decimal
    """Seconds since 1970."""
    relation: Relation

    def accepts(self, value: str, lookup: Lookup) -> bool:
        try:
            return self.relation(seconds_of(value), self.instant)
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class TruthOperand(_Plain):
    is_true: bool

    def accepts(self, value: str, lookup: Lookup) -> bool:
        return value.lower() == ("true" if self.is_true else "false")


@dataclass(frozen=True, slots=True)
class BinaryOperand(_Plain):
    content: bytes

    def accepts(self, value: str, lookup: Lookup) -> bool:
        return value.encode("utf-8", "surrogatepass") == self.content


@dataclass(frozen=True, slots=True)
class NetworkOperand(_Plain):
    network: IPv4Network | IPv6Network

    def accepts(self, value: str, lookup: Lookup) -> bool:
        try:
            address: IPv4Address | IPv6Address = ip_address(value)
        except ValueError:
            return False
        # A socket of both families reports IPv4 callers so.
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return (mapped or address) in self.network


def seconds_of(text: str) -> Decimal:
    """Return the instant that `text` writes, in seconds since 1970: a W3C date, or such a number of seconds.

    Four digits alone are a year. Without an offset the date is in UTC.

    Raises:
        ValueError: it is neither.
    """
    if _NUMBER.fullmatch(text) and len(text) != _YEAR_DIGITS:
        return Decimal(text)
    if not _DATE.fullmatch(text):
        raise ValueError("not a date")
    whole = text + "0001-01-01"[len(text) :] if len(text) < len("0001-01-01") else text
    parsed = datetime.fromisoformat(whole)
    since = parsed.replace(tzinfo=None) - _EPOCH - (parsed.utcoffset() or timedelta())
    return Decimal(since // _MICROSECOND) / 1_000_000


def text_parser(*, has_wildcards: bool, ignores_case: bool = False) -> Callable[[str, bool], Operand]:
    def parse(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - a row of the table of operators
        return TextOperand(
            parse_template(
                text, has_wildcards=has_wildcards, has_variables=has_variables, ignores_case=ignores_case
            )
        )

    return parse


def arn_of(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
    return ArnOperand(parse_arn_pattern(text, has_variables=has_variables))


def number_parser(relation: Relation) -> Callable[[str, bool], Operand]:
    def parse(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
        if not _NUMBER.fullmatch(text):
            raise ValueError("not a number")
        return NumberOperand(Decimal(text), relation)

    return parse


def date_parser(relation: Relation) -> Callable[[str, bool], Operand]:
    def parse(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
        return DateOperand(seconds_of(text), relation)

    return parse


def truth_of(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
    if text.lower() not in {"true", "false"}:
        raise ValueError("neither true nor false")
    return TruthOperand(text.lower() == "true")


def binary_of(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
    return BinaryOperand(base64.b64decode(text, validate=True))


def network_of(text: str, has_variables: bool) -> Operand:  # noqa: FBT001 - the same
    if "%" in text:
        raise ValueError("a range of addresses has no zone")
    network = ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        # Callers are compared by their IPv4 addresses, so these are too.
        network = ip_network(f"{mapped}/{network.prefixlen - _MAPPED_BITS}")
    return NetworkOperand(network)
