"""A secret that does not print."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """A secret text, such as a secret access key.

    It shows itself as `Secret('…')`, compares in constant time and refuses to be pickled, so that it
    reaches a log, a trace or a cache on disk only where somebody wrote `reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value`, which is not checked in any way."""
        self._value = value

    def reveal(self) -> str:
        """Return the text. Call it on the line that feeds an HMAC or a wire, nowhere else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (text.encode("utf-8", "surrogatepass") for text in (self._value, other._value))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied; pass the object itself on")
