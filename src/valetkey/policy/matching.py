"""Wildcards, policy variables and ARN patterns.

No pattern can make matching slow: the parts between asterisks are searched for one after the other, each as far
left as it goes, and nothing is ever tried again; nor does it take a part longer to be found that holds question marks.

Source: IAM User Guide, "IAM policy elements: Variables and tags" and "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from valetkey.policy.condition_keys import KeyType, type_of

Lookup = Callable[[str], tuple[str, ...] | None]
"""The values of a condition key, whose name is in lower case; None if the request has no such key."""

MOST_CHARS: Final = 4096
"""Of a value that is judged: more than a key has as a copy's source. To judge longer ones would take anybody's time."""

_ARN_SEGMENTS: Final = 6
_LITERALS: Final = frozenset("*?$")


class Wildcard(Enum):
    """A character of a pattern that stands for others."""

    ANY = "*"
    """Any number of characters, also none, also slashes."""
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`."""

    key: str
    """In lower case."""
    default: str | None = None


Piece = str | Wildcard | Variable
"""A str is a run of characters that stand for themselves."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a pattern between two asterisks: a fixed number of characters."""

    length: int
    literals: tuple[tuple[int, str], ...]
    """Runs of characters, each with where it begins; what lies between is question marks."""

    def is_at(self, text: str, start: int) -> bool:
        return all(text.startswith(literal, start + offset) for offset, literal in self.literals)

    def find(self, text: str, start: int, stop: int) -> int:
        """Return where it first stands in `text[start:stop]`, or -1."""
        if stop - start < self.length:
            return -1
        if not self.literals:
            return start
        if len(self.literals[0][1]) == self.length:
            return text.find(self.literals[0][1], start, stop)
        return self._search(text, start, stop)

    def _search(self, text: str, start: int, stop: int) -> int:
        """Find it by bits, of which the n-th says that the first n characters fit where the text is now.

        To try each place would take as many steps as pattern and text have characters, multiplied. Source:
        R. Baeza-Yates and G. Gonnet, "A New Approach to Text Searching" (1992).
        """
        anything = (1 << self.length) - 1
        own: dict[str, int] = {}
        for offset, literal in self.literals:
            anything &= ~(((1 << len(literal)) - 1) << offset)
            for place, character in enumerate(literal, offset):
                own[character] = own.get(character, 0) | 1 << place
        fitting, last = 0, 1 << self.length - 1
        for place in range(start, stop):
            fitting = (fitting << 1 | 1) & (anything | own.get(text[place], 0))
            if fitting & last:
                return place - self.length + 1
        return -1


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern without variables."""

    first: _Span
    middle: tuple[_Span, ...]
    last: _Span | None
    """None if there is no asterisk."""

    def matches(self, text: str) -> bool:
        if self.last is None:
            return len(text) == self.first.length and self.first.is_at(text, 0)
        place, end = self.first.length, len(text) - self.last.length
        if place > end or not self.first.is_at(text, 0) or not self.last.is_at(text, end):
            return False
        for span in self.middle:
            found = span.find(text, place, end)
            if found < 0:
                return False
            place = found + span.length
        return True

    def may_begin(self, text: str) -> bool:
        """Whether it matches anything that begins with `text`."""
        if self.last is None and self.first.length < len(text):
            return False
        return all(
            text[offset : offset + len(literal)] == literal[: max(0, len(text) - offset)]
            for offset, literal in self.first.literals
        )


def _span(pieces: Iterable[Piece]) -> _Span:
    length, literals = 0, list[tuple[int, str]]()
    for piece in pieces:
        if isinstance(piece, str):
            literals.append((length, piece))
            length += len(piece)
        else:
            length += 1
    return _Span(length, tuple(literals))


def _glob(pieces: Sequence[Piece]) -> Glob:
    runs: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece is Wildcard.ANY:
            runs.append([])
        else:
            runs[-1].append(piece)
    first, *rest = (_span(run) for run in runs)
    if not rest:
        return Glob(first, (), None)
    return Glob(first, tuple(span for span in rest[:-1] if span.length), rest[-1])


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern that may hold variables. What a variable stands for holds no wildcards."""

    pieces: tuple[Piece, ...]
    glob: Glob | None
    """None if there are variables."""
    ignores_case: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether it stands for one text, whatever the request."""
        return all(isinstance(piece, str) for piece in self.pieces)

    def widest(self) -> Glob:
        """The pattern with an asterisk for each variable."""
        return _glob([Wildcard.ANY if isinstance(piece, Variable) else piece for piece in self.pieces])

    def matches(self, text: str, lookup: Lookup) -> bool:
        """Whether it stands for `text`; a variable that the request does not have stands for nothing."""
        glob = self.glob or self._resolved(lookup)
        return glob is not None and glob.matches(text.lower() if self.ignores_case else text)

    def has_all_variables(self, lookup: Lookup) -> bool:
        """Whether the request has a value for each variable."""
        return self.glob is not None or self._resolved(lookup) is not None

    def _resolved(self, lookup: Lookup) -> Glob | None:
        pieces: list[Piece] = []
        for piece in self.pieces:
            if isinstance(piece, Variable):
                values = lookup(piece.key)
                value = values[0] if values else piece.default
                if value is None or len(value) > MOST_CHARS:
                    return None
                pieces.append(value.lower() if self.ignores_case else value)
            else:
                pieces.append(piece)
        return _glob(pieces)


def _variable(text: str) -> Piece:
    if text in _LITERALS:
        return text
    name, comma, rest = text.partition(",")
    key, default = name.strip().lower(), rest.strip()
    if type_of(key) in {None, KeyType.TEXTS}:
        raise ValueError(f"unknown policy variable {name.strip()}")
    if not comma:
        return Variable(key)
    if len(default) < 2 or default[0] != "'" or default[-1] != "'":
        raise ValueError("the default of a policy variable stands in single quotation marks")
    return Variable(key, default[1:-1])


def _pieces(text: str, *, has_wildcards: bool, has_variables: bool) -> list[Piece]:
    pieces: list[Piece] = []
    run, place = list[str](), 0
    while place < len(text):
        piece: Piece = text[place]
        place += 1
        if has_variables and piece == "$" and text.startswith("{", place):
            end = text.find("}", place)
            if end < 0:
                raise ValueError("a policy variable is not closed")
            piece = _variable(text[place + 1 : end])
            place = end + 1
        elif has_wildcards and piece in {"*", "?"}:
            piece = Wildcard(piece)
        if isinstance(piece, str):
            run.append(piece)
            continue
        if run:
            pieces.append("".join(run))
            run.clear()
        pieces.append(piece)
    if run:
        pieces.append("".join(run))
    return pieces


def _template(pieces: Iterable[Piece], *, ignores_case: bool = False) -> Template:
    kept = tuple(piece.lower() if ignores_case and isinstance(piece, str) else piece for piece in pieces)
    has_variables = any(isinstance(piece, Variable) for piece in kept)
    return Template(kept, None if has_variables else _glob(kept), ignores_case)


def parse_template(
    text: str, *, has_wildcards: bool, has_variables: bool, ignores_case: bool = False
) -> Template:
    """Return the pattern that `text` writes.

    Without `has_variables`, as in documents of version 2008-10-17, `${` stands for itself.

    Raises:
        ValueError: a variable is unknown or malformed.
    """
    pieces = _pieces(text, has_wildcards=has_wildcards, has_variables=has_variables)
    return _template(pieces, ignores_case=ignores_case)


@dataclass(frozen=True, slots=True)
class ArnPattern:
    """A pattern for ARNs, of which each of the six parts is matched for itself."""

    text: str
    parts: tuple[Template, ...]
    """Empty for `*`, which matches everything."""
    prefix: str | None
    """The first five parts with their colons, if they hold neither wildcards nor variables."""

    @property
    def is_fixed(self) -> bool:
        return bool(self.parts) and all(part.is_fixed for part in self.parts)

    def matches(self, arn: str, lookup: Lookup) -> bool:
        if not self.parts:
            return True
        if self.prefix is not None:
            return arn.startswith(self.prefix) and self.parts[-1].matches(arn[len(self.prefix) :], lookup)
        parts = arn.split(":", _ARN_SEGMENTS - 1)
        return len(parts) == _ARN_SEGMENTS and all(
            pattern.matches(part, lookup) for pattern, part in zip(self.parts, parts, strict=True)
        )

    def has_all_variables(self, lookup: Lookup) -> bool:
        return all(part.has_all_variables(lookup) for part in self.parts)


def parse_arn_pattern(text: str, *, has_variables: bool) -> ArnPattern:
    """Return the pattern that `text` writes: an ARN or `*`. Parts that are missing at its end may be anything.

    Raises:
        ValueError: it is neither, or a variable is unknown or malformed.
    """
    if text == "*":
        return ArnPattern(text, (), None)
    if not text.startswith("arn:"):
        raise ValueError("not an ARN")
    parts: list[list[Piece]] = [[]]
    for piece in _pieces(text, has_wildcards=True, has_variables=has_variables):
        if not isinstance(piece, str):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split(":", _ARN_SEGMENTS - len(parts))
        parts[-1] += [first] if first else []
        parts += [[part] if part else [] for part in rest]
    parts += [[Wildcard.ANY] for _ in range(_ARN_SEGMENTS - len(parts))]
    templates = tuple(_template(part) for part in parts)
    is_plain = all(template.is_fixed for template in templates[:-1])
    prefix = "".join("".join(map(str, template.pieces)) + ":" for template in templates[:-1])
    return ArnPattern(text, templates, prefix if is_plain else None)
