"""Where a bucket and its objects are, seen from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, Literal, NamedTuple, get_args

from valetkey.sigv4.encoding import encode_path, encode_paths
from valetkey.sigv4.errors import MisuseError

Addressing = Literal["path", "virtual", "auto"]
"""`virtual` puts the bucket into the host name, `path` into the path. `auto` is virtual for Amazon's own
endpoints where the bucket's name can stand in a host name under their certificate, and path elsewhere."""

# Patterns are compiled when first used: at import they would cost more than the rest of the module.
_URL: Final = (
    r"(https?)://([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?((?:/[A-Za-z0-9\-._~%]+)*)/?"
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_BUCKET: Final = r"[A-Za-z0-9._\-]{1,255}"
_HOST_NAME: Final = r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?"
_HOST_LABEL: Final = r"[a-z0-9][a-z0-9\-]{1,61}[a-z0-9]"


class Place(NamedTuple):
    """A bucket, or the whole service, at an endpoint."""

    origin: str
    """Scheme and host, without trailing slash."""
    host: str
    """Host header as the client will send it: lower case, with the port unless it is the default."""
    own_path: str
    """The encoded path of the bucket itself."""
    key_prefix: str | None
    """What stands before an encoded key; None for the whole service."""

    def path(self, key: str | None) -> str:
        """Return the encoded path of the object `key`, or of the place itself for None.

        Raises:
            MisuseError: `key` is empty, no valid Unicode, or there is no bucket to hold it.
        """
        if key is None:
            return self.own_path
        return self.prefix_of_keys() + encoded_key(key)

    def prefix_of_keys(self) -> str:
        """Return what stands before an encoded key.

        Raises:
            MisuseError: there is no bucket to hold it.
        """
        if self.key_prefix is None:
            raise MisuseError("a key needs a bucket; name the bucket that holds the object")
        return self.key_prefix


def encoded_key(key: str) -> str:
    """Return `key` as it stands in a path.

    Raises:
        MisuseError: it is empty or no valid Unicode.
    """
    if not key:
        raise MisuseError("the key is empty; leave it out (None) to address the bucket itself")
    try:
        return encode_path(key)
    except UnicodeEncodeError as error:
        raise MisuseError("the key holds half of a surrogate pair, which is no Unicode text") from error


def encoded_keys(keys: Sequence[str]) -> Iterable[str]:
    """Return the same of each of many keys. What is wrong with one is raised when its turn comes."""
    with suppress(UnicodeEncodeError):
        if all(keys):
            return encode_paths(keys)
    return map(encoded_key, keys)


class Endpoint(NamedTuple):
    """The address of an S3 service."""

    scheme: str
    host: str
    """Lower case, with the port unless it is the default."""
    path_prefix: str
    """Encoded, without trailing slash; usually empty."""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Return the endpoint that a URL such as `https://s3.example.com:8443/store` names.

        Raises:
            MisuseError: it has another form.
        """
        found = re.fullmatch(_URL, text)
        if found is None:
            raise MisuseError(
                f"not an endpoint: {text!r}; write it as http://host:port or https://host, with a path "
                "prefix if there is one, and without user, query and fragment"
            )
        scheme, host, port, path_prefix = found.groups()
        if port is not None and port != _DEFAULT_PORTS[scheme]:
            host = f"{host}:{port}"
        return cls(scheme=scheme, host=host.lower(), path_prefix=path_prefix)

    def place(self, bucket: str | None, *, addressing: Addressing) -> Place:
        """Return where `bucket` is, or the whole service for None.

        Raises:
            MisuseError: the bucket's name cannot be one.
        """
        if bucket is None:
            path = f"{self.path_prefix}/"
            return Place(origin=self._origin(self.host), host=self.host, own_path=path, key_prefix=None)
        if re.fullmatch(_BUCKET, bucket) is None:
            raise MisuseError(f"not a bucket name: {bucket!r}; it may hold letters, digits, '.', '-' and '_'")
        if addressing == "virtual" or (addressing == "auto" and self._is_amazon_host_of(bucket)):
            if re.fullmatch(_HOST_NAME, bucket) is None:
                raise MisuseError(f"{bucket!r} cannot stand in a host name; use addressing='path'")
            host, path = f"{bucket}.{self.host}", f"{self.path_prefix}/"
            return Place(origin=self._origin(host), host=host, own_path=path, key_prefix=path)
        path = f"{self.path_prefix}/{bucket}"
        return Place(origin=self._origin(self.host), host=self.host, own_path=path, key_prefix=f"{path}/")

    def _origin(self, host: str) -> str:
        return f"{self.scheme}://{host}"

    def _is_amazon_host_of(self, bucket: str) -> bool:
        name = self.host.partition(":")[0]
        return (
            name.endswith((".amazonaws.com", ".amazonaws.com.cn"))
            and re.fullmatch(_HOST_LABEL, bucket) is not None
        )

    def __str__(self) -> str:
        return f"{self._origin(self.host)}{self.path_prefix}"


def amazon_endpoint(region: str) -> str:
    """Return the URL of Amazon S3 in `region`."""
    return f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def require_addressing(addressing: str) -> None:
    """Refuse a word that names no addressing.

    Raises:
        MisuseError: it is none of `path`, `virtual` and `auto`.
    """
    if addressing not in get_args(Addressing):
        raise MisuseError(f"unknown addressing {addressing!r}; use 'path', 'virtual' or 'auto'")
