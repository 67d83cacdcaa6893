"""The download's name: Content-Disposition with a name that any client can use."""

import unicodedata
from typing import Final
from urllib.parse import quote

from valetkey.cli.errors import BadInputError
from valetkey.cli.location import require_text

_ATTR_CHARS: Final = "!#$&+-.^_`|~"
"""What may stand unescaped in `filename*` besides letters and digits. Source: RFC 8187, section 3.2.1."""

_UNSAFE_IN_QUOTES: Final = frozenset('"\\/%;')
"""Legal in a quoted name, but clients disagree: some decode `%`, some split at `;`, all strip folders."""


def attachment(filename: str) -> str:
    """Return the Content-Disposition that saves a download as `filename`.

    A name with anything but plain ASCII is given twice, as S3 sends header values in ISO-8859-1 only: once
    reduced to ASCII for old clients, and once whole as `filename*`.

    Raises:
        BadInputError: no file can have the name: it is blank, or holds a control character or a slash.

    Source: RFC 6266, sections 4.1 and 4.3 and appendix D.
    """
    require_text(filename, what="--filename")
    if filename.strip(" .") == "":
        raise BadInputError("--filename is blank: give the name under which the download is to be saved")
    if "/" in filename or any(unicodedata.category(char) == "Cc" for char in filename):
        raise BadInputError("--filename is a name without folders and without control characters")
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
