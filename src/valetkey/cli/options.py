"""The flags that several commands share, each described once."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from valetkey.cli.credentials import Addressing
from valetkey.cli.discovery import AccountFlags
from valetkey.cli.recipes import Form
from valetkey.sigv4.secret import Secret

Expires = Annotated[
    str,
    typer.Option(
        "--expires", metavar="TIME", help="How long the URL works: 30s, 15m, 2h, 7d or seconds, 1s to 7d."
    ),
]
Query = Annotated[
    list[str] | None,
    typer.Option("--query", metavar="NAME=VALUE", help="Sign a query parameter along; repeatable."),
]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="Require a header of the recipient; repeatable."),
]
Filename = Annotated[
    str | None,
    typer.Option("--filename", metavar="NAME", help="Save the download under this name, in any script."),
]
Stable = Annotated[
    str | None,
    typer.Option(
        "--stable", metavar="TIME", help="Print the same URL for so long, and let it live as much longer."
    ),
]
CopyAs = Annotated[
    Form, typer.Option("--copy-as", help="Print a ready command or snippet instead of the plain URL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print URL, method, end and required headers as JSON.")]
Field = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="NAME=VALUE", help="Form: fix a field of it; repeatable."),
]
MaxBytes = Annotated[
    int | None, typer.Option("--max-bytes", metavar="N", min=0, help="Form: take files up to this size.")
]
AsHtml = Annotated[bool, typer.Option("--html", help="Form: print it as a page that a browser opens.")]

DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder that holds the buckets; made if absent.")
]
ListenAddress = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; 127.0.0.1:9000 by default."),
]

TlsCertificate = Annotated[
    Path | None,
    typer.Option("--tls-certificate", metavar="FILE", help="Speak HTTPS with this certificate."),
]
TlsKey = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="The key of the certificate.")]
PublicUrls = Annotated[
    list[str] | None,
    typer.Option("--public-url", metavar="URL", help="An endpoint by which clients know us; repeatable."),
]
TrustedProxies = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted-proxy", metavar="CIDR", help="A proxy whose word on the client counts; repeatable."
    ),
]
Domains = Annotated[
    list[str] | None,
    typer.Option("--domain", metavar="NAME", help="Serve BUCKET.NAME too (virtual-host style); repeatable."),
]

_ACCOUNT: Final[dict[str, Any]] = {
    "addressing": Annotated[
        Addressing | None,
        typer.Option("--addressing", help="Where the bucket stands: in the path, or in the host (virtual)."),
    ],
    "region": Annotated[str | None, typer.Option("--region", metavar="NAME", help="Region to sign for.")],
    "endpoint": Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="Where the service is, as the recipient reaches it."),
    ],
    "profile": Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="Profile in ~/.aws/config and ~/.aws/credentials."),
    ],
    "access_key": Annotated[
        str | None, typer.Option("--access-key", metavar="ID", help="Access key id to sign with.")
    ],
    "secret_key_file": Annotated[
        Path | None, typer.Option("--secret-key-file", metavar="FILE", help="File that holds the secret key.")
    ],
    "secret_key": Annotated[
        str | None,
        typer.Option(
            "--secret-key",
            metavar="KEY",
            help="The secret key itself. Better not: other users of the machine see it, and the shell keeps it.",
        ),
    ],
    "session_token": Annotated[
        str | None,
        typer.Option("--session-token", metavar="TOKEN", help="Session token of temporary credentials."),
    ],
}
"""The flags that become an `AccountFlags`, under the names of its fields."""


def spread(
    command: Callable[..., None],
    parameter: str,
    flags: Mapping[str, Any],
    make: Callable[[dict[str, Any]], object],
) -> Callable[..., None]:
    """Return `command` with one parameter spread out into flags, each None unless it is given.

    `make` gets what was said, by the names of `flags`, and returns what the command takes as its parameter.
    """
    own = [each for each in signature(command).parameters.values() if each.name != parameter]
    more = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in flags.items()
    ]

    @wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401 - whatever the command's own parameters are
        said = {name: given.pop(name) for name in flags}
        command(**{parameter: make(said)}, **given)

    # Typer reads both. What the command takes may be of a class that is loaded only when it runs.
    run.__annotations__.pop(parameter, None)
    run.__signature__ = signature(command).replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return run


def with_account_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with its parameter `account_flags` spread out into one flag for each field."""
    return spread(command, "account_flags", _ACCOUNT, _account_flags)


def _account_flags(said: dict[str, Any]) -> AccountFlags:
    secret_key = said.pop("secret_key")
    return AccountFlags(secret_key=None if secret_key is None else Secret(secret_key), **said)
