"""The AWS tools' two configuration files, read as the AWS CLI reads them."""

import configparser
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from valetkey.cli.errors import BadInputError

Section = Mapping[str, str]

_ABSENT: Final[Mapping[str, Section]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsFiles:
    """What `~/.aws/config` and `~/.aws/credentials` say together."""

    profiles: Mapping[str, Section]
    """Where both files have a profile, the credentials file's words win, name by name."""
    credentials: Mapping[str, Section]
    """The profiles of the credentials file alone, which come before a `credential_process`."""
    services: Mapping[str, Section]


def read_aws_files(
    *, config: str | None, credentials: str | None, config_path: str, credentials_path: str
) -> AwsFiles:
    """Return what the two texts say; None is a file that does not exist.

    Raises:
        BadInputError: one of them is no INI text; the sentence never quotes a line, which may be a secret.
    """
    sections = _ABSENT if config is None else parse_ini(config, path=config_path)
    static = _ABSENT if credentials is None else parse_ini(credentials, path=credentials_path)
    profiles = _named(sections, "profile")
    if "default" in sections:
        profiles["default"] = sections["default"]
    for name, section in static.items():
        profiles[name] = {**profiles.get(name, {}), **section}
    return AwsFiles(profiles=profiles, credentials=static, services=_named(sections, "services"))


def parse_ini(text: str, *, path: str) -> dict[str, Section]:
    """Return the sections of an INI text as the AWS tools understand it (no interpolation)."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        lines = [number for number, _ in getattr(error, "errors", [])] or [getattr(error, "lineno", None)]
        where = ", ".join(f"line {number}" for number in lines if number)
        # The parser's own message quotes the line, and the line may hold a secret.
        raise BadInputError(f"{path} is not a valid INI file" + (f" ({where})" if where else "")) from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def parse_nested(value: str) -> Section:
    """Return the names indented beneath a key (`s3 =` and lines under it); empty for a plain value."""
    if not value.startswith("\n"):
        return {}
    pairs = (line.partition("=") for line in value.splitlines() if "=" in line)
    return {name.strip(): text.strip() for name, _, text in pairs}


def _named(sections: Mapping[str, Section], kind: str) -> dict[str, Section]:
    """Return the sections headed `[kind NAME]`, NAME quoted as in a shell or not, by NAME."""
    found: dict[str, Section] = {}
    for heading, section in sections.items():
        if not heading.startswith(kind):
            continue
        try:
            words = shlex.split(heading)
        except ValueError:
            continue
        if len(words) == 2 and words[0] == kind:
            found[words[1]] = section
    return found
