"""Commands and snippets beside curl and fetch: wget, PowerShell, and Python."""

from __future__ import annotations

import re
from typing import Final

from valetkey.explain.causes import Cause, Finding
from valetkey.explain.curl import Told
from valetkey.explain.shell_words import split_words

_WGET: Final = re.compile(r"^[ \t$#>%]{0,40}(wget(?:\.exe)?\s.*)", re.DOTALL | re.MULTILINE)
_WGET_WITH_VALUE: Final = frozenset(
    (
        "-O",
        "--output-document",
        "--method",
        "--body-file",
        "--body-data",
        "--post-data",
        "--post-file",
        "--header",
        "-U",
        "-o",
        "-P",
    )
)
_POWERSHELL: Final = re.compile(r"\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b", re.IGNORECASE)
_URI: Final = re.compile(r"-Uri\s{1,9}(['\"])(https?://[^'\"\n]*)\1", re.IGNORECASE)
_METHOD: Final = re.compile(r"-Method\s{1,9}['\"]?([A-Za-z]{3,10})", re.IGNORECASE)
_CONTENT_TYPE: Final = re.compile(r"-ContentType\s{1,9}(['\"])([^'\"\n]*)\1", re.IGNORECASE)
_PYTHON: Final = re.compile(r"\b(?:urllib\.request|requests|httpx)\.")
_PYTHON_URL: Final = re.compile(r"(['\"])(https?://[^'\"\n]*)\1")
_PYTHON_METHOD: Final = re.compile(
    r"method=['\"]([A-Za-z]{3,10})|(?:requests|httpx)\.(get|put|post|delete|head)\("
)
_HEADERS: Final = re.compile(r"headers\s{0,9}=?\s{0,9}@?\{([^}]{0,8192})\}", re.IGNORECASE)
_PAIR: Final = re.compile(r"['\"]([\w-]{1,100})['\"]\s{0,9}[:=]\s{0,9}(['\"])([^'\"\n]{0,4096})\2")


def parse_snippet(text: str) -> Told | None:
    """Return what a command of wget, PowerShell or a snippet of Python would send, or None if it is none."""
    found = _WGET.search(text)
    if found is not None:
        return _wget(found[1])
    if _POWERSHELL.search(text):
        return _quoted(text, url=_URI, method=_METHOD)
    return _quoted(text, url=_PYTHON_URL, method=_PYTHON_METHOD) if _PYTHON.search(text) else None


def _wget(text: str) -> Told:
    read = split_words(text)
    told = Told(method="GET")
    words = iter(read.words[1:])
    for word in words:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            told.url = told.url or word
        elif name in _WGET_WITH_VALUE:
            _take(told, name, value if equals else next(words, ""))
    if read.is_cut:
        told.findings.append(Finding(cause=Cause.SHELL_AMPERSAND))
    return told


def _take(told: Told, name: str, value: str) -> None:
    if name == "--method":
        told.method = value.upper()
    elif name in {"--post-data", "--post-file"}:
        told.method = "POST"
    elif name == "--header":
        header, _, content = value.partition(":")
        told.headers.append((header.strip(), content.strip()))


def _quoted(text: str, *, url: re.Pattern[str], method: re.Pattern[str]) -> Told | None:
    found, verb, headers = url.search(text), method.search(text), _HEADERS.search(text)
    if found is None:
        return None
    told = Told(url=found[2], method=(next(filter(None, verb.groups())) if verb else "GET").upper())
    told.headers = [(pair[1], pair[3]) for pair in _PAIR.finditer(headers[1] if headers else "")]
    content_type = _CONTENT_TYPE.search(text)
    if content_type is not None:
        told.headers.append(("Content-Type", content_type[2]))
    return told
