"""The download's name: Content-Disposition with a name that any client can use."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

_ATTR_CHARS: Final = "!#$&+-.^_`|~"
"""What may stand unescaped in `filename*` besides letters and digits. Source: RFC 8187, section 3.2.1."""

_UNSAFE_IN_QUOTES: Final = frozenset('"\\/%;')
"""Legal in a quoted name, but clients disagree: some decode `%`, some split at `;`, all strip folders."""


def is_filename(name: str) -> bool:
    """Return whether a file can have the name: it is not blank, and holds no slash and no control character."""
    is_blank = name.strip(" .") == ""
    return not is_blank and "/" not in name and all(unicodedata.category(char) != "Cc" for char in name)


def attachment(filename: str) -> str:
    """Return the Content-Disposition that saves a download as `filename`, for which `is_filename` holds.

    A name with anything but plain ASCII is given twice, as S3 sends header values in ISO-8859-1 only: once
    reduced to ASCII for old clients, and once whole as `filename*`.

    Source: RFC 6266, sections 4.1 and 4.3 and appendix D.
    """
    fallback = "".join(_ascii(char) for char in filename)
    plain = f'attachment; filename="{fallback}"'
    if fallback == filename:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(filename, safe=_ATTR_CHARS)}"


def _ascii(char: str) -> str:
    if char in _UNSAFE_IN_QUOTES:
        return "_"
    if char.isascii():
        return char
    if unicodedata.category(char) == "Pd":
        return "-"
    if unicodedata.combining(char):
        return ""
    reduced = "".join(part for part in unicodedata.normalize("NFKD", char) if part.isascii())
    return reduced if reduced and _UNSAFE_IN_QUOTES.isdisjoint(reduced) else "_"
