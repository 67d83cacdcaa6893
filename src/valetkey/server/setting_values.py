"""What the values of settings look like: text in, a value or a ValueError out."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from valetkey.sigv4.secret import Secret

NO_ORIGINS: Final = "none"

UNIX: Final = "unix"
"""Stands for the peers of the Unix socket where networks are named."""

_MOST_SOCKET_PATH_BYTES: Final = 107
"""Source: unix(7), `sun_path`."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenUnix:
    """The Unix socket on which the server listens."""

    path: Path

    def __str__(self) -> str:
        return f"{UNIX}:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrl:
    """An endpoint by which clients know this server, beside the address it listens on."""

    url: str
    host: str
    """As clients put it into `Host`: lower case, with the port unless it is the scheme's own."""
    path_prefix: str
    """Without the slash at its end; empty where there is none. A proxy takes it away before us."""


def parse_listen(text: str) -> Listen | ListenUnix:
    if text.startswith(f"{UNIX}:"):
        name = text.removeprefix(f"{UNIX}:")
        if not name:
            raise ValueError("expected a path after unix:, such as unix:/run/valetkey/socket")
        path = Path(name).absolute()
        if len(str(path).encode()) > _MOST_SOCKET_PATH_BYTES:
            raise ValueError(f"a socket's path has at most {_MOST_SOCKET_PATH_BYTES} bytes")
        return ListenUnix(path=path)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:9000 or [::1]:9000, or unix:PATH")
    return Listen(host=host, port=int(port))


def parse_public_url(text: str) -> PublicUrl:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError("expected a URL such as https://files.example.com or https://example.com/s3")
    default_port = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port not in (None, default_port):
        host = f"{host}:{parts.port}"
    return PublicUrl(url=text.rstrip("/"), host=host, path_prefix=parts.path.rstrip("/"))


def parse_network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"expected an address or a network in CIDR form, such as 10.0.0.0/8 or ::1 ({error})"
        ) from error


def parse_proxy(text: str) -> Network | str:
    return text if text == UNIX else parse_network(text)


def parse_domain(text: str) -> str:
    name = text.strip().lower().strip(".")
    if not name or not all(
        label.replace("-", "a").isalnum() and label.isascii() for label in name.split(".")
    ):
        raise ValueError("expected a domain name such as s3.example.com")
    return name


def parse_origin(text: str) -> str:
    parts = urlsplit(text)
    is_origin = bool(parts.scheme and parts.netloc) and text == f"{parts.scheme}://{parts.netloc}"
    if text not in ("*", NO_ORIGINS) and (not is_origin or text.count("*") > 1):
        raise ValueError(f"expected an origin such as https://app.example.com, *, or {NO_ORIGINS}")
    return text


def parse_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError("expected true or false")


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdigit() and lowest <= int(stripped) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(stripped)

    return parse


def parse_mode(text: str) -> int:
    if len(text) != 3 or not set(text) <= set("01234567"):
        raise ValueError("expected three octal digits such as 660")
    return int(text, 8)


def parse_region(text: str) -> str:
    if not text or len(text) > 64 or not text.isascii() or not text.replace("-", "a").isalnum():
        raise ValueError("expected a region name such as us-east-1: letters, digits and hyphens")
    return text


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("expected one of " + ", ".join(choices))
        return text

    return parse


def parse_access_key(text: str) -> str:
    if not 1 <= len(text) <= 128 or not text.isascii() or not text.isprintable() or set(text) & set("/ ,:="):
        raise ValueError("expected 1 to 128 ASCII characters without spaces and without / , : =")
    return text


def parse_secret_key(text: str) -> Secret:
    if not 1 <= len(text) <= 256:
        raise ValueError("expected 1 to 256 characters")
    return Secret(text)


def parse_token(text: str) -> Secret:
    if not 16 <= len(text) <= 256 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected 16 to 256 ASCII characters without spaces")
    return Secret(text)


def parse_master_key(text: str) -> Secret:
    """Return a key of 32 bytes, given in hex or base64, as 64 hex digits.

    Raises:
        ValueError: it is neither; the text does not repeat it.
    """
    try:
        stripped = text.strip()
        key = bytes.fromhex(stripped) if len(stripped) == 64 else b64decode(stripped, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("expected 64 hex digits, or the base64 of 32 bytes")
    return Secret(key.hex())
