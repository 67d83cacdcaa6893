"""The page that asks for the password of a link, and the cookie by which it is not asked again at once."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from typing import Final
from urllib.parse import parse_qs

from valetkey.gateway.call import Answer, Request
from valetkey.gateway.links.password_door import PROVED_S
from valetkey.links.model import Link
from valetkey.links.passwords import MAX_CHARS

COOKIE: Final = "valetkey-link"

MOST_BODY_BYTES: Final = 16 * 1024

_PAGE: Final = resources.files("valetkey.console").joinpath("pages", "password.html").read_text("utf-8")
_WRONG: Final = re.compile(r"<!-- wrong -->(.*?)<!-- end -->", re.DOTALL)
_STYLE: Final = re.search(r"<style>(.*?)</style>", _PAGE, re.DOTALL)
_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(*, is_wrong: bool) -> Answer:
    """Return the page. It holds nothing of the link, nor of what was typed."""
    text = _WRONG.sub(r"\1" if is_wrong else "", _PAGE).encode()
    assert _STYLE is not None
    digest = b64encode(sha256(_STYLE[1].encode()).digest()).decode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _POLICY.format(digest).encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]
    # Not 200: a program that got here by mistake must not take the page for the object.
    return Answer(403, headers, text, len(text), error_code="LinkPasswordRequired")


async def typed_password(request: Request) -> bytes:
    """Return the password in the body that the page sends; empty if there is none."""
    body = bytearray()
    async for piece in request.body():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            return b""
    try:
        values = parse_qs(body.decode("ascii"), max_num_fields=4, errors="strict")
    except ValueError:
        return b""
    password = values.get("password", [""])[0]
    return password.encode() if len(password) <= MAX_CHARS else b""


def opened(request: Request, link: Link, *, back: str, below: str, secret_key: bytes) -> Answer:
    """Return the answer to a right password: to the path and query `back`, with a cookie that opens all `below` for a while."""
    ends_s = int(request.now.timestamp()) + PROVED_S
    attributes = f"Path={below}; Max-Age={PROVED_S}; HttpOnly; SameSite=Lax"
    secure = "; Secure" if request.is_secure else ""
    value = f"{COOKIE}={ends_s}.{_proof(link, ends_s, secret_key)}; {attributes}{secure}"
    headers = [
        (b"location", back.encode("latin-1")),
        (b"set-cookie", value.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
    ]
    return Answer(303, headers, b"", 0)


def is_open(request: Request, link: Link, *, secret_key: bytes) -> bool:
    """Return whether the request brings a cookie that `opened` gave for this link and its password."""
    now_s = request.now.timestamp()
    for name, value in request.headers:
        if name != b"cookie":
            continue
        try:
            found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
        except CookieError:
            continue
        if found is None:
            continue
        text, _, proof = found.value.partition(".")
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            continue
        is_right = hmac.compare_digest(proof.encode(), _proof(link, int(text), secret_key).encode())
        # Not longer than it was given for, whatever has happened to the clock.
        if is_right and now_s < int(text) <= now_s + PROVED_S:
            return True
    return False


def _proof(link: Link, ends_s: int, secret_key: bytes) -> str:
    text = f"password {link.id} {link.grant.password_hash} {ends_s}"
    return hmac.digest(secret_key, text.encode(), "sha256").hex()
