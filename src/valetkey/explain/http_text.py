"""A request as text: as it goes over the wire, as `curl -v` shows it, or as a browser lists its headers."""

from __future__ import annotations

import re
from typing import Final

from valetkey.explain.curl import Told

_REQUEST_LINE: Final = re.compile(r"^(?:> ?)?([A-Z]{3,10}) (\S.*?) HTTP/[0-9.]+[ \t]*\r?$", re.MULTILINE)
_LINE: Final = re.compile(r"(?:> ?)?(:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?(.*)")


def is_http(text: str) -> bool:
    """Tell whether `text` holds a request line."""
    return _REQUEST_LINE.search(text) is not None


def parse_http(text: str) -> Told:
    """Return what a request in text form says. Its scheme is https unless something says otherwise."""
    found = _REQUEST_LINE.search(text)
    assert found is not None  # `is_http` said so
    is_shown = found[0].startswith(">")
    told = Told(method=found[1])
    rest = text[found.end() :].removeprefix("\n")
    lines = rest.split("\n")
    body_at = len(lines)
    for number, line in enumerate(lines):
        stripped = line.rstrip("\r")
        if not stripped.strip("> "):
            body_at = number + 1
            break
        header = _LINE.fullmatch(stripped)
        if header is not None:
            told.headers.append((header[1], header[2].strip()))
    if not is_shown and body_at < len(lines):
        body = "\n".join(lines[body_at:])
        told.body = body.encode("utf-8", "replace") if body.strip() else None
    told.url = _url(told, found[2].strip(), text)
    return told


def _url(told: Told, target: str, text: str) -> str:
    if re.match(r"https?://", target):
        return target
    host = next((value for name, value in told.headers if name.lower() in {"host", ":authority"}), "")
    told.headers = [each for each in told.headers if not each[0].startswith(":")]
    told.headers = [each for each in told.headers if each[0].lower() != "host"]
    # `curl -v` says first whether it speaks TLS; a port that is not TLS's own tells it else.
    is_plain = re.search(r"^\* .*(?:SSL|TLS)", text, re.MULTILINE) is None and re.search(r":\d+$", host)
    return f"{'http' if is_plain else 'https'}://{host}{target}"
