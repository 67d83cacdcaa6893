"""What opens a door must not stand in anything that a server writes: looked for at the end of the whole run.

The tests send thousands of requests, right and wrong ones. Whatever comes of them, neither the access log nor a
fault nor a greeting may hold a signature, a token or a secret key. So all output of all servers is read once more.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from valetkey.testing.server import SECRET_KEY

SIGNATURES: Final[set[str]] = set()
"""All that the tests have made by hand."""

SECRETS: Final[dict[str, str]] = {
    "the root key of the tests": SECRET_KEY,
    "Alice's key": "a secret of Alice's that is long enough",
    "Bob's key": "a secret of Bob's that is long enough",
}
"""By what they are called in a report, which shall not hold them either."""

_LEAST_CHARS: Final = 16

_SIGNATURE_LENGTHS: Final = r"[0-9a-f]{64}|[A-Za-z0-9+/]{27}="
_TOKENS: Final = re.compile(rf"(?<![A-Za-z0-9+/])(?:{_SIGNATURE_LENGTHS})(?![A-Za-z0-9+/=])")
_TELLING: Final = re.compile(
    r"(?:signature|security-token|session-token|customer-key)(?:=|%(?:25)*3d)(?!REDACTED)[A-Za-z0-9+/%_-]{16}"
    r"|\bAWS [A-Z0-9]{16,}:[A-Za-z0-9+/%]{20}",
    re.IGNORECASE,
)


def find_leaks(folder: Path) -> list[str]:
    """Return a sentence for each line in which a server that ran below `folder` told a secret."""
    return [leak for data, log in _servers(folder) for leak in _leaks(log, {**SECRETS, **_secrets_of(data)})]


def _servers(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the data folder of each server that `valetkey.testing` started, and the file that it wrote to."""
    for pattern in ("*/*.log", "*/*/*.log"):
        for log in sorted(folder.glob(pattern)):
            data = log.with_suffix("")
            # pytest keeps a second name of each folder.
            if data.is_dir() and not log.parent.is_symlink():
                yield data, log


def _secrets_of(data: Path) -> Mapping[str, str]:
    """Return the secrets that a server has made for itself."""
    found: dict[str, str] = {}
    if (data / "master.key").is_file():
        found["its master key"] = (data / "master.key").read_text("utf-8").strip()
    parser = configparser.RawConfigParser()
    if (data / "credentials").is_file():
        parser.read_string((data / "credentials").read_text("utf-8"))
    for section in parser.sections():
        found["its root key"] = parser.get(section, "aws_secret_access_key", fallback="").strip()
    return found


def _leaks(log: Path, secrets: Mapping[str, str]) -> Iterator[str]:
    text = log.read_text("utf-8", "replace")
    # A test may make up a token of a letter or two.
    told = {
        name: secret for name, secret in secrets.items() if len(secret) >= _LEAST_CHARS and secret in text
    }
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{log}:{number}"
        for name, secret in told.items():
            if secret in line:
                yield f"{where} holds {name}"
        if any(token in SIGNATURES for token in _TOKENS.findall(line)):
            yield f"{where} holds a signature"
        elif _TELLING.search(line):
            yield f"{where} holds what looks like a signature or a token"
