"""A pasted call of `fetch`, as browsers copy requests and as Node code has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from valetkey.explain.curl import Told

_CALL: Final = re.compile(r"\bfetch\s*\(\s*")
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER: Final = re.compile(r"-?[0-9.]+")
_BLANK: Final = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_MOST_DEPTH: Final = 16


class NotFetchError(Exception):
    """The text is no call of `fetch` that can be read."""


def is_fetch(text: str) -> bool:
    """Tell whether `text` holds a call of `fetch`."""
    return _CALL.search(text) is not None


def parse_fetch(text: str) -> Told:
    """Return what a call of `fetch` would send.

    Raises:
        NotFetchError: its first argument is no text.
    """
    found = _CALL.search(text)
    if found is None:
        raise NotFetchError
    reader = _Reader(text, found.end())
    url = reader.value(0)
    if not isinstance(url, str):
        raise NotFetchError
    told = Told(url=url, method="GET")
    reader.skip()
    if reader.takes(","):
        options = reader.value(0)
        if isinstance(options, Mapping):
            _apply(told, options)
    return told


def _apply(told: Told, options: Mapping[str, object]) -> None:
    method, body, headers = options.get("method"), options.get("body"), options.get("headers")
    if isinstance(method, str):
        told.method = method.upper()
    if isinstance(headers, Mapping):
        told.headers += [(name, value) for name, value in headers.items() if isinstance(value, str)]
    if isinstance(body, str):
        told.body = body.encode("utf-8", "replace")
        if not any(name.lower() == "content-type" for name, _ in told.headers):
            # What a browser writes for a body that is a string.
            told.headers.append(("Content-Type", "text/plain;charset=UTF-8"))


class _Reader:
    """Reads the values of JavaScript that such calls hold; whatever else stands there becomes None."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def takes(self, char: str) -> bool:
        self.skip()
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def value(self, depth: int) -> object:
        self.skip()
        if depth > _MOST_DEPTH or self._at >= len(self._text):
            raise NotFetchError
        char = self._text[self._at]
        if char in "\"'`":
            return self._string(char)
        if char == "{":
            return self._mapping(depth)
        if char == "[":
            return self._list(depth)
        self._pass_over(depth)
        return None

    def _string(self, quote: str) -> str:
        self._at += 1
        pieces: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == quote:
                return "".join(pieces)
            pieces.append(self._escape() if char == "\\" else char)
        raise NotFetchError

    def _escape(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        length = {"u": 4, "x": 2}.get(char, 0)
        digits = self._text[self._at : self._at + length]
        if length and re.fullmatch(r"[0-9A-Fa-f]+", digits) and len(digits) == length:
            self._at += length
            return chr(int(digits, 16))
        return _ESCAPES.get(char, char)

    def _mapping(self, depth: int) -> Mapping[str, object]:
        self._at += 1
        found: dict[str, object] = {}
        while not self.takes("}"):
            name = self._name()
            if not self.takes(":"):
                raise NotFetchError
            found[name] = self.value(depth + 1)
            self.takes(",")
        return found

    def _name(self) -> str:
        self.skip()
        if self._text[self._at : self._at + 1] in {'"', "'", "`"}:
            return self._string(self._text[self._at])
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise NotFetchError
        self._at = found.end()
        return found[0]

    def _list(self, depth: int) -> list[object]:
        self._at += 1
        found: list[object] = []
        while not self.takes("]"):
            found.append(self.value(depth + 1))
            self.takes(",")
        return found

    def _pass_over(self, depth: int) -> None:
        """Pass over a word, a number, or `new Something(…)`."""
        found = _NAME.match(self._text, self._at) or _NUMBER.match(self._text, self._at)
        if found is None:
            raise NotFetchError
        self._at = found.end()
        if found[0] in {"new", "await", "typeof"}:
            self.value(depth + 1)
            return
        while self.takes("."):
            self._name()
        if self.takes("("):
            while not self.takes(")"):
                self.value(depth + 1)
                self.takes(",")
