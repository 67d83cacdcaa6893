"""`valetkey links addresses`: short addresses, which lead to links."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from valetkey.cli import admin_options as options
from valetkey.cli.links_history import key_of

if TYPE_CHECKING:
    from valetkey.cli.admin_client import AdminClient

app = typer.Typer(help="Short addresses, which lead to links.", no_args_is_help=True)

Link = Annotated[str, typer.Argument(metavar="LINK", help="The link's id, or its whole URL.")]
Address = Annotated[str, typer.Argument(metavar="ID", help="The short address's id.")]

_COLUMNS: Final = ("id", "url", "link", "paused", "created")


@app.command("list")
@options.with_account
def list_addresses(link: Link, *, as_json: options.AsJson = False, client: "AdminClient") -> None:
    """List the short addresses of a link."""
    found = client.pages("addresses", "links", key_of(link), "addresses")
    options.print_table(found, _COLUMNS, as_json=as_json)


@app.command("create")
@options.with_account
def create_address(
    link: Link,
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="What it ends in. Whoever guesses it can use the link."),
    ] = None,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Make a short address of a link and print it. Without a name it ends in what nobody can guess."""
    made = client.send("POST", "links", key_of(link), "addresses", body={"name": name})
    options.print_url(made, as_json=as_json)


@app.command("point")
@options.with_account
def point_address(
    address: Address,
    link: Annotated[str, typer.Argument(metavar="LINK", help="The link that it leads to from now on.")],
    *,
    as_json: options.AsJson = False,
    client: "AdminClient",
) -> None:
    """Let a short address lead to another link."""
    altered = client.send("POST", "addresses", address, body={"link": key_of(link)})
    options.print_fields(altered, as_json=as_json)


@app.command("pause")
@options.with_account
def pause_address(address: Address, *, client: "AdminClient") -> None:
    """Let a short address lead nowhere, until it is resumed."""
    client.send("POST", "addresses", address, body={"paused": True})


@app.command("resume")
@options.with_account
def resume_address(address: Address, *, client: "AdminClient") -> None:
    """Let a paused short address lead to its link again."""
    client.send("POST", "addresses", address, body={"paused": False})


@app.command("delete")
@options.with_account
def delete_address(address: Address, *, client: "AdminClient") -> None:
    """Forget a short address."""
    client.send("DELETE", "addresses", address)
