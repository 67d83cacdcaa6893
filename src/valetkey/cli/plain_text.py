"""Text that somebody else may have chosen, made harmless: on a terminal, and as the name of a local file."""

import re
import unicodedata
from typing import Final

MAX_NAME_BYTES: Final = 200
"""In UTF-8. File systems take 255, some encrypting ones far fewer; a tool may add an ending of its own."""
NAMELESS: Final = "download"

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (those that turn the direction of text among them), lone surrogates, separators."""

_FOLDER_MARKS: Final = frozenset("/\\:")
_MAX_ENDING_BYTES: Final = 16

_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE
)
"""Source: Microsoft, "Naming Files, Paths, and Namespaces", naming conventions."""


def is_unseen(char: str) -> bool:
    """Answer whether a terminal or reader obeys `char` (or drops it) rather than shows it."""
    return unicodedata.category(char) in _UNSEEN


def has_control(text: str) -> bool:
    """Answer whether `text` holds a control character: C0, DEL or C1."""
    return any(unicodedata.category(char) == "Cc" for char in text)


def shown(text: str) -> str:
    """Return `text` on one line, with what could not be seen written as Python escapes it."""
    return "".join(ascii(char)[1:-1] if is_unseen(char) else char for char in text)


def plain_name(key: str) -> str:
    """Return a name for a local file after the last non-empty segment of `key`.

    It is a name in the current folder on every system, of at most 200 bytes: neither hidden nor a flag, no
    device of Windows, no drive, no stream, and nothing in it that a terminal obeys.
    """
    segment = key.rstrip("/").rpartition("/")[2]
    name = "".join("_" if char in _FOLDER_MARKS or is_unseen(char) else char for char in segment)
    # Windows drops dots and spaces at the end, so what is hidden behind them counts.
    name = _shortened(name.lstrip(" .-")).rstrip(" .")
    return f"_{name}" if _DEVICE.match(name) else name or NAMELESS


def _shortened(name: str) -> str:
    """Return `name` cut before its ending, with one byte to spare for a mark in front."""
    if len(name.encode()) < MAX_NAME_BYTES:
        return name
    stem, dot, last = name.rpartition(".")
    ending = dot + last if stem and len(last.encode()) < _MAX_ENDING_BYTES else ""
    room = MAX_NAME_BYTES - 1 - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending
