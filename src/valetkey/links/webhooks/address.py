"""Where webhooks may go: hosts that the settings name, and of their addresses only those of the public network."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

MOST_URL_CHARS: Final = 2048

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_PORTS: Final = {"https": 443, "http": 80}

# Source: IANA, "IPv4 Special-Purpose Address Registry", multicast and class E with it.
_SPECIAL_V4: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# All of IPv6 that is public lies here, but for what is special in it: this leaves out loopback, link-local, unique local,
# multicast, and the ranges in which an IPv4 address hides. Source: IANA, "IPv6 Special-Purpose Address Registry".
_PUBLIC_V6: Final = ip_network("2000::/3")
_SPECIAL_V6: Final = tuple(
    map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)


class HookRefusedError(Exception):
    """A webhook may not go there. The text says why, for whoever named it."""


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of the setting."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        named = host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"
        return f"http://{named}" if self.scheme == "http" else named

    @classmethod
    def parse(cls, text: str) -> AllowedHost:
        """Return the entry: `HOST` or `HOST:PORT` for https, `http://HOST` for what is not encrypted.

        Raises:
            ValueError
        """
        parts = urlsplit(text if "://" in text else f"https://{text}")
        if (
            parts.scheme not in _PORTS
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or parts.username
        ):
            raise ValueError("expected a host such as hooks.example.com, host:8443, or http://host")
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


@dataclass(frozen=True, slots=True)
class HookTarget:
    """A URL that may be told something."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def host_header(self) -> str:
        """What stands in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def require_target(url: str, allowed: Sequence[AllowedHost]) -> HookTarget:
    """Return where a URL leads, if its host is one of those allowed.

    Raises:
        HookRefusedError
    """
    if len(url) > MOST_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise HookRefusedError("a webhook's URL has at most 2,048 characters of ASCII, without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise HookRefusedError("a webhook's URL is malformed") from error
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise HookRefusedError("a webhook's URL is https://HOST/PATH, without a user and a fragment")
    if AllowedHost(parts.scheme, parts.hostname, port) not in allowed:
        raise HookRefusedError("webhooks may not go to this host: VALETKEY_WEBHOOK_HOSTS does not name it")
    path = parts.path or "/"
    return HookTarget(parts.scheme, parts.hostname, port, f"{path}?{parts.query}" if parts.query else path)


def resolve(target: HookTarget, *, networks: Sequence[Network]) -> list[str]:
    """Return the addresses of a host, if all of them may be connected to; asks the resolver once.

    `networks` are those that may be, though they are not public.

    Raises:
        HookRefusedError: one of them may not.
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        require_public(address, networks=networks)
    return addresses


def require_public(text: str, *, networks: Sequence[Network]) -> None:
    """Return if an address is of the public network, or of one that is allowed.

    Raises:
        HookRefusedError
    """
    address = ip_address(text.partition("%")[0])
    if any(address.version == network.version and address in network for network in networks):
        return
    if not _is_public(address):
        raise HookRefusedError("the host has an address that is not public")


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _SPECIAL_V6)
