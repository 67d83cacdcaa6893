"""Which bucket and key a URL seems to be about, and what it does there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from valetkey.explain.sent import Sent, split_port
from valetkey.s3.errors import S3Error
from valetkey.s3.route import find_operation
from valetkey.s3.target import Target
from valetkey.sigv4.encoding import decode_component

_AMAZON: Final = re.compile(r"(?:(.+)\.)?(s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?)")
_OTHERS: Final = re.compile(
    r"(?:(.+)\.)?((?:[0-9a-z]+\.r2\.cloudflarestorage|storage\.googleapis|s3\.[a-z0-9-]+\.backblazeb2|[a-z0-9]+\.digitaloceanspaces)\.com)"
)


def virtual_host(host: str, domains: Sequence[str] = ()) -> tuple[str, str] | None:
    """Return bucket and domain where the bucket's name stands in the host, or None."""
    name, port = split_port(host)
    for domain in domains:
        own = split_port(domain)[0]
        if own and name.endswith("." + own):
            return name[: -len(own) - 1], f"{own}:{port}" if port else own
    for pattern in (_AMAZON, _OTHERS):
        found = pattern.fullmatch(name)
        if found is not None and found[1]:
            return found[1], found[2]
    return None


def place_of(sent: Sent, *, domains: Sequence[str] = (), is_path_key: bool = False) -> tuple[str, str]:
    """Return bucket and key as far as the URL shows them; the bucket is the path's first part, or in the host."""
    path = sent.raw_path.removeprefix(b"/")
    virtual = virtual_host(sent.host, domains)
    if is_path_key:
        return "", _text(path)
    if virtual is not None:
        return virtual[0], _text(path)
    bucket, _, key = path.partition(b"/")
    return _text(bucket), _text(key)


def operation_of(sent: Sent, *, bucket: str, key: str) -> str:
    """Return the operation's name as S3 has it, or ''."""
    target = Target(bucket or None, key or None, virtual=False)
    headers: Mapping[str, str] = {
        name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in sent.headers
    }
    try:
        return find_operation(sent.verb, target, sent.values(), headers).name
    except S3Error:
        return ""


def _text(raw: bytes) -> str:
    # A + is a space in a query only.
    return decode_component(raw.replace(b"+", b"%2B")).decode("utf-8", "replace")
