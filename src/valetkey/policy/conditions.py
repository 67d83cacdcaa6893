"""The Condition element: which operators there are, and when each holds.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from valetkey.policy.condition_keys import KeyType, type_of
from valetkey.policy.document_rules import texts_of
from valetkey.policy.malformed import MalformedPolicyError, shown
from valetkey.policy.matching import MOST_CHARS, Lookup
from valetkey.policy.operands import (
    Operand,
    Relation,
    arn_of,
    binary_of,
    date_parser,
    network_of,
    number_parser,
    text_parser,
    truth_of,
)

_IF_EXISTS: Final = "ifexists"


class Quantifier(Enum):
    """Of the values that the request has for a key, how many must fit."""

    NONE = ""
    """For keys of one value."""
    ALL = "forallvalues"
    """Each; also if there are none."""
    ANY = "foranyvalue"


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table of operators."""

    parse: Callable[[str, bool], Operand]
    types: frozenset[KeyType]
    """Of the keys that it may ask for."""
    is_negated: bool = False
    """Holds if no value of the condition fits."""


def _rows() -> Mapping[str, Operator]:
    texts = frozenset(KeyType) - {KeyType.NETWORK, KeyType.DATE, KeyType.EPOCH}
    arns = frozenset({KeyType.ARN, KeyType.TAG})
    binaries = frozenset({KeyType.TEXT, KeyType.TEXTS, KeyType.TAG})
    numbers = frozenset({KeyType.NUMBER, KeyType.EPOCH, KeyType.TAG})
    dates = frozenset({KeyType.DATE, KeyType.EPOCH, KeyType.TAG})
    relations: Mapping[str, Relation] = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    exact, like = text_parser(has_wildcards=False), text_parser(has_wildcards=True)
    caseless = text_parser(has_wildcards=False, ignores_case=True)
    networks = frozenset({KeyType.NETWORK})
    rows = {
        "StringEquals": Operator(exact, texts),
        "StringNotEquals": Operator(exact, texts, is_negated=True),
        "StringEqualsIgnoreCase": Operator(caseless, texts),
        "StringNotEqualsIgnoreCase": Operator(caseless, texts, is_negated=True),
        "StringLike": Operator(like, texts),
        "StringNotLike": Operator(like, texts, is_negated=True),
        "NumericNotEquals": Operator(number_parser(operator.eq), numbers, is_negated=True),
        "DateNotEquals": Operator(date_parser(operator.eq), dates, is_negated=True),
        "Bool": Operator(truth_of, frozenset({KeyType.TRUTH, KeyType.TAG})),
        "BinaryEquals": Operator(binary_of, binaries),
        "IpAddress": Operator(network_of, networks),
        "NotIpAddress": Operator(network_of, networks, is_negated=True),
        "ArnEquals": Operator(arn_of, arns),
        "ArnLike": Operator(arn_of, arns),
        "ArnNotEquals": Operator(arn_of, arns, is_negated=True),
        "ArnNotLike": Operator(arn_of, arns, is_negated=True),
        "Null": Operator(truth_of, frozenset(KeyType)),
    }
    for name, relation in relations.items():
        rows[f"Numeric{name}"] = Operator(number_parser(relation), numbers)
        rows[f"Date{name}"] = Operator(date_parser(relation), dates)
    return MappingProxyType(rows)


OPERATORS: Final = _rows()
"""By name, without quantifier and IfExists. Names know no case: `_BY_LOWER_NAME` is asked."""

