"""Undoing what mail, chat programs, shells and pages do to the text of a URL."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from valetkey.explain.causes import Cause, Finding

MOST_CHARS: Final = 64 * 1024
"""A longer URL is none: no server takes a request line of this length."""

_START: Final = re.compile(r"https?(?:://|:\\/\\/|%3A%2F%2F)", re.IGNORECASE)
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060\ufeff]")
_BLANKS: Final = " \t\u00a0"
_OPENING: Final = "\"'`<([{“‘«‹„"
_CLOSING: Final = "\"'`>)]}”’»›“"
_MARKS: Final = ".,;:!?…*_"
_QUOTED_PRINTABLE: Final = re.compile(r"(?:X-Amz-[A-Za-z-]{1,30}|Signature|Expires|AWSAccessKeyId)=3D")
_ENCODED_WORD: Final = re.compile(r"=\?[\w-]{1,40}\?[Qq]\?([^?\s]{0,200})\?=")
_ESCAPED_AMPERSAND: Final = re.compile(r"&(?:amp|#38|#x26|#038);", re.IGNORECASE)
_BACKSLASH: Final = re.compile(r"\\([&?=%:/#;~+$!()'\"])")
_CARET: Final = re.compile(r"\^([&%])")
_SIGNED: Final = re.compile(r"[?&](?:X-(?:Amz|Goog)-|Signature=|AWSAccessKeyId=|sig=)", re.IGNORECASE)
_PROOFPOINT: Final = re.compile(r"https://urldefense\.com/v3/__(.+)__;.*", re.DOTALL)
_WRAPPING_NAMES: Final = ("url", "u", "q", "target", "link", "to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A URL's text, and what had to be undone."""

    text: str
    findings: tuple[Finding, ...]


def clean_url(text: str) -> Cleaned:
    """Return `text` as the URL that it was before others handled it."""
    findings: list[Finding] = []
    text = text[:MOST_CHARS]
    for step in _STEPS:
        text, finding = step(text)
        if finding is not None:
            findings.append(finding)
    return Cleaned(text=text, findings=tuple(findings))


Step = Callable[[str], tuple[str, Finding | None]]


def _without_breaks(text: str) -> tuple[str, Finding | None]:
    stripped = text.strip(" \t\r\n\u00a0\ufeff")
    first, *others = stripped.splitlines() or [""]
    lines = [first.rstrip(_BLANKS), *(line.lstrip(f"{_BLANKS}>|").rstrip(_BLANKS) for line in others)]
    joined = _UNSEEN.sub("", "".join(lines))
    if joined != stripped:
        return joined, Finding(cause=Cause.WHITESPACE, detail="The URL is broken into lines.")
    # One line feed is the end of a line, which every program leaves.
    if stripped != text.removesuffix("\n").removesuffix("\r"):
        return joined, Finding(
            cause=Cause.WHITESPACE, detail="There are blanks around the URL.", is_note=True
        )
    return joined, None


def _without_wrapping(text: str) -> tuple[str, Finding | None]:
    found = _START.search(text)
    if found is None:
        return text, None
    before, rest = text[: found.start()], text[found.start() :]
    opening = [char for char in before if char in _OPENING]
    if not opening:
        finding = Finding(cause=Cause.WRAPPED, detail="There is text before the URL.") if before else None
        return rest, finding
    # Slack writes <url|label>, Markdown [label](url).
    end = min((at for at in map(rest.find, _ends(opening[-1])) if at >= 0), default=len(rest))
    return rest[:end], Finding(cause=Cause.WRAPPED, detail=f"It stands between {opening[-1]} and its match.")


def _ends(opening: str) -> tuple[str, ...]:
    closing = {"<": (">", "|"), "(": (")",), "[": ("]",), "{": ("}",), "“": ("”",), "‘": ("’",), "«": ("»",)}
    return closing.get(opening, (opening, "“", "”", "›"))


