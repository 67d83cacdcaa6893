"""A browser form as a page that needs nothing else: it shows how far the upload is, and why it was refused."""

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from valetkey import PresignedPost
from valetkey.cli.expiry import instant_text

_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
_REDIRECTS: Final = frozenset({"success_action_redirect", "redirect"})
_UNITS: Final = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def as_page(post: PresignedPost) -> str:
    """Return the page. The file comes last in its form, as S3 wants it.

    Its policy (CSP) lets no script run but its own, whatever a field or the store's answer holds.
    """
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(post.url))
    style, script = _read("form.css"), _read("form.js")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; connect-src {origin}; "
        "base-uri 'none'"
    )
    is_redirected = any(name.lower() in _REDIRECTS for name in post.fields)
    values = {
        "security_policy": html.escape(policy),
        "style": style,
        "script": script,
        "url": html.escape(post.url),
        "mode": ' data-mode="navigate"' if is_redirected else "",
        "fields": "\n".join(_field(name, value) for name, value in post.fields.items()),
        "limit": html.escape(_limit(post.fields)),
        "host": html.escape(urlsplit(post.url).netloc),
        "ends": instant_text(post.expires_at),
    }
    # In one go, so that what a value holds is not taken for a place to fill.
    return _PLACE.sub(lambda found: values[found[1]], _read("form.html"))


def _read(name: str) -> str:
    return resources.files("valetkey.cli").joinpath("pages", name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _field(name: str, value: str) -> str:
    return f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'


def _limit(fields: Mapping[str, str]) -> str:
    """Return how large the file may be, as the form's policy says it; nothing where it says nothing."""
    most = [
        int(condition[2])
        for condition in json.loads(b64decode(fields["policy"]))["conditions"]
        if isinstance(condition, list) and condition[0] == "content-length-range"
    ]
    return f" (at most {_size(min(most))})" if most else ""


def _size(size_bytes: int) -> str:
    for unit_bytes, unit in _UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size_bytes} bytes"
