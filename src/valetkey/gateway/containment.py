"""What an answer to a presigned URL tells the browser, so that URL and content stay with whoever opened them.

A browser passes the URL of a page on to the sites that the page links to, guesses what content is, runs scripts in
it under our name, and lets caches on the way keep it. Of a private object it shall do none of that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from valetkey.gateway.call import Answer

ALWAYS: Final = ((b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff"))

SANDBOX: Final = (
    b"content-security-policy",
    b"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:",
)
"""Shows a page that brings all it needs along. No scripts, no forms, no origin, and nothing that is fetched."""

PRIVATE: Final = (b"cache-control", b"private")

_READS: Final = frozenset({"GetObject", "HeadObject"})
_ACTIVE: Final = (b"html", b"xml", b"svg", b"xsl", b"multipart", b"script")
"""Wherever they stand in a content type: browsers are lenient readers of it."""


def contain(answer: Answer) -> None:
    """Add the headers. A `Cache-Control` that the object or the URL asks for stays as it is."""
    headers = answer.headers
    content_type, is_caching_told = b"", False
    for name, value in headers:
        if name == b"content-type":
            content_type += value
        elif name == b"cache-control":
            is_caching_told = True
    headers += ALWAYS
    if _is_active(content_type):
        headers.append(SANDBOX)
    # Of an answer "not modified", the browser goes by what it has kept.
    if not is_caching_told and answer.operation in _READS and answer.status in (200, 206):
        headers.append(PRIVATE)


@lru_cache(maxsize=256)
def _is_active(content_type: bytes) -> bool:
    lower = content_type.lower()
    return any(word in lower for word in _ACTIVE)
