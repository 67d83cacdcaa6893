"""The flags of the commands that manage a server, and how these print what they learn."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from valetkey.cli.errors import BadInputError
from valetkey.cli.options import spread
from valetkey.cli.plain_text import shown
from valetkey.cli.surroundings import read_text

Pair = Mapping[str, str | None]
"""An access key id and its secret, as members of a request; None where one is made."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_SERVER: Final[dict[str, Any]] = {
    "endpoint": Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="Where the server is; else VALETKEY_ENDPOINT."),
    ],
    "region": Annotated[str | None, typer.Option("--region", metavar="NAME", help="Region to sign for.")],
    "profile": Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="Profile in ~/.aws/config and ~/.aws/credentials."),
    ],
}
_ACTING: Final[dict[str, Any]] = {
    "account": Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="Work in this account; only the root account can."),
    ]
}
_PAIR: Final[dict[str, Any]] = {
    "access_key": Annotated[
        str | None,
        typer.Option("--access-key", metavar="ID", help="Make the key with this id; else one is made."),
    ],
    "secret_key": Annotated[
        str | None,
        typer.Option(
            "--secret-key", metavar="KEY", help="Its secret. Better in a file: other users see command lines."
        ),
    ],
    "secret_key_file": Annotated[
        Path | None, typer.Option("--secret-key-file", metavar="FILE", help="File that holds its secret.")
    ],
}
_HOLDER: Final[dict[str, Any]] = {
    kind: Annotated[str | None, typer.Option(f"--{kind}", metavar="NAME", help=f"That of a {kind}.")]
    for kind in ("user", "group", "role")
}


def with_server(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with its parameter `client` made from flags that say where the server is."""
    return spread(command, "client", _SERVER, _open_client)


def with_account(command: Callable[..., None]) -> Callable[..., None]:
    """Return the same with a flag for the account to work in."""
    return spread(command, "client", _ACTING | _SERVER, _open_client)


def _open_client(said: dict[str, Any]) -> object:
    from valetkey.cli.admin_client import open_client

    return open_client(**said)


def with_holder(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with its parameter `holder` made from flags for a user, group or role."""
    return spread(command, "holder", _HOLDER, _holder)


def _holder(said: dict[str, Any]) -> Mapping[str, str]:
    given = {kind: name for kind, name in said.items() if name is not None}
    if len(given) > 1:
        raise BadInputError(f"give --{' or --'.join(given)}, not both")
    return given


def with_pair(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with its parameter `pair`, members of a request, made from flags that give a new key pair."""
    return spread(command, "pair", _PAIR, _pair)


def _pair(said: dict[str, Any]) -> Pair:
    secret_key = _secret_of(said["secret_key"], said["secret_key_file"])
    return {"access_key": said["access_key"], "secret_key": secret_key}


def _secret_of(secret_key: str | None, file: Path | None) -> str | None:
    """Return the secret that a flag gives, or a file without the end of its line.

    Raises:
        BadInputError: both are given, or there is no such file.
    """
    if file is None:
        return secret_key
    if secret_key is not None:
        raise BadInputError("give --secret-key-file or --secret-key, not both")
    text = read_text(file)
    if text is None:
        raise BadInputError(f"there is no file {file}")
    return text.rstrip("\r\n")


def print_json(value: object) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_fields(value: Mapping[str, object], *, as_json: bool) -> None:
    """Print what one thing is."""
    if as_json:
        print_json(value)
        return
    width = max((len(name) for name in value), default=0)
    for name, each in value.items():
        if each not in (None, "", [], {}):
            print(f"{name:<{width}}  {_cell(each)}")


def print_url(made: Mapping[str, object], *, as_json: bool) -> None:
    """Print the URL of what was made; as JSON, all that it is."""
    if as_json:
        print_json(made)
    else:
        print(made["url"])


def print_table(entries: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a listing: all that is known as JSON, or the columns for a person."""
    listed = list(entries)
    if as_json:
        print_json(listed)
        return
    rows = [[_cell(entry.get(column)) for column in columns] for entry in listed]
    if not rows:
        return
    table = [[column.replace("_", " ").upper() for column in columns], *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_cell(one) for one in value)
        case dict():
            return shown(json.dumps(value, ensure_ascii=False))
        case _:
            return shown(str(value))
