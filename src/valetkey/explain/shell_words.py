"""The words of a command line, as a shell would take them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ANSI: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "0": "\0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A command's words."""

    words: tuple[str, ...]
    is_cut: bool
    """A & stands in it outside of quotes, where a shell ends the command."""


def split_words(text: str) -> Words:
    """Return the words of the first command in `text`. A & that stands in a word is taken for a part of it."""
    reader = _Reader(_unified(text))
    return Words(words=tuple(reader.read()), is_cut=reader.is_cut)


def _unified(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if "^" in text and ('^"' in text or "^\n" in text):
        # The command prompt of Windows, as Chromium's "Copy as cURL (cmd)" writes it.
        text = text.replace("^\n", " ").replace('^"', '"').replace("^%^", "%").replace("^", "")
    # PowerShell ends a line that goes on with a backtick.
    return text.replace("\\\n", " ").replace("`\n", " ")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.is_cut = False

    def read(self) -> list[str]:
        words: list[str] = []
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t":
                self._at += 1
            if self._at >= len(self._text) or self._text[self._at] in "\n;|":
                return words
            if self._text[self._at] == "&":
                self._at += 1
                continue
            words.append(self._word())

    def _word(self) -> str:
        pieces: list[str] = []
        while self._at < len(self._text) and self._text[self._at] not in " \t\n":
            char = self._text[self._at]
            if char in "\"'" or self._text.startswith("$'", self._at):
                pieces.append(self._quoted())
            elif char == "\\":
                pieces.append(self._text[self._at + 1 : self._at + 2])
                self._at += 2
            else:
                self.is_cut |= char == "&" and bool(pieces)
                pieces.append(char)
                self._at += 1
        return "".join(pieces)

    def _quoted(self) -> str:
        is_ansi = self._text[self._at] == "$"
        self._at += 1 + is_ansi
        quote = self._text[self._at - 1]
        pieces: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != quote:
            char = self._text[self._at]
            if char == "\\" and (is_ansi or quote == '"'):
                pieces.append(self._escaped(is_ansi=is_ansi))
            else:
                pieces.append(char)
                self._at += 1
        self._at += 1
        return "".join(pieces)

    def _escaped(self, *, is_ansi: bool) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if not is_ansi:
            return char if char in '\\"$`' else "\\" + char
        length = {"u": 4, "x": 2}.get(char, 0)
        digits = self._text[self._at : self._at + length]
        try:
            code = int(digits, 16) if length else -1
        except ValueError:
            code = -1
        if code >= 0:
            self._at += length
            return chr(code)
        return _ANSI.get(char, char)
