"""A request as it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ReceivedRequest(NamedTuple):
    """What a signature is verified on: the bytes of the wire, before any decoding.

    A tuple, and built positionally, because each request makes one.
    """

    method: str
    raw_path: bytes
    """The request target up to the `?`, exactly as sent."""
    raw_query: bytes
    """What followed the `?`; empty if nothing did."""
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case, in order of arrival."""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the lower-case header `name`, in order of arrival."""
        return [value for found, value in self.headers if found == name]
