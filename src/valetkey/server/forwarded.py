"""Where a request comes from when a proxy passed it on: the client's address, its scheme, the Host it wrote.

Anybody can send these headers, so they count only from proxies that are trusted, and only those that the proxies
are known to write. Each proxy adds what it has seen at the end. So the lists are read from there, up to the first
address that is no trusted proxy's: that is the client, and what stands before it is the client's own invention.

Source: RFC 7239, "Forwarded HTTP Extension"; for the `X-Forwarded-` headers what nginx, HAProxy, Caddy and Apache do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from valetkey.s3.errors import S3Error
from valetkey.s3.target import parse_target
from valetkey.server.setting_values import UNIX, Network
from valetkey.server.settings import Settings
from valetkey.sigv4.verify import SignedHost

RawHeaders = Sequence[tuple[bytes, bytes]]

MOST_HOSTS: Final = 4
"""Of a longer list of hosts the last ones: each is a signature to compute."""

UNKNOWN: Final = ""
"""The address of a client whose address nobody can tell. No network contains it."""

_HOST: Final = re.compile(r"(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word
_PAIR: Final = re.compile(rf'({_TOKEN})=(?:({_TOKEN})|"([^"\\]*)")')
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class Origin(NamedTuple):
    """Where a request comes from."""

    remote: str
    """The client's address, in its usual form; `UNKNOWN` if it cannot be told."""
    is_secure: bool
    """The client spoke TLS."""
    hosts: tuple[SignedHost, ...] = ()
    """What the client may have written into Host, beside the one received; the nearest proxy's word first."""


class _Hop(NamedTuple):
    """What one proxy tells of the request that it got."""

    address: str
    scheme: str | None
    host: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProxies:
    """The proxies whose word counts."""

    networks: tuple[Network, ...]
    is_socket_trusted: bool
    """Whoever may connect to our Unix socket is one."""
    is_standard: bool
    """They write `Forwarded`; else `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`. The others are not looked at."""

    def origin(self, peer: str, headers: RawHeaders, *, is_secure: bool) -> Origin:
        """Return where a request comes from that `peer` sent, over TLS if `is_secure`.

        `peer` is empty for a connection by the Unix socket. Nothing here raises: what cannot be read counts
        for nothing.
        """
        if not (self.is_socket_trusted if peer == UNKNOWN else is_within(peer, self.networks)):
            return Origin(peer, is_secure)
        if self.is_standard:
            return self._by_forwarded(peer, headers, is_secure=is_secure)
        return self._by_x_headers(peer, headers, is_secure=is_secure)

    def _by_x_headers(self, peer: str, headers: RawHeaders, *, is_secure: bool) -> Origin:
        addresses = _items(headers, b"x-forwarded-for")
        remote, _ = self._client(peer, addresses)
        schemes = _items(headers, b"x-forwarded-proto")
        if schemes:
            is_secure = schemes[-1].lower() == "https"
        ports = _items(headers, b"x-forwarded-port")
        port = ports[-1] if ports else None
        told = _items(headers, b"x-forwarded-host")[: -MOST_HOSTS - 1 : -1]
        hosts = [form for host in told for form in _forms(host, port=port, is_secure=is_secure)]
        return Origin(remote, is_secure, tuple(SignedHost(host=host) for host in dict.fromkeys(hosts)))

    def _by_forwarded(self, peer: str, headers: RawHeaders, *, is_secure: bool) -> Origin:
        hops = [_hop(element) for element in _items(headers, b"forwarded")]
        remote, place = self._client(peer, [hop.address for hop in hops])
        if place is None:
            return Origin(remote, is_secure)
        hop = hops[place]
        if hop.scheme is not None:
            is_secure = hop.scheme == "https"
        hosts = [] if hop.host is None else _forms(hop.host, port=None, is_secure=is_secure)
        return Origin(remote, is_secure, tuple(SignedHost(host=host) for host in hosts))

    def _client(self, peer: str, told: Sequence[str]) -> tuple[str, int | None]:
        """Return the client's address, and its place in `told`; None where nothing was told."""
        place = None
        for place in reversed(range(len(told))):
            address = read_address(told[place])
            if address is None:
                return UNKNOWN, place
            peer = address
            if not is_within(address, self.networks):
                break
        return peer, place


