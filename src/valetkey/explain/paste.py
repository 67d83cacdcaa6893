"""Recognising what a person pasted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from valetkey.explain.causes import Finding
from valetkey.explain.cleaning import clean_url
from valetkey.explain.curl import Told, is_curl, parse_curl
from valetkey.explain.fault import ServerFault, find_fault
from valetkey.explain.fetch import NotFetchError, is_fetch, parse_fetch
from valetkey.explain.form import SentForm, parse_html_form
from valetkey.explain.http_text import is_http, parse_http
from valetkey.explain.mends import mend
from valetkey.explain.sent import Sent, parse_url
from valetkey.explain.snippets import parse_snippet

MOST_CHARS: Final = 1024 * 1024

MOST_PAGE_CHARS: Final = 64 * 1024

_CURL: Final = re.compile(r"^[ \t$#>%]{0,40}(curl(?:\.exe)?\s.*)", re.DOTALL | re.MULTILINE)
_BARE_START: Final = re.compile(r"[A-Za-z0-9.\-]{1,255}(?::[0-9]{1,5})?/")
_DROPPED: Final = frozenset((":method", ":path", ":scheme"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paste:
    """What was found in a text."""

    sent: Sent | None = None
    form: SentForm | None = None
    fault: ServerFault | None = None
    findings: tuple[Finding, ...] = ()
    is_proved: bool = False
    """A server found the signature to be right."""


def read_paste(text: str) -> Paste:
    """Return what `text` holds: a URL, a command, a snippet, a request, a form, an error, or two of them."""
    fault, rest = find_fault(text[:MOST_CHARS])
    if fault is not None and not rest.strip():
        return Paste(fault=fault)
    form = _json_form(rest) or (parse_html_form(rest[:MOST_PAGE_CHARS]) if "<form" in rest.lower() else None)
    if form is not None:
        return Paste(form=form, fault=fault)
    told = _told(rest)
    cleaned = clean_url(told.url)
    sent = parse_url(cleaned.text)
    if sent is None and _is_bare(cleaned.text):
        sent = parse_url(f"https://{cleaned.text}")
    if sent is None:
        return Paste(fault=fault)
    sent, mends = mend(_with_told(sent, told))
    return Paste(sent=sent, fault=fault, findings=(*told.findings, *cleaned.findings, *mends))


def _is_bare(text: str) -> bool:
    """Tell whether `text` is a URL without its scheme."""
    is_one_word = len(text.split(maxsplit=1)) == 1
    return is_one_word and "?" in text and _BARE_START.match(text) is not None


def _told(text: str) -> Told:
    found = _CURL.search(text)
    if found is not None and is_curl(found[1]):
        return parse_curl(found[1])
    if is_http(text):
        return parse_http(text)
    if is_fetch(text):
        try:
            return parse_fetch(text)
        except NotFetchError:
            return Told(url=text)
    return _json_request(text) or parse_snippet(text) or Told(url=text)


def _with_told(sent: Sent, told: Told) -> Sent:
    headers: list[tuple[bytes, bytes]] = []
    host = sent.host
    for name, value in told.headers:
        lower = name.lower()
        if lower in {"host", ":authority"}:
            host = value.lower()
        elif lower not in _DROPPED:
            headers.append((lower.encode("utf-8", "replace"), value.encode("utf-8", "replace")))
    return replace(
        sent,
        host=host,
        method=told.method,
        headers=tuple(headers),
        body_sha256=None if told.body is None else sha256(told.body).hexdigest(),
    )


def _json(text: str) -> Mapping[str, object]:
    if not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _json_form(text: str) -> SentForm | None:
    found = _json(text)
    fields, url = found.get("fields"), found.get("url")
    if not isinstance(fields, Mapping) or not isinstance(url, str):
        return None
    texts = [(name, value) for name, value in fields.items() if isinstance(value, str)]
    form = SentForm(url=url, fields=tuple(texts))
    return form if "policy" in form.values else None


def _json_request(text: str) -> Told | None:
    found = _json(text)
    url, method, headers = found.get("url"), found.get("method"), found.get("headers")
    if not isinstance(url, str):
        return None
    told = Told(url=url, method=method.upper() if isinstance(method, str) else None)
    if isinstance(headers, Mapping):
        told.headers = [(name, value) for name, value in headers.items() if isinstance(value, str)]
    return told