_BY_LOWER_NAME: Final = MappingProxyType({name.lower(): name for name in OPERATORS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One key of one operator."""

    operator: str
    """One of `OPERATORS`."""
    is_negated: bool
    quantifier: Quantifier
    is_if_exists: bool
    key: str
    """In lower case."""
    operands: tuple[Operand, ...]

    def holds(self, lookup: Lookup, *, is_allow: bool) -> bool:
        """Whether it holds, in a statement that allows, or else forbids."""
        values = lookup(self.key)
        if self.operator == "Null":
            return any(operand.accepts("false" if values else "true", lookup) for operand in self.operands)
        if is_allow and self.is_negated and not all(one.can_be_told(lookup) for one in self.operands):
            # `Not the caller's own name` is no fact about a caller who has none.
            return False
        if not values:
            if self.quantifier is Quantifier.NONE:
                return self.is_if_exists or self.is_negated
            return self.is_if_exists or self.quantifier is Quantifier.ALL
        if any(len(value) > MOST_CHARS for value in values):
            return not is_allow
        match self.quantifier:
            case Quantifier.ALL:
                return all(self._fits(value, lookup) for value in values)
            case Quantifier.ANY:
                return any(self._fits(value, lookup) for value in values)
            case _:
                # Several values where one is asked for, such as tags whose keys differ in case alone: all must fit
                # to allow, and one is enough to forbid.
                fitting = (self._fits(value, lookup) for value in values)
                return all(fitting) if is_allow else any(fitting)

    def _is_met(self, value: str, lookup: Lookup) -> bool:
        return any(operand.accepts(value, lookup) for operand in self.operands)

    def _fits(self, value: str, lookup: Lookup) -> bool:
        return self._is_met(value, lookup) != self.is_negated


def _split(name: str, where: str) -> tuple[Quantifier, str, bool]:
    """Return quantifier, name in the table and whether IfExists follows."""
    prefix, colon, rest = name.lower().rpartition(":")
    is_if_exists = rest.endswith(_IF_EXISTS)
    plain = _BY_LOWER_NAME.get(rest.removesuffix(_IF_EXISTS))
    is_known_prefix = prefix in {Quantifier.ALL.value, Quantifier.ANY.value} if colon else True
    if plain is None or not is_known_prefix or (plain == "Null" and (is_if_exists or colon)):
        raise MalformedPolicyError(f"Invalid Condition type : {shown(name)}", where=where)
    return Quantifier(prefix), plain, is_if_exists


def _texts(value: object, where: str) -> Sequence[str]:
    values = value if isinstance(value, list) else [value]
    return texts_of([str(one).lower() if isinstance(one, bool) else one for one in values], where)


def _operands(row: Operator, texts: Sequence[str], *, has_variables: bool, where: str) -> tuple[Operand, ...]:
    try:
        return tuple(row.parse(text, has_variables) for text in texts)
    except ValueError as error:
        raise MalformedPolicyError(f"Invalid value in condition: {shown(str(error))}", where=where) from error


def parse_conditions(value: object, *, has_variables: bool, where: str) -> tuple[Condition, ...]:
    """Return what the Condition element `value` asks for, all of which must hold.

    Raises:
        MalformedPolicyError: an operator or a key is unknown, the two do not go together, or a value is of a wrong
            form.
    """
    if not isinstance(value, dict):
        raise MalformedPolicyError("Invalid policy syntax.", where=where)
    conditions: list[Condition] = []
    for name, asked in value.items():
        here = f"{where}.{shown(name)}"
        quantifier, plain, is_if_exists = _split(name, here)
        row = OPERATORS[plain]
        if not isinstance(asked, dict):
            raise MalformedPolicyError("Invalid policy syntax.", where=here)
        for key, values in asked.items():
            there = f"{here}.{shown(key)}"
            if type_of(key.lower()) is None:
                raise MalformedPolicyError("Policy has an invalid condition key", where=there)
            if type_of(key.lower()) not in row.types:
                raise MalformedPolicyError(f"{plain} does not go with this condition key", where=there)
            operands = _operands(row, _texts(values, there), has_variables=has_variables, where=there)
            conditions.append(
                Condition(
                    operator=plain,
                    is_negated=row.is_negated,
                    quantifier=quantifier,
                    is_if_exists=is_if_exists,
                    key=key.lower(),
                    operands=operands,
                )
            )
    return tuple(conditions)