def trusted_proxies(settings: Settings) -> TrustedProxies | None:
    """Return the proxies that `settings` name; None if there are none."""
    named = settings.trusted_proxies
    if not named:
        return None
    return TrustedProxies(
        networks=tuple(each for each in named if not isinstance(each, str)),
        is_socket_trusted=UNIX in named,
        is_standard=settings.forwarded_headers == "forwarded",
    )


@lru_cache(maxsize=4096)
def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Return whether one of `networks` contains an address; none contains what is no address."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def read_address(text: str) -> str | None:
    """Return the address that a proxy told, in its usual form; None if it told none (`unknown`, `_hidden`).

    It may have a port, and an IPv6 address brackets around it.
    """
    if text.startswith("["):
        inner, bracket, port = text[1:].partition("]")
        is_port = not port or (port[0] == ":" and port[1:].isascii() and port[1:].isdigit())
        text = inner if bracket and is_port and ":" in inner else ""
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
        text = name if port.isascii() and port.isdigit() else ""
    parsed = _parsed(text)
    return None if parsed is None else str(parsed)


def plain_address(address: str) -> str:
    """Return a peer's address in its usual form: an IPv4 one as such, also where it came to an IPv6 socket."""
    if not address.startswith("::ffff:"):
        return address
    parsed = _parsed(address)
    return address if parsed is None else str(parsed)


def as_addressed(
    headers: RawHeaders, hosts: tuple[SignedHost, ...], domains: Sequence[str]
) -> tuple[RawHeaders, tuple[SignedHost, ...]]:
    """Return the headers with the Host that names the bucket, and those of `hosts` that name the same one.

    A bucket stands and falls with the Host that it was read from: under another one the same path is that of
    another object. So where the Host received names none, and the one that a proxy told does, that one replaces it.
    """
    if not domains:
        return headers, hosts
    bucket = next((_bucket_in(value, domains) for name, value in headers if name == b"host"), None)
    if bucket is None and (bucket := _bucket_in(hosts[0].host, domains)) is not None:
        headers = [(b"host", hosts[0].host), *(pair for pair in headers if pair[0] != b"host")]
    return headers, tuple(each for each in hosts if _bucket_in(each.host, domains) == bucket)


def names_bucket(headers: RawHeaders, domains: Sequence[str]) -> bool:
    """Return whether the Host names a bucket, or is such that the gateway has to say what is wrong with it."""
    return bool(domains) and any(
        _bucket_in(value, domains) is not None for name, value in headers if name == b"host"
    )


def _bucket_in(host: bytes, domains: Sequence[str]) -> str | None:
    try:
        return parse_target(b"/", host, domains).bucket
    except S3Error:
        return ""


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    if "%" in text:  # a zone says something to the one machine that it is of
        return None
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def _items(headers: RawHeaders, name: bytes) -> list[str]:
    """Return the items of a list that may stand in several headers, in order; empty ones are none.

    A comma within quotes parts items too: nothing that we look for holds one, and so a quote that a client left
    open does not swallow what a proxy wrote behind it.
    """
    values = [value.decode("latin-1") for key, value in headers if key == name]
    items = [item.strip(" \t") for value in values for item in value.split(",")]
    return [item for item in items if item]


def _hop(element: str) -> _Hop:
    """Return what an element of `Forwarded` says; nothing at all if it is malformed."""
    found: dict[str, str] = {}
    for part in element.split(";"):
        pair = _PAIR.fullmatch(part.strip(" \t"))
        if pair is None or pair[1].lower() in found:
            return _Hop("", "", None)
        found[pair[1].lower()] = pair[2] or pair[3] or ""
    scheme = found.get("proto")
    return _Hop(found.get("for", ""), scheme.lower() if scheme is not None else None, found.get("host"))


def _forms(host: str, *, port: str | None, is_secure: bool) -> list[bytes]:
    """Return what the client may have written into Host: as told, and with the port that was told beside it."""
    host = host.lower()
    if len(host) > 255 or _HOST.fullmatch(host) is None:
        return []
    forms = [host]
    has_port = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    is_number = port is not None and port.isascii() and port.isdigit() and len(port) <= 5
    if is_number and not has_port and port != _DEFAULT_PORTS["https" if is_secure else "http"]:
        forms.append(f"{host}:{port}")
    return [form.encode() for form in forms]
