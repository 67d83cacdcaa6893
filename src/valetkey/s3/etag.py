"""Entity tags. Inside the program they are unquoted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def unquoted(text: str) -> str:
    """Return the tag in `text`, which clients send with or without quotation marks."""
    bare = text.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] == '"':
        return bare[1:-1]
    return bare


def multipart_etag(parts: Sequence[str]) -> str:
    """Return the tag of an object made of parts with these MD5s (hex): the MD5 of the MD5s, `-`, how many."""
    joined = b"".join(bytes.fromhex(part) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def is_listed(etag: str, condition: str, *, weak: bool) -> bool:
    """Return whether `condition`, the value of an `If-Match` or `If-None-Match`, names `etag`.

    `*` names every tag. Tags may stand without quotation marks, as S3 allows. A tag marked weak (`W/`) counts
    only if `weak`. Source: RFC 9110, sections 8.8.3.2 and 13.1.
    """
    for entry in condition.split(","):
        tag = entry.strip()
        if tag == "*":
            return True
        if tag.startswith("W/"):
            if not weak:
                continue
            tag = tag[2:]
        if unquoted(tag) == etag:
            return True
    return False
