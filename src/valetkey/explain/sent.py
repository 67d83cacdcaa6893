"""A request as far as somebody tells of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from valetkey.sigv4.encoding import Pairs, decode_component, decode_text, query_pairs
from valetkey.sigv4.received import ReceivedRequest

_URL: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was, or would be, sent. Nothing is decoded."""

    method: str | None = None
    """None: nobody said."""
    scheme: str = "https"
    host: str
    """As the client writes it into Host: lower case, with the port unless it is the default."""
    raw_path: bytes
    raw_query: bytes
    headers: Headers = ()
    """Names in lower case; without Host."""
    written_port: str = ""
    """A default port that the URL spells out, and that no client sends."""
    fragment: str = ""
    body_sha256: str | None = None

    @property
    def verb(self) -> str:
        """The method, GET if nobody said."""
        return self.method or "GET"

    def received(self) -> ReceivedRequest:
        """Return the request as a server would receive it."""
        host = ((b"host", self.host.encode("utf-8", "replace")),) if self.host else ()
        return ReceivedRequest(self.verb, self.raw_path, self.raw_query, (*host, *self.headers))

    def pairs(self) -> Pairs:
        """Return the query's canonical names and values."""
        return query_pairs(self.raw_query)

    def values(self) -> Mapping[str, str]:
        """Return the query decoded; of a parameter that comes twice, the first."""
        return _decoded(self.raw_query)

    def header(self, name: str) -> str | None:
        """Return the value of the lower-case header `name`."""
        wanted = name.encode()
        return next(
            (value.decode("utf-8", "replace") for each, value in self.headers if each == wanted), None
        )

    def with_header(self, name: str, value: str) -> Sent:
        """Return the same with a header set."""
        wanted = name.lower().encode("utf-8", "replace")
        rest = tuple(each for each in self.headers if each[0] != wanted)
        return replace(self, headers=(*rest, (wanted, value.encode("utf-8", "replace"))))


@lru_cache(maxsize=4)
def _decoded(raw_query: bytes) -> Mapping[str, str]:
    # Each check asks for it again.
    found: dict[str, str] = {}
    for name, value in query_pairs(raw_query):
        found.setdefault(decode_text(name), decode_text(value))
    return MappingProxyType(found)


def parse_url(text: str) -> Sent | None:
    """Return the request that a URL stands for, or None if it is none of http or https."""
    found = _URL.fullmatch(text)
    if found is None or not found[2]:
        return None
    scheme = found[1].lower()
    host, port = split_port(found[2].rpartition("@")[2].lower())
    is_default = port == _DEFAULT_PORTS[scheme]
    return Sent(
        scheme=scheme,
        host=host if is_default or not port else f"{host}:{port}",
        raw_path=found[3].encode("utf-8", "replace") or b"/",
        raw_query=(found[4] or "").encode("utf-8", "replace"),
        written_port=port if is_default else "",
        fragment=found[5] or "",
    )


def split_port(host: str) -> tuple[str, str]:
    """Return the name and the port of an authority; the port may be empty."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() and not name.endswith(":") else (host, "")


def joined_query(pieces: list[bytes]) -> bytes:
    """Return the query that the pieces make."""
    return b"&".join(piece for piece in pieces if piece)


def piece_name(piece: bytes) -> str:
    """Return the decoded name of one `name=value` of a query."""
    return decode_component(piece.partition(b"=")[0]).decode("utf-8", "replace")
