"""The flags that state what a link may do, and the object that the admin API takes for them."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from valetkey.cli.errors import BadInputError
from valetkey.cli.quantity import parse_moment, parse_size
from valetkey.cli.surroundings import read_text

FLAGS: Final[dict[str, Any]] = {
    "expires": Annotated[
        str | None,
        typer.Option(
            "--expires", metavar="TIME", help="Until when: 2h, 30d, or 2026-12-24T18:00Z; 7d if unsaid."
        ),
    ],
    "not_before": Annotated[
        str | None, typer.Option("--not-before", metavar="TIME", help="From when on: likewise.")
    ],
    "uses": Annotated[
        int | None, typer.Option("--uses", metavar="N", min=1, help="How many downloads, or stored objects.")
    ],
    "max_bytes": Annotated[
        str | None,
        typer.Option("--max-bytes", metavar="SIZE", help="How much it serves in all, such as 10GB."),
    ],
    "objects": Annotated[
        int | None, typer.Option("--objects", metavar="N", min=1, help="How many objects may be uploaded.")
    ],
    "min_size": Annotated[
        str | None, typer.Option("--min-size", metavar="SIZE", help="The least size of an upload.")
    ],
    "max_size": Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", help="The largest size of an upload, such as 10MB."),
    ],
    "upload_type": Annotated[
        list[str] | None,
        typer.Option(
            "--upload-type", metavar="TYPE", help="Take uploads of this type, such as image/*; repeatable."
        ),
    ],
    "create_only": Annotated[
        bool, typer.Option("--create-only", help="An upload replaces no object that is there.")
    ],
    "network": Annotated[
        list[str] | None,
        typer.Option(
            "--address", metavar="CIDR", help="Only from this network, such as 10.0.0.0/8; repeatable."
        ),
    ],
    "password_file": Annotated[
        Path | None,
        typer.Option(
            "--password-file", metavar="FILE", help="It takes the password in this file; - asks for it."
        ),
    ],
    "filename": Annotated[
        str | None, typer.Option("--filename", metavar="NAME", help="Save the download under this name.")
    ],
    "content_type": Annotated[
        str | None, typer.Option("--content-type", metavar="TYPE", help="Deliver as this type.")
    ],
    "cache_control": Annotated[
        str | None, typer.Option("--cache-control", metavar="TEXT", help="Deliver with this Cache-Control.")
    ],
    "label": Annotated[str | None, typer.Option("--label", metavar="TEXT", help="A name for yourself.")],
    "webhook": Annotated[
        str | None,
        typer.Option("--webhook", metavar="URL", help="Where the server tells what happens to the link."),
    ],
    "tag": Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="A tag for yourself; repeatable.")
    ],
}
DEFAULTS: Final[dict[str, Any]] = {"create_only": False}


def grant_body(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the flags state, as members of a grant; what is not said is left out.

    Raises:
        BadInputError: a flag's value is written wrongly.
    """
    now = datetime.now(UTC)
    body = {
        "ends": _moment("--expires", given["expires"], now),
        "starts": _moment("--not-before", given["not_before"], now),
        "max_uses": given["uses"],
        "max_bytes": _size("--max-bytes", given["max_bytes"]),
        "max_objects": given["objects"],
        "min_size": _size("--min-size", given["min_size"]),
        "max_size": _size("--max-size", given["max_size"]),
        "content_types": given["upload_type"],
        "create_only": given["create_only"] or None,
        "addresses": given["network"],
        "password": None if given["password_file"] is None else _password(given["password_file"]),
        "filename": given["filename"],
        "content_type": given["content_type"],
        "cache_control": given["cache_control"],
        "label": given["label"],
        "webhook": given["webhook"],
        "tags": None if given["tag"] is None else dict(map(_tag, given["tag"])),
    }
    return {name: value for name, value in body.items() if value is not None}


def _moment(flag: str, text: str | None, now: datetime) -> str | None:
    return None if text is None else parse_moment(flag, text, now=now).isoformat()


def _size(flag: str, text: str | None) -> int | None:
    return None if text is None else parse_size(flag, text)


def _password(file: Path) -> str:
    """Return a file's first line; or what is typed, unseen, for `-`."""
    if str(file) == "-":
        return getpass.getpass("Password of the link: ")
    text = read_text(file)
    if text is None:
        raise BadInputError(f"there is no file {file}")
    return text.partition("\n")[0].rstrip("\r")


def _tag(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise BadInputError(f"--tag takes NAME=VALUE, not {text!r}")
    return name, value
