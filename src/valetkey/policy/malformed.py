"""What is wrong with a policy document, and where."""

from __future__ import annotations

from typing import Final

from valetkey.policy.errors import PolicyError

_MOST_SHOWN: Final = 100


class MalformedPolicyError(PolicyError):
    """A policy document cannot be kept as it stands.

    `message` is Amazon's text where it has one.
    """

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{message} ({where})" if where else message)
        self.message = message
        self.where = where
        """The element, such as `Statement[2].Condition.NumericEquals`; empty for the document as a whole."""


class PolicyTooLargeError(MalformedPolicyError):
    """A policy document is longer than its kind may be."""

    def __init__(self, message: str, *, limit: int) -> None:
        super().__init__(message)
        self.limit = limit


def shown(text: str) -> str:
    """Return `text` as a message may hold it: printable, and at most 100 characters."""
    cut = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    return cut if cut.isprintable() else ascii(cut)
