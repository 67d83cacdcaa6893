"""What a command may ask of the machine it runs on, as one value that a test can make up."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valetkey.cli.errors import BadInputError, CliError


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The environment, the home folder, and how to read a file and ask a program."""

    environ: Mapping[str, str]
    home: Path
    read_text: Callable[[Path], str | None]
    """Return the text of a file, or None when there is no such file."""
    run: Callable[[Sequence[str]], str]
    """Run a program and return what it wrote to its standard output."""

    def variable(self, name: str) -> str | None:
        """Return the environment variable, or None when it is unset or empty."""
        return self.environ.get(name) or None

    def path(self, text: str) -> Path:
        """Return the path that `text` names, `~` being this home."""
        if text == "~" or text.startswith("~/"):
            return self.home / text[2:]
        return Path(text)


def real_surroundings() -> Surroundings:
    """Return this process's environment and this machine's files and programs."""
    return Surroundings(environ=os.environ, home=Path.home(), read_text=read_text, run=run_program)


def read_text(path: Path) -> str | None:
    """Return the text of `path`, or None when there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except UnicodeDecodeError:
        raise BadInputError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error


def run_program(words: Sequence[str]) -> str:
    """Run a program and return its standard output; its standard error goes to the terminal.

    Raises:
        CliError: it could not be started or it failed. What it printed is not repeated: it may be a secret.
    """
    try:
        ended = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise CliError(f"cannot run {words[0]!r}: {error.strerror}") from error
    if ended.returncode != 0:
        raise CliError(f"{words[0]!r} failed with exit code {ended.returncode}")
    return ended.stdout.decode(errors="replace")