def _without_quoted_printable(text: str) -> tuple[str, Finding | None]:
    words = _ENCODED_WORD.findall(text)
    if words:
        # A header of a mail, as RFC 2047 writes what is too long for a line.
        raw = b"".join(binascii.a2b_qp(word.encode("utf-8", "replace"), header=True) for word in words)
        return raw.decode("utf-8", "replace"), Finding(cause=Cause.QUOTED_PRINTABLE)
    if _QUOTED_PRINTABLE.search(text) is None:
        return text, None
    # A = that begins no escape is a soft break, which may have lost its line feed already.
    raw = re.sub(r"=(?![0-9A-F]{2})[ \t]*\r?\n?", "", text).encode("utf-8", "replace")
    return binascii.a2b_qp(raw).decode("utf-8", "replace"), Finding(cause=Cause.QUOTED_PRINTABLE)


def _without_html(text: str) -> tuple[str, Finding | None]:
    times = 0
    while times < 3 and _ESCAPED_AMPERSAND.search(text):
        text, times = _ESCAPED_AMPERSAND.sub("&", text), times + 1
    return text, Finding(cause=Cause.HTML_ESCAPED) if times else None


def _without_json(text: str) -> tuple[str, Finding | None]:
    plain = re.sub(r"\\u0026", "&", text, flags=re.IGNORECASE)
    plain = re.sub(r"\\u003d", "=", plain, flags=re.IGNORECASE)
    if plain != text or text.lower().startswith(("http:\\/\\/", "https:\\/\\/")):
        return plain.replace("\\/", "/"), Finding(cause=Cause.JSON_ESCAPED)
    return text, None


def _without_backslashes(text: str) -> tuple[str, Finding | None]:
    plain = _CARET.sub(r"\1", _BACKSLASH.sub(r"\1", text))
    return plain, Finding(cause=Cause.BACKSLASHES) if plain != text else None


def _without_wrapper(text: str) -> tuple[str, Finding | None]:
    found = _PROOFPOINT.fullmatch(text)
    inner = found[1] if found is not None else _inner_url(text)
    if inner is None or _SIGNED.search(inner) is None:
        return text, None
    return inner, Finding(cause=Cause.LINK_WRAPPER, detail=f"It leads by way of {_host_of(text)}.")


def _inner_url(text: str) -> str | None:
    try:
        query = urlsplit(text).query
        pairs = parse_qsl(query, max_num_fields=64)
    except ValueError:
        return None
    if _SIGNED.search("?" + query.partition("%3F")[0]):
        return None
    inner = (value for name, value in pairs if name.lower() in _WRAPPING_NAMES)
    return next((value for value in inner if _START.match(value)), None)


def _host_of(text: str) -> str:
    return text.partition("://")[2].partition("/")[0][:100]


def _without_encoded_start(text: str) -> tuple[str, Finding | None]:
    if not re.match(r"https?%3A%2F%2F", text, re.IGNORECASE):
        return text, None
    return unquote(text), Finding(cause=Cause.DOUBLE_ENCODED, detail="The whole URL is percent-encoded.")


def _without_marks(text: str) -> tuple[str, Finding | None]:
    if "?" not in text:
        return text, None
    plain = text.rstrip(_MARKS + _CLOSING)
    if plain == text or "=" not in plain.rpartition("&")[2]:
        return text, None
    last = plain.rpartition("&")[2].partition("=")[0].rpartition("?")[2].lower()
    if not last.startswith(("x-amz-", "x-goog-")) and last not in {"signature", "x-id", "expires", "sig"}:
        return text, None
    return plain, Finding(cause=Cause.TRAILING_PUNCTUATION, detail=f"It ends with {text[len(plain) :]!r}.")


_STEPS: Final[tuple[Step, ...]] = (
    _without_quoted_printable,
    _without_breaks,
    _without_wrapping,
    _without_html,
    _without_json,
    _without_backslashes,
    _without_encoded_start,
    _without_wrapper,
    _without_marks,
)
