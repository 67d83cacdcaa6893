"""What can go wrong in a command, each as one sentence for the person at the terminal."""

from typing import ClassVar


class CliError(Exception):
    """A failure that a person can understand; `str()` is the sentence, without a final full stop."""

    exit_code: ClassVar[int] = 1


class BadInputError(CliError):
    """What was asked for cannot be meant: a flag, a file or a setting is wrong."""

    exit_code: ClassVar[int] = 2
