"""A pasted curl command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from valetkey.explain.causes import Cause, Finding
from valetkey.explain.shell_words import split_words

_BODIES: Final = frozenset(
    ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json")
)
_FORMS: Final = frozenset(("-F", "--form", "--form-string"))
_UPLOADS: Final = frozenset(("-T", "--upload-file"))
_OTHERS: Final = frozenset(
    [
        "-o",
        "--output",
        "-u",
        "--user",
        "-b",
        "--cookie",
        "-c",
        "--cookie-jar",
        "-w",
        "--write-out",
        "-m",
        "--max-time",
        "--connect-timeout",
        "--retry",
        "--resolve",
        "--connect-to",
        "-x",
        "--proxy",
        "--cacert",
        "--cert",
        "--key",
        "--aws-sigv4",
        "-r",
        "--range",
        "-C",
        "--continue-at",
        "-K",
        "--config",
        "-D",
        "--dump-header",
        "--limit-rate",
        "-y",
        "-Y",
        "-z",
        "--interface",
        "-E",
        "--unix-socket",
        "--proxy-header",
        "--ciphers",
        "--noproxy",
    ]
)
_WITH_VALUE: Final = (
    _BODIES
    | _FORMS
    | _UPLOADS
    | _OTHERS
    | {"-X", "--request", "-H", "--header", "-A", "--user-agent", "-e", "--referer", "--url"}
)
_PROGRAMS: Final = frozenset(("curl", "curl.exe"))


@dataclass(slots=True)
class Told:
    """What a command, snippet or dump says of a request."""

    url: str = ""
    method: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    findings: list[Finding] = field(default_factory=list)


def is_curl(text: str) -> bool:
    """Tell whether `text` is a curl command, perhaps behind a prompt."""
    return any(word in _PROGRAMS for word in text.lstrip(" $#>%\t\r\n").split(maxsplit=2)[:1])


def parse_curl(text: str) -> Told:
    """Return what a curl command would send."""
    words = split_words(text.lstrip(" $#>%\t\r\n"))
    reader = _Reader()
    reader.read(list(words.words[1:]))
    if words.is_cut:
        reader.told.findings.append(Finding(cause=Cause.SHELL_AMPERSAND))
    return reader.finish()


class _Reader:
    def __init__(self) -> None:
        self.told = Told()
        self._data: list[str] = []
        self._implied = "GET"
        self._type = ""
        self._is_get = False

    def read(self, words: list[str]) -> None:
        at = 0
        while at < len(words):
            name, value, at = _option(words, at)
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        told = self.told
        if name in {"-X", "--request"}:
            told.method = value
        elif name in {"-H", "--header"}:
            self._header(value)
        elif name in _BODIES:
            self._data.append(value)
            self._implied = "POST"
            self._type = "application/json" if name == "--json" else "application/x-www-form-urlencoded"
        elif name in _FORMS:
            self._implied, self._type = "POST", "multipart/form-data"
        elif name in _UPLOADS:
            self._implied = "PUT"
        elif name in {"-I", "--head"}:
            self._implied = "HEAD"
        elif name in {"-G", "--get"}:
            self._is_get = True
        elif name in {"-r", "--range"}:
            told.headers.append(("Range", f"bytes={value}"))
        elif name in {"", "--url"} and not told.url:
            told.url = value

    def _header(self, line: str) -> None:
        name, colon, value = line.partition(":")
        # `-H 'Name;'` sends an empty header, `-H 'Name:'` takes one of curl's own away.
        if not colon and name.endswith(";"):
            self.told.headers.append((name[:-1], ""))
        elif colon:
            self.told.headers.append((name.strip(), value.strip()))

    def finish(self) -> Told:
        told = self.told
        if self._is_get:
            told.url += ("&" if "?" in told.url else "?") + "&".join(self._data) if self._data else ""
            self._implied, self._type = "GET", ""
        elif self._data:
            told.body = "&".join(self._data).encode("utf-8", "replace")
        told.method = told.method or self._implied
        names = {name.lower() for name, _ in told.headers}
        if self._type and "content-type" not in names:
            told.headers.append(("Content-Type", self._type))
        told.headers = [each for each in told.headers if each[1] or each[0].lower() != "content-type"]
        return told


def _option(words: list[str], at: int) -> tuple[str, str, int]:
    """Return the name and value of the option at `at` (no name: an argument), and where the next one begins."""
    word = words[at]
    if not word.startswith("-") or word == "-":
        return "", word, at + 1
    following = words[at + 1] if at + 1 < len(words) else ""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        if equals:
            return name, value, at + 1
        return (word, following, at + 2) if word in _WITH_VALUE else (word, "", at + 1)
    for place, letter in enumerate(word[1:], start=1):
        if f"-{letter}" in _WITH_VALUE:
            rest = word[place + 1 :]
            return (f"-{letter}", rest, at + 1) if rest else (f"-{letter}", following, at + 2)
    heads = [letter for letter in word[1:] if letter in "IG"]
    return (f"-{heads[0]}" if heads else word), "", at + 1
